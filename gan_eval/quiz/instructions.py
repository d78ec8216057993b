"""The words of the welcome page, made from the settings."""

from collections.abc import Mapping

from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import QuizSettings

_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_TITLES = {"model_vs_model": "welcome_title_models", "rating": "welcome_title_rating"}


def welcome_title(settings: QuizSettings, words: Texts) -> str:
    """What the session is about, where the study does not say it."""
    return words(_TITLES.get(settings.protocol, "welcome_title"))


def instructions(settings: QuizSettings, trials: int, words: Texts) -> list[str]:
    """What a participant must know, one sentence or two a line; the study's own text where it has one.

    Args:
        settings: the quiz.
        trials: how many count.
        words: the texts in the participant's language.
    """
    if settings.instructions:
        return [line for line in settings.instructions.splitlines() if line.strip()]
    lines = [
        words(_task(settings), trials=trials, grades=settings.grades),
        _time(settings, words),
        words("judge_in_peace" if settings.window_ms is None else "judge_quickly"),
    ]
    if settings.confidence:
        lines.append(words("confidence_task", levels=settings.confidence))
    return [*lines, words("escape_pauses")]


def keys_in_order(keys: Mapping[str, str]) -> list[tuple[str, str]]:
    """(key, answer) from left to right as on the keyboard, from the key of each answer."""
    return sorted(((key.upper(), answer) for answer, key in keys.items()), key=lambda pair: _column(pair[0]))


def _task(settings: QuizSettings) -> str:
    match settings.protocol:
        case "paired":
            return f"task_pair_{settings.layout}"
        case "model_vs_model":
            return f"task_models_{settings.layout}"
        case "rating":
            return "task_rating"
        case _:
            return "task_single"


def _time(settings: QuizSettings, words: Texts) -> str:
    """How long pictures are seen and how long an answer is accepted."""
    window = "" if settings.window_ms is None else words.duration(settings.window_ms)
    unlimited = "" if window else "_unlimited"
    if settings.protocol == "staircase":
        return words(f"time_adapts{unlimited}", window=window)
    if len(set(settings.levels_ms)) > 1:
        return words(f"time_varies{unlimited}", window=window)
    (flash,) = set(settings.levels_ms)
    pair = "_pair" if settings.shows_pairs and window else ""
    if flash is None:
        return words(f"time_until_answer{unlimited}{pair}", window=window)
    if pair and settings.layout == "one_after_other":
        pair = "_one_after_other"
    return words(f"time_flash{unlimited}{pair}", exposure=words.duration(flash), window=window)


def _column(key: str) -> float:
    """How far right a key is; keys unknown here come last."""
    offsets = (0.0, 0.5, 0.75, 1.25)
    places = [row.index(key.lower()) + offset for row, offset in zip(_ROWS, offsets, strict=True) if key.lower() in row]
    return places[0] if places else float("inf")
