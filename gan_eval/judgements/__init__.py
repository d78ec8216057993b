"""Trials of other programs: convert their files into a trials table by naming the columns.

Open `convert.py` first. `reading.py` has the formats, `sources.py` what `--map` may name, `tools.py` the programs whose
files are known, `traps.py` what these write that is not what it seems.
"""
