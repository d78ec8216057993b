"""Types of the functions that the passes over pictures and sets call."""

from collections.abc import Callable

OnProgress = Callable[[int, int, str], None]
"""Told (done, total, what)."""

PictureFunction = Callable[..., float]
"""(generated, real), (generated, real, hole) or (picture) to a number; raises Unmeasurable where it is not defined."""
