"""Arithmetic that the quiz, the metrics and the statistics share: shares, Student's t, resampling, staircases.

At its import it needs numpy alone. Open `inference.py` first.
"""
