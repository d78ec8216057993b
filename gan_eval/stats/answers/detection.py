"""Signal detection with 95 % intervals. *Fake* is the signal."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from gan_eval.stats.answers.roc import Graded, areas, evidence
from gan_eval.stats.answers.sensitivity import (
    CrossedRates,
    GroupEstimate,
    detection,
    probit_slope,
    rate_estimates,
    sensitivity_estimates,
)
from gan_eval.stats.clustering import (
    Answers,
    Clusters,
    cells,
    clusters,
    covariance_of_single_answers,
    largest_variance,
    one_way,
    places,
    t_critical,
)
from gan_eval.stats.groups import Codes, groups, provenance
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
    """Number of each pair of participant and stimulus; None where nobody judged a stimulus twice."""

    def clusters(self, cluster: np.ndarray, group: np.ndarray, size: int, row: np.ndarray) -> Clusters:
        """The answers of rows (M,) by group (M,) of `size` and by cluster (N,)."""
        return clusters(group, size, cluster[row], self.is_fake[row], self.says_fake[row])


class _Behind(NamedTuple):
    """Numbers of participants and stimuli of the fakes and of the reals of each group, (G,) each.

    Stimuli are counted only where there are several participants.
    """

    participants: np.ndarray
    people_fake: np.ndarray
    people_real: np.ndarray
    stimuli_fake: np.ndarray
    stimuli_real: np.ndarray

    def least(self, kind: str) -> np.ndarray:
        """Return the smaller of the numbers of participants and stimuli of the kind."""
        if kind == "fake":
            return np.minimum(self.people_fake, self.stimuli_fake)
        return np.minimum(self.people_real, self.stimuli_real)

    def crossed(self) -> np.ndarray:
        """Return (G,) bool: several participants, and several stimuli of a kind."""
        return (self.participants > 1) & ((self.stimuli_fake > 1) | (self.stimuli_real > 1))


def _scope_table(main: pd.DataFrame, coded: _Coded, codes: Codes, scope: str) -> pd.DataFrame:
    """Return the rows of one scope."""
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
) -> dict[str, GroupEstimate]:
    """Return each group's estimates, clustered where the group allows it."""
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
) -> GroupEstimate:
    """The mean d′ of each group's participants who judged both kinds.

    The variance adds what pictures have in common, from the delta method's influence of each answer on its
    participant's d′, to that of the participants' d′; the reference is that of the pooled one.
    """
    place, owner = places(group, coded.participant[row])
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
    slope = np.where(is_fake, 1.0, -1.0) * probit_slope(z) / (n + 1)
    influence = slope * (says_fake - counts / n) / np.maximum(number, 1)[group]
    influence = np.where(both[place], influence, 0.0)[:, None]
    by_stimulus = one_way(influence, coded.stimulus[row], group=group, size=size)[:, 0]
    by_cell = np.bincount(group, influence[:, 0] ** 2, size)
    if coded.cell is not None:
        by_cell = one_way(influence, coded.cell[row], group=group, size=size)[:, 0]
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
        is_single = behind.participants == 1
        notes.append((is_single, "one participant: says nothing of people in general"))
        notes.append(((answers > 0) & ~is_single & ~crossed, "one picture: says nothing of pictures in general"))
    return notes
