"""Can people tell? Signal detection with *fake* as the signal, with 95 % intervals, for many groups of trials at once.

Counts give rates, d′, criterion, β and the area that d′ implies; answers graded by confidence give the area under the
empirical ROC curve.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri

from gan_eval.stats.clustering import (
    Answers,
    Clusters,
    Covariance,
    cells,
    clusters,
    covariance_of_single_answers,
    largest_variance,
    one_way,
    places,
    t_critical,
)
from gan_eval.stats.groups import Codes, groups, provenance
from gan_eval.stats.shares import Z95, proportion, wilson
from gan_eval.stats.trials import main_trials
from gan_eval.tables.schema import PROVENANCE, SCOPES, SHARE, Table, ends, integer, number, text, with_ends
from gan_eval.tabular import conform

DETECTION = Table(
    "detection",
    "Signal detection with intervals, by group: fake is the signal.",
    (
        text("scope", "what the row is about", words=SCOPES, filled=True),
        text("id", "which participant, model, ...; `all` for the scope all", filled=True),
        integer("n_real", "answered trials with a real picture", filled=True),
        integer("n_fake", "answered trials with a generated picture", filled=True),
        *with_ends("hit_rate", "share of fakes called fake", unit=SHARE),
        *with_ends("false_alarm_rate", "share of reals called fake", unit=SHARE),
        *with_ends("fooling_rate", "share of fakes called real", unit=SHARE),
        *with_ends("balanced_accuracy", "mean of the shares of reals and of fakes judged rightly", unit=SHARE),
        *with_ends("dprime", "z(hit rate) - z(false-alarm rate), log-linear correction"),
        *with_ends(
            "dprime_individual",
            "mean of the participants' own dprime, of those who judged both kinds; above the pooled one where their "
            "criteria differ; empty in a participant's row",
            optional=True,
        ),
        *with_ends("criterion", "-(z(hit rate) + z(false-alarm rate))/2; above 0 leans to `real`"),
        *with_ends("beta", "likelihood ratio at the criterion, exp(dprime * criterion)"),
        *with_ends("auc", "area under the ROC curve that dprime implies, Phi(dprime/sqrt 2)", unit=SHARE),
        number("auc_confidence", "area under the empirical ROC curve of answers graded by confidence", unit=SHARE),
        *ends("auc_confidence", unit=SHARE, optional=True),
        text(
            "basis",
            "what the intervals rest on: answers taken as independent (one participant, or one stimulus of each kind), "
            "or clustered by participant and by stimulus; empty: no answers",
            words=("independent", "two_way_cluster"),
        ),
        *PROVENANCE,
    ),
    key=("scope", "id"),
)

DETECTION_SCOPES = tuple(scope for scope in SCOPES if scope != "stimulus")
"""A stimulus has one truth, so it has a rate but no sensitivity."""
FEW = 10
"""Below this number of participants or stimuli of a kind the note says that the interval is rough."""
_SQRT_2PI = float(np.sqrt(2 * np.pi))


class Detection(NamedTuple):
    """Sensitivity and bias, each an array of the counts' common shape; NaN without reals or without fakes."""

    dprime: np.ndarray
    """z(hit rate) - z(false-alarm rate); 0 is guessing."""
    criterion: np.ndarray
    """-(z(hit rate) + z(false-alarm rate)) / 2; above 0 leans to answering `real`."""


def detection(hits: ArrayLike, misses: ArrayLike, false_alarms: ArrayLike, correct_rejections: ArrayLike) -> Detection:
    """d′ and criterion with the log-linear correction: (count + 0.5) / (trials + 1) for both rates, always.

    The correction keeps both finite at rates of 0 and 1 and shrinks them slightly elsewhere (Hautus 1995,
    Behavior Research Methods, Instruments, & Computers 27, 46-51).

    >>> found = detection(15, 10, 7, 18)
    >>> round(float(found.dprime), 6), round(float(found.criterion), 6)
    (0.801289, 0.15724)
    """
    hits, false_alarms = np.asarray(hits, float), np.asarray(false_alarms, float)
    n_fake = hits + np.asarray(misses, float)
    n_real = false_alarms + np.asarray(correct_rejections, float)
    z_hit = ndtri((hits + 0.5) / (n_fake + 1))
    z_false_alarm = ndtri((false_alarms + 0.5) / (n_real + 1))
    known = (n_fake > 0) & (n_real > 0)
    return Detection(
        np.where(known, z_hit - z_false_alarm, np.nan),
        np.where(known, -(z_hit + z_false_alarm) / 2 + 0.0, np.nan),  # + 0.0 turns -0.0 into 0.0
    )


