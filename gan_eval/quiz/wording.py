"""The program's texts for participants, by name, in each language.

Texts of the study file (quiz_title, instructions, consent, questions) are used unchanged.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gan_eval.base.errors import UserError
from gan_eval.settings.quiz import ConsentSettings, QuizSettings
from gan_eval.tables.frames import Row

FOLDER = Path(__file__).parent / "texts"
"""Folder with a file for each language, such as `de.toml`, with the same names and braces as `en.toml`."""


NBSP = "\u00a0"
"""A space at which no line is broken."""


def languages() -> list[str]:
    """Return the languages that have a file."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


@cache
def texts_of(language: str) -> Mapping[str, str]:
    """Return the program's texts in a language, by name."""
    texts: dict[str, str] = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return texts


@dataclass(frozen=True)
class Texts:
    """The texts in one language, such as `texts("pause_text", done=3, trials=50)`."""

    language: str = "en"

    def __call__(self, name: str, **values: object) -> str:
        """Return the text of this name with its values filled in."""
        return texts_of(self.language)[name].format(**values)

    def duration(self, milliseconds: float) -> str:
        """Return a duration in words.

        >>> Texts().duration(1000), Texts().duration(250), Texts().duration(4000)
        ('1 second', '0.25 seconds', '4 seconds')
        """
        seconds = milliseconds / 1000
        return self("one_second") if seconds == 1 else self("seconds", seconds=self.number(seconds))

    def number(self, value: float, form: str = "g") -> str:
        """Return a number with the language's decimal point; `form` is a Python format.

        >>> Texts("de").number(0.614, ".2f")
        '0,61'
        """
        return format(value, form).replace(".", self("decimal_point"))


def require_language(language: str, *, named: str = "--language") -> None:
    """Refuse a language without texts.

    Raises:
        UserError: it has no texts; `named` is the option or field of the message.
    """
    if language not in languages():
        raise UserError(f"{named} {language}: not translated; known: {', '.join(languages())}")


def welcome_title(settings: QuizSettings, texts: Texts) -> str:
    """Return the headline for participants: the study's `quiz_title`, else the protocol's."""
    return settings.quiz_title.strip() or texts(settings.facts.title)


def instructions(
    settings: QuizSettings, trials: int, texts: Texts, *, pause: str = "escape_pauses", touch: bool = False
) -> list[str]:
    """Return the lines of the instructions; the study's own text if it has one.

    Args:
        trials: number of trials that count.
        pause: name of the text about pausing.
        touch: True if the participant taps buttons instead of pressing keys.
    """
    if settings.instructions:
        return [line for line in settings.instructions.splitlines() if line.strip()]
    facts, by = settings.facts, "_touch" if touch else ""
    task = f"task_{facts.texts}_{settings.layout}" if facts.shows_pairs else f"task_{facts.texts}"
    verbs = {name: texts(f"{name}{by}") for name in ("press", "one_key", "number_key")}
    lines = [texts(task, trials=trials, grades=settings.grades, **verbs)]
    lines.append(_time_text(settings, texts))
    lines.append(texts("judge_carefully" if settings.window_ms is None else "judge_quickly"))
    if settings.confidence:
        lines.append(texts("confidence_task", levels=settings.confidence, **verbs))
    if settings.marks:
        name = "mark_task_every" if settings.marks_after == "every" else "mark_task"
        lines.append(texts("mark_task_pair" if facts.shows_pairs else name))
    return [*lines, texts(pause)]


def _time_text(settings: QuizSettings, texts: Texts) -> str:
    """Return how long pictures are shown, and how much time there is to answer."""
    window = "" if settings.window_ms is None else texts.duration(settings.window_ms)
    unlimited = "" if window else "_unlimited"
    pair = "_pair" if settings.shows_pairs and window else ""
    requested, exposure = settings.levels_ms[0], ""
    if settings.facts.adaptive:
        name = f"time_adapts{unlimited}"
    elif len(set(settings.levels_ms)) > 1:
        name = f"time_varies{unlimited}"
    elif requested is None:
        name = f"time_until_answer{unlimited}{pair}"
    else:
        exposure = texts.duration(requested)
        name = f"time_flash{unlimited}{'_one_after_other' if pair and settings.layout == 'one_after_other' else pair}"
    return texts(name, exposure=exposure, window=window)


