"""Methods paragraphs to copy into a paper."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from gan_eval import __address__, __version__
from gan_eval.report.metrics.holes import holes_sentence
from gan_eval.report.metrics.method import paper_paragraph
from gan_eval.report.parts.blocks import Block, Listing, Quote
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import (
    NARROW,
    Record,
    capital,
    from_to,
    listed,
    milliseconds,
    missing,
    number,
    plural,
    whole,
)
from gan_eval.report.people.caveats import interim_sentence
from gan_eval.report.people.comparisons import margin_texts, unplanned_text
from gan_eval.report.people.participants import (
    MAX_LEVELS,
    analysed_text,
    exposure_levels,
    included_count,
    left_out_text,
    participation_sentences,
    timing_sentences,
    until_answer,
    window_of,
)
from gan_eval.report.people.verdicts import is_adjusted
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, PAIR_PROTOCOLS, QUEST_PLUS
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.estimate.grades import HIGHER, MEAN
from gan_eval.stats.metrics_and_people.correlations import CORRELATIONS
from gan_eval.stats.metrics_and_people.metric_scores import METRIC_SCORES
from gan_eval.stats.metrics_and_people.points import FOOLING, GRADE
from gan_eval.stats.mixed.models import MIXED_MODELS
from gan_eval.stats.paper import EVERYTHING, PAPER, one_kind_sentence
from gan_eval.stats.tables.choices import BRADLEY_TERRY, CHOICES
from gan_eval.stats.tables.comparisons import COMPARISONS
from gan_eval.stats.tables.grades import RATINGS
from gan_eval.stats.tables.hype import HYPE, THRESHOLDS
from gan_eval.stats.tables.psychometric import PSYCHOMETRIC
from gan_eval.tables import KINDS, SESSIONS

_MEASURES = {FOOLING: "the fooling rate", GRADE: "mean grades"}
_PSYCHOMETRIC = (
    "Psychometric functions are logistic or cumulative normal in the logarithm of the level, with guess and lapse "
    "rates (Wichmann and Hill 2001) and normal thresholds of participants and pictures, by Laplace's approximation; "
    "fits are averaged over lapse rates from 0 to 0.06, with a Beta(1, 30) prior. Intervals of thresholds are "
    "Fieller's, of slopes Wald's, with Student's t."
)
MIN_SIMULATED = 10
"""Minimum number of participants for citing the coverage of simulated studies with 10 to 40 participants."""


def citation(address: str = __address__) -> str:
    """Return this program's entry for BibTeX, with its address if it has one."""
    title = "gan\\_eval: timed real-or-fake sessions, picture metrics and statistics for image-to-image models"
    lines = [
        "@misc{gan_eval,",
        "  author = {{the gan\\_eval founders}},",
        f"  title = {{{{{title}}}}},",
        "  year = {2026},",
        f"  note = {{Version {__version__}}},",
        *([f"  url = {{{address}}},"] if address else []),
        "}\n",
    ]
    return "\n".join(lines)


def method_blocks(folder: StudyFolder) -> list[Block]:
    """Return the *Methods* paragraphs for a paper, and the program's own entry for BibTeX."""
    text = paper_methods(folder)
    return [Quote("As text", text), Listing("This program, for BibTeX", citation())] if text else []


def paper_methods(folder: StudyFolder) -> str:
    """Return the paragraphs, with a blank line between them; empty without answers."""
    if folder.scope("all").empty and folder.answers.empty:
        return ""
    study = folder.study
    software, procedure = folder.facts.software or f"gan_eval {__version__}", []
    if study is not None:
        quiz = study.quiz
        window = "without a limit" if quiz.window_ms is None else f"within {quiz.window_ms / 1000:g}{NARROW}s of onset"
        keys = ", ".join(f"{key} for {answer}" for answer, key in quiz.keys.items())
        procedure = [f"{_what_was_asked(quiz)} by key ({keys}), {window}, in random order."]
        flashes = quiz.protocol in ADAPTIVE_PROTOCOLS or any(level is not None for level in quiz.levels_ms)
        parts = ["a fixation mark before each picture"] if quiz.fixation_mark else []
        if quiz.response_cue and flashes:
            parts.append("the keys below its place once it had vanished, until the answer")
        procedure += [f"The grey screen had {listed(parts)}."] if parts else []
        hashes = f"design {study.design_hash[:12]}, analysis plan {study.analysis_hash[:12]} (SHA-256)"
        software = f"{software}, seed {study.study.seed}; {hashes}"
    paragraphs = [
        [
            *participation_sentences(folder)[:1],
            f"{capital(analysed_text(folder))} are analysed.",
            one_kind_sentence(folder.table(PAPER)),
        ],
        pictures_sentences(folder),
        [*procedure, *size_on_screen(folder), *_timing(folder)],
        _exclusions(folder),
        _measures(folder),
        [paper_paragraph(folder.measured)],
        _models(folder),
        [f"Software: {software}."],
    ]
    return "\n\n".join(" ".join(filter(None, sentences)) for sentences in paragraphs if any(sentences))


