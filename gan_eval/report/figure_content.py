"""Data of figure 1, read from the tables: values of each model and of single participants, and a metric's points."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.rules import parse_rule
from gan_eval.judgements.trials import PAIRED, TWO_MODELS, TypedTrials, in_finished_session, typed
from gan_eval.report.metrics.summaries import direction, in_order, is_of_quality
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import clean, missing, number
from gan_eval.report.people.caveats import is_excluded, is_interim
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, STAIRCASE
from gan_eval.stats.groups import REAL, contestants
from gan_eval.stats.metrics_and_people.correlations import CORRELATIONS
from gan_eval.stats.metrics_and_people.points import FOOLING, GRADE
from gan_eval.stats.paper import PAPER
from gan_eval.stats.results import EVERYTHING, INTERIM, NO_ESTIMATE, NONE, RATING, SINGLE, Result
from gan_eval.stats.tables.grades import OPINION_SCORES
from gan_eval.stats.tables.hype import THRESHOLDS
from gan_eval.tables import IMAGE_METRICS, PARTICIPATION, SESSIONS, SET_METRICS
from gan_eval.tables.names import NOT_KNOWN
from gan_eval.tables.schema import SHARE

CHOSEN_OF_TWO = "two_models_only"
"""Key of panel a if every pair is of the same two models."""
PANEL_A: dict[str, tuple[str, str, str]] = {
    SINGLE: ("fooling_rate", "fooling rate (%)", "Fooling rate: share of a model's pictures called real"),
    PAIRED: ("fooling_rate", "taken for the real one (%)", "Share of pairs whose generated picture was called real"),
    TWO_MODELS: ("preference", "preferred (%)", "Probability of being preferred to the average model"),
    CHOSEN_OF_TWO: ("chosen", "chosen (%)", "Share of the pairs of both models in which each was chosen"),
    RATING: ("grade", "mean grade", "Mean grade"),
    **dict.fromkeys(ADAPTIVE_PROTOCOLS, ("threshold_ms", "threshold (ms)", "Exposure with {} correct answers")),
}
"""Column of the table `paper`, axis label and caption of panel a, by protocol."""
_NAMES = {"": "generated pictures", EVERYTHING: "all models", REAL: "real pictures"}
_UNKNOWN = "all pictures"
"""Name of graded pictures whose kind and model are not known."""
_KEY = ["model", "dataset"]
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
MIN_POINTS = 3
"""Minimum number of points for a metric to be drawn."""
MIN_MODELS = 5
"""Minimum number of models for a metric to be drawn that has one value for each model, not for each picture."""
LETTERS = "abcd"
MAX_ROWS = 40
"""Maximum number of rows (models on data sets); only the first ones are drawn."""


@dataclass
class Entry:
    """A model on a data set: a row of panels a and b. Shares are in percent."""

    model: str
    """Name in the table `paper`; empty if the model has no name."""
    dataset: str
    n: int
    """Number of participants; 0: not known."""
    model_index: int
    """Index of the model, which chooses its colour; -1: real pictures."""
    marker: str
    value: Sequence[float]
    """Rate, preference, grade or threshold, and its 95% interval."""
    real: Sequence[float]
    """95% interval of the data set's real pictures; NaN: none."""
    false_alarms: float
    """Share of the row's real pictures called fake; NaN: none."""
    accuracy: Sequence[float]
    """Balanced accuracy, its 95% and its 90% interval; NaN: none."""
    verdict: str
    participant_values: np.ndarray
    """(N,) value of each participant."""
    participant_rates: np.ndarray
    """(N, 2) false-alarm rate and hit rate of each participant."""
    points: np.ndarray
    """(N, 2) metric and score of each picture, or of the model."""
    is_unknown: bool = False
    """The kind of the pictures is not known."""

    @property
    def name(self) -> str:
        """The model's name for readers."""
        return _UNKNOWN if self.is_unknown and not self.model else _NAMES.get(self.model, clean(self.model))

    @property
    def n_label(self) -> str:
        """Number of participants as the end of a label; empty if it is not known."""
        return f" (n = {self.n})" if self.n else ""


