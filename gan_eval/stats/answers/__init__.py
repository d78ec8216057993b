"""Tables of people's answers: rates, pairs, grades, thresholds, agreement, reaction times.

One file for each table. Open `rates.py` first.
"""
