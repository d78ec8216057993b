"""The design of the study, its caveats, and the standing of exclusions and margins in words."""

from collections.abc import Sequence

import pandas as pd

from gan_eval.report.parts.blocks import Facts, Lines, Section
from gan_eval.report.parts.folder import StudyFolder, common_notes, without_common_notes
from gan_eval.report.parts.words import (
    NARROW,
    Record,
    listed,
    milliseconds,
    missing,
    number,
    percent,
    plural,
    points_text,
    whole,
)
from gan_eval.report.people.timing import MOST_LEVELS, exposure_levels, flagged_share
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, PROTOCOLS, QUEST_PLUS
from gan_eval.settings.study import Study
from gan_eval.stats.answers.rates import RATES
from gan_eval.stats.compare.outcomes import is_on_outcome
from gan_eval.stats.looks import NO_VERDICT, LookPlan
from gan_eval.stats.trials import graded_trials, main_trials, pair_trials
from gan_eval.tables import IMAGE_METRICS, PARTICIPATION, SESSIONS, SET_METRICS, TRIALS

PRESET, EXPLORATORY, BY_RULE = "preset", "exploratory", "by rule"
"""The standing of a rule or a margin: in the study's plan, beyond it, or given without a plan."""
BY = {
    PRESET: "by preset rules",
    EXPLORATORY: "by exploratory rules, not in the plan",
    BY_RULE: "by rule, no plan given",
}
"""After `left out`."""
_UNFINISHED = ("aborted", "open")
_MARGINS = {PRESET: "planned margin", EXPLORATORY: "exploratory margin", BY_RULE: "margin"}


def badges(folder: StudyFolder) -> list[str]:
    """Return what must be seen before any number is read."""
    lines = []
    partial = [fraction for fraction in folder.fractions if fraction < 1]
    if partial:
        lines.append(f"{trained_for(partial, 'Trained')} of the planned steps")
    seen: list[str] = []
    if folder.study is not None:
        seen = [name for name in folder.study.data if folder.study.tests_on_seen(name)]
        if seen:
            lines.append(f"Pictures of {listed(seen)} that are shown and measured were trained on, too")
    for (model, dataset), marks in _seen_marks(folder).items():
        if (n_seen := marks.count(True)) and dataset not in seen:
            lines.append(f"{model} was trained on {n_seen} of its {len(marks)} pictures on {dataset}, too")
    if folder.facts.get("smoke"):
        lines.append("Smoke run: every stage touched, nothing trained to be good")
    if missing_sessions := interim(folder):
        lines.append(f"Interim: {missing_sessions}")
    return lines


def _seen_marks(folder: StudyFolder) -> dict[tuple[str, str], list[bool | None]]:
    """Return by model and data set whether each picture was trained on; None: not known."""
    frames = list(folder.stimuli.values()) or [folder.table(IMAGE_METRICS)]
    fakes = pd.concat(frames)[["stimulus", "kind", "model", "dataset", "seen"]].drop_duplicates("stimulus")
    marks: dict[tuple[str, str], list[bool | None]] = {}
    for row in fakes[fakes["kind"] == "fake"].to_dict("records"):
        mark = None if missing(row["seen"]) else bool(row["seen"])
        marks.setdefault((str(row["model"]), str(row["dataset"])), []).append(mark)
    return marks


def interim(folder: StudyFolder) -> str:
    """Return how many sessions there are while more people are to come; else nothing."""
    sessions = folder.facts.get("sessions") or {}
    simulated, required = sessions.get("simulated", 0), sessions.get("wanted", 0)
    people = sessions.get("people", sessions.get("complete", 0) - simulated)
    if people >= required:
        return ""
    from gan_eval.store import sessions_text  # imports SQLAlchemy

    return sessions_text(people, required, simulated=simulated, command=sessions.get("next", ""))


def is_interim(folder: StudyFolder) -> bool:
    """Return whether the verdict is pending: more people are to come, and no planned look is due. A rehearsal shows
    the verdicts that there will be."""
    if len(folder.looks):
        return missing(folder.alpha)
    return bool(interim(folder)) and not folder.simulated


