"""Differences between real and generated pictures other than their content: audit, refusal, equalising.

Open `clues.py` first: it lists the clues and reads them. `audit` reports differences, `equalise` removes them,
`refusal` stops the quiz, `technical` names what moves the features of networks.
"""
