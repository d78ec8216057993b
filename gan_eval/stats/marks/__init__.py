"""Marks of where people saw it. Open tables.py first: the tables; auc.py has the arithmetic on arrays."""