def pictures_sentences(folder: StudyFolder) -> list[str]:
    """Return the numbers of pictures, of pictures shown, and of answers."""
    trials = folder.presented
    sentences = []
    if folder.stimuli:
        pool = pd.concat(folder.stimuli.values()).drop_duplicates("stimulus")
        models = sorted(pool.loc[pool["kind"] == "fake", "model"].dropna().unique())
        of = f" of {plural(len(models), 'model')} ({listed(models)})" if models else ""
        real, fake = (int((pool["kind"] == kind).sum()) for kind in KINDS)
        datasets = sorted(pool["dataset"].dropna().unique())
        on = f" ({listed(datasets)})" if datasets else ""
        sentences.append(f"The pool held {plural(real, 'real picture')}{on} and {plural(fake, 'generated one')}{of}.")
        sentences += holes_sentence(folder)
    elif folder.study is not None and folder.study.data:
        models = list(folder.study.models)
        sentences.append(f"Data sets: {', '.join(folder.study.data)}; models: {', '.join(models) or 'none'}.")
    if trials.empty:
        return sentences
    shown = plural(pd.concat([trials["stimulus"], trials["stimulus_b"]]).nunique(), "different picture")
    answered, count = int(trials["answered"].sum()), len(trials)
    sentences.append(f"{shown} were shown, in {plural(count, 'trial')}; {whole(answered)} of these were answered.")
    counts = trials.groupby("session").size()
    each = f"{from_to(counts)} trial{'' if counts.max() == 1 else 's'}"
    return [*sentences, f"Each session had {each}, without practice and catch trials."]


def size_on_screen(folder: StudyFolder) -> list[str]:
    """Return the size of the pictures on the screen, over the sessions that recorded it."""
    sessions = folder.table(SESSIONS)

    def spread(column: str, *, digits: int) -> str:
        return from_to(sessions[column].dropna(), partial(number, digits=digits))

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
    if folder.only_simulated:
        return timing_sentences(folder)
    trials, sentences = folder.presented, []
    levels = exposure_levels(trials) if len(trials) else pd.DataFrame()
    if len(levels) > MAX_LEVELS:
        worst = levels["worst_ms"].abs().max()
        error = "" if missing(worst) else f" (worst error {number(worst, digits=1)} ms)"
        sentences.append(f"Pictures were shown for {from_to(levels['requested_ms'], milliseconds)}{error}.")
    else:
        used = [level for level in levels.to_dict("records") if level["n"] or level["requested_ms"] > 0]
        shown = [_exposure(level, window_of(folder)) for level in used]
        sentences += [f"Each picture was shown {'; or '.join(shown)}."] if shown else []
    return [*sentences, *timing_sentences(folder)]


def _exposure(level: Record, window_ms: float | None) -> str:
    requested, mean = level["requested_ms"], level["mean_ms"]
    if missing(requested):
        return f"for {number(mean, digits=0)} ms on average"
    if np.isinf(requested):
        return until_answer(window_ms) + ("" if missing(mean) else f", {number(mean, digits=0)} ms on average")
    if missing(level["error_ms"]):
        return f"for {milliseconds(requested)} as requested, which was not measured"
    spread = "" if missing(level["sd_ms"]) else f", SD of the error {number(level['sd_ms'], digits=2)} ms"
    return (
        f"for {milliseconds(requested)} (achieved {number(mean, digits=1)} ms{spread}, worst "
        f"{number(level['worst_ms'], digits=1)} ms)"
    )


def _exclusions(folder: StudyFolder) -> list[str]:
    sentences = [f"{left_out}."] if (left_out := left_out_text(folder)) else []
    everything = folder.judged()
    everything = everything[everything["scope"] == "all"]
    if len(everything):
        count = int(everything["n_real"].iloc[0] + everything["n_fake"].iloc[0])
        trials = folder.presented
        if trials.empty or count != trials["answered"].sum():
            sentences.append(f"{plural(count, 'answer')} are analysed.")
    return sentences


