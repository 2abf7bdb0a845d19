"""Settings of all tests."""

from hypothesis import settings

# A kernel is compiled when it is first called: how long one example takes says nothing.
settings.register_profile("tocsin", deadline=None)
settings.load_profile("tocsin")