def look_sentence(folder: StudyFolder) -> str:
    """Return the reason for a missing verdict, or the planned look of this verdict; else empty."""
    words = folder.looks_text
    if not words and is_interim(folder):
        words = f"{NO_VERDICT} ({interim(folder).partition(';')[0]})"
    if not words:
        return ""
    sentence, table = f"{words[0].upper()}{words[1:]}.", folder.table(PARTICIPATION)
    if len(folder.looks) and (more := int((broke_off(table) & is_analysed(table)).sum())):
        sentence += f" {plural(more, 'more participant')} broke off; their answers are analysed, too."
    return sentence


def trained_for(fractions: list[float], verb: str) -> str:
    """Return the fractions of the steps that models were trained for.

    >>> trained_for([0.05, 0.1], "Trained").replace(NARROW, " ")
    'Trained for 5 % and 10 %'
    """
    return f"{verb} for {listed([f'{100 * fraction:.3g}{NARROW}%' for fraction in fractions])}"


def design_section(folder: StudyFolder) -> Section:
    """Return question, data, models, procedure, plan and sessions, as a list of facts."""
    from gan_eval.report.metrics.holes import holes_fact  # imports the metrics

    facts: list[tuple[str, str]] = []
    study = folder.study
    if study is not None:
        if study.study.question:
            facts.append(("Question", study.study.question))
        if study.data:
            names = [  # with the direction where pictures are translated
                name if study.has_photographs(name) else f"{name} ({data.direction})"
                for name, data in study.data.items()
            ]
            facts.append(("Data sets", listed(names)))
        if study.models:
            facts.append(("Models", listed([f"{name} on {model.data}" for name, model in study.models.items()])))
    facts += holes_fact(folder)
    facts += _presented(folder)
    if study is not None:
        facts += _plan(study)
    sessions = folder.table(SESSIONS)
    if len(sessions):
        complete = int((sessions["status"] == "complete").sum())
        people = plural(sessions["participant"].nunique(), "participant")
        simulated = int((sessions["simulated"] == True).sum())  # noqa: E712
        of_them = f", {simulated} of them simulated" if simulated else ""
        facts.append(("Sessions", f"{complete} complete of {len(sessions)} begun, by {people}{of_them}"))
        refresh = sorted(set(sessions["refresh_hz"].dropna()))
        if refresh:
            facts.append(("Screens", listed([f"{number(hz, digits=1)}{NARROW}Hz" for hz in refresh])))
    return Section("design", "What was done", [Facts(facts)])


def _plan(study: Study) -> list[tuple[str, str]]:
    """Return the presentation, the keys, and what was fixed before the data."""
    quiz, plan = study.quiz, study.analysis
    window = "without a limit" if quiz.window_ms is None else f"up to {milliseconds(quiz.window_ms)} after onset"
    exposures = ", ".join("until the answer" if level is None else milliseconds(level) for level in quiz.levels_ms)
    if quiz.protocol in ADAPTIVE_PROTOCOLS:
        stairs = quiz.staircase
        then = (
            f"{milliseconds(stairs.down_ms)} less after a right answer and {milliseconds(stairs.up_ms)} more after a "
            "wrong one"
        )
        then = "then by QUEST+" if quiz.protocol == QUEST_PLUS else then
        exposures = (
            f"from {milliseconds(stairs.start_ms)}, {then}, within {milliseconds(stairs.shortest_ms)} and "
            f"{milliseconds(stairs.longest_ms)}"
        )
    on_outcome = [rule for rule in plan.exclude_participants if is_on_outcome(rule)]
    pairs = "all pairs" if plan.comparisons is None else listed([f"{a} and {b}" for a, b in plan.comparisons])
    facts = [
        ("Procedure", f"{PROTOCOLS[quiz.protocol].in_brief}, in random order"),
        ("Each picture visible", f"{exposures}; an answer counts {window}"),
        ("Keys", ", ".join(f"{key} for {answer}" for answer, key in quiz.keys.items())),
        ("Left out by preset rule", ", ".join(planned_rules(study)) or "nothing"),
        ("Models compared, as planned", pairs),
    ]
    if on_outcome:
        facts.append(("Sensitivity, as planned", f"without participants with {listed(on_outcome)}"))
    if plan.looks > 1:
        looks = LookPlan(plan.looks, quiz.participants)
        due = listed([str(looks.due_at(number)) for number in range(1, plan.looks + 1)])
        facts.append(("Looks, as planned", f"{plan.looks}: with {due} people; O'Brien-Fleming type spending of 5 %"))
    if plan.margin is not None:
        facts.append(("Equivalence margin", f"{100 * plan.margin:.3g}{NARROW}points"))
    if plan.covariates:
        facts.append(("Covariates", ", ".join(plan.covariates)))
    return facts


