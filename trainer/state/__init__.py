"""The files of a run, from which it resumes."""
