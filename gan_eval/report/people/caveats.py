"""Badges, caveats, pending verdicts, and how exclusions and margins were chosen."""

from collections.abc import Iterable

import pandas as pd

from gan_eval.base.commands import as_typed
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import MAX_NAMED, capital, listed, missing, on_dataset, percent, plural
from gan_eval.report.people.verdicts import BY_RULE, EXPLORATORY, PRESET
from gan_eval.stats.recruitment import NO_VERDICT, is_waiting, waiting_text
from gan_eval.stats.tables.comparisons import COMPARISONS, ONE_ANSWER, WITH_UNFINISHED
from gan_eval.stats.tables.rates import UNEVEN
from gan_eval.tables import GIVEAWAYS, IMAGE_METRICS, SESSIONS, SET_METRICS, TRIALS

EXCLUDED_BY = {
    PRESET: "by preset rules",
    EXPLORATORY: "by exploratory rules, not in the plan",
    BY_RULE: "by rule, no plan given",
}
"""End of the clause `excluded …`, by the origin of the rule."""
BROWSER_LAG = "15 to 48 ms in published measurements (Bridges et al. 2020)"
"""Lag of reaction times in the browser programs of that study."""
SUSPICIOUS_ACCURACY = 0.2
"""Share of correct answers; below it, the report warns that keys or `kind` may be swapped."""


def badges(folder: StudyFolder) -> list[str]:
    """Return warnings for the top of the page."""
    lines = []
    if partial := trained_text(folder.fractions, "Trained"):
        lines.append(partial)
    seen: list[str] = []
    if folder.study is not None:
        seen = [name for name in folder.study.data if folder.study.tests_on_seen(name)]
        if seen:
            lines.append(f"Models were also trained on pictures of {listed(seen)} that are shown and measured")
    for (model, dataset), marks in _seen_marks(folder).items():
        if (n_seen := marks.count(True)) and dataset not in seen:
            lines.append(f"{model} was also trained on {n_seen} of its {len(marks)} pictures{on_dataset(dataset)}")
    if folder.facts.smoke:
        lines.append("Smoke run: every stage ran briefly, so the models are not well trained")
    if sessions := interim(folder, command=as_typed(folder.facts.sessions.next, in_file=True)):
        rehearsed = f"Rehearsal: {plural(folder.facts.sessions.simulated, 'session')} simulated, none of a person"
        lines.append(rehearsed if folder.only_simulated else f"Interim: {sessions}")
    return lines


def _seen_marks(folder: StudyFolder) -> dict[tuple[str, str], list[bool | None]]:
    """Return by model and data set whether each picture was trained on; None: not known."""
    frames = list(folder.stimuli.values()) or [folder.table(IMAGE_METRICS)]
    fakes = pd.concat(frames)[["stimulus", "kind", "model", "dataset", "seen"]].drop_duplicates("stimulus")
    marks: dict[tuple[str, str], list[bool | None]] = {}
    for row in fakes[fakes["kind"] == "fake"].to_dict("records"):
        mark = None if missing(row["seen"]) else bool(row["seen"])
        dataset = "" if missing(row["dataset"]) else str(row["dataset"])
        marks.setdefault((str(row["model"]), dataset), []).append(mark)
    return marks


def interim(folder: StudyFolder, *, command: str = "") -> str:
    """Return the number of sessions, and the next command, while participants are missing; else an empty text."""
    sessions = folder.facts.sessions
    if sessions.people >= sessions.wanted:
        return ""
    from gan_eval.store import sessions_text  # imports SQLAlchemy

    return sessions_text(sessions.people, sessions.wanted, simulated=sessions.simulated, command=command)


def is_interim(folder: StudyFolder) -> bool:
    """Return whether the verdict is pending because participants are missing. A rehearsal shows its verdicts."""
    if len(folder.recruitment):
        return is_waiting(folder.recruitment)
    return bool(interim(folder)) and not folder.simulated


def interim_sentence(folder: StudyFolder) -> str:
    """Return the reason for a pending verdict; else an empty text."""
    words = waiting_text(folder.recruitment)
    if not words and is_interim(folder):
        words = f"{NO_VERDICT} ({interim(folder)})"
    return f"{capital(words)}." if words else ""


def trained_text(fractions: Iterable[float], verb: str) -> str:
    """Return the fractions of the planned steps of models that were not trained to the end; empty if all were.

    >>> trained_text([0.05, 0.1, 1.0], "Trained")
    'Trained for 5% and 10% of the planned steps'
    """
    partial = [f"{100 * fraction:.3g}%" for fraction in fractions if fraction < 1]
    return f"{verb} for {listed(partial)} of the planned steps" if partial else ""


