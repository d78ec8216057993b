"""This computer and process: how the program starts, its commands, CPU threads, system libraries.

Start with `commands.py`. The file `run` reads this folder before anything is installed: standard library alone.
"""
