"""What the end page shows: the score of each group of trials, and every trial in order.

What the end page says of the score and of each trial, in the participant's words. Plain Python.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gan_eval.quiz.draw.offers import BETWEEN_MODELS
from gan_eval.quiz.library import Companions, Library
from gan_eval.quiz.protocols.paired import OPPOSITE, ModelVsModel
from gan_eval.quiz.protocols.single import Rating
from gan_eval.quiz.wording import Texts
from gan_eval.staircases import Threshold
from gan_eval.tabular import Row

Kind = Literal["real", "fake"]
Phase = Literal["practice", "main", "catch"]


@dataclass(frozen=True)
class GroupScore:
    """What was made of one group of trials. Practice trials are in none, catch trials in groups of their own."""

    dataset: str
    kind: Kind | None
    """The pictures' truth; None: pairs."""
    shown: int
    """Trials."""
    correct: int | None
    """None: nothing is right or wrong here."""
    unanswered: int
    phase: Literal["main", "catch"] = "main"
    model: str | None = None
    """Model against model: whose pictures `chosen` counts. Two groups for each two models, one for either."""
    against: str | None = None
    """Model against model: the other model."""
    chosen: int | None = None
    """Model against model: how often the model's picture was said to look more real."""
    mean_rating: float | None = None
    """Rating: mean grade; None: another protocol, or nothing was answered."""


@dataclass(frozen=True)
class ShownPicture:
    """A picture of a reviewed trial."""

    kind: Kind
    model: str | None
    """Whose output it is; None: real."""
    chosen: bool
    """Of a pair: it was called the real one, or the one that looks more real."""
    companions: Companions


@dataclass(frozen=True)
class ReviewedTrial:
    """One trial as the review shows it."""

    number: int
    phase: Phase
    truth: str | None
    """The answer that was right: real, fake, left, right, first, second; None: there is no truth."""
    answer: str | None
    """In the same words, or a grade such as `3`; None: no answer in time."""
    correct: bool | None
    """None: no answer in time, or no truth."""
    reaction_time_ms: float | None
    confidence: int | None
    dataset: str
    shown: tuple[ShownPicture, ...]
    """The picture, or the two from left to right or from first to second."""


FILTERS: Mapping[str, Callable[[ReviewedTrial], bool]] = {
    "all": lambda trial: True,
    "wrong": lambda trial: trial.correct is False,
    "fakes": lambda trial: all(picture.kind == "fake" for picture in trial.shown),
    "reals": lambda trial: all(picture.kind == "real" for picture in trial.shown),
    "unanswered": lambda trial: trial.answer is None,
}
"""Which trials the review shows, by name."""


def useful_filters(trials: Sequence[ReviewedTrial]) -> list[str]:
    """`all`, and the filters that leave some of these trials but not all."""
    left = {name: sum(map(keeps, trials)) for name, keeps in FILTERS.items()}
    return [name for name, count in left.items() if name == "all" or 0 < count < len(trials)]


def score(trials: Iterable[Row]) -> list[GroupScore]:
    """The groups of a session: real before fake, data sets and models by name, catch trials last.

    Args:
        trials: rows of `gan_eval.tables.TRIALS` of one protocol.
    """
    groups: dict[tuple[bool, str, bool, str], list[Row]] = {}
    for row in trials:
        key = (row["phase"] == "catch", row["dataset"], row["kind"] == "fake", _contest(row) or "")
        if row["phase"] != "practice":
            groups.setdefault(key, []).append(row)
    return [each for _, group in sorted(groups.items()) for each in _scores(group)]


def review(trials: Iterable[Row], library: Library) -> list[ReviewedTrial]:
    """Every trial in the order in which it was shown, practice and catch trials too."""
    stimuli = {row["stimulus"]: row for row in library.rows}
    return [_reviewed(row, stimuli, library) for row in sorted(trials, key=lambda row: row["trial"])]


