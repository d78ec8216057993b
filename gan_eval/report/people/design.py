"""What was done, as a list of facts, and the notes a reader must know.

What was fixed before the data, and what was not: exclusions and margins in words.
"""

import pandas as pd

from gan_eval.metrics.catalogue import ENOUGH_FOR_FID
from gan_eval.quiz.protocols import PROTOCOLS
from gan_eval.report.metrics.data import fid_warning
from gan_eval.report.metrics.holes import holes_fact
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import (
    NARROW,
    Record,
    listed,
    milliseconds,
    missing,
    number,
    percent,
    plural,
    points_of,
    whole,
)
from gan_eval.report.people.timing import flagged_share
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study
from gan_eval.stats.compare.outcomes import is_on_outcome
from gan_eval.stats.trials import graded_trials, main_trials, pair_trials
from gan_eval.tables import RATES, SESSIONS, SET_METRICS, TRIALS


def badges(folder: StudyFolder) -> list[str]:
    """What must be seen before any number is read."""
    found = []
    partial = [share for share in folder.fractions if share < 1]
    if partial:
        shares = listed([f"{100 * share:.3g}{NARROW}%" for share in partial])
        found.append(f"Trained for {shares} of the planned steps")
    if folder.facts.get("smoke"):
        found.append("Smoke run: every stage touched, nothing trained to be good")
    sessions = folder.facts.get("sessions") or {}
    simulated, wanted = sessions.get("simulated", 0), sessions.get("wanted", 0)
    people = sessions.get("people", sessions.get("complete", 0) - simulated)
    if people < wanted:
        beside = f" ({whole(simulated)} simulated)" if simulated else ""
        found.append(f"Interim: {people} of {plural(wanted, 'session')}{beside}")
    return found


def design_facts(folder: StudyFolder) -> list[tuple[str, str]]:
    """Term and description, in reading order."""
    facts: list[tuple[str, str]] = []
    study = folder.study
    if study is not None:
        if study.study.question:
            facts.append(("Question", study.study.question))
        if study.data:
            facts.append(("Data sets", listed([_data_set(study, name) for name in study.data])))
        if study.models:
            facts.append(("Models", listed([f"{name} on {model.data}" for name, model in study.models.items()])))
    facts += holes_fact(folder)
    facts += _shown(folder) or _judged(folder)
    if study is not None:
        facts += _procedure(study.quiz)
        facts += _plan(study.analysis)
    facts += _sessions(folder)
    return facts


def _data_set(study: Study, name: str) -> str:
    """The data set, with its direction where its pictures are translated."""
    return name if study.has_photographs(name) else f"{name} ({study.data[name].direction})"


def _plan(plan: AnalysisSettings) -> list[tuple[str, str]]:
    """What was fixed before the data."""
    of_people = [rule for rule in plan.exclude_participants if not is_on_outcome(rule)]
    beside = [rule for rule in plan.exclude_participants if is_on_outcome(rule)]
    rules = [*(f"participants with {rule}" for rule in of_people), *plan.exclude]
    pairs = "all pairs" if plan.comparisons is None else listed([f"{a} and {b}" for a, b in plan.comparisons])
    facts = [("Left out by preset rule", ", ".join(rules) or "nothing"), ("Models compared, as planned", pairs)]
    if beside:
        facts.append(("Sensitivity, as planned", f"without participants with {listed(beside)}, beside the answer"))
    if plan.margin is not None:
        facts.append(("Equivalence margin", f"{100 * plan.margin:.3g}{NARROW}points"))
    if plan.covariates:
        facts.append(("Covariates", ", ".join(plan.covariates)))
    return facts


def _judged(folder: StudyFolder) -> list[tuple[str, str]]:
    """From the rates, where the trials themselves are not here."""
    rates = folder.table(RATES)
    everything = rates[rates["scope"] == "all"]
    if everything.empty or folder.judged().empty:
        return []
    row, pictures = everything.iloc[0], folder.scope("stimulus")
    return [
        ("Participants", whole(len(folder.scope("participant")))),
        (
            "Different pictures",
            f"{whole((pictures['n_real'] > 0).sum())} real, {whole((pictures['n_fake'] > 0).sum())} generated",
        ),
        ("Answers", f"{whole(row['n_real'])} to real and {whole(row['n_fake'])} to generated pictures"),
        ("Trials without an answer", whole(row["n_none"])),
    ]


