"""Differences: fakes and reals, model and model, with intervals, equivalence and correction.

Open comparisons.py first: the table; questions.py decides what is compared.
"""
