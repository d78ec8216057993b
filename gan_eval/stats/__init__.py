"""Statistics of judgements: can people tell, which model is better, does a metric agree with people?

Start with `analysis.py`, whose `analyze` makes every table.
"""
