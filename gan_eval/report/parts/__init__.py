"""Building blocks of the sections of the reports."""
