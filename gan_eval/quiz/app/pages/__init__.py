"""The pages around the trials: start, pause, problem, end.

Open parts.py first: the base classes and the pages that only inform.
"""
