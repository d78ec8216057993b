"""The settings of a study file, checked when it is read."""
