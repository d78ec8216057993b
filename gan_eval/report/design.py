"""What was done: the design as a list of facts, the notes a reader must know, and the method in a paragraph."""

import pandas as pd

from gan_eval.metrics.facts import ENOUGH_FOR_FID
from gan_eval.report.folder import StudyFolder
from gan_eval.report.metrics_facts import fid_warning
from gan_eval.report.words import NARROW, listed, milliseconds, number, percent, plural, whole
from gan_eval.stats.trials import main_trials
from gan_eval.tables import CORRELATIONS, RATES, RUNS, SESSIONS, SET_METRICS, TRIALS

_JUDGED = """\
Fake is the signal: a generated picture called fake is a hit, a real one called fake a false alarm. Shares carry
Wilson 95 % intervals and the exact two-sided binomial test against 1/2; trials without an answer, practice and catch
trials are in no rate. d′ and criterion use the log-linear correction (Hautus 1995). Single answers are modelled by a
logistic mixed model with crossed random intercepts for participants and stimuli (Laplace approximation, standard
errors from the Hessian). Differences of shares carry intervals that are robust to clustering by participant and by
stimulus, never narrower than Newcombe's, with p never below Fisher's exact; p values of one kind are corrected after
Holm. Whether people can tell is judged by balanced accuracy, the mean of the shares of real and of
generated pictures judged rightly, which no leaning to one answer can raise."""


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
    complete, wanted = sessions.get("complete", 0), sessions.get("wanted", 0)
    if complete < wanted:
        found.append(f"Interim: {complete} of {plural(wanted, 'session')}")
    return found


def design_facts(folder: StudyFolder) -> list[tuple[str, str]]:
    """Term and description, in reading order."""
    facts: list[tuple[str, str]] = []
    study = folder.study
    if study is not None:
        if study.study.question:
            facts.append(("Question", study.study.question))
        if study.data:
            facts.append(("Data sets", listed([f"{name} ({data.direction})" for name, data in study.data.items()])))
        if study.models:
            facts.append(("Models", listed([f"{name} on {model.data}" for name, model in study.models.items()])))
    facts += _shown(folder.answers())
    if study is not None:
        quiz = study.quiz
        exposure = (
            f"until the answer, at most {milliseconds(quiz.response_ms)}"
            if quiz.flash_ms is None
            else f"{milliseconds(quiz.flash_ms)}; an answer counts up to {milliseconds(quiz.response_ms)} after onset"
        )
        facts.append(("Procedure", "one picture at a time, in random order"))
        facts.append(("Each picture visible", exposure))
        facts.append(("Keys", f"{quiz.keys['real']} for real, {quiz.keys['fake']} for generated"))
        facts.append(("Left out by preset rule", ", ".join(study.analysis.exclude) or "nothing"))
    facts += _sessions(folder)
    return facts


def _shown(trials: pd.DataFrame) -> list[tuple[str, str]]:
    if trials.empty:
        return []
    main = main_trials(trials)
    if main.empty:
        return []
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
    exposure = main["exposure_ms"].dropna()
    if len(exposure):
        facts.append(("Achieved exposure", f"median {milliseconds(exposure.median())}"))
    flagged = (main["flags"].fillna("") != "").mean() if len(main) else 0.0
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
    everything = folder.scope("all")
    if len(everything) and not pd.isna(everything.iloc[0]["note"]):
        found.append(f"Over all answers: {everything.iloc[0]['note']}.")
    if len(everything) and everything.iloc[0]["n_none"] > 0:
        found.append(f"{plural(int(everything.iloc[0]['n_none']), 'trial')} without an answer: in no rate.")
    left_out = len(folder.table(TRIALS)) - len(folder.answers())
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
        "Wilson intervals of pooled rates are too narrow; the verdict and the crossed model allow for it."
    ]


def methods(folder: StudyFolder) -> str:
    """The method in a paragraph, for the parts that are there."""
    sentences = []
    if len(folder.table(RATES)):
        sentences.append(_JUDGED)
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
