"""The sections on metric values, in the study's report and on a page of their own.

Open answer.py first: it names the better models; values.py has the tables and figures.
"""
