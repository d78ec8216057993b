"""What people answered: rates, detection, pairs, thresholds, agreement."""