def signal_detection(trials: pd.DataFrame, *, scopes: Sequence[str] = DETECTION_SCOPES) -> pd.DataFrame:
    """The table `detection` of a trials table: rates, balanced accuracy, d′, criterion, β and area, with intervals.

    Where several participants and several stimuli stand behind a group, the variance adds what participants and what
    stimuli have in common (two-way clustering, `gan_eval.stats.clustering`), or takes one of both where that is larger;
    the reference is Student's t with one degree of freedom fewer than the smallest number of participants or stimuli;
    no interval is narrower than the one of independent answers. A rate of 0 or 1 shows no variance: there the
    independent interval is that of as many answers as there are stimuli, or participants if fewer. Groups of one
    participant, or of one stimulus of each kind, take answers as independent.

    `dprime_individual` is the mean of the participants' own d′; the pooled one takes all answers for one observer's.
    People whose criteria differ lower the pooled d′, few answers of each their own (the log-linear correction).

    `auc_confidence` rests on the answers that come with a confidence; it is empty where none does. `areas`
    tells its interval.

    Args:
        trials: the table `trials`.
        scopes: those of its rows.

    >>> from gan_eval.stats.trials import fill_trials
    >>> answers = fill_trials(pd.DataFrame({"participant": "P1", "stimulus": [str(n) for n in range(50)],
    ...     "kind": ["fake"] * 25 + ["real"] * 25,
    ...     "response": ["fake"] * 15 + ["real"] * 10 + ["fake"] * 7 + ["real"] * 18}))
    >>> row = signal_detection(answers).iloc[0]
    >>> [round(float(row[name]), 4) for name in ("dprime_low", "dprime", "dprime_high")]
    [0.0822, 0.8013, 1.5204]
    """
    main = main_trials(trials)
    codes = Codes(main)
    answered, is_fake, says_fake = (main[name].to_numpy(bool) for name in ("answered", "is_fake", "says_fake"))
    confidence = main["confidence"].to_numpy("float64")
    given = np.isfinite(confidence) & answered
    grade = np.full(len(main), -1, np.int64)
    grade[given] = pd.factorize(evidence(says_fake[given], confidence[given]), sort=True)[0]
    participant, stimulus = (codes.of(name)[0] for name in ("participant", "stimulus"))
    cell, _ = places(None, 1, cells(participant, stimulus))
    is_repeated = np.bincount(cell).max(initial=0) > 1
    coded = _Coded(answered, is_fake, says_fake, participant, stimulus, grade, cell if is_repeated else None)
    tables = [_scope_table(main, coded, codes, scope) for scope in scopes]
    return conform(pd.concat(tables), DETECTION, where="detection")


class _Coded(NamedTuple):
    """The trials as arrays, (N,) each."""

    answered: np.ndarray
    is_fake: np.ndarray
    says_fake: np.ndarray
    participant: np.ndarray
    stimulus: np.ndarray
    grade: np.ndarray
    """Evidence for `fake` in whole numbers from 0; -1 without confidence."""
    cell: np.ndarray | None
    """Participant with stimulus; None where nobody judged a stimulus twice."""

    def clusters(self, cluster: np.ndarray, group: np.ndarray, size: int, row: np.ndarray) -> Clusters:
        """The answers of rows (M,) by group (M,) of `size` and by cluster (N,)."""
        return clusters(group, size, cluster[row], self.is_fake[row], self.says_fake[row])


