"""Can people tell? Signal detection with intervals for every scope that holds both kinds of picture."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.stats.answers.detection_intervals import CrossedRates, GroupEstimate, estimates
from gan_eval.stats.answers.roc import Graded, areas, evidence
from gan_eval.stats.clustering import Answers, Clusters, clusters, covariance_of_single_answers
from gan_eval.stats.groups import Codes, groups, join_notes, joined, provenance
from gan_eval.stats.trials import main_trials
from gan_eval.tables import DETECTION, SCOPES
from gan_eval.tabular import conform

DETECTION_SCOPES = tuple(scope for scope in SCOPES if scope != "stimulus")
"""A stimulus has one truth, so it has a rate but no sensitivity."""
FEW = 10
"""Below this number of participants or stimuli of a kind the note says that the interval is rough."""


def signal_detection(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `detection` of a trials table: rates, balanced accuracy, d′, criterion, β and area, with intervals.

    Where several participants and several stimuli stand behind a group, the variance adds what participants and what
    stimuli have in common (two-way clustering: Cameron, Gelbach & Miller 2011, Journal of Business & Economic
    Statistics 29, 238-249), or one of both alone where that is larger; the reference is Student's t with one degree
    of freedom fewer than the smallest number of participants or stimuli; no interval is narrower than the one of
    independent answers. A rate of 0 or 1 shows no variance: there the independent interval is that of as many answers
    as there are stimuli, or participants if fewer. Groups of one participant, or of one stimulus of each kind, take
    answers as independent. Formulas: `gan_eval.stats.answers.detection_intervals`.

    `auc_confidence` rests on the answers that come with a confidence; it is empty where none does. Its interval:
    `gan_eval.stats.answers.roc.areas`.

    Args:
        trials: the table `trials`.

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
    coded = _coded(main, codes)
    tables = [_scope_table(main, coded, codes, scope) for scope in DETECTION_SCOPES]
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


def _coded(main: pd.DataFrame, codes: Codes) -> _Coded:
    answered, is_fake, says_fake = (main[name].to_numpy(bool) for name in ("answered", "is_fake", "says_fake"))
    confidence = main["confidence"].to_numpy("float64")
    given = np.isfinite(confidence) & answered
    grade = np.full(len(main), -1, np.int64)
    grade[given] = pd.factorize(evidence(says_fake[given], confidence[given]), sort=True)[0]
    participant, stimulus = (codes.of(name)[0] for name in ("participant", "stimulus"))
    return _Coded(answered, is_fake, says_fake, participant, stimulus, grade, _cell(participant, stimulus))


def _cell(participant: np.ndarray, stimulus: np.ndarray) -> np.ndarray | None:
    cell, occurring = pd.factorize(participant.astype(np.int64) * (int(stimulus.max(initial=0)) + 1) + stimulus)
    return None if len(occurring) == len(cell) else cell


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
    grouped = groups(main, scope, codes)
    size = len(grouped.ids)
    kept = coded.answered[grouped.row]
    row, group = grouped.row[kept], grouped.group[kept]
    by_person = _clusters(coded, coded.participant, group, size, row)
    several = by_person.number(by_person.answers.n_fake + by_person.answers.n_real) > 1
    by_stimulus = _clusters(coded, coded.stimulus, group[several[group]], size, row[several[group]])
    total, behind = by_person.totals(), _behind(by_person, by_stimulus)
    table = pd.DataFrame({"scope": scope, "id": grouped.ids})
    table["n_real"], table["n_fake"] = total.n_real.astype(int), total.n_fake.astype(int)
    by_cell = None if coded.cell is None else _clusters(coded, coded.cell, group, size, row)
    for name, estimate in _intervals(total, by_person, by_stimulus, by_cell, behind).items():
        for ending, part in zip(("", "_low", "_high"), estimate, strict=True):
            table[f"{name}{ending}"] = part
    graded = coded.grade[row] >= 0
    of_graded = row[graded]
    codes_of = (coded.participant, coded.stimulus, coded.grade, coded.is_fake)
    by_confidence = areas(Graded(group[graded], *(code[of_graded] for code in codes_of)), size)
    for ending, part in zip(("", "_low", "_high"), by_confidence, strict=True):
        table[f"auc_confidence{ending}"] = part
    any_answer = total.n_fake + total.n_real > 0
    basis = np.where(behind.crossed(), "two_way_cluster", "independent")
    table["basis"] = pd.Series(basis, dtype="object").where(any_answer, None)
    carried = provenance(main, grouped, codes)
    table["simulated"], table["fraction"] = carried["simulated"], carried["fraction"]
    own = _notes(total, behind, np.bincount(group[graded], minlength=size), scope)
    edge = np.isin(by_confidence.value, (0.0, 1.0))
    sharp = join_notes([(edge, "an area by confidence of 0 or 1: no interval of it")], size)
    table["note"] = [joined(*texts) for texts in zip(own, sharp, carried["note"], strict=True)]
    return table


def _clusters(coded: _Coded, cluster: np.ndarray, group: np.ndarray, size: int, row: np.ndarray) -> Clusters:
    return clusters(group, size, cluster[row], coded.is_fake[row], coded.says_fake[row])


def _behind(by_person: Clusters, by_stimulus: Clusters) -> _Behind:
    person, stimulus = by_person.answers, by_stimulus.answers
    return _Behind(
        by_person.number(person.n_fake + person.n_real),
        by_person.number(person.n_fake),
        by_person.number(person.n_real),
        by_stimulus.number(stimulus.n_fake),
        by_stimulus.number(stimulus.n_real),
    )


def _intervals(
    total: Answers, by_person: Clusters, by_stimulus: Clusters, by_cell: Clusters | None, behind: _Behind
) -> dict[str, GroupEstimate]:
    """Each group's numbers on the basis that it allows."""
    alone = estimates(total, effective=total, crossed=None)
    several = behind.crossed()
    if not several.any():
        return dict(alone)
    people, stimuli = by_person.covariance(), by_stimulus.covariance()
    cells = covariance_of_single_answers(total) if by_cell is None else by_cell.covariance()
    two_way = people.plus(stimuli, 1.0).plus(cells, -1.0)
    crossed = CrossedRates((two_way, people, stimuli), behind.least("fake") - 1, behind.least("real") - 1)
    together = estimates(total, effective=_effective(total, behind), crossed=crossed)
    return {
        name: GroupEstimate(*(np.where(several, a, b) for a, b in zip(together[name], alone[name], strict=True)))
        for name in alone
    }


def _effective(total: Answers, behind: _Behind) -> Answers:
    """The counts, and those of one answer each of the fewest behind a rate that is 0 or 1."""
    hits, n_fake = _thinned(total.hits, total.n_fake, behind.least("fake"))
    false_alarms, n_real = _thinned(total.false_alarms, total.n_real, behind.least("real"))
    return Answers(hits, n_fake, false_alarms, n_real)


def _thinned(k: np.ndarray, n: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edge = (n > 0) & ((k == 0) | (k == n))
    return np.where(edge, np.where(k > 0, units, 0), k), np.where(edge, units, n)


def _notes(total: Answers, behind: _Behind, n_graded: np.ndarray, scope: str) -> list[str]:
    """What a reader must know about each row."""
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
        alone = behind.participants == 1
        notes.append((alone, "one participant: says nothing of people in general"))
        notes.append(((answers > 0) & ~alone & ~crossed, "one picture: says nothing of pictures in general"))
    return join_notes(notes, len(answers))
