"""The *Methods* paragraph with its numbers filled in, to copy into a paper.

How it was analysed, in a paragraph for the parts that are there.
"""

import numpy as np
import pandas as pd

from gan_eval import __version__
from gan_eval.quiz.protocols import PROTOCOLS
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import listed, milliseconds, missing, number, percent, plural, whole
from gan_eval.report.people.comparisons import margins_told
from gan_eval.report.people.design import BY, of_exclusions
from gan_eval.report.people.participants import counted_participants, excluded, invited
from gan_eval.report.people.timing import exposure_levels, flagged_share, shown_trials
from gan_eval.stats.trials import asked_exposure
from gan_eval.tables import (
    CHOICES,
    COMPARISONS,
    CORRELATIONS,
    MIXED_MODELS,
    PARTICIPATION,
    RATINGS,
    REACTION_TIME_MODELS,
    RUNS,
    SESSIONS,
    SET_METRICS,
    THRESHOLDS,
)


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
    return [f"{PROTOCOLS[quiz.protocol].methods} by key ({keys}), {window}, in random order."]


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


_JUDGED = """\
Fake is the signal: a generated picture called fake is a hit, a real one called fake a false alarm. The shares of the
answer and of signal detection carry 95 % intervals clustered by participant and by picture; the counts in the table of
rates carry Wilson 95 % intervals, which are of these people and these pictures only. Trials without an answer,
practice and catch trials are in no rate. d′ and criterion use the log-linear correction (Hautus 1995). Single answers
are modelled by a logistic mixed model with crossed random intercepts for participants and stimuli (Laplace
approximation, standard errors from the Hessian). Differences are judged on the basis that the table of comparisons
names: the crossed model averaged over participants and stimuli, or shares whose intervals are robust to clustering by
participant and by stimulus, never narrower than Newcombe's, with p never below Fisher's exact; p values of one kind
are corrected after Holm. Whether people can tell is judged by balanced accuracy, the mean of the shares of real and of
generated pictures judged rightly, which no leaning to one answer can raise."""


_ASKED_OTHERWISE = (
    (
        CHOICES,
        "Choices between two pictures are counted as shares of the answered pairs, with Wilson 95 % intervals of these "
        "people and these pictures only; whether a share differs from 1/2 is judged on the basis that the table of "
        "comparisons names. d′ of the real beside a generated "
        "picture is √2 z(share right) (Macmillan & Creelman 2005), with the log-linear correction.",
    ),
    (
        RATINGS,
        "A mean grade is the mean of the participants' means, its 95 % interval Student's t between them; grades are "
        "taken as numbers with equal steps.",
    ),
    (
        THRESHOLDS,
        "The threshold of a staircase is the mean exposure of its reversals after the first four (Levitt 1971), none "
        "with fewer than four; its mean over participants carries a 95 % interval by Student's t.",
    ),
)


_KID = """\
KID is the squared maximum mean discrepancy between the same features under a cubic kernel, over all pairs of pictures
(Bińkowski et al. 2018); it may fall below 0. For independent sets it is unbiased: it does not depend on N in
expectation. Where both sets hold pictures of the same items it is too low by an amount that falls with 1/N."""


_JACKKNIFE = """\
Intervals of metrics of sets come from a delete-group jackknife over items: they tell the spread at this N, not the
bias of FID."""


_CORRELATIONS = """\
Metrics are held against people by Spearman's rank correlation with the share of generated pictures called real; its
intervals are percentiles of a bootstrap that draws participants and stimuli anew, its p is exact over all pairings up
to 9 points and Student's t approximation above that, and fewer than 5 points get neither."""


def methods(folder: StudyFolder) -> str:
    """The method in a paragraph, for the parts that are there."""
    sentences = []
    if len(folder.judged()):
        sentences.append(_JUDGED)
    sentences += [words for table, words in _ASKED_OTHERWISE if len(folder.table(table))]
    runs = folder.table(RUNS)
    resizers = [str(name) for name in runs["resizer"].dropna().unique()] if len(runs) else []
    sets = folder.table(SET_METRICS)
    if len(sets):
        rule = f", pictures resized by the rule {listed(resizers)}" if resizers else ""
        sentences.append(
            "FID is the Fréchet distance between Gaussians fitted to the Inception features of the real and the "
            f"generated pictures{rule}; N stands beside every value."
        )
        if sets["metric"].str.startswith("kid").any():
            sentences.append(_KID)
        if sets["ci_low"].notna().any():
            sentences.append(_JACKKNIFE)
    if len(folder.table(CORRELATIONS)):
        sentences.append(_CORRELATIONS)
    return " ".join(sentences)
