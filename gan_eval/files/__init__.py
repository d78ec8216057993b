"""Files: atomic writes, reading with clear errors, digests, locks, records that guard a folder, and
sets that are replaced together.

Open `atomic.py` first.
"""
