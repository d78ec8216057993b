"""Building blocks of the sections of the reports.

Open blocks.py first: the HTML of paragraphs, tables and figures.
"""
