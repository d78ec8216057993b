"""The table `participation`, and the trials that remain under the exclusion rules (`gan_eval.judgements.rules`)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from gan_eval.base.errors import abbreviated
from gan_eval.base.inference import proportion
from gan_eval.judgements.contradictions import agreement, possible_times
from gan_eval.judgements.rules import Rule, parse_rule
from gan_eval.judgements.trials import in_finished_session
from gan_eval.stats.groups import joined
from gan_eval.tables import PARTICIPATION, TRIALS
from gan_eval.tables.frames import conform

WHERE = "participation"
"""Place in messages about a rule on participants that is not in the plan."""
EXCLUSIONS_PLANNED = "analysis.exclude"
"""Place in messages about the plan's rules on trials."""
MAX_RATIO = 20
"""Maximum ratio of the limit of a rule to the nearest value of its column, without a question."""
MAX_NAMED = 5
"""Number of values of a column that a line names."""


def is_answered(trials: pd.DataFrame) -> NDArray[np.bool_]:
    """Return (N,) bool: trials with an answer of any protocol."""
    has_answer = [trials[name].notna() & (trials[name] != "none") for name in ("response", "choice")]
    return np.any([*has_answer, trials["rating"].notna()], axis=0)


def _measured(trials: pd.DataFrame, sessions: pd.DataFrame | None) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Return the table `participation` with a row for each participant, sorted, without the columns on exclusion.

    Also return (N,) the row of each trial's participant in it, -1 without a participant.
    """
    attended = trials[["participant", "session", "simulated"]].drop_duplicates(["participant", "session"])
    status: dict[str, str] = {}
    if sessions is not None:
        attended = pd.concat([sessions[["participant", "session", "simulated"]], attended])
        attended = attended.drop_duplicates(["participant", "session"])
        ordered = sessions.sort_values("started_at", na_position="first", kind="stable")
        status = dict(zip(ordered["participant"], ordered["status"], strict=True))  # of the last session
    who = pd.Series(sorted(attended["participant"].dropna().unique()), dtype="object")
    response, choice = (trials[name].where(trials[name] != "none") for name in ("response", "choice"))
    rating = trials["rating"].map(str, na_action="ignore").astype("str")
    answer = response.fillna(choice).fillna(rating)  # of any protocol as text, or missing
    answered = is_answered(trials)
    codes, names = pd.factorize(trials["participant"].array)
    attendee, of_names = (pd.Index(who).get_indexer(pd.Index(each)) for each in (attended["participant"], names))
    person = np.append(of_names, -1)[codes]
    main, catch = ((trials["phase"] == phase).to_numpy(bool) for phase in ("main", "catch"))
    right = agreement(trials).fillna(trials["correct"])  # from the truth and the answer if both are known
    graded, correct = right.notna().to_numpy(bool), right.fillna(False).to_numpy(bool)
    flagged = trials["flags"].fillna("").str.strip().ne("").to_numpy(bool)
    times = trials["reaction_time_ms"].where(main & answered & possible_times(trials))
    is_counted, (said, said_names) = main & answered & (person >= 0), pd.factorize(answer.array)
    same = np.zeros((len(who), len(said_names)), np.intp)
    np.add.at(same, (person[is_counted], said[is_counted]), 1)
    n_sessions, n_simulated = (
        np.bincount(attendee[rows & (attendee >= 0)], minlength=len(who))
        for rows in (True, attended["simulated"].fillna(False).to_numpy(bool))
    )
    fraction = trials["fraction"].to_numpy("float64", na_value=np.nan)
    low, high = np.full((2, len(who)), np.nan)
    np.fmin.at(low, person[person >= 0], fraction[person >= 0])
    np.fmax.at(high, person[person >= 0], fraction[person >= 0])
    n_trials, n_answered, n_catch = (_count(person, rows, who) for rows in (main, main & answered, catch & answered))
    accuracy, catch_accuracy = (
        proportion(_count(person, rows & graded & correct, who), _count(person, rows & graded, who))
        for rows in (main & answered, catch & answered)
    )
    median = times.groupby(trials["participant"]).median()
    people = pd.DataFrame(
        {
            "participant": who,
            "sessions": n_sessions,
            "status": who.map(status),
            "n_trials": n_trials,
            "n_answered": n_answered,
            "n_catch": n_catch,
            "catch_accuracy": catch_accuracy,
            "accuracy": accuracy,
            "same_answer_share": proportion(same.max(axis=1, initial=0), n_answered),
            "median_reaction_time_ms": who.map(median).to_numpy("float64", na_value=np.nan),
            "flagged_share": proportion(_count(person, main & flagged, who), n_trials),
            "fraction": np.where(low == high, low, np.nan),
            "simulated": n_simulated > 0,
            "note": [
                "a person and a simulated participant of one name" if is_mixed else None
                for is_mixed in (n_simulated > 0) & (n_simulated < n_sessions)
            ],
        }
    )
    return people, person


def _count(person: NDArray[np.intp], chosen: np.ndarray, who: pd.Series) -> np.ndarray:
    """Return the number of chosen trials of each participant."""
    return np.bincount(person[chosen & (person >= 0)], minlength=len(who))


class Rules(NamedTuple):
    """Rules, of the plan or exploratory."""

    trials: Sequence[str] = ()
    participants: Sequence[str] = ()


class ParticipantGroups(NamedTuple):
    """Participants whose answers count, and the others by reason."""

    analysed: tuple[str, ...]
    unfinished: tuple[str, ...]
    """Participants without a complete session."""
    silent: tuple[str, ...]
    """Participants who answered no main trial."""
    excluded: tuple[str, ...]
    """Participants excluded by a rule on participants, or by rules on all their trials."""
    unanswered: int
    """Number of main trials shown to participants without answers."""

    def text(self) -> str:
        """Describe participants who did not finish or answered nothing; empty if there were none.

        >>> ParticipantGroups(("P1",), (), ("P2", "P3"), (), 40).text()
        '2 of 3 participants gave no answer (40 trials)'
        """
        total = sum(map(len, self[:4]))
        of_all = f"of {total} participant{'s' if total != 1 else ''}"
        no_answer = f"{len(self.silent)} {of_all} gave no answer ({self.unanswered} trials)" if self.silent else ""
        broke_off = f"{len(self.unfinished)} {of_all} finished no session" if self.unfinished else ""
        return "; ".join(filter(None, (no_answer, broke_off)))


def participant_groups(participation: pd.DataFrame) -> ParticipantGroups:
    """Group the participants of the table `participation` by its column `counted`."""
    counted = participation["counted"].astype("object")
    yes, unfinished, silent, excluded = (
        tuple(participation.loc[counted == word, "participant"].astype("str"))
        for word in ("yes", "unfinished", "silent", "excluded")
    )
    unanswered = int(participation.loc[counted == "silent", "n_trials"].sum())
    return ParticipantGroups(yes, unfinished, silent, excluded, unanswered)


class Included(NamedTuple):
    """Result of `apply_rules`: the trials of finished sessions that no rule excludes."""

    trials: pd.DataFrame
    participation: pd.DataFrame
    note: str
    """Numbers of trials and participants that each rule excludes, of unfinished sessions and of participants without an
    answer; empty if nothing is excluded."""
    unfinished: pd.DataFrame
    """Trials of unfinished sessions that no rule excludes."""
    beyond: int
    """Number of main trials that only rules beyond the plan exclude."""
    doubts: list[str]
    """Lines on rules that may be meant in another way."""


def apply_rules(
    whole: pd.DataFrame, sessions: pd.DataFrame | None, preset: Rules, beyond: Rules, *, planned: bool = True
) -> Included:
    """Exclude unfinished sessions, and the trials and participants that fulfil a rule.

    Each rule applies to the whole table. Sessions that are not in the table `sessions` count as finished.

    Args:
        sessions: the table `sessions`; it has sessions without a trial, and how each session ended.
        preset: rules of the plan. Rules on participants, such as `catch_accuracy<0.8`, are on the columns of the table
            `participation`.
        beyond: rules that are not in the plan; the note calls these exclusions exploratory.
        planned: True if there is a plan; without a plan, the column `standing` is empty, and no rule is called preset.

    Raises:
        UserError: a rule is not understood, or names a column that its table does not have.
    """
    people, person = _measured(whole, sessions)
    where = EXCLUSIONS_PLANNED if planned else "trials"
    masks, doubts = _fulfilled(whole, preset.trials, beyond.trials, "trials", where, "trials")
    where = f"{EXCLUSIONS_PLANNED}_participants" if planned else WHERE
    by_rule, others = _fulfilled(people, preset.participants, beyond.participants, "participants", where, WHERE)
    doubts += others
    main, who = (whole["phase"] == "main").to_numpy(bool), people["participant"]
    excluded, fulfils_any = by_rule.any(axis=1).to_numpy(bool), masks.any(axis=1).to_numpy(bool)
    n_excluded = np.where(excluded, people["n_trials"], _count(person, main & fulfils_any, who))
    named = {str(rule): by_rule[rule].to_numpy(bool) for rule in by_rule}
    of_trials = {str(rule): _count(person, main & masks[rule].to_numpy(bool), who) > 0 for rule in masks}
    rules_of = _rules_of([*named.items(), *of_trials.items()], people.index)
    people = people.assign(excluded=excluded, n_excluded=n_excluded.astype(int), rule=rules_of)
    finished = np.ones(len(whole), bool) if sessions is None else in_finished_session(whole, sessions)
    by_any_rule = np.append(excluded, False)[person] | fulfils_any
    people = _with_counted(people, person, whole, sessions, finished, by_any_rule)
    people = conform(people, PARTICIPATION, where=WHERE)
    of_people = [by_rule[[*rules.participants]].any(axis=1).to_numpy(bool) for rules in (preset, beyond)]
    by_plan, by_options = (
        np.append(out, False)[person] | masks[[*rules.trials]].any(axis=1).to_numpy(bool)
        for rules, out in zip((preset, beyond), of_people, strict=True)
    )
    only_beyond = by_options & ~by_plan
    if planned:
        losing_more = _count(person, only_beyond, who) > 0
        people = _with_standing(people, (of_people[1] & ~of_people[0]) | losing_more)
    notes = _exclusion_notes(masks, by_rule, preset, beyond, planned=planned) if any((*preset, *beyond)) else []
    if not finished.all():
        n_sessions = whole.loc[~finished, "session"].nunique()
        notes.append(f"{(~finished).sum()} trials of {n_sessions} unfinished sessions left out")
    if (people["counted"] != "yes").any():
        notes.append(participant_groups(people).text())
    included, unfinished = (whole[~by_any_rule & rows].reset_index(drop=True) for rows in (finished, ~finished))
    n_beyond = int((only_beyond & main & finished).sum())
    return Included(included, people, "; ".join(filter(None, notes)), unfinished, n_beyond, doubts)


def _rules_of(named: Sequence[tuple[str, np.ndarray]], index: pd.Index) -> pd.Series:
    """Return the rules that each participant fulfils, or some of their trials; None: none."""
    texts = ["; ".join(rule for rule, rows in named if rows[position]) for position in range(len(index))]
    return pd.Series(texts, index=index, dtype="object").replace("", None)


def _fulfilled(
    frame: pd.DataFrame, preset: Sequence[str], beyond: Sequence[str], what: str, planned: str, other: str
) -> tuple[pd.DataFrame, list[str]]:
    """Return for each rule the rows that fulfil it, and doubts about the rules.

    Args:
        what: the rows: trials or participants.
        planned: source of the preset rules, for messages.
        other: source of the others.
    """
    rows, doubts = pd.DataFrame(index=frame.index), list[str]()
    for rule in (*preset, *beyond):
        parsed = parse_rule(rule)
        rows[rule] = parsed.holds(frame, where=planned if rule in preset else other)
        doubts += _doubts_of_rule(parsed, rows[rule].to_numpy(bool), frame, what)
    return rows, doubts


def _with_standing(people: pd.DataFrame, exploratory: np.ndarray) -> pd.DataFrame:
    """Return the participants with what excludes each, or some of their trials: the plan's rules, or others."""
    left_out = people["rule"].notna().to_numpy(bool)
    standings = np.select([exploratory, left_out], ["exploratory", "preset"], default="")
    dtype = people["rule"].dtype
    return people.assign(standing=pd.Series(standings, index=people.index, dtype=dtype).replace("", None))