class _Behind(NamedTuple):
    """How many participants and stimuli stand behind the fakes and behind the reals of each group, (G,) each.

    Stimuli are counted only where there are several participants.
    """

    participants: np.ndarray
    people_fake: np.ndarray
    people_real: np.ndarray
    stimuli_fake: np.ndarray
    stimuli_real: np.ndarray

    def least(self, kind: str) -> np.ndarray:
        """Participants or stimuli of the kind, whichever are fewer."""
        if kind == "fake":
            return np.minimum(self.people_fake, self.stimuli_fake)
        return np.minimum(self.people_real, self.stimuli_real)

    def crossed(self) -> np.ndarray:
        """Several participants, and several stimuli of a kind."""
        return (self.participants > 1) & ((self.stimuli_fake > 1) | (self.stimuli_real > 1))


def _scope_table(main: pd.DataFrame, coded: _Coded, codes: Codes, scope: str) -> pd.DataFrame:
    """The rows of one scope."""
    grouped = groups(main, scope, codes)
    size = len(grouped.ids)
    answered = coded.answered[grouped.row]
    row, group = grouped.row[answered], grouped.group[answered]
    by_person = coded.clusters(coded.participant, group, size, row)
    person = by_person.answers
    several = by_person.number(person.n_fake + person.n_real) > 1
    by_stimulus = coded.clusters(coded.stimulus, group[several[group]], size, row[several[group]])
    by_cell = None if coded.cell is None else coded.clusters(coded.cell, group, size, row)
    total = by_person.totals()
    behind = _Behind(
        by_person.number(person.n_fake + person.n_real),
        by_person.number(person.n_fake),
        by_person.number(person.n_real),
        by_stimulus.number(by_stimulus.answers.n_fake),
        by_stimulus.number(by_stimulus.answers.n_real),
    )
    is_graded = coded.grade[row] >= 0
    of_graded = row[is_graded]
    graded = Graded(
        group[is_graded],
        coded.participant[of_graded],
        coded.stimulus[of_graded],
        coded.grade[of_graded],
        coded.is_fake[of_graded],
        None if coded.cell is None else coded.cell[of_graded],
    )
    by_confidence = areas(graded, size)

    table = pd.DataFrame({"scope": scope, "id": grouped.ids})
    table["n_real"], table["n_fake"] = total.n_real.astype(int), total.n_fake.astype(int)
    estimates = _estimates(total, by_person, by_stimulus, by_cell, behind) | {"auc_confidence": by_confidence}
    if scope != "participant":
        estimates["dprime_individual"] = _mean_of_individuals(coded, group, size, row, behind)
    for name, estimate in estimates.items():
        for ending, part in zip(("", "_low", "_high"), estimate, strict=True):
            table[f"{name}{ending}"] = part
    basis = np.where(behind.crossed(), "two_way_cluster", "independent")
    table["basis"] = pd.Series(basis, dtype="object").where(total.n_fake + total.n_real > 0, None)
    notes = [
        *_notes(total, behind, np.bincount(group[is_graded], minlength=size), scope),
        (np.isin(by_confidence.value, (0.0, 1.0)), "an area by confidence of 0 or 1: no interval of it"),
    ]
    return table.join(provenance(main, grouped, codes, notes))


def _estimates(
    total: Answers, by_person: Clusters, by_stimulus: Clusters, by_cell: Clusters | None, behind: _Behind
) -> "dict[str, GroupEstimate]":
    """Each group's numbers on the basis that it allows."""
    independent = rate_estimates(total) | sensitivity_estimates(total)
    crossed = behind.crossed()
    if not crossed.any():
        return independent
    person, stimulus = by_person.covariance(), by_stimulus.covariance()
    cell = covariance_of_single_answers(total) if by_cell is None else by_cell.covariance()
    two_way = person.plus(stimulus, 1.0).plus(cell, -1.0)
    variances = CrossedRates((two_way, person, stimulus), behind.least("fake") - 1, behind.least("real") - 1)
    counts = []  # of a rate of 0 or 1 as if each of the fewest behind it had answered once
    for k, n, units in (
        (total.hits, total.n_fake, behind.least("fake")),
        (total.false_alarms, total.n_real, behind.least("real")),
    ):
        edge = (n > 0) & ((k == 0) | (k == n))
        counts += [np.where(edge, np.where(k > 0, units, 0), k), np.where(edge, units, n)]
    effective = Answers(*counts)
    clustered = rate_estimates(total, effective, variances) | sensitivity_estimates(total, effective, variances)
    return {
        name: GroupEstimate(*(np.where(crossed, a, b) for a, b in zip(clustered[name], estimate, strict=True)))
        for name, estimate in independent.items()
    }


