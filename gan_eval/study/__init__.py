"""A study in its folder: plan.py (paths and checks), stages.py, markers.py (which stages are up to date), sessions.py.

Also the demo, and `try` (two_folders.py). Open `stages.py` first. Input that is missing, damaged or contradicts the
study file raises `UserError`.
"""
