"""From stimuli to tables: inputs, one pass over the pictures, kept values, sets, and the runs they are told by."""
