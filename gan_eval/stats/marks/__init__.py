"""Where people saw it: do people mark the same places, and is a metric's map high there?

Open tables.py first: the tables; auc.py has the arithmetic on arrays.
"""
