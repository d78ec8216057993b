"""Agreement of metrics with people: points, correlations with their ceiling, and checks that tables match.

Open `correlations.py` first.
"""
