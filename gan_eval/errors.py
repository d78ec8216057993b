"""The one error class whose message is the user's line."""

LONGEST = 2000
"""Characters of a message: what a user wrote and it repeats may have any length."""


class UserError(Exception):
    """Bad input or usage.

    The message is one line of at most `LONGEST` characters that names the file, the field and the mend; the command
    line prints it to stderr without a traceback and exits with status 2.
    """

    def __init__(self, message: str) -> None:
        line = " ".join(message.split())
        if len(line) > LONGEST:  # file and field stand at its start, the mend at its end
            line = f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 + 3 :]}"
        super().__init__(line.encode(errors="backslashreplace").decode())  # file names may hold bytes that are no text
