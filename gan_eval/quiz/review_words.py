"""What the end page says of the score and of each trial, in the participant's words. Plain Python."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gan_eval.quiz.review import GroupScore, ReviewedTrial, ShownPicture
from gan_eval.quiz.wording import Texts
from gan_eval.staircases import Threshold

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
        lines.append(Line(words("review_truth", truth=_answer(trial.truth, words)), "plain"))
    if trial.answer is None:
        lines.append(Line(words("review_none"), "muted"))
    elif trial.answer.isdigit():
        lines.append(Line(words("review_grade", answer=trial.answer), "plain"))
    else:
        lines.append(Line(words("review_answer", answer=_answer(trial.answer, words)), "plain"))
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


def _answer(answer: str, words: Texts) -> str:
    return words(f"answer_{answer}")