@dataclass(frozen=True)
class FigureContent:
    """Content of figure 1 of a folder."""

    protocol: str
    panel_a: tuple[str, str, str]
    """Column of the table `paper`, axis label and caption of panel a."""
    entries: list[Entry]
    margin: float
    """Margin of equivalence, 0..1; NaN: none."""
    grades: int | None
    """The highest grade; None if unknown."""
    metric: str
    """The metric of panel d; empty: no metric."""
    correlations: list[str]
    """The metric's correlation with people as text, for each data set."""
    warning: str
    """Warning printed above the figure."""
    chosen: str = ""
    """Letters of the panels to draw, as in the figure with all of them; empty: all."""

    @property
    def has_shares(self) -> bool:
        """True if the values of panel a are percentages."""
        return PAPER.by_name[self.panel_a[0]].unit == SHARE

    @property
    def panels(self) -> list[str]:
        """Kinds of the chosen panels, of those that have data."""
        has_data = {
            "rates": True,
            "accuracy": any(not math.isnan(entry.accuracy[0]) for entry in self.entries),
            "people": any(len(entry.participant_rates) for entry in self.entries),
            "metric": bool(self.metric),
        }
        kinds = [kind for kind, shown in has_data.items() if shown]
        return [kind for letter, kind in zip(LETTERS, kinds, strict=False) if letter in (self.chosen or LETTERS)]

    def with_panels(self, letters: str) -> "FigureContent":
        """Return the content with these panels only; raises `UserError` for a letter that the figure does not have."""
        known = LETTERS[: len(replace(self, chosen="").panels)]
        if not letters or {*letters} - {*known} or len({*letters}) < len(letters):
            raise UserError(f"--panels {letters}: expected some of the letters of figure 1 of this study: {known}")
        return replace(self, chosen=letters)


def content_of(folder: StudyFolder) -> FigureContent | None:
    """Return the content of figure 1; None if the table `paper` has no value."""
    rows = folder.results.every
    interim = is_interim(folder) or any(row.verdict == INTERIM for row in rows)
    of_two = [row.numbers.get("chosen", NO_ESTIMATE) for row in rows if row.protocol == TWO_MODELS]
    is_chosen = not any(missing(chosen.value) for chosen in of_two)
    panels = PANEL_A | {TWO_MODELS: PANEL_A[CHOSEN_OF_TWO if is_chosen else TWO_MODELS]}
    rows = [row for row in rows if not missing(row.numbers[panels[row.protocol][0]].value)]
    if not rows:
        return None
    protocol = rows[0].protocol
    rows = [row for row in rows if row.protocol == protocol]
    panel_a = panels[protocol]
    models = [row for row in rows if not row.is_of_all]
    people = _participant_values(folder, protocol)
    entries = _entries(models or rows, people, panel_a, hide_verdicts=interim)
    metric, correlations = "", list[str]()
    if protocol in (SINGLE, RATING):
        metric, correlations = _add_metric(folder, entries, GRADE if protocol == RATING else FOOLING)
    grades = folder.study.quiz.grades if folder.study is not None else None
    warning = "; ".join(["simulated participants"] * folder.simulated + ["interim: no verdict"] * interim)
    margin = rows[0].margin.size if rows[0].margin else math.nan
    return FigureContent(protocol, panel_a, entries, margin, grades, metric, correlations, warning)


def _entries(
    rows: Sequence[Result], people: pd.DataFrame, panel_a: tuple[str, str, str], *, hide_verdicts: bool
) -> list[Entry]:
    """Return an entry for each row of `paper`, sorted by data set; `people` is the result of `_participant_values`."""
    models = [model for model in dict.fromkeys(row.model for row in rows) if model != REAL]
    datasets = [*dict.fromkeys(row.dataset for row in rows)]
    grades_of_reals = {row.dataset: row.numbers["grade"] for row in rows if row.model == REAL}
    entries = []
    for row in sorted(rows, key=lambda row: datasets.index(row.dataset))[:MAX_ROWS]:
        is_rating, is_real = row.protocol == RATING, row.model == REAL
        of_reals = grades_of_reals.get(row.dataset, NO_ESTIMATE) if is_rating else row.numbers["real_called_real"]
        model_index = -1 if is_real else models.index(row.model)
        marker_index = model_index + len(models) * datasets.index(row.dataset)
        marker = "o" if is_real else _MARKERS[marker_index % len(_MARKERS)]
        entry = _entry(row, people, panel_a, of_reals[1:], (model_index, marker))
        entries.append(replace(entry, verdict="") if hide_verdicts else entry)
    return entries