def _mean_of_individuals(
    coded: _Coded, group: np.ndarray, size: int, row: np.ndarray, behind: _Behind
) -> "GroupEstimate":
    """The mean d′ of each group's participants who judged both kinds.

    The variance adds what pictures have in common, from the delta method's influence of each answer on its
    participant's d′, to that of the participants' d′; the reference is that of the pooled one.
    """
    place, owner = places(group, size, coded.participant[row])
    is_fake, says_fake = coded.is_fake[row], coded.says_fake[row]
    kind = 2 * is_fake.astype(np.int64) + says_fake
    rejections, alarms, misses, hits = np.bincount(4 * place + kind, minlength=4 * len(owner)).reshape(-1, 4).T
    of_person = detection(hits, misses, alarms, rejections).dprime
    both = np.isfinite(of_person)
    value, number = np.where(both, of_person, 0.0), np.bincount(owner[both], minlength=size)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(owner, value, size) / np.where(number > 0, number, np.nan)
        squares = np.bincount(owner, np.where(both, (value - mean[owner]) ** 2, 0.0), size)
        by_person = squares / (number * (number - 1.0))
    counts = np.where(is_fake, hits[place], alarms[place]).astype(float)
    n = np.where(is_fake, (hits + misses)[place], (alarms + rejections)[place])
    z = ndtri((counts + 0.5) / (n + 1))
    slope = np.where(is_fake, 1.0, -1.0) * _SQRT_2PI * np.exp(z * z / 2) / (n + 1)
    influence = slope * (says_fake - counts / n) / np.maximum(number, 1)[group]
    influence = np.where(both[place], influence, 0.0)[:, None]
    by_stimulus = one_way(influence, coded.stimulus[row], group=group, size=size)[:, 0]
    by_cell = np.bincount(group, influence[:, 0] ** 2, size)
    if coded.cell is not None:
        by_cell = one_way(influence, coded.cell[row], group=group, size=size)[:, 0]
    least = np.minimum(behind.least("fake"), behind.least("real"))
    freedom = np.where(behind.crossed(), np.minimum(least, number) - 1, 0)
    return _symmetric(mean, t_critical(freedom) * np.sqrt(largest_variance(by_person, by_stimulus, by_cell)))


def _notes(total: Answers, behind: _Behind, n_graded: np.ndarray, scope: str) -> list[tuple[np.ndarray, str]]:
    """What a reader must know about each group."""
    has_fake, has_real = total.n_fake > 0, total.n_real > 0
    answers = total.n_fake + total.n_real
    edge_fake, edge_real = (
        (n > 0) & ((k == 0) | (k == n)) for k, n in ((total.hits, total.n_fake), (total.false_alarms, total.n_real))
    )
    edge, crossed = (edge_fake | edge_real) & has_fake & has_real, behind.crossed()
    single = (has_fake & (behind.least("fake") < 2)) | (has_real & (behind.least("real") < 2))
    fewest = np.minimum(np.where(has_fake, behind.least("fake"), FEW), np.where(has_real, behind.least("real"), FEW))
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
        ((n_graded > 0) & (n_graded < answers), "confidence is missing for some answers"),
    ]
    if scope == "participant":
        notes.append(((answers > 0) & (answers < 10), "fewer than 10 answers"))
    else:
        is_single = behind.participants == 1
        notes.append((is_single, "one participant: says nothing of people in general"))
        notes.append(((answers > 0) & ~is_single & ~crossed, "one picture: says nothing of pictures in general"))
    return notes


class GroupEstimate(NamedTuple):
    """A number of each group with the ends of its 95 % interval, each (G,), NaN where there is none."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


class CrossedRates(NamedTuple):
    """What several participants and stimuli behind each group say of the rates' variance."""

    covariances: tuple[Covariance, ...]
    """Candidates; the largest variance counts."""
    freedom_hit: np.ndarray
    """(G,) degrees of freedom behind the hit rate; below 1: there is no interval."""
    freedom_false_alarm: np.ndarray
    """(G,)"""

    def freedom(self) -> np.ndarray:
        """(G,) degrees of freedom behind both."""
        return np.minimum(self.freedom_hit, self.freedom_false_alarm)


