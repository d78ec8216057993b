"""Files: atomic writes, reading with clear errors, digests, locks, sets that are replaced together.

Start with `atomic.py`.
"""