def _entry(
    row: Result,
    people: pd.DataFrame,
    panel_a: tuple[str, str, str],
    reals: Sequence[float],
    style: tuple[int, str],
) -> Entry:
    """Return the entry of a row; `reals` is the interval of its real pictures, `style` its colour and its marker."""
    column, axis, _ = panel_a
    scale = 100.0 if "%" in axis else 1.0
    values, of_reals = (_means_of_people(people, row, name) for name in (row.model, REAL))
    both = pd.concat([of_reals, values], axis=1, join="inner") if row.protocol == SINGLE else np.empty((0, 2))
    return Entry(
        row.model,
        row.dataset,
        n=row.counts["n_participants"] or 0,
        model_index=style[0],
        marker=style[1],
        value=[scale * number for number in row.numbers[column]],
        real=[scale * end for end in reals],
        false_alarms=100 - 100 * row.numbers["real_called_real"].value,
        accuracy=[100 * share for share in (*row.numbers["accuracy"], *row.within[1:])],
        verdict="" if row.verdict in (INTERIM, NONE) else row.verdict,
        participant_values=scale * values.to_numpy(float),
        participant_rates=100 - 100 * np.asarray(both, float),
        points=np.empty((0, 2)),
        is_unknown=row.counts.get("n_unknown") is not None,
    )


def _means_of_people(people: pd.DataFrame, row: Result, name: str) -> "pd.Series[float]":
    """Return each participant's mean value of a model, or of the real pictures, on the data set of a row."""
    is_own = (people["model"] == name) & (people["dataset"] == row.dataset)
    return (people if row.is_of_all else people[is_own]).groupby("participant")["value"].mean()


def _participant_values(folder: StudyFolder, protocol: str) -> pd.DataFrame:
    """Return a frame with model (or `real`), dataset, participant and the participant's rate, grade or threshold."""
    trials, columns = _analysed(folder), [*_KEY, "kind", "participant", "value"]
    if protocol in ADAPTIVE_PROTOCOLS:
        frame = folder.table(THRESHOLDS)
        frame = frame[frame["protocol"] == protocol]
        parts = [frame.assign(kind="fake", value=frame["mode_ms" if protocol == STAIRCASE else "threshold_ms"])]
    elif protocol == SINGLE:
        answered = trials.answered
        answered = answered[~answered["protocol"].isin(ADAPTIVE_PROTOCOLS).to_numpy(bool)]
        parts = [answered.assign(value=~answered["says_fake"])]
    elif protocol == RATING:
        graded = trials.graded
        parts = [graded.assign(value=graded["rating"])]
    else:
        pairs = trials.pairs.assign(kind="fake")
        names = contestants(pairs)
        of_reals = names.of_reals == (protocol == PAIRED)
        rows = pairs["answered"].to_numpy(bool) & of_reals
        sides = {"b": names.b} if protocol == PAIRED else {"a": names.a, "b": names.b}
        parts = [pairs.assign(model=side, value=pairs["choice"] == letter)[rows] for letter, side in sides.items()]
    values = pd.concat([part[columns] for part in parts])
    values = values[(values["participant"] != NOT_KNOWN).to_numpy(bool)]
    values = values.assign(model=values["model"].astype("object").mask((values["kind"] == "real").fillna(False), REAL))
    values = values[[*_KEY, "participant", "value"]].astype({"value": "float64", "dataset": "object"})
    values = values[np.isfinite(values["value"])].fillna(dict.fromkeys(_KEY, ""))
    return values.groupby([*_KEY, "participant"])["value"].mean().reset_index()


