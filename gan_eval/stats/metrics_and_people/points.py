"""Points for comparing metrics with people: pictures or models, with metric values and mean scores.

A mean score is the fooling rate, or the mean grade of graded pictures.

Level `stimulus`: the fakes of a data set, all its models together. Level `model`: the models of a data set, with the
mean of a metric of pictures or the value of a metric of sets; and, if there are several data sets, all models of all
data sets (`dataset` is None).

An infinite value of a picture (psnr of an identical pair) has the highest rank among pictures. It is not in the mean of
a model.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gan_eval.base.inference import REPLICATES
from gan_eval.judgements.trials import AnyTrials, pictures, typed
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.metrics_and_people.ceiling import Pairing
from gan_eval.stats.metrics_and_people.matching import completed
from gan_eval.stats.metrics_and_people.scores import Replicates, Scores, bootstrap_replicates

FOOLING = "fooling_rate"
"""Measure of answers: the share of answers `real`."""
GRADE = "mean_grade"
"""Measure of graded pictures."""


@dataclass(frozen=True)
class PointSet:
    """The points of one measure, level and data set."""

    measure: str
    """`fooling_rate` or `mean_grade`."""
    level: str
    """`stimulus` or `model`."""
    dataset: str | None
    """None: all models of all data sets."""
    scores: Scores
    """Single scores by stimulus and participant."""
    point: np.ndarray
    """(S,) int, point of each stimulus of `scores`."""
    item: np.ndarray
    """(S,) int, item of each stimulus, 0.. without gaps: the units that are resampled."""
    model: np.ndarray
    """(n,) int, the model of each picture, 0.. without gaps; of models themselves all are 0."""
    score: np.ndarray
    """(n,) mean scores: fooling rates or mean grades."""
    metrics: Mapping[str, np.ndarray]
    """Each metric's values (n,), NaN where there is none."""
    provenance: Mapping[str, object]
    """`simulated`, `fraction` and `note` of the trials."""
    seed: tuple[int, ...]
    """Random seed of the bootstrap."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Note by metric on the values that are in no model's mean."""

    @property
    def group(self) -> np.ndarray | None:
        """(n,) the models that pictures are ranked within; None if there is one."""
        return self.model if self.model.max(initial=0) > 0 else None

    def pairing(self, *metrics: str, group: np.ndarray | None = None) -> list[Pairing]:
        """Return each metric over the points that have all of these metrics."""
        use = np.logical_and.reduce([~np.isnan(self.metrics[metric]) for metric in metrics])
        return [Pairing(self.metrics[metric], use, group) for metric in metrics]

    def carried(self, *notes: object) -> dict[str, object]:
        """Return the cells `simulated`, `fraction` and `note` of a row of these points."""
        return {**self.provenance, "note": joined(self.provenance["note"], *notes)}

    def replicates(self, number: int = REPLICATES) -> Iterator[Replicates]:
        """Bootstrap replicates of the pictures' mean scores."""
        return bootstrap_replicates(self.scores, seed=self.seed, item=self.item, replicates=number)


def point_sets(
    trials: pd.DataFrame,
    *,
    image_metrics: pd.DataFrame | None = None,
    set_metrics: pd.DataFrame | None = None,
    seed: int = 0,
) -> Iterator[PointSet]:
    """Yield the points of each measure, level and data set with a metric, in the order of the table `correlations`."""
    trials, image_metrics, set_metrics = completed(trials, image_metrics, set_metrics)
    images, sets = _values(image_metrics), _values(set_metrics)
    if images.empty and sets.empty:
        return
    yield from _of_measure(FOOLING, answered_fakes(trials), images, sets, seed)
    yield from _of_measure(GRADE, _graded_fakes(trials), images, sets, seed)


def why_none(
    trials: pd.DataFrame, *, image_metrics: pd.DataFrame | None = None, set_metrics: pd.DataFrame | None = None
) -> str:
    """Return the reason why `point_sets` yields nothing although there are metrics, and the fix; arguments as there."""
    if _values(image_metrics).empty and _values(set_metrics).empty:
        return "no metric has a value; the column reason of its table says why"
    if answered_fakes(trials).empty and _graded_fakes(trials).empty:
        return (
            "metrics are compared with answers to single generated pictures (response real or fake, or a rating), and "
            "there are none"
        )
    return "metrics of sets are compared over the models of a data set, and need two or more that were judged"


def _values(metrics: pd.DataFrame | None) -> pd.DataFrame:
    if metrics is None:
        return pd.DataFrame(columns=["dataset", "model", "kind", "metric", "value"])
    return metrics[metrics["value"].notna()]


def _graded_fakes(trials: AnyTrials) -> pd.DataFrame:
    """Return the graded generated pictures, with the added column `score`."""
    graded = typed(trials).graded
    is_fake = (graded["kind"] == "fake").fillna(False)
    return graded[graded["answered"] & is_fake].reset_index(drop=True).assign(score=lambda fakes: fakes["rating"])


