"""Tables of an analysis: rates, comparisons, pairs, grades, thresholds, agreement, reaction times, robustness.

One file for each table. Open `rates.py` first.
"""