def _analysed(folder: StudyFolder) -> TypedTrials:
    """Return the trials that count: of finished sessions, not excluded; none if `participation` has another number."""
    trials, people = folder.answers, folder.table(PARTICIPATION)
    if people.empty:
        return folder.answers_by_type
    kept = trials[~trials["participant"].isin(people.loc[is_excluded(people), "participant"])]
    with suppress(UserError):  # a rule that contains "; " cannot be parsed; the numbers compared below show this
        for rule in sorted({rule for rules in people["rule"].dropna() for rule in str(rules).split("; ")}):
            parsed = parse_rule(rule)
            if parsed.column in kept and parsed.column not in PARTICIPATION.names:
                kept = kept[~parsed.holds(kept, where="trials")]
    counts = kept.loc[kept["phase"] == "main", "participant"].value_counts()
    wanted = (people["n_trials"] - people["n_excluded"].fillna(0)).set_axis(people["participant"])
    same_number = (counts.reindex(wanted.index, fill_value=0) == wanted).all()
    finished = kept[in_finished_session(kept, folder.table(SESSIONS))]
    counted = (finished if same_number else trials[:0]).reset_index(drop=True)
    return folder.answers_by_type if len(counted) == len(trials) else typed(counted)


def _add_metric(folder: StudyFolder, entries: Sequence[Entry], measure: str) -> tuple[str, list[str]]:
    """Set the entries' points to those of the metric that agrees best with people; return it and its correlations."""
    table = folder.table(CORRELATIONS)
    table = table[(table["measure"] == measure) & table["metric"].map(is_of_quality).astype(bool)]
    has_pictures = bool((table["level"] == "stimulus").any())
    column = "within" if has_pictures else "spearman"
    table = table[(table["level"] == ("stimulus" if has_pictures else "model")) & table["dataset"].notna()]
    if not has_pictures and len(entries) < MIN_MODELS:
        return "", []
    complete = table.dropna(subset=column)
    sums = complete.assign(sum=complete[column] * complete["n"]).groupby("metric")[["sum", "n"]].sum()
    strength = {name: value * direction(str(name), value) for name, value in (sums["sum"] / sums["n"]).items()}
    for metric in sorted(in_order(table["metric"]), key=lambda metric: -strength.get(metric, -1.0)):
        for entry in entries:
            entry.points = _points(folder, metric, entry, measure, has_pictures=has_pictures)
        if sum(len(entry.points) for entry in entries) >= MIN_POINTS:
            return metric, _correlation_texts(complete[complete["metric"] == metric], column)
    return "", []


def _correlation_texts(correlations: pd.DataFrame, column: str) -> list[str]:
    """Return the correlation of each data set with its interval; `column` is `spearman` or `within`."""
    texts, prefix = [], "ci" if column == "spearman" else column
    for row in correlations.to_dict("records"):
        low, high = row[f"{prefix}_low"], row[f"{prefix}_high"]
        ends = "" if missing(low) else f" [{number(low)}, {number(high)}]"
        texts.append(f"{clean(row['dataset'])}: " * (len(correlations) > 1) + f"ρ = {number(row[column])}{ends}")
    return texts


def _points(folder: StudyFolder, metric: str, entry: Entry, measure: str, *, has_pictures: bool) -> np.ndarray:
    """Return (N, 2) metric and score (fooling rate in percent, or grade) of an entry's pictures, or of the model."""
    tables = [folder.table(table) for table in ((IMAGE_METRICS,) if has_pictures else (IMAGE_METRICS, SET_METRICS))]
    values = pd.concat([table[table["metric"] == metric] for table in tables])
    is_own = (values["model"].fillna("") == entry.model) & (values["dataset"].fillna("") == entry.dataset)
    values = values[is_own & np.isfinite(values["value"].astype(float))]
    if not has_pictures:
        return np.array([[values["value"].mean(), entry.value[0]]] if len(values) else np.empty((0, 2)))
    if measure == GRADE:
        scores = folder.table(OPINION_SCORES).groupby("stimulus")["mos"].mean()
    else:
        scores = 100 - 100 * folder.scope("stimulus").groupby("id")["fake_correct"].mean()
    return values.assign(score=values["stimulus"].map(scores))[["value", "score"]].dropna().to_numpy(float)
