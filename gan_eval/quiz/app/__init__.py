"""The Qt part of the quiz: the only place that imports PySide6."""
