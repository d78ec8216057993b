"""Parts that every room may use: the error whose message the user reads, whole files, this computer, arithmetic.

Open `errors.py` first, then `atomic.py`. At its import it needs no package but numpy; `run` imports `commands.py` and
`system_libraries.py` before anything is installed.
"""