def presented_consent(consent: ConsentSettings, texts: Texts) -> ConsentSettings:
    """Return the study's consent text, else the program's in the participant's language."""
    if consent.text != ConsentSettings().text:
        return consent
    return consent.model_copy(update={"text": texts("consent_text")})


def keys_in_order(keys: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (key, answer) pairs in the order of the keyboard, from left to right; unknown keys come last."""
    rows = ((0.0, "1234567890"), (0.5, "qwertyuiop"), (0.75, "asdfghjkl"), (1.25, "zxcvbnm"))
    columns = {key: offset + column for offset, row in rows for column, key in enumerate(row)}
    caps = [(key.upper() if key.upper().lower() == key.lower() else key, answer) for answer, key in keys.items()]
    return sorted(caps, key=lambda cap: columns.get(cap[0].lower(), float("inf")))


def meaning_of(answer: str, settings: QuizSettings, texts: Texts) -> str:
    """Return the text next to a key: the answer; for grades only at the ends."""
    if settings.facts.graded:
        return {"1": texts("grade_lowest"), str(settings.grades): texts("grade_highest")}.get(answer, "")
    return texts(f"answer_{answer}")


def confidence_keys(settings: QuizSettings, texts: Texts) -> dict[str, str]:
    """Return the number keys of the confidence levels with the meaning of the ends; empty: not asked."""
    ends = {1: texts("confidence_lowest"), settings.confidence: texts("confidence_highest")}
    return {str(level): ends.get(level, "") for level in range(1, settings.confidence + 1)}


def keys_in_line(meanings: Iterable[tuple[str, str]]) -> str:
    """Return keys with their meaning, in one line; where it is broken, each key stays with its meaning.

    >>> keys_in_line([("1", "a guess"), ("2", ""), ("3", "certain")]).replace(NBSP, "~")
    '1:~a~guess    2    3:~certain'
    """
    return "    ".join(f"{key}: {meaning}".replace(" ", NBSP) if meaning else key for key, meaning in meanings)


@dataclass(frozen=True)
class TrialTexts:
    """The texts between and after a participant's pictures, never during a picture."""

    texts: Texts
    settings: QuizSettings
    keys: Mapping[str, str]
    """The key of each answer."""

    def progress(self, plan: Sequence[Row], coming: int) -> str:
        """Return the number of the coming trial and the total, counting practice separately; empty at the end."""
        if coming >= len(plan):
            return ""
        practice = plan[coming]["phase"] == "practice"
        alike = [index for index, row in enumerate(plan) if (row["phase"] == "practice") == practice]
        name = "practice_progress" if practice else "progress"
        return self.texts(name, number=alike.index(coming) + 1, trials=len(alike))

    @property
    def response_cue(self) -> str:
        """The question with its keys for the time after the pictures; empty: none."""
        if not self.settings.response_cue:
            return ""
        keys = [(key, meaning_of(answer, self.settings, self.texts)) for key, answer in keys_in_order(self.keys)]
        name = f"question_{self.settings.facts.texts}"
        return self.texts(name, keys=keys_in_line(keys))

    @property
    def confidence(self) -> str:
        """The question about confidence with its keys."""
        keys = keys_in_line(confidence_keys(self.settings, self.texts).items())
        return self.texts("confidence_question", keys=keys)

    @property
    def mark_question(self) -> str:
        """The question above the picture to mark."""
        name = "mark_question" if self.settings.marks > 1 else "mark_question_one"
        name += "_computer" if self.settings.browser.for_computers else ""
        return self.settings.mark_question.strip() or self.texts(name, limit=self.settings.marks)

    def truth_of(self, planned: Row, stimulus: str) -> str:
        """Return the truth about one picture of a trial, for protocols that have one."""
        fake = planned["kind"] == "fake" or stimulus == planned["stimulus_b"]
        return self.texts("picture_fake" if fake else "picture_real")

    def feedback(self, correct: bool | None) -> str:
        """Return the feedback of a practice trial; None: no answer."""
        return self.texts({True: "feedback_right", False: "feedback_wrong", None: "feedback_none"}[correct])
