"""The settings of a study file, checked when it is read.

Open study.py first: the whole file. The other modules are its sections, template.py writes a new
file, and run_record.py is what `run` notes in its folder.
"""
