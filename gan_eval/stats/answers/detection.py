"""Signal detection with 95 % intervals. *Fake* is the signal."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtri

from gan_eval.stats.answers.sensitivity import (
    Answers,
    Covariance,
    CrossedRates,
    GroupEstimate,
    detection,
    probit_slope,
    rate_estimates,
    sensitivity_estimates,
)
from gan_eval.stats.clustering import cells, cluster_sums, largest_variance, one_way, places, t_critical
from gan_eval.stats.groups import Codes, groups, provenance
from gan_eval.stats.shares import Z95
from gan_eval.stats.trials import main_trials
from gan_eval.tables.frames import conform
from gan_eval.tables.schema import PROVENANCE, SCOPES, SHARE, Table, ends, integer, number, text, with_ends

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
        *with_ends("balanced_accuracy", "mean of the shares of reals and of fakes judged correctly", unit=SHARE),
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
"""Number of participants or stimuli of a kind below which the note calls the interval rough."""


def signal_detection(trials: pd.DataFrame, *, scopes: Sequence[str] = DETECTION_SCOPES) -> pd.DataFrame:
    """Return the table `detection`: rates, balanced accuracy, d′, criterion, β and area, with intervals.

    Several participants and several stimuli: two-way clustering (`gan_eval.stats.clustering`), or one way where that
    variance is larger, and Student's t with one degree of freedom fewer than the smallest number of participants or
    stimuli. No interval is narrower than the one of independent answers. A rate of 0 or 1 shows no variance; its
    interval is that of as many answers as there are stimuli, or participants if fewer. Groups of one participant, or of
    one stimulus of each kind, take answers as independent.

    `dprime_individual` is the mean of the participants' own d′; the pooled one takes all answers for one observer's.
    `auc_confidence` rests on the answers that come with a confidence (`areas`).

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
    cell, _ = places(None, cells(participant, stimulus))
    is_repeated = np.bincount(cell).max(initial=0) > 1
    judged = Judged(
        np.zeros(len(main), np.int64), participant, stimulus, is_fake, says_fake, grade, cell if is_repeated else None
    )
    tables = [_scope_table(main, judged, answered, codes, scope) for scope in scopes]
    return conform(pd.concat(tables), DETECTION, where="detection")


class Judged(NamedTuple):
    """Answers as arrays, (M,) each; an answer has a row for each group that it belongs to."""

    group: np.ndarray
    """int, 0..G-1."""
    participant: np.ndarray
    """int, 0.. ."""
    stimulus: np.ndarray
    """int, 0.. ."""
    is_fake: np.ndarray
    """bool"""
    says_fake: np.ndarray
    """bool"""
    grade: np.ndarray
    """Evidence for `fake` as whole numbers from 0; -1 without confidence."""
    cell: np.ndarray | None
    """int, 0.., pairs of participant and stimulus; None where nobody judged a stimulus twice."""

    def rows(self, chosen: np.ndarray) -> "Judged":
        """Return the chosen rows: places, or (M,) bool."""
        return Judged(*(None if column is None else column[chosen] for column in self))  # type: ignore[arg-type]

    def totals(self, size: int) -> Answers:
        """Count the answers of each of `size` groups."""
        kind = 4 * self.group + 2 * self.is_fake + self.says_fake
        rejections, alarms, misses, hits = np.bincount(kind, minlength=4 * size).reshape(-1, 4).T
        return Answers(hits, misses + hits, alarms, rejections + alarms)


class _Behind(NamedTuple):
    """Numbers of participants and of stimuli of the reals, of the fakes and of both in each group, (3, G) each."""

    participants: np.ndarray
    stimuli: np.ndarray

    def least(self, kind: str) -> np.ndarray:
        """Return the smaller of the numbers of participants and stimuli of the kind."""
        place = ("real", "fake").index(kind)
        return np.minimum(self.participants[place], self.stimuli[place])

    def crossed(self) -> np.ndarray:
        """Return (G,) bool: several participants, and several stimuli of a kind."""
        return (self.participants[2] > 1) & (self.stimuli[:2].max(axis=0) > 1)