def rate_estimates(
    answers: Answers, effective: Answers | None = None, crossed: CrossedRates | None = None
) -> dict[str, GroupEstimate]:
    """Hit rate, false-alarm rate, fooling rate and balanced accuracy, by their names in the table `detection`.

    Answers taken as independent: Wilson's interval for rates; the mean of two rates by the hybrid of theirs (Newcombe
    1998, Statistics in Medicine 17, 873-890). With `crossed` Student's t on the logit scale, the interval then also
    covering the one of independent answers.

    Args:
        answers: (G,) counts.
        effective: counts for the intervals of independent answers, of the same rates; None: `answers`.
        crossed: variances; None: answers are independent.
    """
    own = effective or answers
    hit = GroupEstimate(proportion(answers.hits, answers.n_fake), *wilson(own.hits, own.n_fake))
    false_alarm = GroupEstimate(proportion(answers.false_alarms, answers.n_real), *wilson(own.false_alarms, own.n_real))
    # (hit rate + 1 - false-alarm rate) / 2: squares of the two rates' distances to their ends, added
    value = (hit.value + 1 - false_alarm.value) / 2
    down = np.hypot(hit.value - hit.low, false_alarm.high - false_alarm.value) / 2
    up = np.hypot(hit.high - hit.value, false_alarm.value - false_alarm.low) / 2
    balanced = GroupEstimate(value, np.maximum(value - down, 0.0), np.minimum(value + up, 1.0))
    if crossed is not None:
        of_hit = np.max([covariance.hit for covariance in crossed.covariances], axis=0)
        of_false_alarm = np.max([covariance.false_alarm for covariance in crossed.covariances], axis=0)
        of_mean = np.max([covariance.of(0.5, -0.5) for covariance in crossed.covariances], axis=0)
        hit_rate, false_alarm_rate = answers.hit_rate(), answers.false_alarm_rate()
        middle = (hit_rate + 1 - false_alarm_rate) / 2
        hit = _covering(hit, _on_logit_scale(hit_rate, of_hit, crossed.freedom_hit))
        false_alarm = _covering(
            false_alarm, _on_logit_scale(false_alarm_rate, of_false_alarm, crossed.freedom_false_alarm)
        )
        balanced = _covering(balanced, _on_logit_scale(middle, of_mean, crossed.freedom()))
    return {
        "hit_rate": hit,
        "false_alarm_rate": false_alarm,
        "fooling_rate": GroupEstimate(1 - hit.value, 1 - hit.high, 1 - hit.low),
        "balanced_accuracy": balanced,
    }


