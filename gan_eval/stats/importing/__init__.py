"""Trials of other programs: convert a CSV into a trials table by naming its columns.

Open `convert.py` first.
"""

from gan_eval.stats.importing.convert import Imported, import_trials
from gan_eval.stats.importing.rejections import WRONG_LENGTH, rejection_summary

__all__ = ["WRONG_LENGTH", "Imported", "import_trials", "rejection_summary"]
