"""The words of the start page, made from the settings."""

from gan_eval.study import QuizSettings

_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def instructions(settings: QuizSettings, trials: int) -> list[str]:
    """What a participant must know, one sentence or two a line; the study's own text where it has one."""
    if settings.instructions:
        return [line for line in settings.instructions.splitlines() if line.strip()]
    flash = settings.flash_ms
    if flash is None:
        seen = f"Each picture stays until you answer, at most {_seconds(settings.response_ms)}."
    else:
        seen = (
            f"Each picture is visible for {_seconds(flash)}. "
            f"You can answer within {_seconds(settings.response_ms)} of its appearing."
        )
    return [
        f"You will see {trials} pictures, one after the other. "
        "Some are real photographs; the others are fake: a computer generated them.",
        seen,
        "Judge each one as quickly and as well as you can. If you are not sure, guess.",
        "Esc pauses the session.",
    ]


def keys_in_order(settings: QuizSettings) -> list[tuple[str, str]]:
    """(key, answer) from left to right as on the keyboard."""
    return sorted(((key.upper(), answer) for answer, key in settings.keys.items()), key=lambda pair: _column(pair[0]))


def _column(key: str) -> float:
    """How far right a key is; keys unknown here come last."""
    offsets = (0.0, 0.5, 0.75, 1.25)
    places = [row.index(key.lower()) + offset for row, offset in zip(_ROWS, offsets, strict=True) if key.lower() in row]
    return places[0] if places else float("inf")


def _seconds(milliseconds: float) -> str:
    """A duration in words.

    >>> _seconds(4000), _seconds(1000), _seconds(250), _seconds(1500)
    ('4 seconds', '1 second', '0.25 seconds', '1.5 seconds')
    """
    seconds = milliseconds / 1000
    return "1 second" if seconds == 1 else f"{seconds:g} seconds"
