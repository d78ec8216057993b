"""The score of each group of trials, and every trial in order, in the participant's language: for the end page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gan_eval.quiz.draw.offers import BETWEEN_MODELS
from gan_eval.quiz.library import Companions, Library
from gan_eval.quiz.protocol import NO_ANSWER, OPPOSITE, truth_of
from gan_eval.quiz.wording import Texts
from gan_eval.settings.adaptive import Threshold
from gan_eval.settings.protocols import PROTOCOLS
from gan_eval.tables.frames import Row

Kind = Literal["real", "fake"]
Phase = Literal["practice", "main", "catch"]


@dataclass(frozen=True)
class GroupScore:
    """The score of one group of trials. Practice trials are in none, catch trials in groups of their own."""

    dataset: str
    kind: Kind | None
    """The pictures' truth; None: pairs."""
    n_trials: int
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
class ReviewedPicture:
    """A picture of a reviewed trial."""

    kind: Kind
    model: str | None
    """Whose output it is; None: real."""
    chosen: bool
    """The answer named it, in a pair, as real or as more real."""
    companions: Companions


@dataclass(frozen=True)
class ReviewedTrial:
    """One trial as the review shows it."""

    number: int
    """The number on the screen, where practice is counted separately."""
    phase: Phase
    truth: str | None
    """The correct answer: real, fake, left, right, first, second; None if the trial has none."""
    answer: str | None
    """The answer in the same words, or a grade such as `3`; None: no answer in time."""
    correct: bool | None
    """None: no answer in time, or no truth."""
    reaction_time_ms: float | None
    confidence: int | None
    dataset: str
    pictures: tuple[ReviewedPicture, ...]
    """The picture, or the two from left to right or from first to second."""


FILTERS: Mapping[str, Callable[[ReviewedTrial], bool]] = {
    "all": lambda trial: trial.phase != "practice",
    "wrong": lambda trial: trial.phase != "practice" and trial.correct is False,
    "fakes": lambda trial: trial.phase != "practice" and all(picture.kind == "fake" for picture in trial.pictures),
    "reals": lambda trial: trial.phase != "practice" and all(picture.kind == "real" for picture in trial.pictures),
    "unanswered": lambda trial: trial.phase != "practice" and trial.answer is None,
    "practice": lambda trial: trial.phase == "practice",
}
"""The review's filters by name. Practice is separate and in no other count."""


def useful_filters(trials: Sequence[ReviewedTrial]) -> list[str]:
    """`all`, the filters that leave some of these trials but not all, and `practice` where there was one."""
    counts = {name: sum(map(passes, trials)) for name, passes in FILTERS.items()}
    some = [name for name, count in counts.items() if 0 < count < counts["all"] and name != "practice"]
    return ["all", *some, *(["practice"] if counts["practice"] else [])]


@dataclass(frozen=True)
class ScoreLine:
    """A line of the score: of what, how much, and a remark."""

    group: str
    value: str
    remark: str


@dataclass(frozen=True)
class Panel:
    """A picture of a trial's review with its caption."""

    caption: str
    path: Path | None
    marked: bool
    """It was presented; of a pair, chosen."""


def score(trials: Iterable[Row]) -> list[GroupScore]:
    """The groups of a session: real before fake, data sets and models by name, catch trials last.

    Args:
        trials: rows of `gan_eval.tables.TRIALS` of one protocol.
    """
    groups: dict[tuple[bool, str, bool, str], list[Row]] = {}
    for row in trials:
        models = row["model"] if PROTOCOLS[row["protocol"]].material == "two_models" else ""
        if row["phase"] != "practice":
            key = (row["phase"] == "catch", row["dataset"], row["kind"] == "fake", models)
            groups.setdefault(key, []).append(row)
    scores = []
    for key, group in sorted(groups.items()):
        models = key[3]
        protocol = PROTOCOLS[group[0]["protocol"]]
        whole = GroupScore(
            dataset=group[0]["dataset"],
            kind=group[0]["kind"],
            n_trials=len(group),
            correct=None,
            unanswered=sum(_answer(row) is None for row in group),
            phase=group[0]["phase"],
        )
        if models:  # one score for either model
            a, _, b = models.partition(BETWEEN_MODELS)
            for model, other, choice in ((a, b, "a"), (b, a, "b")):
                chosen = sum(row["choice"] == choice for row in group)
                scores.append(replace(whole, model=model, against=other, chosen=chosen))
        elif protocol.graded:
            grades = [row["rating"] for row in group if row["rating"] is not None]
            scores.append(replace(whole, mean_rating=sum(grades) / len(grades) if grades else None))
        else:
            scores.append(replace(whole, correct=sum(row["correct"] is True for row in group)))
    return scores


