"""Inner loops in numba, and the checks of what they are given. Open compiled.py first."""