def sensitivity_estimates(
    answers: Answers, effective: Answers | None = None, crossed: CrossedRates | None = None
) -> dict[str, GroupEstimate]:
    """d′, criterion, β and area, by their names in the table `detection`; NaN without reals or without fakes.

    Answers taken as independent: d′ and criterion with the variances of Gourevitch & Galanter (1967, Psychometrika 32,
    25-33), of log-linear rates; ln β by the delta method to second order, so that it does not collapse where both rates
    are near 1/2; the area from d′. With `crossed` the delta method with its variances and Student's t, the interval
    then also covering the one of independent answers.

    Args:
        answers: (G,) counts.
        effective: counts for the intervals of independent answers, of the same rates; None: `answers`.
        crossed: variances; None: answers are independent.
    """
    own = effective or answers
    hit, false_alarm = answers.hit_rate(), answers.false_alarm_rate()
    with np.errstate(divide="ignore", invalid="ignore"):
        of_hit, of_false_alarm = hit * (1 - hit) / own.n_fake, false_alarm * (1 - false_alarm) / own.n_real
    independent = Covariance(of_hit, np.zeros_like(of_hit), of_false_alarm)
    z_hit, z_false_alarm = ndtri(hit), ndtri(false_alarm)
    slopes = tuple(_SQRT_2PI * np.exp(z * z / 2) for z in (z_hit, z_false_alarm))
    slope_hit, slope_false_alarm = slopes
    values = {
        "dprime": (z_hit - z_false_alarm, slope_hit, -slope_false_alarm),
        "criterion": (-(z_hit + z_false_alarm) / 2 + 0.0, -slope_hit / 2, -slope_false_alarm / 2),
        "beta": ((z_false_alarm**2 - z_hit**2) / 2, -z_hit * slope_hit, z_false_alarm * slope_false_alarm),
    }
    known = (answers.n_fake > 0) & (answers.n_real > 0)
    estimates = {}
    for name, (value, a, b) in values.items():
        curved = slopes if name == "beta" else None
        estimate = _symmetric(value, Z95 * np.sqrt(_delta_variance(independent, a, b, curved)))
        if crossed is not None:
            variances = [_delta_variance(covariance, a, b, curved) for covariance in crossed.covariances]
            half_width = t_critical(crossed.freedom()) * np.sqrt(np.max(variances, axis=0))
            estimate = _covering(estimate, _symmetric(value, half_width))
        estimates[name] = GroupEstimate(*(np.where(known, part, np.nan) for part in estimate))
    return {
        "dprime": estimates["dprime"],
        "criterion": estimates["criterion"],
        "beta": GroupEstimate(*(np.exp(part) for part in estimates["beta"])),
        "auc": GroupEstimate(*(ndtr(part / np.sqrt(2)) for part in estimates["dprime"])),
    }


def _delta_variance(
    covariance: Covariance, a: np.ndarray, b: np.ndarray, slopes: tuple[np.ndarray, ...] | None
) -> np.ndarray:
    """Delta method; `slopes`, those of both z, add the second order of (z_b² - z_a²) / 2."""
    variance = covariance.of(a, b)
    if slopes is not None:
        hit, false_alarm = covariance.hit * slopes[0] ** 2, covariance.false_alarm * slopes[1] ** 2
        variance = variance + (hit**2 + false_alarm**2) / 2 - (covariance.both * slopes[0] * slopes[1]) ** 2
    return np.maximum(variance, 0.0)


def _on_logit_scale(rate: np.ndarray, variance: np.ndarray, freedom: np.ndarray) -> GroupEstimate:
    """A rate within 0..1 with an interval that is symmetric on the logit scale."""
    half_width = t_critical(freedom) * np.sqrt(np.maximum(variance, 0.0)) / (rate * (1 - rate))
    return GroupEstimate(*(expit(part) for part in _symmetric(logit(rate), half_width)))


def _symmetric(value: np.ndarray, half_width: np.ndarray) -> GroupEstimate:
    return GroupEstimate(value, value - half_width, value + half_width)


def _covering(narrow: GroupEstimate, wide: GroupEstimate) -> GroupEstimate:
    """The first's value with the interval that covers both; none where either has none."""
    return GroupEstimate(narrow.value, np.minimum(narrow.low, wide.low), np.maximum(narrow.high, wide.high))


class Graded(NamedTuple):
    """Graded answers, (M,) each; an answer stands once for each group that it belongs to."""

    group: np.ndarray
    """0..G-1."""
    participant: np.ndarray
    """int, 0.. ."""
    stimulus: np.ndarray
    """int, 0.. ."""
    grade: np.ndarray
    """Evidence for `fake` as whole numbers from 0."""
    is_fake: np.ndarray
    """bool"""
    cell: np.ndarray | None
    """int, 0.., participant with stimulus; None where nobody judged a stimulus twice."""