def _numbers_behind(judged: Judged, size: int) -> _Behind:
    """Count the participants and the stimuli behind each of `size` groups."""
    numbers = []
    for cluster in (judged.participant, judged.stimulus):
        place, owner = places(judged.group, cluster)
        real, fake = np.bincount(2 * place + judged.is_fake, minlength=2 * len(owner)).reshape(-1, 2).T > 0
        numbers.append(np.stack([np.bincount(owner[occurs], minlength=size) for occurs in (real, fake, real | fake)]))
    return _Behind(*numbers)


def _scope_table(main: pd.DataFrame, judged: Judged, answered: np.ndarray, codes: Codes, scope: str) -> pd.DataFrame:
    """Return the rows of one scope."""
    grouped = groups(main, scope, codes)
    size, chosen = len(grouped.ids), answered[grouped.row]
    own = judged.rows(grouped.row[chosen])._replace(group=grouped.group[chosen])
    total, behind = own.totals(size), _numbers_behind(own, size)
    graded = own.rows(own.grade >= 0)
    by_confidence = areas(graded, size)

    estimates = _estimates(total, own, behind) | {"auc_confidence": by_confidence}
    if scope != "participant":
        estimates["dprime_individual"] = _mean_of_individuals(own, size, behind)
    columns: dict[str, Any] = {
        f"{name}{ending}": part
        for name, estimate in estimates.items()
        for ending, part in zip(("", "_low", "_high"), estimate, strict=True)
    }
    basis = pd.Series(np.where(behind.crossed(), "two_way_cluster", "independent"), dtype="object")
    columns |= {
        "scope": scope,
        "id": grouped.ids,
        "n_real": total.n_real.astype(int),
        "n_fake": total.n_fake.astype(int),
        "basis": basis.where(total.n_fake + total.n_real > 0, None),
    }
    notes = [
        *_notes(total, behind, np.bincount(graded.group, minlength=size), scope),
        (np.isin(by_confidence.value, (0.0, 1.0)), "an area by confidence of 0 or 1: no interval of it"),
    ]
    return pd.DataFrame(columns).join(provenance(main, grouped, codes, notes))


def _estimates(total: Answers, judged: Judged, behind: _Behind) -> dict[str, GroupEstimate]:
    """Return each group's estimates, clustered where the group allows it."""
    independent = rate_estimates(total) | sensitivity_estimates(total)
    crossed = behind.crossed()
    if not crossed.any():
        return independent
    group, is_fake = judged.group, judged.is_fake
    rate = np.where(is_fake, total.hit_rate()[group], total.false_alarm_rate()[group])
    influence = (judged.says_fake - rate) / np.where(is_fake, total.n_fake[group], total.n_real[group])

    def covariance(cluster: np.ndarray | None) -> Covariance:
        sums, owner = cluster_sums(influence[:, None], cluster, side=is_fake, group=group, size=len(crossed))
        false_alarm, hit = sums[0]
        products = (hit * hit, hit * false_alarm, false_alarm * false_alarm)
        return Covariance(*(np.bincount(owner, product, len(crossed)) for product in products))

    person, stimulus, cell = (covariance(cluster) for cluster in (judged.participant, judged.stimulus, judged.cell))
    two_way = Covariance(*(a + b - c for a, b, c in zip(person, stimulus, cell, strict=True)))
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


