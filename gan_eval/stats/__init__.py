"""Statistics of judgements: sensitivity of people, differences of models, agreement of metrics with people.

Open `analysis.py` first: its `analyze` makes every table.
"""