def evidence(says_fake: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """(N,) answers on one ordered scale: from `real` with full confidence over both without any to `fake` with full.

    Args:
        says_fake: (N,) bool.
        confidence: (N,) any scale that grows with confidence.

    >>> evidence(np.array([False, False, True, True]), np.array([3.0, 1.0, 1.0, 3.0])).tolist()
    [-3.0, -1.0, 1.0, 3.0]
    """
    if not len(confidence):
        return confidence
    above = confidence - np.min(confidence) + 1  # the answers stay apart where a scale starts at 0 or below
    return np.where(says_fake, above, -above)


def areas(graded: Graded, size: int) -> GroupEstimate:
    """Each group's area under the ROC curve with its 95 % interval, (size,) each.

    The chance that a fake has more evidence for `fake` than a real, ties counting half: the Mann-Whitney statistic
    (Hanley & McNeil 1982, Radiology 143, 29-36). The variance is the sum of squared structural components (DeLong,
    DeLong & Clarke-Pearson 1988, Biometrics 44, 837-845). Where several participants judged several pictures of a
    kind, they are summed by participant and by stimulus before (Obuchowski 1997, Biometrics 53, 567-578), both ways
    together less their cells; the largest variance counts, with Student's t of one degree of freedom fewer than the
    fewest participants or stimuli of a kind. The interval is taken on the logit scale. There is none of an area of 0
    or 1, and none where one participant or one stimulus stands behind a kind of which there are several of the other.

    Args:
        graded: the answers; the area is NaN without reals or without fakes.
        size: number of groups.

    >>> whole = np.zeros(4, int)
    >>> grade, is_fake = np.array([0, 1, 1, 2]), np.array([False, False, True, True])
    >>> [round(float(part[0]), 4) for part in areas(Graded(whole, whole, np.arange(4), grade, is_fake, None), 1)]
    [0.875, 0.2276, 0.994]
    """
    if not len(graded.group):
        return GroupEstimate(*np.full((3, size), np.nan))
    group, participant, stimulus, _, is_fake, cell = graded
    area, influence = _structural_components(graded, size)

    def variance(cluster: np.ndarray | None) -> np.ndarray:
        return one_way(influence[:, None], cluster, side=is_fake, group=group, size=size)[:, 0]

    participants, stimuli = (_numbers(group, size, cluster, is_fake) for cluster in (participant, stimulus))
    crossed = (participants[2] > 1) & (stimuli[:2].max(axis=0) > 1)
    by_answer = variance(None)
    half_width = Z95 * np.sqrt(by_answer)
    if crossed.any():
        by_cell = by_answer if cell is None else variance(cell)
        largest = np.maximum(largest_variance(variance(participant), variance(stimulus), by_cell), by_answer)
        freedom = np.minimum(participants, stimuli)[:2].min(axis=0) - 1
        half_width = np.where(crossed, t_critical(freedom) * np.sqrt(largest), half_width)
    inner = np.where((area > 0) & (area < 1), area, np.nan)
    reach = half_width / (inner * (1 - inner))
    return GroupEstimate(area, expit(logit(inner) - reach), expit(logit(inner) + reach))


def _structural_components(graded: Graded, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(size,) areas, and (M,) what each answer adds to the error of its group's area."""
    is_fake = graded.is_fake
    place, owner = places(graded.group, size, graded.grade, in_order=True)
    real, fake = (np.bincount(place[chosen], minlength=len(owner)).astype(float) for chosen in (~is_fake, is_fake))
    n_real, n_fake = (np.bincount(owner, part, minlength=size) for part in (real, fake))
    reals_below, fakes_below = (  # at the lower grades of the same group
        np.cumsum(part) - part - (np.cumsum(n) - n)[owner] for part, n in ((real, n_real), (fake, n_fake))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        of_fake = (reals_below + real / 2) / n_real[owner]
        of_real = 1 - (fakes_below + fake / 2) / n_fake[owner]
        area = np.bincount(owner, np.where(fake > 0, fake * of_fake, 0.0), minlength=size) / n_fake
        component = np.where(is_fake, of_fake[place], of_real[place])
        influence = (component - area[graded.group]) / np.where(is_fake, n_fake[graded.group], n_real[graded.group])
    return area, influence


def _numbers(group: np.ndarray, size: int, cluster: np.ndarray, is_fake: np.ndarray) -> np.ndarray:
    """(3, size) how many clusters with reals, with fakes and with either stand in each group."""
    place, owner = places(group, size, cluster)
    real, fake = np.bincount(2 * place + is_fake, minlength=2 * len(owner)).reshape(-1, 2).T > 0
    return np.stack([np.bincount(owner[occurs], minlength=size) for occurs in (real, fake, real | fake)])
