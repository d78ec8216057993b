"""One training from its plan to the finished generator.

Begin with `run.py`.
"""
