"""The tables and pictures of a run during training."""