def review(trials: Iterable[Row], library: Library) -> list[ReviewedTrial]:
    """Every trial in the order in which it was presented, practice and catch trials too."""
    stimuli = {row["stimulus"]: row for row in library.rows}
    reviewed: list[ReviewedTrial] = []
    for row in sorted(trials, key=lambda row: row["trial"]):
        names = [("a", row["stimulus"])] + ([("b", row["stimulus_b"])] if row["stimulus_b"] else [])
        pictures = [
            ReviewedPicture(
                kind=stimuli[name]["kind"],
                model=stimuli[name]["model"],
                chosen=row["choice"] == letter,
                companions=library.companions(name),
            )
            for letter, name in names
        ]
        trial = ReviewedTrial(
            number=1 + sum((other.phase == "practice") == (row["phase"] == "practice") for other in reviewed),
            phase=row["phase"],
            truth=truth_of(row["protocol"], row),
            answer=_answer(row),
            correct=row["correct"],
            reaction_time_ms=row["reaction_time_ms"],
            confidence=None if row["confidence"] is None else int(row["confidence"]),
            dataset=row["dataset"],
            pictures=tuple(pictures if row["position"] in (None, "left", "first") else reversed(pictures)),
        )
        reviewed.append(trial)
    return reviewed


def _answer(row: Row) -> str | None:
    """The answer by its name in the protocol."""
    if row["rating"] is not None:
        return f"{row['rating']:g}"
    if row["choice"] in ("a", "b"):
        return str(row["position"] if row["choice"] == "a" else OPPOSITE[row["position"]])
    return None if row["response"] == NO_ANSWER else row["response"]


def score_lines(scores: Iterable[GroupScore], texts: Texts) -> list[ScoreLine]:
    """One line for each group."""
    scores = list(scores)
    several = len({score.dataset for score in scores}) > 1
    lines = []
    for score in scores:
        if score.model is not None and score.against is not None:
            group = texts("group_models", model=score.model, against=score.against)
        else:
            group = texts("group_pairs" if score.kind is None else f"group_{score.kind}")
        if several:
            group = texts("group_dataset", group=group, dataset=score.dataset)
        if score.phase == "catch":
            group = texts("group_catch", group=group)
        if score.chosen is not None:
            value = texts("score_chosen", chosen=score.chosen, shown=score.n_trials)
        elif score.correct is not None:
            value = texts("score_correct", correct=score.correct, shown=score.n_trials)
        elif score.mean_rating is not None:
            value = texts("score_rating", mean=texts.number(score.mean_rating, ".1f"))
        else:
            value = "–"
        remark = texts("score_unanswered", count=score.unanswered) if score.unanswered else ""
        lines.append(ScoreLine(group, value, remark))
    return lines


def threshold_lines(thresholds: Sequence[Threshold], texts: Texts, *, right: float) -> list[ScoreLine]:
    """One line for each block of a session; `right` is the proportion of right answers at its threshold."""
    lines = []
    for threshold in thresholds:
        group = texts("threshold", percent=round(100 * right))
        if len(thresholds) > 1:
            group = texts("group_dataset", group=group, dataset=threshold.dataset)
        if threshold.threshold_ms is None:
            value = texts("threshold_unknown")
        else:
            value = texts("threshold_value", milliseconds=f"{threshold.threshold_ms:.0f}")
        lines.append(ScoreLine(group, value, texts("threshold_limit") if threshold.bound else ""))
    return lines


def trial_lines(trial: ReviewedTrial, texts: Texts) -> list[str]:
    """Return what is said of one trial; correct and wrong in a symbol and a word, so that colour is not needed."""
    phases = {"practice": "review_practice", "catch": "review_catch", "main": "review_number"}
    lines = [texts(phases[trial.phase], number=trial.number)]
    if trial.truth is not None:
        lines.append(texts("review_truth", truth=texts(f"answer_{trial.truth}")))
    if trial.answer is None:
        lines.append(texts("review_none"))
    elif trial.answer.isdigit():
        lines.append(texts("review_grade", answer=trial.answer))
    else:
        lines.append(texts("review_answer", answer=texts(f"answer_{trial.answer}")))
    if trial.correct is not None:
        lines.append(texts("review_right" if trial.correct else "review_wrong"))
    if trial.reaction_time_ms is not None:
        lines.append(texts("review_time", seconds=texts.number(trial.reaction_time_ms / 1000, ".2f")))
    if trial.confidence is not None:
        lines.append(texts("review_confidence", confidence=trial.confidence))
    return lines


def sentence(trial: ReviewedTrial, texts: Texts) -> str:
    """Return a trial as a screen reader says it."""
    return ", ".join(line.lstrip("✓✗– ") for line in trial_lines(trial, texts))


def panels(trial: ReviewedTrial, texts: Texts) -> list[Panel]:
    """The pictures of one trial: what the generator was given, if anything, then real and generated, or the pair as
    presented."""
    companions = trial.pictures[0].companions
    label = [] if companions.label is None else [Panel(texts("picture_label"), companions.label, marked=False)]
    if len(trial.pictures) == 1:
        kind = trial.pictures[0].kind
        real = _panel(texts("picture_real"), companions.truth, "picture_shown" if kind == "real" else "", texts)
        fake = _panel(texts("picture_fake"), companions.generated, "picture_shown" if kind == "fake" else "", texts)
        return [*label, real, fake]
    of_pair = []
    for picture in trial.pictures:
        mark = "picture_chosen" if picture.chosen else ""
        if picture.kind == "real":
            of_pair.append(_panel(texts("picture_real"), picture.companions.truth, mark, texts))
        else:
            name = picture.model or texts("picture_fake")
            of_pair.append(_panel(name, picture.companions.generated, mark, texts))
    return [*label, *of_pair]


def _panel(name: str, path: Path | None, mark: str, texts: Texts) -> Panel:
    return Panel(texts(mark, picture=name) if mark else name, path, marked=bool(mark))
