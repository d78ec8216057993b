"""The command line: each module one command or group of commands, imported when it is asked for."""
