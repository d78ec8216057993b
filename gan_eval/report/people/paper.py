"""Method: how it was analysed, the *Methods* paragraph to copy into a paper, and versions and hashes."""

import numpy as np
import pandas as pd

from gan_eval import __version__
from gan_eval.quiz.protocols import PROTOCOLS
from gan_eval.report.parts.blocks import Facts, Paragraph, Quote, Section
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import listed, milliseconds, missing, number, percent, plural, whole
from gan_eval.report.people.comparisons import margin_texts
from gan_eval.report.people.design import BY, exclusion_standing
from gan_eval.report.people.participants import included_count, invited_text, is_excluded
from gan_eval.report.people.timing import exposure_levels, flagged_share, presented_trials
from gan_eval.stats.answers.choices import CHOICES
from gan_eval.stats.answers.grades import RATINGS
from gan_eval.stats.answers.hype import THRESHOLDS
from gan_eval.stats.answers.time_models import REACTION_TIME_MODELS
from gan_eval.stats.compare.comparisons import COMPARISONS
from gan_eval.stats.metrics_and_people.correlations import CORRELATIONS
from gan_eval.stats.mixed.models import MIXED_MODELS
from gan_eval.stats.trials import requested_exposure
from gan_eval.tables import PARTICIPATION, RUNS, SESSIONS, SET_METRICS

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
_OTHER_PROCEDURES = (
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


def method_section(folder: StudyFolder) -> Section:
    """How it was analysed, and the paragraph for a paper."""
    quote = Quote("To copy into a paper", paper_methods(folder))
    return Section("methods", "Method", [Paragraph(methods(folder)), quote])


def methods(folder: StudyFolder) -> str:
    """The method in a paragraph, for the parts that are there."""
    sentences = [_JUDGED] if len(folder.judged()) else []
    sentences += [text for table, text in _OTHER_PROCEDURES if len(folder.table(table))]
    runs, sets = folder.table(RUNS), folder.table(SET_METRICS)
    resizers = [str(name) for name in runs["resizer"].dropna().unique()] if len(runs) else []
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


def paper_methods(folder: StudyFolder) -> str:
    """One paragraph with its numbers filled in; empty where nobody answered anything."""
    if folder.scope("all").empty and folder.answers().empty:
        return ""
    study = folder.study
    software, procedure = _software(folder), []
    if study is not None:
        quiz = study.quiz
        window = "without a limit" if quiz.window_ms is None else f"within {milliseconds(quiz.window_ms)} of onset"
        keys = ", ".join(f"{key} for {answer}" for answer, key in quiz.keys.items())
        procedure = [f"{PROTOCOLS[quiz.protocol].methods} by key ({keys}), {window}, in random order."]
        hashes = f"design {study.design_hash[:12]}, analysis plan {study.analysis_hash[:12]} (SHA-256)"
        software = f"{software}, seed {study.study.seed}; {hashes}"
    return " ".join(
        [
            _participants(folder),
            *_pictures(folder),
            *procedure,
            *size_on_screen(folder),
            *_timing(folder),
            *_exclusions(folder),
            *_models(folder),
            f"Software: {software}.",
        ]
    )


def _software(folder: StudyFolder) -> str:
    return str(folder.facts.get("software") or f"gan_eval {__version__}")


def _participants(folder: StudyFolder) -> str:
    table = folder.table(PARTICIPATION)
    noun = "simulated participant" if folder.simulated else "participant"
    analysed = f"the answers of {plural(included_count(folder), noun)} are analysed."
    if len(table):
        started = ""
        if table["status"].notna().any():
            complete = int((table["status"] == "complete").sum())
            started = f"{whole(len(table))} started, {whole(complete)} finished; "
        analysed = f"{invited_text(folder)}{started}{analysed}"
    return analysed[0].upper() + analysed[1:]


def _pictures(folder: StudyFolder) -> list[str]:
    pictures, trials = folder.scope("stimulus"), presented_trials(folder)
    sentences = []
    if len(pictures):
        real, fake = (int((pictures[name] > 0).sum()) for name in ("n_real", "n_fake"))
        sentences.append(f"The pool held {plural(real, 'real picture')} and {plural(fake, 'generated one')}.")
    counts = trials.groupby("session").size() if len(trials) else pd.Series(dtype=int)
    if len(counts):
        low, high = int(counts.min()), int(counts.max())
        count = plural(low, "trial") if low == high else f"{low} to {plural(high, 'trial')}"
        sentences.append(f"Each session had {count}, without practice and catch trials.")
    if folder.study is not None and folder.study.data:
        models = ", ".join(folder.study.models) or "none"
        sentences.append(f"Data sets: {', '.join(folder.study.data)}; models: {models}.")
    return sentences


def size_on_screen(folder: StudyFolder) -> list[str]:
    """How large the pictures were seen, over the sessions that say so."""
    sessions = folder.table(SESSIONS)

    def spread(column: str, *, digits: int) -> str:
        values = sessions[column].dropna()
        low, high = (number(value, digits=digits) for value in (values.min(), values.max()))
        return low if low == high else f"{low} to {high}"

    if not sessions["picture_width_px"].notna().any():
        return []
    at_own_pixels = folder.study is not None and folder.study.quiz.picture_size == "native"
    resampled = folder.study is not None and not at_own_pixels
    sentence = f"On the screen pictures were {spread('picture_width_px', digits=0)} physical pixels wide"
    if at_own_pixels:
        sentence += ", pixel for pixel"
    elif resampled:
        sentence += " (resampled before the session by Pillow's Lanczos filter)"
    if sessions["pixels_per_degree"].notna().any() and sessions["picture_width_deg"].notna().any():
        angle, density = spread("picture_width_deg", digits=1), spread("pixels_per_degree", digits=1)
        sentence += f", {angle}° of visual angle at {density} pixels per degree"
    return [f"{sentence}."]


def _timing(folder: StudyFolder) -> list[str]:
    trials, sessions = presented_trials(folder), folder.table(SESSIONS)
    sentences = []
    levels = exposure_levels(trials) if len(trials) else pd.DataFrame()
    timed = [row for row in levels.to_dict("records") if row["n"] and not missing(row["error_ms"])]
    if timed:
        achieved = [
            f"{milliseconds(row['requested_ms'])} (achieved {number(row['mean_ms'], digits=1)} ms, SD of the error "
            f"{number(row['sd_ms'], digits=2)} ms, worst {number(row['worst_ms'], digits=1)} ms)"
            for row in timed
        ]
        sentences.append(f"Exposures asked for: {listed(achieved)}.")
    elif len(trials) and trials["exposure_ms"].notna().any():
        how = "stood until the answer" if np.isinf(requested_exposure(trials)).all() else "were shown"
        sentences.append(f"Pictures {how}, for a median of {milliseconds(trials['exposure_ms'].median())}.")
    refresh = sorted(set(sessions["refresh_hz"].dropna().round(1)))
    if refresh:
        sentences.append(f"Screens refreshed at {listed([number(hz, digits=1) for hz in refresh])} Hz.")
    flagged = flagged_share(folder, trials)
    if flagged is not None:
        sentences.append(f"{percent(flagged)} of trials carry a timing or focus flag.")
    return [*sentences, "Absolute display and keyboard lag was not measured."] if sentences else []


def _exclusions(folder: StudyFolder) -> list[str]:
    """Who and what was left out by which rules, and how many answers are left."""
    table = folder.table(PARTICIPATION)
    sentences = []
    if len(table) and (folder.study is not None or table["rule"].notna().any()):
        people, trials = int(is_excluded(table).sum()), int(table["n_excluded"].sum())
        touched = table[table["rule"].notna()]
        rules = touched["rule"].astype(str).groupby(exclusion_standing(folder, touched), sort=False).unique()
        parts = [f"{BY[str(standing)]}: {'; '.join(names)}" for standing, names in rules.items()]
        by = f" ({'. '.join(parts)})" if parts else ""
        sentences.append(f"{plural(people, 'participant')} and {plural(trials, 'trial')} were left out{by}.")
    everything = folder.judged()
    everything = everything[everything["scope"] == "all"]
    if len(everything):
        row = everything.iloc[0]
        answers = plural(int(row["n_real"] + row["n_fake"]), "answer")
        unanswered = plural(int(row["n_none"]), "trial")
        sentences.append(f"{answers} are analysed; {unanswered} without an answer in no rate.")
    return sentences


def _models(folder: StudyFolder) -> list[str]:
    """Models and tests, margins, and what was not planned."""
    models, comparisons = folder.table(MIXED_MODELS), folder.table(COMPARISONS)
    sentences = []
    if models["estimate"].notna().any():
        links = listed(sorted({"logistic" if link == "logit" else "probit" for link in models["link"]}))
        tests = " and likelihood-ratio tests" if models["lrt_p"].notna().any() else ""
        formulas = "; ".join(dict.fromkeys(str(formula) for formula in models["formula"]))
        sentences.append(
            f"Single answers were modelled by {links} mixed models with crossed random intercepts for participants and "
            f"pictures (Laplace approximation, standard errors from the Hessian, Wald intervals{tests}): {formulas}."
        )
    if folder.table(REACTION_TIME_MODELS)["estimate"].notna().any():
        sentences.append("Reaction times were modelled by log-normal mixed models with the same random intercepts.")
    if comparisons["p_holm"].notna().any():
        sentences.append("P values of comparisons of one kind were corrected after Holm.")
    if len(folder.table(CORRELATIONS)):
        sentences.append(
            "Metrics were held against the fooling rate by Spearman's correlation with intervals from a two-way "
            "bootstrap over participants and pictures."
        )
    if margins := margin_texts(comparisons):
        sentences.append(f"Equivalence within {listed(margins)} was judged by two one-sided tests at 5 %.")
    unplanned = int(comparisons["exploratory"].fillna(False).astype(bool).sum())
    if unplanned:
        sentences.append(f"Exploratory, resting on what the plan does not have: {plural(unplanned, 'comparison')}.")
    return sentences


def versions_section(folder: StudyFolder) -> Section:
    """Software, hashes and seeds, for whoever wants to do it again."""
    facts, study, runs = folder.facts, folder.study, folder.table(RUNS)
    items: list[tuple[str, str]] = []
    if facts.get("study"):
        items.append(("Study", f"{facts['study']} {facts.get('version', '')}".strip()))
    items.append(("Software", _software(folder)))
    hashes = {"Design hash": facts.get("design_hash"), "Analysis hash": facts.get("analysis_hash")}
    if study is not None:
        items.append(("Seed", str(study.study.seed)))
        hashes = {"Design hash": study.design_hash, "Analysis hash": study.analysis_hash}
    items += [(name, str(value)) for name, value in hashes.items() if value]
    for column, name in (
        ("software", "Metrics computed by"),
        ("weights_sha256", "Weights, SHA-256"),
        ("resizer", "Resizer"),
        ("input_hash", "Input hash"),
        ("device", "Device"),
    ):
        entries = dict.fromkeys(runs[column].dropna().astype(str)) if len(runs) else {}
        if entries:
            items.append((name, ", ".join(entries)))
    return Section("versions", "Versions and hashes", [Facts(items, "hashes")])
