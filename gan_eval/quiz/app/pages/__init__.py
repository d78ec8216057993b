"""The pages around the trials: start, pause, problem, end."""
