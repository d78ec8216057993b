"""The one error class whose message is the user's line."""


class UserError(Exception):
    """Bad input or usage.

    The message is one line that names the file, the field and the mend; the command line prints it to stderr
    without a traceback and exits with status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
