"""The tables and pictures of a run during training.

Start with `log.py` and `validation.py`.
"""
