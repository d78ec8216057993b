"""Trials of other programs: convert their files into a trials table by naming the columns.

Open `convert.py` first. `reading.py` has the formats, `sources.py` what `--map` may name, `tools.py` the programs whose
files are known, `traps.py` what these write that is not what it seems.
"""

from gan_eval.stats.importing.convert import Imported, import_trials
from gan_eval.stats.importing.rejections import WHOLE_ROW, rejection_summary
from gan_eval.stats.importing.tools import TOOLS

__all__ = ["TOOLS", "WHOLE_ROW", "Imported", "import_trials", "rejection_summary"]
