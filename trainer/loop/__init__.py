"""One training from its plan to the finished generator.

Start with `run.py`.
"""
