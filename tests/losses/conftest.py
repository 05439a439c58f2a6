"""Property tests are the same at every run, and a busy machine doesn't fail them."""

from hypothesis import settings

settings.register_profile("losses", derandomize=True, deadline=None)
settings.load_profile("losses")