def planned_rules(study: Study) -> list[str]:
    """Return the rules of exclusion in the study's plan, without those on the outcome."""
    plan = study.analysis
    return [*(rule for rule in plan.exclude_participants if not is_on_outcome(rule)), *plan.exclude]


def _presented(folder: StudyFolder) -> list[tuple[str, str]]:
    """Return what was shown: pairs, then single pictures; from the rates where there are no trials."""
    trials = folder.answers()
    pairs = pair_trials(trials) if len(trials) else trials
    single = pd.concat([main_trials(trials), graded_trials(trials)]) if len(trials) else trials
    single = single[single["kind"].notna()]
    if pairs.empty and single.empty:
        rates, pictures = folder.table(RATES), folder.scope("stimulus")
        everything = rates[rates["scope"] == "all"]
        if everything.empty or folder.judged().empty:
            return []
        row = everything.iloc[0]
        n_real, n_fake = (whole((pictures[name] > 0).sum()) for name in ("n_real", "n_fake"))
        return [
            ("Participants", whole(len(folder.scope("participant")))),
            ("Different pictures", f"{n_real} real, {n_fake} generated"),
            ("Answers", f"{whole(row['n_real'])} to real and {whole(row['n_fake'])} to generated pictures"),
            ("Trials without an answer", whole(row["n_none"])),
        ]

    def range_text(counts: pd.Series) -> str:
        low, high = int(counts.min()), int(counts.max())
        return str(low) if low == high else f"{low} to {high}"

    facts = []
    if len(pairs):
        facts.append(("Pairs shown to each participant", range_text(pairs.groupby("session").size())))
        facts += _trial_facts(folder, pairs)
    if len(single):
        is_fake = (single["kind"] == "fake").to_numpy(bool)
        sessions = single.assign(is_fake=is_fake).groupby("session")["is_fake"].agg(["sum", "size"])
        fake, real = sessions["sum"], sessions["size"] - sessions["sum"]
        n_real, n_fake = (whole(single.loc[rows, "stimulus"].nunique()) for rows in (~is_fake, is_fake))
        facts += [
            ("Shown to each participant", f"{range_text(real)} real and {range_text(fake)} generated pictures"),
            ("Different pictures", f"{n_real} real, {n_fake} generated"),
            *_trial_facts(folder, single),
        ]
    return facts


def _trial_facts(folder: StudyFolder, trials: pd.DataFrame) -> list[tuple[str, str]]:
    """Return exposure, flags and missing answers of trials with the column `answered`."""
    facts = []
    levels = exposure_levels(trials)
    means = [milliseconds(mean) for mean in levels["mean_ms"].dropna()]
    if len(means) > MOST_LEVELS:
        means = [f"{milliseconds(levels['mean_ms'].min())} to {milliseconds(levels['mean_ms'].max())}"]
    if means:
        facts.append(("Achieved exposure", f"mean {listed(means)}"))
    flagged = flagged_share(folder, trials)
    if flagged is not None:
        facts.append(("Trials with a flag (late, focus lost, …)", percent(flagged)))
    return [*facts, ("Trials without an answer", whole((~trials["answered"]).sum()))]


