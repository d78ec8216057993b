"""Metrics of pictures against choices between two pictures: 2AFC scores, their ceiling, and which metric is ahead."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.base.inference import holm, n_levels
from gan_eval.judgements.contradictions import of_two_models
from gan_eval.judgements.trials import PAIRED, TWO_MODELS, AnyTrials, typed
from gan_eval.stats.estimate.votes import Votes, agreement, ceiling, pictures_of_any_pair, score, score_difference
from gan_eval.stats.groups import one_participant, provenance_cells
from gan_eval.stats.metrics_and_people.matching import completed
from gan_eval.stats.recruitment import ALPHA
from gan_eval.tables.directions import Better, better_of
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.schema import (
    CORRELATION,
    DATASET,
    NOTED,
    PROVENANCE,
    SHARE,
    Table,
    integer,
    interval_columns,
    number,
    text,
    with_interval,
)

_PROTOCOL = text("protocol", "paired: which of two is real; model_vs_model: pictures of two models", filled=True)
METRIC_SCORES = Table(
    "metric_scores",
    "2AFC scores: the share of votes between two pictures that go with a metric (Zhang et al. 2018).",
    (
        _PROTOCOL,
        DATASET,
        text("metric", "name of the metric", filled=True),
        text("better", "direction of better values; empty: not known", words=("higher", "lower")),
        integer("n_pairs", "pairs of pictures with a vote and a value of both pictures", filled=True),
        integer("n_votes", "votes on these pairs", filled=True),
        *with_interval(
            "score", "share of these votes for the picture that the metric prefers; 1/2 if it is equal", unit=SHARE
        ),
        *with_interval(
            "ceiling", "score of the majority of each pair's other votes, as if it were a metric", unit=SHARE
        ),
        *NOTED,
    ),
    key=("protocol", "dataset", "metric"),
)
METRIC_SCORE_DIFFERENCES = Table(
    "metric_score_differences",
    "Which of two metrics follows choices better? The difference of their 2AFC scores over the same votes.",
    (
        _PROTOCOL,
        DATASET,
        text("metric_a", "first metric", filled=True),
        text("metric_b", "second metric", filled=True),
        integer("n_pairs", "pairs of pictures with values of both metrics", filled=True),
        integer("n_votes", "votes on these pairs", filled=True),
        integer("n_apart", "pairs of which the metrics do not prefer the same picture", filled=True),
        number("score_a", "score of the first on these pairs", unit=SHARE),
        number("score_b", "of the second", unit=SHARE),
        number("difference", "a - b", unit=CORRELATION),
        *interval_columns("ci", "its 95% interval over participants and pictures, Student's t", unit=CORRELATION),
        number("p", "two-sided", unit=SHARE),
        number("p_holm", "after Holm's correction over the pairs of metrics, protocols and data sets", unit=SHARE),
        text("follows_better", "the metric whose lead is significant by p_holm; empty: undecided"),
        *PROVENANCE,
    ),
    key=("protocol", "dataset", "metric_a", "metric_b"),
)
EQUAL = 0.5
"""Agreement of a vote with a metric that is equal for both pictures."""
REAL_HAS_NONE = "no score: it compares a generated picture with the real one, which has no value of its own"
NO_VALUES = "no score: no pair has a value of both pictures"
ALL_EQUAL = "no score: equal for both pictures of every pair"


class _Choices(NamedTuple):
    """The answered pairs of one protocol and data set."""

    trials: pd.DataFrame
    """The pairs, numbered from 0, with `first` and `second`, the pictures in the order of their names."""
    votes: Votes
    protocol: str
    dataset: str | None
    """None: all data sets."""


class _Metric(NamedTuple):
    """A metric of pictures."""

    name: str
    better: Better | None
    values: pd.Series
    """Values by picture."""
    why_none: str
    """Reason why real pictures have no value; empty if they have."""


def metric_scores(
    trials: AnyTrials, image_metrics: pd.DataFrame, *, better: Mapping[str, Better] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `metric_scores` and `metric_score_differences`; without answered pairs they have no rows.

    The score of a metric is the share of votes for the picture that the metric prefers (`stats.estimate.votes`), by
    protocol and data set and, if there are several data sets, of all votes together (`dataset` is empty).

    Args:
        image_metrics: the table `image_metrics`, under the names of the judged pictures.
        better: the direction of metrics whose name does not say it (`better_of`), or has another.
    """
    every, values, _ = completed(typed(trials).every, image_metrics)
    metrics = [*_metrics(values if values is not None else image_metrics, better or {})]
    rows: list[Row] = []
    differences: list[Row] = []
    for choices in _choices(typed(every).pairs):
        agreements = [_agreement(choices, metric) for metric in metrics]
        rows += [_score_row(choices, *scored) for scored in zip(metrics, agreements, strict=True)]
        known = [
            (metric.name, agrees)
            for metric, agrees in zip(metrics, agreements, strict=True)
            if metric.better and not np.isnan(agrees).all()
        ]
        differences += [_difference_row(choices, *pair) for pair in combinations(known, 2)]
    table = frame_of(differences, METRIC_SCORE_DIFFERENCES)
    table["p_holm"] = holm(table["p"].to_numpy("float64"))
    leader = table["metric_a"].where((table["difference"] > 0).to_numpy(bool), table["metric_b"])
    table["follows_better"] = leader.where((table["p_holm"] < ALPHA).to_numpy(bool), None)
    return frame_of(rows, METRIC_SCORES), table


