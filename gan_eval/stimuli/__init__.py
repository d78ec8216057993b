"""Pictures on disk, and stimulus sets of them.

Open sets.py first: a set and its `stimuli.csv`; pictures.py decodes and writes pictures.
"""

from gan_eval.stimuli.sets import StimulusSet, read_set, read_sets, stimulus_row, write_set

__all__ = ["StimulusSet", "read_set", "read_sets", "stimulus_row", "write_set"]
