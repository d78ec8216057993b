"""Differences between real and generated pictures other than their content: audit, refusal, equalising.

Open `clues.py` first: it lists what is compared, and reads it. `audit` reports, `equalise` removes, `refusal` guards
the quiz.
"""
