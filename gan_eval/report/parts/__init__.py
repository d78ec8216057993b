"""What the sections of the reports are made of."""