def _scores(group: Sequence[Row]) -> list[GroupScore]:
    """The score of one group; of two models, one for either."""
    first = group[0]
    whole = GroupScore(
        dataset=first["dataset"],
        kind=first["kind"],
        shown=len(group),
        correct=None,
        unanswered=sum(_answer(row) is None for row in group),
        phase=first["phase"],
    )
    contest = _contest(first)
    if contest is not None:
        a, _, b = contest.partition(BETWEEN_MODELS)
        sides = ((a, b, "a"), (b, a, "b"))
        chosen = {choice: sum(row["choice"] == choice for row in group) for choice in ("a", "b")}
        return [replace(whole, model=model, against=other, chosen=chosen[choice]) for model, other, choice in sides]
    if first["protocol"] == Rating.name:
        grades = [row["rating"] for row in group if row["rating"] is not None]
        return [replace(whole, mean_rating=sum(grades) / len(grades) if grades else None)]
    return [replace(whole, correct=sum(row["correct"] is True for row in group))]


def _contest(row: Row) -> str | None:
    """The two models that were compared in a trial."""
    return row["model"] if row["protocol"] == ModelVsModel.name else None


def _reviewed(row: Row, stimuli: Mapping[str, Row], library: Library) -> ReviewedTrial:
    names = [("a", row["stimulus"])] + ([("b", row["stimulus_b"])] if row["stimulus_b"] else [])
    pictures = [
        ShownPicture(
            kind=stimuli[name]["kind"],
            model=stimuli[name]["model"],
            chosen=row["choice"] == letter,
            companions=library.companions(name),
        )
        for letter, name in names
    ]
    return ReviewedTrial(
        number=row["trial"],
        phase=row["phase"],
        truth=_truth(row),
        answer=_answer(row),
        correct=row["correct"],
        reaction_time_ms=row["reaction_time_ms"],
        confidence=None if row["confidence"] is None else int(row["confidence"]),
        dataset=row["dataset"],
        shown=tuple(pictures if row["position"] in (None, "left", "first") else reversed(pictures)),
    )


def _answer(row: Row) -> str | None:
    """The answer in the words of the protocol."""
    if row["rating"] is not None:
        return f"{row['rating']:g}"
    if row["choice"] in ("a", "b"):
        return str(row["position"] if row["choice"] == "a" else OPPOSITE[row["position"]])
    return row["response"] if row["response"] in ("real", "fake") else None


def _truth(row: Row) -> str | None:
    """The right answer in the words of the protocol."""
    if row["protocol"] in (Rating.name, ModelVsModel.name):
        return None
    return str(row["position"] if row["stimulus_b"] else row["kind"])


Tone = Literal["plain", "strong", "muted", "right", "wrong"]


@dataclass(frozen=True)
class ScoreLine:
    """A line of the score: of what, how much, and a remark."""

    group: str
    value: str
    remark: str


@dataclass(frozen=True)
class Line:
    """A line of words about a trial."""

    text: str
    tone: Tone


@dataclass(frozen=True)
class Panel:
    """A picture of a trial's review with its caption."""

    caption: str
    path: Path | None
    marked: bool
    """It was shown; of a pair, chosen."""


def score_lines(scores: Iterable[GroupScore], words: Texts) -> list[ScoreLine]:
    """One line for each group."""
    scores = list(scores)
    several = len({score.dataset for score in scores}) > 1
    return [
        ScoreLine(
            _group(score, words, name_dataset=several),
            _value(score, words),
            words("score_unanswered", count=score.unanswered) if score.unanswered else "",
        )
        for score in scores
    ]


