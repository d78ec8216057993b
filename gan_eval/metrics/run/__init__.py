"""From stimuli to metric tables: inputs, one pass over the pictures, cached values, set metrics, provenance."""