def _procedure(quiz: QuizSettings) -> list[tuple[str, str]]:
    """How the pictures were shown, and which key meant what."""
    window = "without a limit" if quiz.window_ms is None else f"up to {milliseconds(quiz.window_ms)} after onset"
    exposures = ", ".join("until the answer" if each is None else milliseconds(each) for each in quiz.levels_ms)
    if quiz.protocol == "staircase":
        stairs = quiz.staircase
        exposures = (
            f"from {milliseconds(stairs.start_ms)}, {milliseconds(stairs.down_ms)} less after a right answer and "
            f"{milliseconds(stairs.up_ms)} more after a wrong one, within {milliseconds(stairs.shortest_ms)} and "
            f"{milliseconds(stairs.longest_ms)}"
        )
    return [
        ("Procedure", f"{PROTOCOLS[quiz.protocol].in_brief}, in random order"),
        ("Each picture visible", f"{exposures}; an answer counts {window}"),
        ("Keys", ", ".join(f"{key} for {answer}" for answer, key in quiz.keys.items())),
    ]


def _shown(folder: StudyFolder) -> list[tuple[str, str]]:
    trials = folder.answers()
    if trials.empty:
        return []
    single = pd.concat([main_trials(trials), graded_trials(trials)])
    return [*_pairs(folder, pair_trials(trials)), *_single(folder, single[single["kind"].notna()])]


def _pairs(folder: StudyFolder, pairs: pd.DataFrame) -> list[tuple[str, str]]:
    if pairs.empty:
        return []
    each = _range(pairs.groupby("session").size())
    return [("Pairs shown to each participant", each), *_trials_facts(folder, pairs)]


def _single(folder: StudyFolder, main: pd.DataFrame) -> list[tuple[str, str]]:
    if main.empty:
        return []
    main = main.assign(is_fake=(main["kind"] == "fake").to_numpy(bool))
    sessions = main.groupby("session")["is_fake"].agg(["sum", "size"])
    fake, real = sessions["sum"], sessions["size"] - sessions["sum"]
    facts = [
        (
            "Shown to each participant",
            f"{_range(real)} real and {_range(fake)} generated pictures",
        ),
        (
            "Different pictures",
            f"{whole(main.loc[~main['is_fake'], 'stimulus'].nunique())} real, "
            f"{whole(main.loc[main['is_fake'], 'stimulus'].nunique())} generated",
        ),
    ]
    return [*facts, *_trials_facts(folder, main)]


def _trials_facts(folder: StudyFolder, main: pd.DataFrame) -> list[tuple[str, str]]:
    """Exposure, flags and missing answers of trials with the column `answered`."""
    facts = []
    exposure = main["exposure_ms"].dropna()
    if len(exposure):
        facts.append(("Achieved exposure", f"median {milliseconds(exposure.median())}"))
    flagged = flagged_share(folder, main)
    if flagged is not None:
        facts.append(("Trials with a flag (late, focus lost, …)", percent(flagged)))
    facts.append(("Trials without an answer", whole((~main["answered"]).sum())))
    return facts


def _range(counts: pd.Series) -> str:
    low, high = int(counts.min()), int(counts.max())
    return str(low) if low == high else f"{low} to {high}"


def _sessions(folder: StudyFolder) -> list[tuple[str, str]]:
    sessions = folder.table(SESSIONS)
    if sessions.empty:
        return []
    complete = int((sessions["status"] == "complete").sum())
    people = sessions["participant"].nunique()
    simulated = int((sessions["simulated"] == True).sum())  # noqa: E712
    facts = [
        (
            "Sessions",
            f"{complete} complete of {len(sessions)} begun, by {plural(people, 'participant')}"
            + (f", {simulated} of them simulated" if simulated else ""),
        )
    ]
    refresh = sessions["refresh_hz"].dropna()
    if len(refresh):
        facts.append(("Screens", f"{listed([f'{number(hz, digits=1)}{NARROW}Hz' for hz in sorted(set(refresh))])}"))
    return facts


