"""Pictures on disk and the stimulus sets that they make."""
