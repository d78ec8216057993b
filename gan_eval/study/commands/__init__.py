"""The command line. Each module holds one command or group of commands and is imported only when needed.

Open app.py first: it makes the application; options.py has the options that commands share.
"""
