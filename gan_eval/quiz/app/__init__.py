"""The Qt part of the quiz: the only place that imports PySide6.

Open application.py first: the pages around the trials. trials.py shows the trials, stage.py is their screen.
"""
