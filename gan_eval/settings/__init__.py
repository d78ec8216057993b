"""What a study file says, checked when it is read."""
