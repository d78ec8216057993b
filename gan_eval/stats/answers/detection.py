"""Signal detection with 95% intervals. *Fake* is the signal."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri

from gan_eval.stats.clustering import cells, cluster_sums, largest_variance, n_levels, one_way, t_critical
from gan_eval.stats.groups import ONE_PARTICIPANT, groups, provenance
from gan_eval.stats.shares import Z95, proportion, wilson
from gan_eval.stats.trials import main_trials
from gan_eval.tables.frames import conform
from gan_eval.tables.schema import PROVENANCE, SCOPES, SHARE, Table, integer, text, with_interval

DETECTION = Table(
    "detection",
    "Signal detection with intervals, by group: fake is the signal.",
    (
        text("scope", "what the row is about", words=SCOPES, filled=True),
        text("id", "which participant, model, ...; `all` for the scope all", filled=True),
        integer("n_real", "answered trials with a real picture", filled=True),
        integer("n_fake", "answered trials with a generated picture", filled=True),
        *with_interval("hit_rate", "share of fakes called fake", unit=SHARE),
        *with_interval("false_alarm_rate", "share of reals called fake", unit=SHARE),
        *with_interval("fooling_rate", "share of fakes called real", unit=SHARE),
        *with_interval("balanced_accuracy", "mean of the shares of reals and of fakes judged correctly", unit=SHARE),
        *with_interval("dprime", "z(hit rate) - z(false-alarm rate), log-linear correction"),
        *with_interval(
            "dprime_individual", "mean of participants' own dprime; no interval where a rate is 0 or 1", optional=True
        ),
        *with_interval("criterion", "-(z(hit rate) + z(false-alarm rate))/2; above 0 leans to `real`"),
        *with_interval("beta", "likelihood ratio at the criterion, exp(dprime * criterion)"),
        *with_interval("auc", "area under the ROC curve that dprime implies, Phi(dprime/sqrt 2)", unit=SHARE),
        text("basis", "what the intervals rest on; empty: no answers", words=("independent", "two_way_cluster")),
        *PROVENANCE,
    ),
    key=("scope", "id"),
)

FEW = 10
"""Number of participants or stimuli of a kind below which the note calls the interval rough."""


def signal_detection(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the table `detection`: rates, balanced accuracy, d′, criterion, β and area, with intervals.

    Several participants and several stimuli: two-way clustering (`gan_eval.stats.clustering`), or one way where that
    variance is larger, and Student's t with one degree of freedom fewer than the smallest number of participants or
    stimuli. No interval is narrower than the one of independent answers. A rate of 0 or 1 shows no variance; its
    interval is that of as many answers as there are stimuli, or participants if fewer. Groups of one participant, or of
    one stimulus of each kind, take answers as independent.

    `dprime_individual` is the mean of the participants' own d′; the pooled one takes all answers for one observer's.

    >>> from gan_eval.stats.trials import fill_trials
    >>> answers = fill_trials(pd.DataFrame({"participant": "P1", "stimulus": [str(n) for n in range(50)],
    ...     "kind": ["fake"] * 25 + ["real"] * 25,
    ...     "response": ["fake"] * 15 + ["real"] * 10 + ["fake"] * 7 + ["real"] * 18}))
    >>> row = signal_detection(answers).iloc[0]
    >>> [round(float(row[name]), 4) for name in ("dprime_low", "dprime", "dprime_high")]
    [0.0822, 0.8013, 1.5204]
    """
    main = main_trials(trials)
    answered, is_fake, says_fake = (main[name].to_numpy(bool) for name in ("answered", "is_fake", "says_fake"))
    participant, stimulus = (pd.factorize(main[name], sort=True)[0] for name in ("participant", "stimulus"))
    cell = pd.factorize(cells(participant, stimulus))[0]
    is_repeated = np.bincount(cell).max(initial=0) > 1
    judged = _Judged(participant, stimulus, is_fake, says_fake, cell if is_repeated else None)
    scopes = (scope for scope in SCOPES if scope != "stimulus")  # a scope with one truth has a rate, but no sensitivity
    tables = [_scope_table(main, judged, answered, scope) for scope in scopes]
    return conform(pd.concat(tables), DETECTION, where="detection")


