"""Statistics of judgements: sensitivity of people, differences of models, agreement of metrics with people.

Start with `analysis.py`, whose `analyze` makes every table.
"""