def _doubts_of_rule(rule: Rule, fulfils: NDArray[np.bool_], frame: pd.DataFrame, what: str) -> Iterator[str]:
    """Return a line on a rule that excludes everything, or nothing though its values seem of another unit or spelling.

    A rule that nobody fulfils is usual: `reaction_time_ms<200`, `flags~late`.
    """
    cells = frame[rule.column].dropna()
    if not len(frame) or (fulfils.any() and not fulfils.all()):
        return
    name = f"rule {rule.column}{rule.operator}{rule.value}"
    if fulfils.all():
        effect = f"excludes all {len(frame)} {what}"
    elif rule.value and cells.empty and rule.column != "flags":
        yield f"{name} excludes nothing: {rule.column} is empty in all {what}"
        return
    elif _is_odd(rule, cells):
        effect = f"excludes none of {len(frame)} {what}"
    else:
        return
    yield f"{name} {effect}: {rule.column} is {_values(cells) or 'empty'}"


def _is_odd(rule: Rule, cells: pd.Series) -> bool:
    """Return whether a rule's value seems of another unit or spelling than the cells of its column."""
    if rule.operator == "=" and rule.value:
        columns = (*TRIALS.columns, *PARTICIPATION.columns)
        return not is_numeric_dtype(cells.dtype) and not any(c.words for c in columns if c.name == rule.column)
    if rule.operator[0] not in "<>":
        return False
    numbers, limit = pd.to_numeric(cells).to_numpy("float64"), abs(float(rule.value))
    least, most = np.abs(numbers).min(), np.abs(numbers).max()
    return bool(0 < limit < least / MAX_RATIO or limit > most * MAX_RATIO > 0)


