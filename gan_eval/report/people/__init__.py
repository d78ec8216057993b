"""The sections on what people answered, one module for each.

Open first_page.py first; ../sections.py lists the others in order.
"""
