"""Content of the end page in the participant's language: the score of each group of trials, and a review of trials."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from gan_eval.quiz.library import Library
from gan_eval.quiz.protocol import NO_ANSWER, OPPOSITE, truth_of
from gan_eval.quiz.wording import Texts
from gan_eval.settings.protocols import PROTOCOLS
from gan_eval.tables.frames import Row
from gan_eval.tables.names import BETWEEN_MODELS


@dataclass(frozen=True)
class ScoreLine:
    """A line of the score: the group, its result, and a remark."""

    group: str
    value: str
    remark: str


@dataclass(frozen=True)
class Panel:
    """A picture of a trial's review with its caption."""

    caption: str
    path: Path | None
    marked: bool
    """True if the picture was presented; in a pair, if it was chosen."""


@dataclass(frozen=True)
class ReviewedTrial:
    """One trial in the review."""

    lines: tuple[str, ...]
    """Truth and answer; correct or wrong as a symbol and a word, so that colour is not needed."""
    panels: tuple[Panel, ...]
    """The generator's input, if there is one, then real and generated, or the pair as presented."""

    @property
    def sentence(self) -> str:
        """Return the lines for a screen reader."""
        return ", ".join(line.lstrip("✓✗– ") for line in self.lines)


def score_lines(trials: Iterable[Row], texts: Texts) -> list[ScoreLine]:
    """Return a line for each group: real before fake, data sets and models by name, catch trials last, no practice."""
    groups = _groups(row for row in trials if row["phase"] != "practice")
    several = len({dataset for _, dataset, _, _ in groups}) > 1
    lines = []
    for (catch, dataset, _, models), group in sorted(groups.items()):
        unanswered = sum(_answer(row) is None for row in group)
        remark = texts("score_unanswered", count=unanswered) if unanswered else ""
        for name, value in _scores(group, models, texts):
            named = texts("group_dataset", group=name, dataset=dataset) if several else name
            lines.append(ScoreLine(texts("group_catch", group=named) if catch else named, value, remark))
    return lines


def _groups(trials: Iterable[Row]) -> dict[tuple[bool, str, bool, str], list[Row]]:
    """Return trials by phase (true: catch trials), data set, kind (true: fakes) and compared models (empty: none)."""
    groups: dict[tuple[bool, str, bool, str], list[Row]] = {}
    for row in trials:
        models = row["model"] if PROTOCOLS[row["protocol"]].material == "two_models" else ""
        key = (row["phase"] == "catch", row["dataset"], row["kind"] == "fake", models)
        groups.setdefault(key, []).append(row)
    return groups


def _scores(group: Sequence[Row], models: str, texts: Texts) -> Iterator[tuple[str, str]]:
    """Yield name and score of a group; one of two models has a score for each of them."""
    shown, kind = len(group), group[0]["kind"]
    if models:
        a, _, b = models.partition(BETWEEN_MODELS)
        for model, other, choice in ((a, b, "a"), (b, a, "b")):
            chosen = sum(row["choice"] == choice for row in group)
            name = texts("group_models", model=model, against=other)
            yield name, texts("score_chosen", chosen=chosen, shown=shown)
        return
    value = "–"
    if not PROTOCOLS[group[0]["protocol"]].graded:
        value = texts("score_correct", correct=sum(row["correct"] is True for row in group), shown=shown)
    elif grades := [row["rating"] for row in group if row["rating"] is not None]:
        value = texts("score_rating", mean=texts.number(fmean(grades), ".1f"))
    yield texts("group_pairs" if kind is None else f"group_{kind}"), value


def review(trials: Iterable[Row], library: Library, texts: Texts) -> list[ReviewedTrial]:
    """Return every trial in the order of presentation, with practice (numbered separately) and catch trials."""
    numbers: Counter[bool] = Counter()
    reviewed = []
    for row in sorted(trials, key=lambda row: row["trial"]):
        practice = row["phase"] == "practice"
        numbers[practice] += 1
        shown = [("a", library.row(row["stimulus"]))]
        if row["stimulus_b"]:
            shown.append(("b", library.row(row["stimulus_b"])))
        if row["position"] not in (None, "left", "first"):
            shown.reverse()
        lines = _lines(row, numbers[practice], texts)
        reviewed.append(ReviewedTrial(tuple(lines), tuple(_panels(row, shown, library, texts))))
    return reviewed


def _answer(row: Row) -> str | None:
    """Return the answer by its name in the protocol."""
    if row["rating"] is not None:
        return f"{row['rating']:g}"
    if row["choice"] in ("a", "b"):
        return str(row["position"] if row["choice"] == "a" else OPPOSITE[row["position"]])
    return None if row["response"] == NO_ANSWER else row["response"]


def _lines(row: Row, number: int, texts: Texts) -> list[str]:
    phases = {"practice": "review_practice", "catch": "review_catch", "main": "review_number"}
    lines = [texts(phases[row["phase"]], number=number)]
    truth, answer = truth_of(row["protocol"], row), _answer(row)
    if truth is not None:
        lines.append(texts("review_truth", truth=texts(f"answer_{truth}")))
    if answer is None:
        lines.append(texts("review_none"))
    elif answer.isdigit():
        lines.append(texts("review_grade", answer=answer))
    else:
        lines.append(texts("review_answer", answer=texts(f"answer_{answer}")))
    if row["correct"] is not None:
        lines.append(texts("review_right" if row["correct"] else "review_wrong"))
    if row["reaction_time_ms"] is not None:
        lines.append(texts("review_time", seconds=texts.number(row["reaction_time_ms"] / 1000, ".2f")))
    if row["confidence"] is not None:
        lines.append(texts("review_confidence", confidence=int(row["confidence"])))
    return lines


def _panels(row: Row, shown: Sequence[tuple[str, Row]], library: Library, texts: Texts) -> list[Panel]:
    companions = [library.companions(stimulus["stimulus"]) for _, stimulus in shown]
    label = companions[0].label
    panels = [] if label is None else [Panel(texts("picture_label"), label, marked=False)]
    pictures: list[tuple[str, Path | None, str]] = []
    if len(shown) == 1:
        for kind, path in (("real", companions[0].truth), ("fake", companions[0].generated)):
            pictures.append((texts(f"picture_{kind}"), path, "picture_shown" if kind == shown[0][1]["kind"] else ""))
    else:
        for (letter, stimulus), of_item in zip(shown, companions, strict=True):
            real = stimulus["kind"] == "real"
            name = texts("picture_real") if real else stimulus["model"]
            mark = "picture_chosen" if row["choice"] == letter else ""
            pictures.append((name, of_item.truth if real else of_item.generated, mark))
    for name, path, mark in pictures:
        panels.append(Panel(texts(mark, picture=name) if mark else name, path, marked=bool(mark)))
    return panels