def _measures(folder: StudyFolder) -> list[str]:
    sentences = []
    if len(folder.judged()):
        sentences.append(
            "A generated picture called fake is a hit, a real one called fake a false alarm; the fooling rate is the "
            "share of generated pictures called real, and accuracy the mean of the shares of real and of generated "
            "pictures judged correctly. d′ is z(1 − fooling rate) − z(1 − share of real pictures called real). All "
            "four follow, with their intervals, from one estimate for each model on a data set; models together are "
            "the mean of the models."
            + " The share of real pictures called real is from one estimate of all models judged with them."
            * _shares_reals(folder.table(PAPER))
        )
    if len(folder.table(CHOICES)):
        sentences.append(
            "Choices between two pictures are shares of the answered pairs, models together the mean of the models; d′ "
            "is √2 z(share correct) (Macmillan and Creelman 2005)."
        )
    if folder.table(BRADLEY_TERRY)["strength"].notna().any():
        sentences.append("Strengths of models come from the Bradley–Terry model (Bradley and Terry 1952).")
    if len(folder.table(RATINGS)):
        sentences.append(
            "A mean grade is the mean of the participants' means, with errors clustered by participant and by picture "
            "(Cameron et al. 2011) and Student's t."
        )
    by = set(folder.table(THRESHOLDS)["protocol"])
    if folder.table(THRESHOLDS)["mode_ms"].notna().any():
        sentences.append(
            "A participant's threshold is the exposure that the staircase (Kaernbach 1991) showed most often after its "
            "first four reversals (Zhou et al. 2019)."
        )
    if QUEST_PLUS in by:
        sentences.append(
            "Thresholds, the exposures with 75% correct answers, are geometric means of the posterior distribution of "
            "QUEST+ (Watson 2017), slope and lapse rate being nuisance parameters (Prins 2013)."
        )
    if len(folder.table(PSYCHOMETRIC)):
        sentences.append(_PSYCHOMETRIC)
    if folder.table(HYPE)["value"].notna().any():
        sentences.append("HYPE scores are defined as published (Zhou et al. 2019).")
    return sentences


def _shares_reals(paper: pd.DataFrame) -> bool:
    """Return whether models of a data set share one number on their real pictures."""
    is_other = paper["shared_real"].notna() & (paper["shared_real_low"] != paper["real_low"])
    return bool((is_other & (paper["model"] != EVERYTHING)).any())


def _models(folder: StudyFolder) -> list[str]:
    comparisons, sentences = folder.table(COMPARISONS), list[str]()
    bases = set(comparisons["basis"].dropna())
    is_crossed = bool(bases & {"crossed_model", "crossed_model_clustered_error"})
    if is_crossed:
        sentences += _crossed_models(folder, comparisons)
    if folder.study is not None and folder.study.quiz.pairs_of == "random":
        sentences.append(
            "The real pictures, paired at random, were a third factor, whose variance was added (Cameron et al. 2011)."
        )
    if "crossed_model_clustered_error" in bases:
        sentences.append("Where pictures had few answers each, the larger error of clustered shares was taken.")
    for basis, factors in (("two_way_cluster", "participant and by picture"), ("picture_cluster", "picture")):
        if basis in bases:
            sentences.append(
                f"{'Others' if is_crossed else 'Rates and differences'} are observed shares (each participant counts "
                f"once), whose intervals have one answer of each kind added (Agresti and Caffo 2000) and errors "
                f"clustered by {factors} (Cameron et al. 2011)."
            )
    if is_adjusted(comparisons):
        sentences.append("P values of comparisons of one kind were corrected by Holm's method (Holm 1979).")
    sentences += _metrics_against_people(folder)
    if margins := margin_texts(comparisons[comparisons["p_equivalent"].notna()]):
        sentences.append(
            f"Equivalence within {listed(margins)} was judged by two one-sided tests at 5% (Schuirmann 1987)."
        )
    sentences.append(interim_sentence(folder))
    if unplanned := unplanned_text(comparisons):
        sentences.append(f"{unplanned}.")
    return [*filter(None, sentences)]


