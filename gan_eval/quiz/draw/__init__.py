"""The draw: which stimuli one participant sees, in which order; dealt before the first trial."""
