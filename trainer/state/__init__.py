"""The files of a run, from which it resumes.

Begin with `run_folder.py`; `checkpoints.py` has the states.
"""
