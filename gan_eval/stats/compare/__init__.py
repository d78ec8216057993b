"""Differences: fakes and reals, model and model, with intervals, equivalence and correction."""
