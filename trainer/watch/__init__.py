"""The tables and pictures of a run during training.

Begin with `log.py` and `validation.py`.
"""