def _of_measure(
    measure: str, fakes: pd.DataFrame, images: pd.DataFrame, sets: pd.DataFrame, seed: int
) -> Iterator[PointSet]:
    """Yield the points of trials of fakes with a finite `score`."""
    parts = [(str(name), part) for name, part in fakes.groupby("dataset", sort=True)]
    for number, (dataset, part) in enumerate(parts):
        own_images, own_sets = (table[table["dataset"] == dataset] for table in (images, sets))
        if own_images.empty and own_sets.empty:
            continue
        scores = Scores.of(part)
        item, model = items_and_models(part, scores.stimuli)
        if len(own_images):
            sums, answers = scores.totals()
            yield PointSet(
                measure=measure,
                level="stimulus",
                dataset=dataset,
                scores=scores,
                point=np.arange(len(scores.stimuli)),
                item=item,
                model=model,
                score=sums / answers,
                metrics={
                    str(metric): values.reindex(scores.stimuli).to_numpy("float64")
                    for metric, values in own_images.drop_duplicates(["metric", "stimulus"])
                    .set_index("stimulus")
                    .groupby("metric")["value"]
                },
                provenance=provenance_cells(part),
                seed=(seed, number),
            )
        yield from _model_level(measure, part, dataset, scores, item, own_images, own_sets, (seed, number))
    if len(parts) > 1:
        in_dataset = fakes[fakes["dataset"].notna()].reset_index(drop=True)
        scores = Scores.of(in_dataset)
        item, _ = items_and_models(in_dataset, scores.stimuli)
        yield from _model_level(measure, in_dataset, None, scores, item, images, sets, (seed, len(parts)))


def items_and_models(fakes: pd.DataFrame, stimuli: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers (S,) of each stimulus' item and of its model, each 0.. without gaps.

    A stimulus without an item is an item; those without a model's name are one model.
    """
    of = fakes.drop_duplicates("stimulus").set_index("stimulus").reindex(stimuli)
    named = of["item"].notna()
    labels = [of["dataset"], pictures(of.assign(stimulus=of.index)), named]
    return pd.factorize(pd.MultiIndex.from_arrays(labels))[0], pd.factorize(of["model"], use_na_sentinel=False)[0]


def answered_fakes(trials: AnyTrials) -> pd.DataFrame:
    """Return answered main trials of generated pictures, with the column `score`: 1 for an answer `real`, else 0."""
    answered = typed(trials).answered
    fakes = answered[answered["is_fake"].to_numpy(bool)].reset_index(drop=True)
    return fakes.assign(score=1.0 - fakes["says_fake"].to_numpy("float64"))


def _model_level(
    measure: str,
    part: pd.DataFrame,
    dataset: str | None,
    scores: Scores,
    item: np.ndarray,
    images: pd.DataFrame,
    sets: pd.DataFrame,
    seed: tuple[int, ...],
) -> Iterator[PointSet]:
    """Yield the points of models; nothing if a model's name is missing or there is one model."""
    origin = part.drop_duplicates("stimulus").set_index("stimulus")[["dataset", "model"]].reindex(scores.stimuli)
    models = pd.MultiIndex.from_frame(origin.drop_duplicates().sort_values(["dataset", "model"]))
    if origin["model"].isna().any() or len(models) < 2:
        return
    point = models.get_indexer(pd.MultiIndex.from_frame(origin))
    sums, answers = (np.bincount(point, of_stimuli) for of_stimuli in scores.totals())
    names = np.array([f"{of_dataset}/{model}" if dataset is None else model for of_dataset, model in models], object)
    values: dict[str, np.ndarray] = {}
    left_out: dict[str, str] = {}
    for metric, of_metric in images[images["kind"] == "fake"].groupby("metric"):
        is_finite = np.isfinite(of_metric["value"].to_numpy("float64"))
        finite, others = (
            of_metric[chosen].groupby(["dataset", "model"])["value"] for chosen in (is_finite, ~is_finite)
        )
        mean = finite.mean().reindex(models).to_numpy("float64")
        infinite = others.size().reindex(models, fill_value=0).to_numpy(int)
        values[str(metric)] = mean
        some = [f"{names[index]} {infinite[index]}" for index in np.flatnonzero((infinite > 0) & ~np.isnan(mean))]
        none = [names[index] for index in np.flatnonzero((infinite > 0) & np.isnan(mean))]
        if without := joined(
            f"infinite values left out of the models' means: {', '.join(some)}" if some else "",
            f"left out, no value being finite: {', '.join(none)}" if none else "",
        ):
            left_out[str(metric)] = without
    for metric, of_metric in sets.groupby("metric"):
        value = of_metric.groupby(["dataset", "model"])["value"].mean()
        values[str(metric)] = value.reindex(models).to_numpy("float64")
        left_out.pop(str(metric), None)
    yield PointSet(
        measure=measure,
        level="model",
        dataset=dataset,
        scores=scores,
        point=point,
        item=item,
        model=np.zeros(len(names), int),
        score=sums / answers,
        metrics=values,
        provenance=provenance_cells(part),
        seed=seed,
        left_out=left_out,
    )
