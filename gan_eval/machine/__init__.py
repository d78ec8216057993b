"""This computer and process: how the program starts, its commands, CPU threads, system libraries.

Start with `commands.py`. Only the standard library: `run` imports this folder before anything is installed.
"""