def _metrics_against_people(folder: StudyFolder) -> Iterator[str]:
    table = folder.table(CORRELATIONS)
    if len(table):
        people, levels = listed([_MEASURES[name] for name in dict.fromkeys(table["measure"])]), set(table["level"])
        by = []
        if "stimulus" in levels:
            by.append(
                "within models, with normal intervals by the spread of a two-way bootstrap over participants and items "
                "(Owen 2007)"
            )
        if "model" in levels:
            by.append("over models, with intervals by Fisher's z (Bonett and Wright 2000)")
        yield (
            f"Metrics were compared with {people} by Spearman's correlation {', and '.join(by)}; P values were "
            "corrected by Holm's method over metrics, levels and data sets (Holm 1979)."
        )
    if folder.table(METRIC_SCORES)["score"].notna().any():
        yield (
            "Metrics were compared with choices by their 2AFC score, the share of votes for the picture of a pair that "
            "the metric prefers (Zhang et al. 2018), with errors clustered by participant and by picture (Cameron et "
            "al. 2011) and Student's t; the ceiling is the score of the majority of a pair's other votes."
        )


def _crossed_models(folder: StudyFolder, comparisons: pd.DataFrame) -> Iterator[str]:
    """Yield sentences on the mixed models of the rates and differences, and what is known of their intervals."""
    is_single = bool((comparisons["measure"] == "called_fake").any())
    has_slope = folder.study is None or folder.study.analysis.slope
    link = "probit" if (folder.table(MIXED_MODELS)["link"] == "probit").any() else "logistic"
    of_grades = comparisons["measure"].isin([HIGHER, MEAN])
    links = [link] * bool((~of_grades).any()) + ["cumulative-logit"] * bool(of_grades.any())
    slopes = ", and random slopes for the compared groups by participant and, if pictures share items, by item"
    formula = (
        "called_fake ~ kind + (1 + kind|participant) + (1|stimulus), with (1 + kind|item) for (1|stimulus) if each "
        "generated picture has its real one, else with the clustered variance of shared items (Cameron et al. 2011)"
        if has_slope
        else "called_fake ~ kind + (1|participant) + (1|stimulus)"
    )
    yield (
        f"Rates and differences are those of {listed(links)} mixed models of the answers "
        f"compared, with crossed random intercepts of participants and pictures{slopes * has_slope}, by Laplace's "
        "approximation (Baayen et al. 2008), averaged over participants and pictures (Zeger et al. 1988)"
        f"{f': for a model and the real pictures {formula}' * is_single}. Intervals and tests have standard errors "
        "from the Hessian and Student's t."
    )
    if is_single:
        is_small = 0 < included_count(folder) < MIN_SIMULATED
        people, held, where = "10 to 40", "93 to 99.6%", "with few pictures, and near the ceiling, "
        if is_small:
            people, held, where = "3", "98 to 100%", ""
        yield (
            f"In Monte Carlo studies of {people} participants, 95% intervals of such rates contained the truth in "
            f"{held} of studies: {where}they are too wide, and p values too large."
        )


def design_text(folder: StudyFolder, quiz: QuizSettings) -> str:
    """Return protocol, number of pictures and exposures.

    The numbers are those of the complete sessions, and without one those of the settings: a small pool gives fewer.
    """
    sessions, trials = folder.table(SESSIONS), folder.presented
    complete = sessions.loc[sessions["status"] == "complete", "session"]
    shown = trials[trials["session"].isin(complete)] if len(trials) else trials

    def number_of(planned: int, part: pd.DataFrame) -> str:
        return from_to(part.groupby(["session", "dataset"], dropna=False).size() if len(part) else pd.Series([planned]))

    if quiz.protocol in PAIR_PROTOCOLS:
        counts = f"{number_of(quiz.pairs, shown)} pairs"
    else:
        real, fake = (shown[shown["kind"] == kind] if len(shown) else shown for kind in KINDS)
        counts = f"{number_of(quiz.real, real)} real and {number_of(quiz.fake, fake)} generated pictures"
    levels = listed([until_answer(quiz.window_ms) if each is None else milliseconds(each) for each in quiz.levels_ms])
    exposures = f"shown {levels}"
    if quiz.protocol in ADAPTIVE_PROTOCOLS:
        exposures = f"exposure by {'QUEST+' if quiz.protocol == QUEST_PLUS else 'staircase'}"
    exposures += " with their captions" if quiz.show_caption else ""
    never = "no item twice" if quiz.shows_pairs else "never both versions of an item"
    never = "no picture twice" if quiz.pairs_of == "random" else never
    return (
        f"{_what_was_asked(quiz)}; each person saw {counts} of each data set, {never}, in random order, {exposures}; "
        f"{quiz.practice} practice and {quiz.catch} catch trials."
    )


def _what_was_asked(quiz: QuizSettings) -> str:
    """Return the first part of a sentence: what a trial shows and asks."""
    if quiz.pairs_of == "random":
        return "Participants saw a real and a generated picture, paired at random, and chose the real one"
    return quiz.facts.methods
