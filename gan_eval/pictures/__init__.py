"""Pictures on disk, stimulus sets of them, and differences between real and generated ones other than their content.

Open `sets.py` first: a set and its `stimuli.csv`; `decode.py` reads and writes pictures, `importing.py` makes sets of
others' files. `audit.py` reports technical differences (`clues.py` lists them) and stops the quiz,
`equalise.py` removes them.
"""