def _metrics(values: pd.DataFrame, better: Mapping[str, Better]) -> Iterator[_Metric]:
    for metric, of_metric in values.groupby("metric", sort=True):
        name, known = str(metric), of_metric[of_metric["value"].notna()]
        of_pictures = known.drop_duplicates("stimulus").astype({"stimulus": "object"}).set_index("stimulus")["value"]
        has_real = (known["kind"] == "real").any()
        yield _Metric(name, better.get(name) or better_of(name), of_pictures, "" if has_real else REAL_HAS_NONE)


def _choices(pairs: pd.DataFrame) -> Iterator[_Choices]:
    """Yield the votes of each protocol and data set, then those of all data sets together if there are several."""
    pairs = pairs[pairs["answered"].to_numpy(bool)]
    unnamed = np.where(of_two_models(pairs), TWO_MODELS, PAIRED)
    protocol = pairs["protocol"].astype("object").where(pairs["protocol"].notna().to_numpy(bool), unnamed)
    for name, of_protocol in pairs.groupby(protocol, sort=True):
        parts: list[tuple[object, pd.DataFrame]] = [*of_protocol.groupby("dataset", sort=True, observed=True)]
        parts += [(None, of_protocol)] * (len(parts) != 1)
        for dataset, part in parts:
            yield _votes(part.reset_index(drop=True), str(name), None if dataset is None else str(dataset))


def _votes(part: pd.DataFrame, protocol: str, dataset: str | None) -> _Choices:
    a, b = (part[name].astype("object").fillna("").to_numpy() for name in ("stimulus", "stimulus_b"))
    is_first = a <= b
    part = part.assign(first=np.where(is_first, a, b), second=np.where(is_first, b, a))
    unit = part["first"].where(part["item"].isna().to_numpy(bool), part["item"].astype("object"))
    picture = pd.factorize(pd.MultiIndex.from_arrays([part["dataset"], unit]))[0]
    votes = Votes(
        chose_first=(part["choice"] == "a").to_numpy(bool) == is_first,
        pair=part.groupby(["first", "second"], sort=True).ngroup().to_numpy(),
        picture=picture,
        participant=pd.factorize(part["participant"])[0],
        both=pictures_of_any_pair(part, picture),
    )
    return _Choices(part, votes, protocol, dataset)


def _agreement(choices: _Choices, metric: _Metric) -> np.ndarray:
    """Return (N,) `agreement` of the votes with a metric; NaN where a picture has no value."""
    sides = (choices.trials[side].map(metric.values).to_numpy("float64") for side in ("first", "second"))
    first, second = (-values if metric.better == "lower" else values for values in sides)
    return np.where(np.isnan(first) | np.isnan(second), np.nan, agreement(choices.votes, first, second))


def _head(choices: _Choices, used: np.ndarray) -> Row:
    pairs = len(np.unique(choices.votes.pair[used]))
    names: Row = {"protocol": choices.protocol, "dataset": choices.dataset}
    return names | {"n_pairs": pairs, "n_votes": int(used.sum())}


def _score_row(choices: _Choices, metric: _Metric, agrees: np.ndarray) -> Row:
    used = ~np.isnan(agrees)
    votes = choices.votes.of(used)
    row = _head(choices, used) | {"metric": metric.name, "better": metric.better}
    if not used.any():
        reason = metric.why_none if choices.protocol == PAIRED and metric.why_none else NO_VALUES
        return row | provenance_cells(choices.trials, reason)
    carried = choices.trials[used]
    if (agrees[used] == EQUAL).all():
        return row | provenance_cells(carried, ALL_EQUAL)
    highest = ceiling(votes)
    row |= dict(zip(("ceiling", "ceiling_low", "ceiling_high"), highest, strict=True))
    no_ceiling = "one vote for each pair: no ceiling" if np.isnan(highest.value) else ""
    if metric.better is None:
        return row | provenance_cells(carried, unknown_direction(metric.name), no_ceiling)
    found = score(votes, agrees[used])
    row |= dict(zip(("score", "score_low", "score_high"), found, strict=True))
    without = int((~used).sum())
    left_out = f"{without} votes on pairs without a value of both pictures left out" if without else ""
    return row | provenance_cells(carried, *_notes(carried, votes), left_out, no_ceiling)


def unknown_direction(metric: str) -> str:
    """Return the reason why a metric has no score, with the fix."""
    return f"whether higher values are better is not known: --better {metric}=higher, or {metric}=lower"


def _notes(trials: pd.DataFrame, votes: Votes) -> list[str]:
    few = "pictures of one item: no interval" * (n_levels(votes.picture) < 2)
    return [one_participant(trials["participant"]) * (n_levels(votes.participant) < 2), few]


def _difference_row(choices: _Choices, a: tuple[str, np.ndarray], b: tuple[str, np.ndarray]) -> Row:
    used = ~np.isnan(a[1]) & ~np.isnan(b[1])
    votes, agrees_a, agrees_b = choices.votes.of(used), a[1][used], b[1][used]
    row = _head(choices, used) | {"metric_a": a[0], "metric_b": b[0], "n_apart": 0}
    if not used.any():
        return row | provenance_cells(choices.trials, "no pair has values of both metrics")
    found = score_difference(votes, agrees_a, agrees_b)
    value, low, high = found.difference
    row |= {"score_a": float(agrees_a.mean()), "score_b": float(agrees_b.mean()), "n_apart": found.n_apart}
    row |= {"difference": value, "ci_low": low, "ci_high": high, "p": found.p}
    alike = "the two metrics prefer the same picture of every pair: no test" if found.n_apart == 0 else ""
    trials = choices.trials[used]
    return row | provenance_cells(trials, *_notes(trials, votes), alike)
