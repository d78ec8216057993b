"""Does a metric tell which single picture fools? Crossed mixed models of single answers on metric values."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gan_eval.stats.clustering import freedom
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.metrics_and_people.ceiling import effective_points
from gan_eval.stats.metrics_and_people.matching import completed
from gan_eval.stats.metrics_and_people.points import POOLED, answered_fakes, items_and_models, values_of
from gan_eval.stats.mixed import CrossedFit, NoFitError, Start, fit_crossed, likelihood_ratio
from gan_eval.stats.mixed.limits import few_groups, too_many, wald_cells
from gan_eval.stats.shares import holm
from gan_eval.tables.schema import DATASET, PROVENANCE, SHARE, Table, boolean, ends, integer, number, text
from gan_eval.tabular import conform

METRIC_MODELS = Table(
    "metric_models",
    "Does a metric tell which single picture fools? Crossed mixed models of `called real` on a picture's metric value.",
    (
        DATASET,
        text("metric", "name of the metric", filled=True),
        number(
            "estimate",
            "log-odds of being called real for one standard deviation more of the metric; several models pooled, so "
            "differences between models count",
        ),
        number("std_error", "its standard error"),
        *ends("ci", "its Wald 95 % interval, by the same as p"),
        number(
            "p",
            "two-sided Wald test by Student's t with one degree of freedom fewer than the smaller number of "
            "participants and stimuli",
        ),
        number("lrt_chi2", "likelihood-ratio statistic against the model without the metric"),
        number("lrt_p", "its p"),
        number("p_holm", "lrt_p after Holm's correction over metrics and data sets"),
        number("metric_sd", "one standard deviation of the metric over the pictures"),
        number("explained", "share of the pictures' variance that goes with the metric", unit=SHARE),
        number(
            "within",
            "the same within models, each with a level of its own (`called real ~ model + metric`), so differences "
            "between models do not count; of one model `estimate` itself",
            optional=True,
        ),
        number(
            "within_error", "its standard error; models' pictures of an item count as alike as they are", optional=True
        ),
        *ends("within", "its Wald 95 % interval, by the same as within_p", optional=True),
        number(
            "within_p",
            "two-sided Wald test by Student's t with one degree of freedom fewer than the smaller number of "
            "participants and items",
            optional=True,
        ),
        number("within_p_holm", "within_p after Holm's correction over metrics and data sets", optional=True),
        number(
            "within_explained",
            "share of the pictures' variance within models that goes with the metric",
            unit=SHARE,
            optional=True,
        ),
        integer("n_trials", "answered trials of fakes with a value"),
        integer("n_participants", "participants"),
        integer("n_stimuli", "stimuli"),
        boolean("singular", "an SD is estimated at 0, or a correlation at -1 or 1; the note tells which"),
        *PROVENANCE,
    ),
    key=("dataset", "metric"),
)
_WITHIN = {"estimate": "within", "std_error": "within_error", "ci_low": "within_low", "ci_high": "within_high"} | {
    name: f"within_{name}" for name in ("p", "explained")
}
"""The columns of the pooled model and of the one within models."""


def metric_models(trials: pd.DataFrame, *, image_metrics: pd.DataFrame | None = None) -> pd.DataFrame:
    """The table `metric_models`: each metric of pictures, for each data set, in a crossed mixed logistic model.

    Over the answers to fakes that have a finite value: `called real ~ z(metric) + (1|participant) + (1|stimulus)`, the
    metric standardised over the pictures. Where there are several models, the same with a level for each (`within`),
    whose errors are raised by as much as models' pictures of an item are alike (`effective_points`). The
    likelihood-ratio test is against the same model without the metric, on the same answers; `explained` is the share by
    which the metric lowers the variance of the stimuli's intercepts, 0 where it does not.

    Args:
        trials: the table `trials`.
        image_metrics: the table `image_metrics`.
    """
    table = pd.DataFrame(columns=list(METRIC_MODELS.names))
    if image_metrics is not None and len(image_metrics):
        trials, images, _ = completed(trials, image_metrics[image_metrics["value"].notna()])
        assert images is not None
        rows = [
            row
            for dataset, part in answered_fakes(trials).groupby("dataset", sort=True)
            for row in _rows(
                str(dataset), part.reset_index(drop=True), images[images["dataset"] == dataset], too_many(len(trials))
            )
        ]
        table = pd.DataFrame(rows, columns=list(METRIC_MODELS.names))
        for adjusted, p in (("p_holm", "lrt_p"), ("within_p_holm", "within_p")):
            table[adjusted] = holm(table[p].astype("float64"))
    return conform(table, METRIC_MODELS, where="metric_models")


@dataclass(frozen=True)
class _Answers:
    """Answers to the fakes of one data set that have a finite value."""

    called_real: np.ndarray
    """(N,) bool."""
    participant: np.ndarray
    """(N,) int, 0.. without gaps."""
    stimulus: np.ndarray
    """(N,) int, 0.. without gaps."""

    def fit(self, X: np.ndarray, *, near: CrossedFit | str = "") -> CrossedFit | str:
        """The crossed model with these fixed effects (N, K), or why there is none.

        The search starts at `near`, the fit without the last of them, if there is one.
        """
        start, names = None, [*(f"model {number}" for number in range(1, X.shape[1])), "metric"]
        if isinstance(near, CrossedFit):
            start = Start(np.append(near.beta, 0.0), near.sd_first, near.sd_second)
        try:
            return fit_crossed(self.called_real, X, self.participant, self.stimulus, start=start, names=names)
        except NoFitError as reason:
            return str(reason)

    def alike(self, metric: np.ndarray, item: np.ndarray, model: np.ndarray) -> float:
        """The factor, 1 or more, of the variance of a metric's slope: models' pictures of an item are alike in the
        metric (S,), and in how often they were called real, beyond what goes with the metric and the model (S,)."""
        rate = np.bincount(self.stimulus, self.called_real) / np.bincount(self.stimulus)
        x, y = (of - (np.bincount(model, of) / np.bincount(model))[model] for of in (metric, rate))
        groups = int(model.max()) + 1
        squares = float(x @ x)
        if squares <= 0 or len(x) <= groups:
            return 1.0
        return (len(x) - groups) / (effective_points(x, y - x * (x @ y) / squares, item, groups) - 1)


def _rows(dataset: str, part: pd.DataFrame, images: pd.DataFrame, why_not: str) -> Iterator[dict[str, object]]:
    """One row for each metric, from the answers to the fakes of one data set and the metrics' values there; without a
    model, if there is a reason why not."""
    carried = provenance_cells(part)
    code, stimuli = pd.factorize(part["stimulus"], sort=True)
    item, model = items_and_models(part, np.asarray(stimuli))
    without: dict[tuple[bytes, int], CrossedFit | str] = {}
    for metric, values in images.groupby("metric", sort=True):
        value = values_of(values, stimuli)
        is_finite = np.isfinite(value)
        use = is_finite[code]
        answers = _Answers(
            ~part["says_fake"].to_numpy(bool)[use],
            pd.factorize(part["participant"][use])[0],
            np.unique(code[use], return_inverse=True)[1],
        )
        row: dict[str, object] = {
            "dataset": dataset,
            "metric": str(metric),
            "n_trials": int(use.sum()),
            "n_participants": int(answers.participant.max(initial=-1)) + 1,
            "n_stimuli": int(is_finite.sum()),
        }
        infinite = int(np.isinf(value).sum())
        notes = [f"{infinite} infinite value{'' if infinite == 1 else 's'} left out"] if infinite else []
        known = value[is_finite]
        with np.errstate(over="ignore", invalid="ignore"):
            sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
        if len(known) == 0:
            notes.append("no picture has a value")
        elif not np.isfinite(sd) or sd <= 1e-12 * float(np.abs(known).max()):  # they differ by rounding alone
            far = not np.isfinite(np.ptp(known))
            notes.append(
                f"{'metric values too far apart' if far else 'all metric values are equal'}: nothing to compare"
            )
        elif why_not:
            notes.append(f"{why_not}: no model is fitted")
        else:
            row["metric_sd"] = sd
            standard = (value - known.mean()) / sd
            own_item, own_model = (np.unique(of[is_finite], return_inverse=True)[1] for of in (item, model))
            people, stimulus = answers.participant, answers.stimulus
            fits: list[tuple[CrossedFit | str, CrossedFit | str]] = []  # pooled, and of several models within them
            for level in [np.zeros(len(stimulus), int), own_model[stimulus]][: 1 + int(own_model.max() > 0)]:
                levels = np.eye(level.max() + 1)[level]
                same = (is_finite.tobytes(), len(fits))
                if same not in without:
                    without[same] = answers.fit(levels)
                fit = answers.fit(np.column_stack([levels, standard[code[use]]]), near=without[same])
                fits.append((fit, without[same]))
            notes += _estimates(row, *fits[0], freedom(people, stimulus))
            if isinstance(fits[0][0], CrossedFit):
                notes += few_groups(people.max() + 1, stimulus.max() + 1)
            within = row
            if len(fits) > 1:
                within, alike = {}, answers.alike(standard[is_finite], own_item, own_model)
                of_within = _estimates(within, *fits[1], freedom(people, own_item[stimulus]), factor=alike)
                notes += [POOLED, *(f"within models: {note}" for note in of_within)]
            row |= {column: within.get(name) for name, column in _WITHIN.items()}
        yield row | carried | {"note": joined(carried["note"], *notes)}


def _estimates(
    row: dict[str, object], fit: CrossedFit | str, without: CrossedFit | str, df: int, *, factor: float = 1.0
) -> list[str]:
    """Fill in what the fits say of the last fixed effect, its variance times `factor`, by Student's t with `df` degrees
    of freedom; return their notes."""
    if isinstance(fit, str):
        return [fit]
    cells = wald_cells(float(fit.beta[-1]), float(fit.std_error[-1]) * float(np.sqrt(factor)), df)
    row |= {name: value for name, value in cells.items() if name != "z"} | {"singular": fit.singular}
    notes = [f"singular: {' and '.join(fit.at_boundary)}"] if fit.singular else []
    if isinstance(without, str):
        return [*notes, f"without the metric: {without}"]
    try:
        statistic, p = likelihood_ratio(fit, without, 1)
    except NoFitError as reason:
        return [*notes, f"no likelihood-ratio test: {reason}"]
    row |= {"lrt_chi2": statistic, "lrt_p": p}
    if without.sd_second == 0:
        return [*notes, "the pictures do not differ beyond chance: nothing to explain"]
    row["explained"] = max(1 - (fit.sd_second / without.sd_second) ** 2, 0.0)
    return notes
