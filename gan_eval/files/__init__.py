"""Files: atomic writes, reading with clear errors, digests, locks, sets that are replaced together.

Open `atomic.py` first.
"""