def _values(cells: pd.Series) -> str:
    """Return the range of numbers, or the first of other values."""
    found = cells.unique().tolist()
    if is_numeric_dtype(cells.dtype) and len(found) > 2:
        return f"{cells.min():g} to {cells.max():g}"
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return ", ".join(map(abbreviated, found[:MAX_NAMED])) + more


def _exclusion_notes(
    trials: pd.DataFrame, people: pd.DataFrame, preset: Rules, beyond: Rules, *, planned: bool
) -> list[str]:
    """Return a note for each kind of rules; `trials` and `people` have a column for each: who fulfils it."""
    notes = []
    for rules, standing in (
        (preset, "preset rules" if planned else "rule, no plan given"),
        (beyond, "exploratory rules, not in the plan"),
    ):
        for names, rows, what in ((rules.trials, trials, "trials"), (rules.participants, people, "participants")):
            if columns := [*dict.fromkeys(names)]:
                counts = ", ".join(f"{rule}: {rows[rule].sum()}" for rule in columns)
                any_rule = rows[columns].any(axis=1).sum()
                notes.append(f"{any_rule} of {len(rows)} {what} excluded by {standing} ({counts})")
    return notes


def _with_counted(
    people: pd.DataFrame,
    person: NDArray[np.intp],
    whole: pd.DataFrame,
    sessions: pd.DataFrame | None,
    finished: np.ndarray,
    by_rule: np.ndarray,
) -> pd.DataFrame:
    """Add the column `counted` to the table `participation`, and a note on answers of unfinished sessions."""
    who = people["participant"]
    has_finished = np.isin(np.arange(len(who)), person[finished])
    if sessions is not None:
        complete = sessions.loc[(sessions["status"] == "complete").fillna(False), "participant"]
        has_finished |= who.isin(complete).to_numpy(bool)
    is_answer = (whole["phase"] == "main").to_numpy(bool) & is_answered(whole)
    answered, left, broken = (
        _count(person, is_answer & rows, who) for rows in (finished, finished & ~by_rule, ~finished)
    )
    conditions = [people["excluded"].to_numpy(bool), ~has_finished, answered == 0, left == 0]
    counted = np.select(conditions, ["excluded", "unfinished", "silent", "excluded"], default="yes")
    broke_off = [f"{n} answers of unfinished sessions are left out of the results" if n else None for n in broken]
    notes = [joined(note, more) for note, more in zip(people["note"], broke_off, strict=True)]
    return people.assign(counted=counted, note=pd.Series(notes, index=people.index, dtype="object"))