def notes_section(folder: StudyFolder, *, basis: Sequence[str] = (), too_few: Sequence[str] = ()) -> Section:
    """Return caveats: those of the answer, of the run, of the tables, and notes that stand in several tables.

    Args:
        folder: with the notes that stand in several tables.
        basis: sentences on the answer.
        too_few: captions of the tables without a value.
    """
    common = [f"Of several tables: {note}." for note in common_notes(folder)]
    folder = without_common_notes(folder)
    lines = [str(note) for note in folder.facts.get("notes") or []]
    if folder.simulated:
        lines.append("Simulated participants answered (some of) the trials: the numbers rehearse the analysis only.")
    everything = folder.judged()
    everything = everything[everything["scope"] == "all"]
    if len(everything) and not pd.isna(everything.iloc[0]["note"]):
        lines.append(f"Over all answers: {everything.iloc[0]['note']}.")
    if len(everything) and everything.iloc[0]["n_none"] > 0:
        lines.append(f"{plural(int(everything.iloc[0]['n_none']), 'trial')} without an answer: in no rate.")
    trials = folder.answers()
    simulated = len(folder.table(TRIALS)) - len(trials)  # 0 unless people have answered
    if simulated:
        lines.append(f"{plural(simulated, 'trial')} of simulated participants left out, since people have answered.")
    main = main_trials(trials) if len(trials) else trials
    if len(main):
        people, raters = main["participant"].nunique(), main.groupby("stimulus")["participant"].nunique()
        if people >= 5 and len(raters) <= 200 and raters.mean() >= 0.8 * people:
            lines.append(
                f"Nearly all {people} participants saw the same {len(raters)} pictures: answers to a picture are "
                "correlated, so Wilson intervals of pooled rates are too narrow; the answer, signal detection and the "
                "models allow for it."
            )
    sets = folder.table(SET_METRICS)
    if len(sets):
        from gan_eval.metrics.catalogue import MIN_FID_PICTURES
        from gan_eval.report.metrics.data import fid_warning

        is_fid = sets["metric"].str.startswith("fid") & sets["value"].notna()
        sets = sets[is_fid & (sets["n_fake"] < MIN_FID_PICTURES)]
        if len(sets):
            lines.append(fid_warning(int(sets["n_fake"].min()), int(sets["n_fake"].max())))
    unknown = [f"{model} on {dataset}" for (model, dataset), marks in _seen_marks(folder).items() if None in marks]
    if unknown:
        lines.append(f"It is not known whether these models were trained on the pictures shown: {listed(unknown)}.")
    if too_few:
        lines.append(f"These have no number: {'; '.join(too_few)}. The files say why.")
    return Section(
        "notes", "Caveats",
        [Lines(basis), Lines([*dict.fromkeys(lines), *common], "warnings")],
    )  # fmt: skip


def is_excluded(table: pd.DataFrame) -> pd.Series:
    """Return (N,) bool by row of `participation`: the participant was left out."""
    return table["excluded"].fillna(False).astype(bool)


def is_analysed(table: pd.DataFrame) -> pd.Series:
    """Return (N,) bool by row of `participation`: answers of the participant are analysed."""
    return ~is_excluded(table) & (table["n_answered"] > 0) & (table["n_excluded"] < table["n_trials"])


def broke_off(table: pd.DataFrame) -> pd.Series:
    """Return (N,) bool by row of `participation`: the last session was not finished."""
    return table["status"].isin(_UNFINISHED)


def exclusion_standing(folder: StudyFolder, table: pd.DataFrame) -> pd.Series:
    """Return (N,) the standing of the rules behind each row of `participation`.

    From its column `standing`; where that is empty, from the rules of the study's plan.
    """
    plan = None if folder.study is None else folder.study.analysis
    planned = set() if plan is None else {*plan.exclude, *plan.exclude_participants}

    def standing(row: Record) -> str:
        if not missing(row.get("standing")):
            return str(row["standing"])
        if plan is None:
            return BY_RULE
        return PRESET if set(str(row["rule"]).split("; ")) <= planned else EXPLORATORY

    return pd.Series([standing(row) for row in table.to_dict("records")], index=table.index, dtype="object")


def margin_standing(row: Record) -> str:
    """Return the standing of the margin of a comparison, from its `exploratory` and `note`."""
    if not missing(row["note"]) and "margin is exploratory" in str(row["note"]):
        return EXPLORATORY
    return BY_RULE if missing(row["exploratory"]) else PRESET


def margin_text(row: Record) -> str:
    """Return a comparison's margin with its standing: `the planned margin of 5 points`."""
    return f"the {_MARGINS[margin_standing(row)]} of {points_text(row['margin'])}"


def exploratory_mark(row: Record) -> str:
    """Return a mark where the row is not in the study's plan."""
    mark = row.get("exploratory")
    return " (exploratory)" if not missing(mark) and bool(mark) else ""
