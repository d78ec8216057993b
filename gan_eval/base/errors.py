"""The error class for bad input, and helpers that shorten other errors for its message."""

import re
import reprlib
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

MAX_LENGTH = 2000
"""Maximum number of characters of a message, which may quote input of any length."""


class UserError(Exception):
    """Bad input or usage.

    The message is one line of at most `MAX_LENGTH` characters that names the file, the field and the fix; the command
    line prints it to stderr without a traceback and exits with status 2. Control characters and bytes that are not text
    are escaped.
    """

    def __init__(self, message: str) -> None:
        line = printable(" ".join(message.split()))
        if len(line) > MAX_LENGTH:  # the file and field are at its start, the fix at its end
            line = f"{line[: MAX_LENGTH // 2]} … {line[-MAX_LENGTH // 2 + 3 :]}"
        super().__init__(line)


@contextmanager
def naming(where: str, *, only: str = "") -> Iterator[None]:
    """Put `where` before the messages of `UserError` raised inside, or only those that begin with `only`."""
    try:
        yield
    except UserError as error:
        if not str(error).startswith(only):
            raise
        raise UserError(f"{where}{error}") from error


def printable(line: str) -> str:
    r"""Return a line with control characters, and bytes of file names that are not text, escaped.

    >>> print(printable("a\x1b[31m\udcff"))
    a\x1b[31m\udcff
    """
    return "".join(repr(c)[1:-1] if unicodedata.category(c) in ("Cc", "Cs") else c for c in line)


def first_sentence(error: BaseException, *, most: int = 160) -> str:
    """Return the first sentence of an error's message, without its full stop; its class name if it has no message.

    An error of a missing key or of the end of a file is put into words.

    >>> first_sentence(RuntimeError("Found no driver. Please install one from http://driver.example"))
    'Found no driver'
    """
    line = _in_words(error).strip().partition("\n")[0]
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(line.split()))
    return shortened(sentences[0].removesuffix("."), most) or type(error).__name__


def reason_of(error: Exception) -> str:
    """Return an error's message without its number and file; its class name if it has no message.

    >>> reason_of(FileNotFoundError(2, "No such file or directory", "a.png"))
    'No such file or directory'
    """
    return getattr(error, "strerror", None) or _in_words(error) or type(error).__name__


def _in_words(error: BaseException) -> str:
    """Return an error's message; that of Python for a missing key is the key alone, and for a file's end often nothing.

    >>> _in_words(KeyError("model.1.beta")), _in_words(EOFError())
    ('it has no model.1.beta', 'the file ends too early')
    """
    if isinstance(error, KeyError) and len(error.args) == 1:
        return f"it has no {error.args[0]}"
    return str(error) or ("the file ends too early" if isinstance(error, EOFError) else "")


def last_words(error: BaseException, *, most: int = 200) -> str:
    """Return the end of an error's message, where torch names the cause; its class name if it has no message.

    >>> last_words(RuntimeError("Traceback of five pages: shapes differ"), most=20)
    '… shapes differ'
    """
    text = " ".join(str(error).split()) or type(error).__name__
    if len(text) <= most:
        return text
    end = text[-(most - 1) :]
    return f"…{end[end.find(' ') :]}" if " " in end else f"…{end}"


_NO_MEMORY = ("out of memory", "can't allocate", "not enough memory", "_status_alloc_failed")
"""Words in the messages of PyTorch's CPU allocator, cuDNN and cuBLAS, which raise a plain RuntimeError."""


def memory_ran_out(error: Exception) -> bool:
    """Return True for an error that a lack of memory caused."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(phrase in words for phrase in _NO_MEMORY)
    )


def abbreviated(value: object) -> str:
    """Return a bad value as text for a message, shortened if it is long.

    >>> abbreviated(["a", 1])
    "['a', 1]"
    """
    try:
        text = repr(value)
    except RecursionError:  # nested a thousand levels deep, as from a key with a thousand dots
        text = reprlib.repr(value)
    return shortened(text, 100)


def shortened(text: str, most: int) -> str:
    """Return the text, cut after a word if it is longer than `most` characters.

    >>> shortened("an explanation of several pages", 20)
    'an explanation of …'
    """
    if len(text) <= most:
        return text
    start = text[: most - 1]
    return f"{start[: start.rfind(' ') + 1] or start}…"
