"""This computer and process: how the program starts, its commands, CPU threads, system libraries.

Open `commands.py` first. Only the standard library: `run` imports this folder before anything is installed.
"""
