"""The section on training."""
