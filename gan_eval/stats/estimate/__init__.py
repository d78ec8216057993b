"""Estimates for one question: a difference with its interval, its p value and its margin.

Open `detection_rates.py` first: the fit of a model on a data set. `stats/questions.py` decides what is asked.
"""
