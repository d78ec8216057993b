"""Inner loops in numba, and the checks of their inputs. Open compiled.py first."""