def notes(folder: StudyFolder) -> list[str]:
    """Warnings and notes: those of the run, then those that the tables themselves give rise to."""
    found = [str(note) for note in folder.facts.get("notes") or []]
    if folder.simulated:
        found.append("Simulated participants answered (some of) the trials: the numbers rehearse the analysis only.")
    everything = folder.judged()
    everything = everything[everything["scope"] == "all"]
    if len(everything) and not pd.isna(everything.iloc[0]["note"]):
        found.append(f"Over all answers: {everything.iloc[0]['note']}.")
    if len(everything) and everything.iloc[0]["n_none"] > 0:
        found.append(f"{plural(int(everything.iloc[0]['n_none']), 'trial')} without an answer: in no rate.")
    left_out = len(folder.table(TRIALS)) - len(folder.answers())  # 0 unless people have answered
    if left_out:
        found.append(f"{plural(left_out, 'trial')} of simulated participants left out, since people have answered.")
    found += _shared_list(folder)
    small = folder.table(SET_METRICS)
    if len(small):
        is_fid = small["metric"].str.startswith("fid") & small["value"].notna()
        small = small[is_fid & (small["n_fake"] < ENOUGH_FOR_FID)]
    if len(small):
        found.append(fid_warning(int(small["n_fake"].min()), int(small["n_fake"].max())))
    return list(dict.fromkeys(found))


def _shared_list(folder: StudyFolder) -> list[str]:
    """Few stimuli that nearly everybody saw: intervals of pooled rates are then too narrow."""
    trials = folder.answers()
    if trials.empty:
        return []
    main = main_trials(trials)
    if main.empty:
        return []
    people, seen = main["participant"].nunique(), main.groupby("stimulus")["participant"].nunique()
    if people < 5 or len(seen) > 200 or seen.mean() < 0.8 * people:
        return []
    return [
        f"Nearly all {people} participants saw the same {len(seen)} pictures: answers hang together by picture, so "
        "Wilson intervals of pooled rates are too narrow; the answer, signal detection and the models allow for it."
    ]


PRESET, EXPLORATORY, BY_RULE = "preset", "exploratory", "by rule"
BY = {
    PRESET: "by preset rules",
    EXPLORATORY: "by exploratory rules, not in the plan",
    BY_RULE: "by rule, no plan given",
}
"""After `left out`."""
_MARGINS = {PRESET: "planned margin", EXPLORATORY: "exploratory margin", BY_RULE: "margin"}


def of_exclusions(folder: StudyFolder, table: pd.DataFrame) -> pd.Series:
    """(N,) the standing of the rules behind each row of `participation`.

    From its column `standing`; where that is empty, from the rules that the study's plan has.
    """
    plan = None if folder.study is None else folder.study.analysis
    planned = set() if plan is None else {*plan.exclude, *plan.exclude_participants}

    def known(row: Record) -> str:
        if not missing(row.get("standing")):
            return str(row["standing"])
        if plan is None:
            return BY_RULE
        return PRESET if set(str(row["rule"]).split("; ")) <= planned else EXPLORATORY

    return pd.Series([known(row) for row in table.to_dict("records")], index=table.index, dtype="object")


def of_margin(row: Record) -> str:
    """The standing of the margin of a comparison, from its `exploratory` and `note`."""
    if not missing(row["note"]) and "margin is exploratory" in str(row["note"]):
        return EXPLORATORY
    return BY_RULE if missing(row["exploratory"]) else PRESET


def exploratory(row: Record) -> str:
    """A mark where the study's plan does not hold the row."""
    mark = row.get("exploratory")
    return " (exploratory)" if not missing(mark) and bool(mark) else ""


def the_margin(row: Record) -> str:
    """A comparison's margin with its standing: `the planned margin of 5 points`."""
    return f"the {_MARGINS[of_margin(row)]} of {points_of(row['margin'])}"