def _mean_of_individuals(judged: Judged, size: int, behind: _Behind) -> GroupEstimate:
    """The mean d′ of each group's participants who judged both kinds.

    The variance adds what pictures have in common, from the delta method's influence of each answer on its
    participant's d′, to that of the participants' d′; the reference is that of the pooled one.
    """
    group, is_fake, says_fake = judged.group, judged.is_fake, judged.says_fake
    place, owner = places(group, judged.participant)
    total = judged._replace(group=place).totals(len(owner))
    of_person = detection(
        total.hits, total.n_fake - total.hits, total.false_alarms, total.n_real - total.false_alarms
    ).dprime
    both = np.isfinite(of_person)
    value, number = np.where(both, of_person, 0.0), np.bincount(owner[both], minlength=size)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(owner, value, size) / np.where(number > 0, number, np.nan)
        squares = np.bincount(owner, np.where(both, (value - mean[owner]) ** 2, 0.0), size)
        by_person = squares / (number * (number - 1.0))
    counts = np.where(is_fake, total.hits[place], total.false_alarms[place]).astype(float)
    n = np.where(is_fake, total.n_fake[place], total.n_real[place])
    z = ndtri((counts + 0.5) / (n + 1))
    slope = np.where(is_fake, 1.0, -1.0) * probit_slope(z) / (n + 1)
    influence = slope * (says_fake - counts / n) / np.maximum(number, 1)[group]
    influence = np.where(both[place], influence, 0.0)[:, None]
    by_stimulus = one_way(influence, judged.stimulus, group=group, size=size)[:, 0]
    by_cell = np.bincount(group, influence[:, 0] ** 2, size)
    if judged.cell is not None:
        by_cell = one_way(influence, judged.cell, group=group, size=size)[:, 0]
    least = np.minimum(behind.least("fake"), behind.least("real"))
    freedom = np.where(behind.crossed(), np.minimum(least, number) - 1, 0)
    return GroupEstimate.symmetric(
        mean, t_critical(freedom) * np.sqrt(largest_variance(by_person, by_stimulus, by_cell))
    )


def _notes(total: Answers, behind: _Behind, n_graded: np.ndarray, scope: str) -> list[tuple[np.ndarray, str]]:
    """Return the notes of the groups."""
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
        is_single = behind.participants[2] == 1
        notes.append((is_single, "one participant: says nothing of people in general"))
        notes.append(((answers > 0) & ~is_single & ~crossed, "one picture: says nothing of pictures in general"))
    return notes


def evidence(says_fake: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Put answers on one ordered scale (N,), from `real` with full confidence to `fake` with full confidence.

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


def areas(graded: Judged, size: int) -> GroupEstimate:
    """Compute each group's area under the ROC curve with its 95 % interval, (size,) each.

    The area is the chance that a fake has more evidence for `fake` than a real, ties counting half: the Mann-Whitney
    statistic. The variance is the sum of squared structural components (DeLong, DeLong & Clarke-Pearson 1988,
    Biometrics 44, 837-845). With several participants and pictures they are summed by participant and by stimulus
    before (Obuchowski 1997, Biometrics 53, 567-578), and the largest variance counts. The interval is Student's t on
    the logit scale. Areas of 0 or 1, and kinds with one participant or one stimulus, have none.

    Args:
        graded: the answers; the area is NaN without reals or without fakes.
        size: number of groups.

    >>> whole, is_fake = np.zeros(4, int), np.array([False, False, True, True])
    >>> answers = Judged(whole, whole, np.arange(4), is_fake, is_fake, np.array([0, 1, 1, 2]), None)
    >>> [round(float(part[0]), 4) for part in areas(answers, 1)]
    [0.875, 0.2276, 0.994]
    """
    if not len(graded.group):
        return GroupEstimate(*np.full((3, size), np.nan))
    group, is_fake, behind = graded.group, graded.is_fake, _numbers_behind(graded, size)
    area, influence = _structural_components(graded, size)

    def variance(cluster: np.ndarray | None) -> np.ndarray:
        return one_way(influence[:, None], cluster, side=is_fake, group=group, size=size)[:, 0]

    crossed = behind.crossed()
    by_answer = variance(None)
    half_width = Z95 * np.sqrt(by_answer)
    if crossed.any():
        by_person, by_stimulus, by_cell = map(variance, (graded.participant, graded.stimulus, graded.cell))
        largest = np.maximum(largest_variance(by_person, by_stimulus, by_cell), by_answer)
        freedom = np.minimum(behind.least("fake"), behind.least("real")) - 1
        half_width = np.where(crossed, t_critical(freedom) * np.sqrt(largest), half_width)
    inner = np.where((area > 0) & (area < 1), area, np.nan)
    reach = half_width / (inner * (1 - inner))
    return GroupEstimate(area, expit(logit(inner) - reach), expit(logit(inner) + reach))


def _structural_components(graded: Judged, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (size,) areas, and (M,) the share of each answer in the error of its group's area."""
    is_fake = graded.is_fake
    place, owner = places(graded.group, graded.grade, in_order=True)
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
