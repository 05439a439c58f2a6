"""The losses, one file a family; all of them are importable from `losscore` itself."""
