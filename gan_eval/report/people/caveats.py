"""Badges, caveats, pending verdicts, and how exclusions and margins were chosen."""

from collections.abc import Iterable

import pandas as pd

from gan_eval.base.commands import as_typed
from gan_eval.base.inference import Estimate
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said, sentence
from gan_eval.report.parts.words import MAX_NAMED, capital, listed, missing, on_dataset, plural
from gan_eval.stats.recruitment import NO_VERDICT, RECRUITMENT, is_waiting, waiting_text
from gan_eval.stats.tables.rates import UNEVEN
from gan_eval.tables import GIVEAWAYS, IMAGE_METRICS, SESSIONS, SET_METRICS, TRIALS

BROWSER_LAG = "15 to 48 ms in published measurements (Bridges et al. 2020)"
"""Lag of reaction times in the browser programs of that study."""
SUSPICIOUS_ACCURACY = 0.2
"""Share of correct answers; below it, the report warns that keys or `kind` may be swapped."""


def badges(folder: StudyFolder) -> list[str]:
    """Return warnings for the top of the page."""
    tested = [] if folder.study is None else [name for name in folder.study.data if folder.study.tests_on_seen(name)]
    marks = _seen_marks(folder).items()
    seen = [(model, name, n.count(True), len(n)) for (model, name), n in marks if any(n) and name not in tested]
    sessions = interim(folder, command=as_typed(folder.facts.sessions.next, in_file=True))
    rehearsed = folder.facts.sessions.simulated if sessions and folder.only_simulated else 0
    partial = trained_text(folder.fractions, "Trained")
    return said("caveats", "badges", partial, tested, seen, folder.facts.smoke, rehearsed, sessions)


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
    if len(recruitment := folder.table(RECRUITMENT)):
        return is_waiting(recruitment)
    return bool(interim(folder)) and not folder.simulated


def interim_sentence(folder: StudyFolder) -> str:
    """Return the reason for a pending verdict; else an empty text."""
    words = waiting_text(folder.table(RECRUITMENT))
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
    n_simulated = len(folder.table(TRIALS)) - len(folder.answers)  # 0 unless people have answered
    sessions = folder.table(SESSIONS)
    lines += said("caveats", "data", n_simulated, int(in_browser(sessions).sum()), len(sessions), BROWSER_LAG)
    if len(sets := folder.table(SET_METRICS)):
        from gan_eval.report.metrics.summaries import fid_warnings  # imports the metrics

        lines += fid_warnings(sets.to_dict("records"))
    lines += giveaway_lines(folder)
    unknown = [f"{model}{on_dataset(where)}" for (model, where), marks in _seen_marks(folder).items() if None in marks]
    lines += said("caveats", "unknown", unknown) if unknown else []
    return [capital(line) for line in dict.fromkeys(lines)]


def giveaway_lines(folder: StudyFolder) -> list[str]:
    """Return a sentence on the clues of the audit that separate real from generated pictures; empty without one."""
    found = folder.table(GIVEAWAYS)
    found = found[found["verdict"].isin(["gives_away", "look"])]
    models: dict[tuple[str, str], list[str]] = {}  # by the clues that they share, and the verdict
    for (model, verdict), rows in found.groupby(["model", "verdict"], sort=False):
        clues = listed([*dict.fromkeys(rows["clue"].astype(str).str.replace("_", " "))])
        models.setdefault((clues, str(verdict)), []).append(str(model))
    return said("caveats", "giveaways", [(names, *key) for key, names in models.items()]) if models else []


def _of_answers(folder: StudyFolder) -> list[str]:
    """Return caveats of the rates: one kind or unequal numbers of pictures, several studies, unanswered trials."""
    everything = folder.judged()
    everything = everything[everything["scope"] == "all"]
    sentences = sensitivity_sentences(folder)
    if everything.empty:
        return sentences
    row = everything.iloc[0]
    real, fake, n_none = (int(row[name]) for name in ("n_real", "n_fake", "n_none"))
    is_uneven = max(real, fake) >= UNEVEN * min(real, fake)
    is_wrong = bool(row["accuracy"] < SUSPICIOUS_ACCURACY)
    of_studies = folder.answers["study"].nunique() > 1
    return [*sentences, *said("caveats", "answers", real, fake, is_uneven, of_studies, is_wrong, n_none)]


def sensitivity_sentences(folder: StudyFolder) -> list[str]:
    """Return a sentence for each sensitivity analysis: the answer without some participants, or with more sessions."""
    table = folder.scope("participant")
    fakes, reals = table["hits"] + table["false_alarms"], table["misses"] + table["correct_rejections"]
    constant = table.loc[((fakes == 0) | (reals == 0)) & (fakes + reals > 0), "id"].astype(str).tolist()
    names = constant if len(constant) <= MAX_NAMED else [plural(len(constant), "participant")]
    repeated = [each for each in folder.results.compared if each.sensitivity and each.measure == "called_fake"]
    return [
        sentence("caveats", "sensitivity", each, Estimate(*((1 + end) / 2 for end in each.estimate)), names)
        for each in repeated
        if each.question == "detection" and not missing(each.estimate.value)
    ]


def in_browser(sessions: pd.DataFrame) -> pd.Series:
    """Return (N,) bool by row of `sessions`: the session ran in a browser."""
    return (sessions["presenter"] == "browser").fillna(False).astype(bool)


def is_excluded(table: pd.DataFrame) -> pd.Series:
    """Return (N,) bool by row of `participation`: the participant was excluded."""
    return table["excluded"].fillna(False).astype(bool)


def is_analysed(table: pd.DataFrame) -> pd.Series:
    """Return (N,) bool by row of `participation`: answers of the participant are analysed."""
    return (table["counted"] == "yes").fillna(False).astype(bool)
