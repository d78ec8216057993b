"""One training from its plan to the finished generator.

Open `run.py` first.
"""
