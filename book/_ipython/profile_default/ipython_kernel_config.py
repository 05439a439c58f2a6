"""The kernels of the book's build draw SVG, so that the page can give figures its own ink."""

c.InlineBackend.figure_formats = {"svg"}  # noqa: F821 (IPython provides `c`)
c.IPKernelApp.log_level = "ERROR"  # noqa: F821 (no word about the local socket on every start)
