"""The *Methods* paragraph with its numbers filled in, to copy into a paper."""

import numpy as np
import pandas as pd

from gan_eval import __version__
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import listed, milliseconds, missing, number, percent, plural, whole
from gan_eval.report.people.comparisons import margins_told
from gan_eval.report.people.participants import counted_participants, excluded, invited
from gan_eval.report.people.standing import BY, of_exclusions
from gan_eval.report.people.timing import exposure_levels, flagged_share, shown_trials
from gan_eval.stats.trials import asked_exposure
from gan_eval.tables import COMPARISONS, CORRELATIONS, MIXED_MODELS, PARTICIPATION, REACTION_TIME_MODELS, SESSIONS

_SHOWN = {
    "quick_response": "Participants saw one picture at a time and called it real or fake",
    "yes_no": "Participants saw one picture at a time, at several exposures, and called it real or fake",
    "staircase": "Participants saw one picture at a time, at an exposure that followed their answers, and called it "
    "real or fake",
    "rating": "Participants graded one picture at a time",
    "paired": "Participants saw the real and a generated picture of one item and chose the real one",
    "model_vs_model": "Participants saw two models' pictures of one item and chose the one that looked more real",
}


def paper_methods(folder: StudyFolder) -> str:
    """One paragraph; empty where nobody answered anything."""
    if folder.scope("all").empty and folder.answers().empty:
        return ""
    sentences = [
        *_people(folder), *_pictures(folder), *_procedure(folder), *_timing(folder), *_left_out(folder),
        *_models(folder), *_plan(folder), _software(folder),
    ]  # fmt: skip
    return " ".join(sentence for sentence in sentences if sentence)


def _people(folder: StudyFolder) -> list[str]:
    table, count = folder.table(PARTICIPATION), counted_participants(folder)
    who = "simulated participant" if folder.simulated else "participant"
    if table.empty:
        return [f"The answers of {plural(count, who)} are analysed."]
    analysed = f"the answers of {plural(count, who)} are analysed."
    if table["status"].isna().all():
        sentence = f"{invited(folder)}{analysed}"
    else:
        complete = int((table["status"] == "complete").sum())
        sentence = f"{invited(folder)}{whole(len(table))} started, {whole(complete)} finished; {analysed}"
    return [sentence[0].upper() + sentence[1:]]


def _pictures(folder: StudyFolder) -> list[str]:
    pictures = folder.scope("stimulus")
    trials = shown_trials(folder)
    each = trials.groupby("session").size() if len(trials) else pd.Series(dtype=int)
    said = []
    if len(pictures):
        real, fake = (int((pictures[name] > 0).sum()) for name in ("n_real", "n_fake"))
        said.append(f"The pool held {plural(real, 'real picture')} and {plural(fake, 'generated one')}.")
    if len(each):
        low, high = int(each.min()), int(each.max())
        count = plural(low, "trial") if low == high else f"{low} to {plural(high, 'trial')}"
        said.append(f"Each session had {count}, without practice and catch trials.")
    if folder.study is not None and folder.study.data:
        said.append(f"Data sets: {', '.join(folder.study.data)}; models: {', '.join(folder.study.models) or 'none'}.")
    return said


def _procedure(folder: StudyFolder) -> list[str]:
    if folder.study is None:
        return []
    quiz = folder.study.quiz
    window = "without a limit" if quiz.window_ms is None else f"within {milliseconds(quiz.window_ms)} of onset"
    keys = ", ".join(f"{key} for {answer}" for answer, key in quiz.keys.items())
    return [f"{_SHOWN[quiz.protocol]} by key ({keys}), {window}, in random order."]


