"""The command line. Each module holds one command or group of commands and is imported only when needed."""
