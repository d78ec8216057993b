"""The files of a run, from which it resumes.

Open `run_folder.py` first; `checkpoints.py` has the states.
"""