def threshold_lines(thresholds: Iterable[Threshold], words: Texts, *, right: float) -> list[ScoreLine]:
    """One line for each staircase of a session, whose steps settle where this share of the answers is right."""
    found = list(thresholds)
    lines = []
    for each in found:
        group = words("threshold", percent=round(100 * right))
        if len(found) > 1:
            group = words("group_dataset", group=group, dataset=each.dataset)
        known = each.threshold_ms is not None
        value = words("threshold_value", milliseconds=f"{each.threshold_ms:.0f}") if known else ""
        lines.append(
            ScoreLine(group, value or words("threshold_unknown"), words("threshold_limit") if each.bound else "")
        )
    return lines


def trial_lines(trial: ReviewedTrial, words: Texts) -> list[Line]:
    """What is said of one trial; right and wrong in a symbol and a word, so that it does not hang on colour."""
    phases = {"practice": "review_practice", "catch": "review_catch", "main": "review_number"}
    lines = [Line(words(phases[trial.phase], number=trial.number), "strong")]
    if trial.truth is not None:
        lines.append(Line(words("review_truth", truth=_answer_words(trial.truth, words)), "plain"))
    if trial.answer is None:
        lines.append(Line(words("review_none"), "muted"))
    elif trial.answer.isdigit():
        lines.append(Line(words("review_grade", answer=trial.answer), "plain"))
    else:
        lines.append(Line(words("review_answer", answer=_answer_words(trial.answer, words)), "plain"))
    if trial.correct is not None:
        lines.append(Line(words("review_right"), "right") if trial.correct else Line(words("review_wrong"), "wrong"))
    if trial.reaction_time_ms is not None:
        lines.append(Line(words("review_time", seconds=f"{trial.reaction_time_ms / 1000:.2f}"), "muted"))
    if trial.confidence is not None:
        lines.append(Line(words("review_confidence", confidence=trial.confidence), "muted"))
    return lines


def sentence(trial: ReviewedTrial, words: Texts) -> str:
    """A trial as a screen reader says it."""
    return ", ".join(line.text.lstrip("✓✗– ") for line in trial_lines(trial, words))


def panels(trial: ReviewedTrial, words: Texts) -> list[Panel]:
    """The pictures of one trial: what the generator was given, then real and generated, or the pair as shown."""
    companions = trial.shown[0].companions
    label = Panel(words("picture_label"), companions.label, marked=False)
    if len(trial.shown) > 1:
        return [label, *(_of_pair(picture, words) for picture in trial.shown)]
    (shown,) = trial.shown
    return [
        label,
        _panel(words("picture_real"), companions.truth, "picture_shown" if shown.kind == "real" else "", words),
        _panel(words("picture_fake"), companions.generated, "picture_shown" if shown.kind == "fake" else "", words),
    ]


def _of_pair(picture: ShownPicture, words: Texts) -> Panel:
    if picture.kind == "real":
        name, path = words("picture_real"), picture.companions.truth
    else:
        name, path = picture.model or words("picture_fake"), picture.companions.generated
    return _panel(name, path, "picture_chosen" if picture.chosen else "", words)


def _panel(name: str, path: Path | None, mark: str, words: Texts) -> Panel:
    return Panel(words(mark, picture=name) if mark else name, path, marked=bool(mark))


def _group(score: GroupScore, words: Texts, *, name_dataset: bool) -> str:
    if score.model is not None and score.against is not None:
        group = words("group_models", model=score.model, against=score.against)
    else:
        group = words("group_pairs" if score.kind is None else f"group_{score.kind}")
    if name_dataset:
        group = words("group_dataset", group=group, dataset=score.dataset)
    return words("group_catch", group=group) if score.phase == "catch" else group


def _value(score: GroupScore, words: Texts) -> str:
    if score.chosen is not None:
        return words("score_chosen", chosen=score.chosen, shown=score.shown)
    if score.correct is not None:
        return words("score_correct", correct=score.correct, shown=score.shown)
    return "–" if score.mean_rating is None else words("score_rating", mean=f"{score.mean_rating:.1f}")


def _answer_words(answer: str, words: Texts) -> str:
    return words(f"answer_{answer}")