def caveats(folder: StudyFolder) -> list[str]:
    """Return the caveats as sentences."""
    lines = [*_of_answers(folder), *(f"{note.rstrip('.')}." for note in folder.facts.notes)]
    trials = folder.answers
    simulated = len(folder.table(TRIALS)) - len(trials)  # 0 unless people have answered
    if simulated:
        lines.append(f"{plural(simulated, 'trial')} of simulated participants excluded because people have answered.")
    sessions = folder.table(SESSIONS)
    if count := int(in_browser(sessions).sum()):
        pooled = "" if count == len(sessions) else "; those of the desktop are pooled with them"
        lines.append(
            f"{plural(count, 'session')} ran in a browser{pooled}: reaction times contain each device's lag, "
            f"{BROWSER_LAG}, so compare them within participants only."
        )
    if len(sets := folder.table(SET_METRICS)):
        from gan_eval.report.metrics.summaries import fid_warnings  # imports the metrics

        lines += fid_warnings(sets.to_dict("records"))
    lines += giveaway_lines(folder)
    unknown = [f"{model}{on_dataset(where)}" for (model, where), marks in _seen_marks(folder).items() if None in marks]
    if unknown:
        lines.append(f"It is not known whether these models were trained on the pictures shown: {listed(unknown)}.")
    return [capital(line) for line in dict.fromkeys(lines)]


def giveaway_lines(folder: StudyFolder) -> list[str]:
    """Return a sentence on the clues of the audit that separate real from generated pictures; empty without one."""
    found = folder.table(GIVEAWAYS)
    found = found[found["verdict"].isin(["gives_away", "look"])]
    models: dict[tuple[str, str], list[str]] = {}  # by the clues that they share, and the verdict
    for (model, verdict), rows in found.groupby(["model", "verdict"], sort=False):
        clues = listed([*dict.fromkeys(rows["clue"].astype(str).str.replace("_", " "))])
        models.setdefault((clues, str(verdict)), []).append(str(model))
    endings = {"gives_away": "which gives the fakes away", "look": "which may be content"}
    parts = [f"from those of {listed(names)} in {clues}, {endings[key]}" for (clues, key), names in models.items()]
    return [f"Real pictures differ {'; '.join(parts)}. The table of clues is in the details."] if parts else []


def _of_answers(folder: StudyFolder) -> list[str]:
    """Return caveats of the rates: one kind or unequal numbers of pictures, several studies, unanswered trials."""
    everything = folder.judged()
    everything = everything[everything["scope"] == "all"]
    sentences = sensitivity_sentences(folder)
    if everything.empty:
        return sentences
    row = everything.iloc[0]
    real, fake = int(row["n_real"]), int(row["n_fake"])
    if min(real, fake) == 0:
        sentences.append("With one kind of picture, response bias cannot be separated from sensitivity.")
    elif max(real, fake) / min(real, fake) >= UNEVEN:
        sentences.append(
            f"Answers to real ({real}) and to generated ({fake}) pictures differ in number; balanced accuracy counts "
            "both kinds alike."
        )
    if folder.answers["study"].nunique() > 1:
        sentences.append("Trials of several studies are pooled: intervals ignore the differences between studies.")
    if row["accuracy"] < SUSPICIOUS_ACCURACY and min(real, fake) > 0:
        sentences.append("Nearly all answers are wrong: check the keys, and which pictures `kind` calls real.")
    if row["n_none"] > 0:
        sentences.append(f"The rates ignore {plural(int(row['n_none']), 'trial')} without an answer.")
    return sentences


def sensitivity_sentences(folder: StudyFolder) -> list[str]:
    """Return a sentence for each sensitivity analysis: the answer without some participants, or with more sessions."""
    table = folder.scope("participant")
    fakes, reals = table["hits"] + table["false_alarms"], table["misses"] + table["correct_rejections"]
    constant = table.loc[((fakes == 0) | (reals == 0)) & (fakes + reals > 0), "id"].astype(str).tolist()
    names = constant if len(constant) <= MAX_NAMED else [plural(len(constant), "participant")]
    sentences = []
    for row in folder.table(COMPARISONS).to_dict("records"):
        of_single = row["question"] == "detection" and row["measure"] == "called_fake"
        if of_single and not missing(row["sensitivity"]) and not missing(row["difference"]):
            rule = row["sensitivity"]
            whose = f"without participants with {rule} (selected by their answers)"
            if rule == WITH_UNFINISHED:
                whose = "with the answers of unfinished sessions"
            elif rule == ONE_ANSWER and names:
                whose = f"without {listed(names)}, who gave the same answer on every trial (selected by their answers),"
            low, high = (percent((1 + row[end]) / 2) for end in ("ci_low", "ci_high"))
            within = "" if missing(row["ci_low"]) else f" (95% interval {low} to {high})"
            if row["untested"] == "one participant":
                within += ", of one participant"
            sentences.append(
                f"Sensitivity analysis, not the main result: {whose} balanced accuracy would be "
                f"{percent((1 + row['difference']) / 2)}{within}."
            )
    return sentences


def in_browser(sessions: pd.DataFrame) -> pd.Series:
    """Return (N,) bool by row of `sessions`: the session ran in a browser."""
    return (sessions["presenter"] == "browser").fillna(False).astype(bool)


def is_excluded(table: pd.DataFrame) -> pd.Series:
    """Return (N,) bool by row of `participation`: the participant was excluded."""
    return table["excluded"].fillna(False).astype(bool)


def is_analysed(table: pd.DataFrame) -> pd.Series:
    """Return (N,) bool by row of `participation`: answers of the participant are analysed."""
    return (table["counted"] == "yes").fillna(False).astype(bool)
