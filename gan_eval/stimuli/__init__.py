"""Pictures on disk, and stimulus sets of them.

Open sets.py first: a set and its `stimuli.csv`; pictures.py decodes and writes pictures.
"""