def _timing(folder: StudyFolder) -> list[str]:
    trials, sessions = shown_trials(folder), folder.table(SESSIONS)
    said = []
    levels = exposure_levels(trials) if len(trials) else pd.DataFrame()
    timed = [row for row in levels.to_dict("records") if row["n"] and not missing(row["error_ms"])]
    if timed:
        each = [
            f"{milliseconds(row['requested_ms'])} (achieved {number(row['mean_ms'], digits=1)} ms, SD of the error "
            f"{number(row['sd_ms'], digits=2)} ms, worst {number(row['worst_ms'], digits=1)} ms)"
            for row in timed
        ]
        said.append(f"Exposures asked for: {listed(each)}.")
    elif len(trials) and trials["exposure_ms"].notna().any():
        asked = asked_exposure(trials)
        how = "stood until the answer" if np.isinf(asked).all() else "were shown"
        said.append(f"Pictures {how}, for a median of {milliseconds(trials['exposure_ms'].median())}.")
    refresh = sorted(set(sessions["refresh_hz"].dropna().round(1)))
    if refresh:
        said.append(f"Screens refreshed at {listed([number(hz, digits=1) for hz in refresh])} Hz.")
    flagged = flagged_share(folder, trials)
    if flagged is not None:
        said.append(f"{percent(flagged)} of trials carry a timing or focus flag.")
    return [*said, "Absolute display and keyboard lag was not measured."] if said else []


def _left_out(folder: StudyFolder) -> list[str]:
    table = folder.table(PARTICIPATION)
    said = []
    if len(table) and (folder.study is not None or table["rule"].notna().any()):
        people, trials = int(excluded(table).sum()), int(table["n_excluded"].sum())
        touched = table[table["rule"].notna()]
        rules = touched["rule"].astype(str).groupby(of_exclusions(folder, touched), sort=False).unique()
        each = [f"{BY[str(standing)]}: {'; '.join(named)}" for standing, named in rules.items()]
        by = f" ({'. '.join(each)})" if each else ""
        said.append(f"{plural(people, 'participant')} and {plural(trials, 'trial')} were left out{by}.")
    everything = folder.judged()
    everything = everything[everything["scope"] == "all"]
    if len(everything):
        row = everything.iloc[0]
        unanswered = plural(int(row["n_none"]), "trial")
        said.append(
            f"{plural(int(row['n_real'] + row['n_fake']), 'answer')} are analysed; {unanswered} without an answer in "
            "no rate."
        )
    return said


def _models(folder: StudyFolder) -> list[str]:
    said = []
    models = folder.table(MIXED_MODELS)
    if models["estimate"].notna().any():
        links = listed(sorted({"logistic" if link == "logit" else "probit" for link in models["link"]}))
        tests = " and likelihood-ratio tests" if models["lrt_p"].notna().any() else ""
        said.append(
            f"Single answers were modelled by {links} mixed models with crossed random intercepts for participants and "
            f"pictures (Laplace approximation, standard errors from the Hessian, Wald intervals{tests}): "
            f"{_formulas(models['formula'])}."
        )
    if folder.table(REACTION_TIME_MODELS)["estimate"].notna().any():
        said.append("Reaction times were modelled by log-normal mixed models with the same random intercepts.")
    comparisons = folder.table(COMPARISONS)
    if comparisons["p_holm"].notna().any():
        said.append("P values of comparisons of one kind were corrected after Holm.")
    if len(folder.table(CORRELATIONS)):
        said.append(
            "Metrics were held against the fooling rate by Spearman's correlation with intervals from a two-way "
            "bootstrap over participants and pictures."
        )
    return said


def _formulas(formulas: pd.Series) -> str:
    return "; ".join(dict.fromkeys(str(formula) for formula in formulas))


def _plan(folder: StudyFolder) -> list[str]:
    table = folder.table(COMPARISONS)
    said = []
    if margins_told(table):
        said.append(f"Equivalence within {listed(margins_told(table))} was judged by two one-sided tests at 5 %.")
    unplanned = int(table["exploratory"].fillna(False).astype(bool).sum())
    if unplanned:
        said.append(f"Exploratory, resting on what the plan does not have: {plural(unplanned, 'comparison')}.")
    return said


def _software(folder: StudyFolder) -> str:
    software = str(folder.facts.get("software") or f"gan_eval {__version__}")
    seed = "" if folder.study is None else f", seed {folder.study.study.seed}"
    hashes = (
        ""
        if folder.study is None
        else (f"; design {folder.study.design_hash[:12]}, analysis plan {folder.study.analysis_hash[:12]} (SHA-256)")
    )
    return f"Software: {software}{seed}{hashes}."
