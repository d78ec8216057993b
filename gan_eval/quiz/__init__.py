"""The timed real-vs-fake quiz in plain Python: draw, protocol, trial, session and review; `app/` is the Qt part.

Open `room.py` first: a study's quiz in one process, and one session after another. Unusable pictures, settings and
stores raise `UserError`.
"""
