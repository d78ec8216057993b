"""The tables and pictures of a run during training.

Open `log.py` first, then `validation.py`.
"""
