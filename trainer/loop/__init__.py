"""One training from its plan to the finished generator.

Begin with `train.py`; `run.py` has the moving parts.
"""
