"""The metrics themselves: each file one family, on pictures or on features in memory."""
