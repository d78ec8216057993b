"""A study in its folder: plan.py (what it names, checked), stages.py, markers.py (what is up to date), sessions.py.

Also the demo, and `try` (two_folders.py). Start with `stages.py`. What is missing, damaged or contradicts the study
file is a `UserError`.
"""
