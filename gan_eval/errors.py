"""The one error class whose message is the user's line."""


class UserError(Exception):
    """Bad input or usage.

    The message is one line that names the file, the field and the mend; the command line prints it to stderr
    without a traceback and exits with status 2.
    """

    def __init__(self, message: str) -> None:
        line = " ".join(message.split())
        super().__init__(line.encode(errors="backslashreplace").decode())  # file names may hold bytes that are no text