def detection(
    hits: ArrayLike, misses: ArrayLike, false_alarms: ArrayLike, correct_rejections: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Compute d′ and criterion with the log-linear correction: (count + 0.5) / (trials + 1) for both rates, always.

    The correction keeps both finite at rates of 0 and 1 (Hautus 1995, Behavior Research Methods, Instruments, &
    Computers 27, 46-51). Both are NaN without reals or without fakes; a criterion above 0 leans to `real`.

    >>> dprime, criterion = detection(15, 10, 7, 18)
    >>> round(float(dprime), 6), round(float(criterion), 6)
    (0.801289, 0.15724)
    """
    hits, false_alarms = np.asarray(hits, float), np.asarray(false_alarms, float)
    n_fake = hits + np.asarray(misses, float)
    n_real = false_alarms + np.asarray(correct_rejections, float)
    z_hit = ndtri((hits + 0.5) / (n_fake + 1))
    z_false_alarm = ndtri((false_alarms + 0.5) / (n_real + 1))
    known = (n_fake > 0) & (n_real > 0)
    criterion = -(z_hit + z_false_alarm) / 2 + 0.0  # + 0.0 turns -0.0 into 0.0
    return np.where(known, z_hit - z_false_alarm, np.nan), np.where(known, criterion, np.nan)


def probit_slope(z: np.ndarray) -> np.ndarray:
    """Compute dz/dp where p = Φ(z)."""
    return np.sqrt(2 * np.pi) * np.exp(z * z / 2)


class Answers(NamedTuple):
    """Judgements of reals and of fakes, one number for each group."""

    hits: np.ndarray
    """Fakes called fake."""
    n_fake: np.ndarray
    false_alarms: np.ndarray
    """Reals called fake."""
    n_real: np.ndarray

    def hit_rate(self) -> np.ndarray:
        """Rate with the log-linear correction, above 0 and below 1."""
        return (self.hits + 0.5) / (self.n_fake + 1.0)

    def false_alarm_rate(self) -> np.ndarray:
        """Rate with the log-linear correction."""
        return (self.false_alarms + 0.5) / (self.n_real + 1.0)


Covariance = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Variance of the hit rate, covariance, variance of the false-alarm rate, each (G,); NaN where a rate rests on a single
cluster."""


class _Scale(NamedTuple):
    """A measure on the scale of its interval, (G,) each, and the function back to the table's scale."""

    value: np.ndarray
    by_hit: np.ndarray
    """Derivative with respect to the hit rate."""
    by_false_alarm: np.ndarray
    inverse: Callable[[np.ndarray], np.ndarray]
    slopes: tuple[np.ndarray, np.ndarray] | None = None
    """Slopes of both z, where the second order of (z_b² - z_a²) / 2 counts too: the first is 0 at rates of 1/2."""

    def variance(self, covariance: Covariance) -> np.ndarray:
        """Compute the variance by the delta method; NaN where a rate that counts has none."""
        terms = zip(
            (self.by_hit**2, 2 * self.by_hit * self.by_false_alarm, self.by_false_alarm**2), covariance, strict=True
        )
        with np.errstate(invalid="ignore"):  # for rates without a variance
            variance = sum(np.where(factor == 0, 0.0, factor * part) for factor, part in terms)
        if self.slopes is not None:
            hit, both, false_alarm = covariance
            hit, false_alarm = hit * self.slopes[0] ** 2, false_alarm * self.slopes[1] ** 2
            variance = variance + (hit**2 + false_alarm**2) / 2 - (both * self.slopes[0] * self.slopes[1]) ** 2
        return np.maximum(variance, 0.0)

    def ends(self, half_width: np.ndarray) -> list[np.ndarray]:
        """Return both ends of the interval."""
        return [self.inverse(self.value - half_width), self.inverse(self.value + half_width)]


def _scales(answers: Answers) -> dict[str, _Scale]:
    """Return the measures from which the table follows: rates by their logits, d′, criterion, and ln β."""
    hit, false_alarm = answers.hit_rate(), answers.false_alarm_rate()
    middle, zeros = (hit + 1 - false_alarm) / 2, np.zeros_like(hit)
    z_hit, z_false_alarm = ndtri(hit), ndtri(false_alarm)
    slopes = a, b = probit_slope(z_hit), probit_slope(z_false_alarm)
    by_hit, by_false_alarm, by_middle = (1 / (rate * (1 - rate)) for rate in (hit, false_alarm, middle))
    return {
        "hit_rate": _Scale(logit(hit), by_hit, zeros, expit),
        "false_alarm_rate": _Scale(logit(false_alarm), zeros, by_false_alarm, expit),
        "balanced_accuracy": _Scale(logit(middle), by_middle / 2, -by_middle / 2, expit),
        "dprime": _Scale(z_hit - z_false_alarm, a, -b, np.asarray),
        "criterion": _Scale(-(z_hit + z_false_alarm) / 2 + 0.0, -a / 2, -b / 2, np.asarray),
        "beta": _Scale((z_false_alarm**2 - z_hit**2) / 2, -z_hit * a, z_false_alarm * b, np.exp, slopes),
    }


def _estimates(answers: Answers, effective: Answers | None = None) -> dict[str, np.ndarray]:
    """Estimate each measure of `_scales` with its interval, (3, G), from answers taken as independent.

    Wilson's interval for rates; the mean of two rates by the hybrid of theirs (Newcombe 1998, Statistics in Medicine
    17, 873-890); d′ and criterion with the variances of Gourevitch & Galanter (1967, Psychometrika 32, 25-33), of
    log-linear rates; NaN without reals or without fakes.

    Args:
        effective: counts for the intervals, of the same rates; None: `answers`.
    """
    own = effective or answers
    hit = np.array([proportion(answers.hits, answers.n_fake), *wilson(own.hits, own.n_fake)])
    false_alarm = np.array([proportion(answers.false_alarms, answers.n_real), *wilson(own.false_alarms, own.n_real)])
    value = (hit[0] + 1 - false_alarm[0]) / 2
    down = np.hypot(hit[0] - hit[1], false_alarm[2] - false_alarm[0]) / 2
    up = np.hypot(hit[2] - hit[0], false_alarm[0] - false_alarm[1]) / 2
    balanced = np.array([value, np.maximum(value - down, 0.0), np.minimum(value + up, 1.0)])
    estimates = {"hit_rate": hit, "false_alarm_rate": false_alarm, "balanced_accuracy": balanced}
    rates, numbers = (answers.hit_rate(), answers.false_alarm_rate()), (own.n_fake, own.n_real)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_hit, of_false_alarm = (rate * (1 - rate) / n for rate, n in zip(rates, numbers, strict=True))
    known = (answers.n_fake > 0) & (answers.n_real > 0)
    scales = _scales(answers)
    for name in ("dprime", "criterion", "beta"):
        half_width = Z95 * np.sqrt(scales[name].variance((of_hit, np.zeros_like(of_hit), of_false_alarm)))
        numbers_of = [scales[name].inverse(scales[name].value), *scales[name].ends(half_width)]
        estimates[name] = np.where(known, numbers_of, np.nan)
    return estimates


@dataclass(frozen=True)
class _Judged:
    """The answers of a group as arrays, (M,) each."""

    participant: np.ndarray
    """int, 0.. ."""
    stimulus: np.ndarray
    """int, 0.. ."""
    is_fake: np.ndarray
    """bool"""
    says_fake: np.ndarray
    """bool"""
    cell: np.ndarray | None
    """int, 0.., pairs of participant and stimulus; None if no participant judged a stimulus twice."""

    def part(self, rows: np.ndarray) -> "_Judged":
        """Return the answers in these rows."""
        cell = None if self.cell is None else self.cell[rows]
        return _Judged(self.participant[rows], self.stimulus[rows], self.is_fake[rows], self.says_fake[rows], cell)

    @cached_property
    def levels(self) -> list[list[int]]:
        """Numbers of participants and of stimuli, of the reals and of the fakes."""
        return [
            [n_levels(factor[of]) for factor in (self.participant, self.stimulus)]
            for of in (~self.is_fake, self.is_fake)
        ]

    def least(self, *, fake: bool) -> int:
        """Return the smaller of the numbers of participants and stimuli of the fakes, or of the reals."""
        return min(self.levels[fake])

    def is_crossed(self) -> bool:
        """Return True if there are several participants, and several stimuli of a kind."""
        return n_levels(self.participant) > 1 and max(stimuli for _, stimuli in self.levels) > 1


def _scope_table(main: pd.DataFrame, judged: _Judged, answered: np.ndarray, scope: str) -> pd.DataFrame:
    grouped = groups(main, scope)
    size = len(grouped.ids)
    outcome = np.where(answered, 2 * judged.is_fake.astype(np.intp) + judged.says_fake, 4)
    rejections, alarms, misses, hits, _ = grouped.tally(outcome, 5).T
    total = Answers(hits, misses + hits, alarms, rejections + alarms)
    estimates = _estimates(total)
    crossed, people, least = np.zeros(size, bool), np.zeros(size, int), np.zeros((2, size), int)
    if scope != "participant":
        individual = estimates["dprime_individual"] = np.full((3, size), np.nan)
        ends = np.cumsum(np.bincount(grouped.group, minlength=size))
        rows_of_groups = np.split(grouped.row[np.argsort(grouped.group, kind="stable")], ends)[:size]
        for place, rows in enumerate(rows_of_groups):
            own = judged.part(rows[answered[rows]])
            crossed[place], people[place] = own.is_crossed(), n_levels(own.participant)
            least[:, place] = own.least(fake=False), own.least(fake=True)
            individual[:, place] = _mean_of_individuals(own)
            if crossed[place]:
                of_group = Answers(*(counts[[place]] for counts in total))
                for name, estimate in _crossed_estimates(of_group, own).items():
                    estimates[name][:, [place]] = estimate
    estimates["fooling_rate"] = 1 - estimates["hit_rate"][[0, 2, 1]]
    estimates["auc"] = ndtr(estimates["dprime"] / np.sqrt(2))
    columns: dict[str, Any] = {
        f"{name}{ending}": part
        for name, estimate in estimates.items()
        for ending, part in zip(("", "_low", "_high"), estimate, strict=True)
    }
    basis = pd.Series(np.where(crossed, "two_way_cluster", "independent"), dtype="object")
    columns |= {
        "scope": scope,
        "id": grouped.ids,
        "n_real": total.n_real.astype(int),
        "n_fake": total.n_fake.astype(int),
        "basis": basis.where(total.n_fake + total.n_real > 0, None),
    }
    notes = _notes(total, crossed, people, least, scope)
    return pd.DataFrame(columns).join(provenance(main, grouped, notes))


def _crossed_estimates(total: Answers, judged: _Judged) -> dict[str, np.ndarray]:
    """Return the clustered estimates of one group of several participants and stimuli: Student's t on each scale."""
    is_fake = judged.is_fake
    rate = np.where(is_fake, total.hit_rate(), total.false_alarm_rate())
    influence = (judged.says_fake - rate) / np.where(is_fake, total.n_fake, total.n_real)

    def covariance(cluster: np.ndarray | None) -> Covariance:
        false_alarm, hit = cluster_sums(influence[:, None], cluster, side=is_fake)[0]
        one, both, other = (np.array([part]) for part in (hit @ hit, hit @ false_alarm, false_alarm @ false_alarm))
        return one, both, other

    person, stimulus, cell = (covariance(cluster) for cluster in (judged.participant, judged.stimulus, judged.cell))
    hit, both, false_alarm = (a + b - c for a, b, c in zip(person, stimulus, cell, strict=True))
    fakes, reals = judged.least(fake=True), judged.least(fake=False)
    counts = []  # of a rate of 0 or 1 as if each of the fewest behind it had answered once
    for k, n, units in ((total.hits, total.n_fake, fakes), (total.false_alarms, total.n_real, reals)):
        edge = (n > 0) & ((k == 0) | (k == n))
        counts += [np.where(edge, np.where(k > 0, units, 0), k), np.where(edge, units, n)]
    estimates = _estimates(total, Answers(*counts))
    fewest = {"hit_rate": fakes, "false_alarm_rate": reals}
    for name, scale in _scales(total).items():
        variances = [scale.variance(each) for each in ((hit, both, false_alarm), person, stimulus)]
        low, high = scale.ends(t_critical(fewest.get(name, min(fakes, reals)) - 1) * np.sqrt(np.max(variances, axis=0)))
        value, inner_low, inner_high = estimates[name]
        estimates[name] = np.array([value, np.minimum(inner_low, low), np.maximum(inner_high, high)])
    return estimates


def _mean_of_individuals(judged: _Judged) -> tuple[float, float, float]:
    """The mean d′ of a group's participants who judged both kinds, and its interval; NaN where there is none.

    The variance adds what pictures have in common, from the delta method's influence of each answer on its
    participant's d′, to that of the participants' d′.
    """
    is_fake, says_fake = judged.is_fake, judged.says_fake
    person = pd.factorize(judged.participant)[0]
    outcome = 4 * person + 2 * is_fake + says_fake
    rejections, alarms, misses, hits = np.bincount(outcome, minlength=4 * n_levels(person)).reshape(-1, 4).T
    own, _ = detection(hits, misses, alarms, rejections)
    both = np.isfinite(own)
    number = int(both.sum())
    if number == 0:
        return np.nan, np.nan, np.nan
    mean = float(own[both].mean())
    df = min(judged.least(fake=True), judged.least(fake=False), number) - 1 if judged.is_crossed() else 0
    at_edge = (hits == 0) | (misses == 0) | (alarms == 0) | (rejections == 0)
    if df < 1 or (at_edge & both).any():  # an interval of corrected values would be far too narrow
        return mean, np.nan, np.nan
    by_person = ((own[both] - mean) ** 2).sum() / (number * (number - 1.0))
    counts = np.where(is_fake, hits[person], alarms[person]).astype(float)
    n = np.where(is_fake, (hits + misses)[person], (alarms + rejections)[person])
    slope = np.where(is_fake, 1.0, -1.0) * probit_slope(ndtri((counts + 0.5) / (n + 1))) / (n + 1)
    influence = np.where(both[person], slope * (says_fake - counts / n) / number, 0.0)[:, None]
    by_stimulus = one_way(influence, judged.stimulus)[0]
    by_cell = (influence**2).sum() if judged.cell is None else one_way(influence, judged.cell)[0]
    half_width = float(t_critical(df)) * np.sqrt(largest_variance(by_person, by_stimulus, by_cell))
    return mean, mean - half_width, mean + half_width


def _notes(
    total: Answers, crossed: np.ndarray, people: np.ndarray, least: np.ndarray, scope: str
) -> list[tuple[np.ndarray, str]]:
    """Return the notes of the groups, from the smaller numbers of participants and stimuli of both kinds (2, G)."""
    has_fake, has_real = total.n_fake > 0, total.n_real > 0
    answers = total.n_fake + total.n_real
    edge_fake, edge_real = (
        (n > 0) & ((k == 0) | (k == n)) for k, n in ((total.hits, total.n_fake), (total.false_alarms, total.n_real))
    )
    edge = (edge_fake | edge_real) & has_fake & has_real
    single = (has_fake & (least[1] < 2)) | (has_real & (least[0] < 2))
    fewest = np.minimum(np.where(has_fake, least[1], FEW), np.where(has_real, least[0], FEW))
    notes = [
        (answers == 0, "no answered trials"),
        (has_fake & ~has_real, "no real pictures: d′ and criterion undefined"),
        (has_real & ~has_fake, "no generated pictures: d′ and criterion undefined"),
        (edge & ~crossed, "a rate of 0 or 1: d′ rests on the log-linear correction"),
        (
            edge & crossed,
            "a rate of 0 or 1: d′ rests on the log-linear correction, the interval on one answer for each picture or "
            "participant",
        ),
        (crossed & single, "one participant or one picture behind a rate: no interval of it"),
        (
            crossed & ~single & (fewest < FEW),
            f"fewer than {FEW} participants or pictures behind a rate: the interval is rough",
        ),
    ]
    if scope == "participant":
        notes.append(((answers > 0) & (answers < 10), "fewer than 10 answers"))
    else:
        is_single = people == 1
        notes.append((is_single, ONE_PARTICIPANT))
        notes.append(((answers > 0) & ~is_single & ~crossed, "one picture: says nothing about pictures in general"))
    return notes
