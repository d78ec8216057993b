"""Methods paragraphs to copy into a paper."""

from functools import partial

import pandas as pd

from gan_eval import __address__, __version__
from gan_eval.report.metrics.answer import paper_paragraph
from gan_eval.report.metrics.holes import holes_sentence
from gan_eval.report.parts.blocks import Block, Listing, Quote
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said, sentence
from gan_eval.report.parts.words import capital, from_to, milliseconds, missing, number, plural
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
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, PAIR_PROTOCOLS, QUEST_PLUS
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.cited import one_kind_sentence
from gan_eval.stats.estimate.contrast import FROM_MODELS
from gan_eval.stats.estimate.grades import HIGHER, MEAN
from gan_eval.stats.metrics_and_people.correlations import CORRELATIONS
from gan_eval.stats.metrics_and_people.metric_scores import METRIC_SCORES
from gan_eval.stats.metrics_and_people.points import FOOLING, GRADE
from gan_eval.stats.mixed.models import MIXED_MODELS
from gan_eval.stats.results import SINGLE, is_adjusted
from gan_eval.stats.tables.choices import BRADLEY_TERRY, CHOICES
from gan_eval.stats.tables.grades import RATINGS
from gan_eval.stats.tables.hype import HYPE, THRESHOLDS
from gan_eval.stats.tables.psychometric import PSYCHOMETRIC
from gan_eval.tables import KINDS, SESSIONS

_MEASURES = {FOOLING: "the fooling rate", GRADE: "mean grades"}
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
    study, procedure = folder.study, list[str]()
    if study is not None:
        quiz = study.quiz
        flashes = quiz.protocol in ADAPTIVE_PROTOCOLS or any(level is not None for level in quiz.levels_ms)
        procedure = said("methods", "procedure", quiz, _what_was_asked(quiz), quiz.keys, flashes)
    paragraphs = [
        [
            *participation_sentences(folder)[:1],
            f"{capital(analysed_text(folder))} are analysed.",
            one_kind_sentence(folder.results),
        ],
        pictures_sentences(folder),
        [*procedure, *size_on_screen(folder), *_timing(folder)],
        _exclusions(folder),
        _measures(folder),
        [paper_paragraph(folder.measured)],
        _models(folder),
        said("methods", "software", folder.facts.software or f"gan_eval {__version__}", study),
    ]
    return "\n\n".join(" ".join(filter(None, sentences)) for sentences in paragraphs if any(sentences))


def pictures_sentences(folder: StudyFolder) -> list[str]:
    """Return the numbers of pictures, of pictures shown, and of answers."""
    trials, sentences = folder.presented, list[str]()
    if folder.stimuli:
        pool = pd.concat(folder.stimuli.values()).drop_duplicates("stimulus")
        counts = [int((pool["kind"] == kind).sum()) for kind in KINDS]
        datasets, models = pool["dataset"], pool.loc[pool["kind"] == "fake", "model"]
        sentences = said("methods", "pool", *counts, *(sorted(names.dropna().unique()) for names in (datasets, models)))
        sentences += holes_sentence(folder)
    elif folder.study is not None and folder.study.data:
        sentences = said("methods", "planned", [*folder.study.data], [*folder.study.models])
    if trials.empty:
        return sentences
    pictures = pd.concat([trials["stimulus"], trials["stimulus_b"]]).nunique()
    each = pd.Series() if folder.who_is_unknown else trials.groupby("session").size()
    counts = [pictures, len(trials), int(trials["answered"].sum())]
    return [*sentences, *said("methods", "shown", *counts, from_to(each), each.max(), folder.only_simulated)]


def size_on_screen(folder: StudyFolder) -> list[str]:
    """Return the size of the pictures on the screen, over the sessions that recorded it."""
    sessions = folder.table(SESSIONS)

    def spread(column: str, *, digits: int) -> str:
        return from_to(sessions[column].dropna(), partial(number, digits=digits))

    if not sessions["picture_width_px"].notna().any():
        return []
    size = "" if folder.study is None else folder.study.quiz.picture_size
    has_angles = sessions["pixels_per_degree"].notna().any() and sessions["picture_width_deg"].notna().any()
    angles = [spread(name, digits=1) if has_angles else "" for name in ("picture_width_deg", "pixels_per_degree")]
    return said("methods", "size_on_screen", spread("picture_width_px", digits=0), size, *angles)


def _timing(folder: StudyFolder) -> list[str]:
    trials = folder.presented
    levels = exposure_levels(trials) if len(trials) and not folder.only_simulated else pd.DataFrame()
    sentences = list[str]()
    if len(levels) > MAX_LEVELS:
        all_levels = from_to(levels["requested_ms"], milliseconds)
        sentences = said("methods", "exposure_range", all_levels, levels["worst_ms"].abs().max())
    elif len(levels):
        used = [level for level in levels.to_dict("records") if level["n"] or level["requested_ms"] > 0]
        sentences = said("methods", "exposures", used, until_answer(window_of(folder)))
    return [*sentences, *timing_sentences(folder)]


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
    thresholds = folder.table(THRESHOLDS)
    has = {
        "judged": _has_rates(folder),
        "choices": len(folder.table(CHOICES)),
        "strengths": folder.table(BRADLEY_TERRY)["strength"].notna().any(),
        "grades": len(folder.table(RATINGS)),
        "staircases": thresholds["mode_ms"].notna().any(),
        "QUEST+": QUEST_PLUS in set(thresholds["protocol"]),
        "psychometric": folder.table(PSYCHOMETRIC)["slope"].notna().any(),
        "HYPE": folder.table(HYPE)["value"].notna().any(),
    }
    shares_reals = any(each.shares_reals and not each.is_of_all for each in folder.results.every)
    return [sentence("methods", "measures", [name for name, is_there in has.items() if is_there], shares_reals)]


def _has_rates(folder: StudyFolder) -> bool:
    """Return whether single pictures have rates: not those of one kind, or of exposures that follow the answers."""
    rows = folder.results.every
    known = (not missing(each.numbers["fooling_rate"].value) for each in rows if each.protocol == SINGLE)
    judged = folder.judged()
    return any(known) if rows else bool(((judged["n_real"] > 0) & (judged["n_fake"] > 0)).any())


def _models(folder: StudyFolder) -> list[str]:
    """Return the sentences on estimates, intervals and tests, and what is known of the intervals."""
    compared, study = [each for each in folder.results.compared if not each.sensitivity], folder.study
    grades = [each for each in compared if each.measure in (HIGHER, MEAN)]
    others = [each for each in compared if each.measure not in (HIGHER, MEAN)]
    crossed_grades = any(each.basis in FROM_MODELS for each in grades)
    link = "probit" if (folder.table(MIXED_MODELS)["link"] == "probit").any() else "logistic"
    correlations = folder.table(CORRELATIONS)
    measures = [_MEASURES[name] for name in dict.fromkeys(correlations["measure"])]
    text = sentence(
        "methods",
        "models",
        bases={each.basis for each in others} | {each.basis for each in grades if each.basis in FROM_MODELS},
        clustered_grades=any(each.basis and each.basis not in FROM_MODELS for each in grades),
        links=[link] * any(each.basis in FROM_MODELS for each in others) + ["cumulative-logit"] * crossed_grades,
        is_single=any(each.measure == "called_fake" for each in compared),
        has_slope=study is None or study.analysis.slope,
        is_small=0 < included_count(folder) < MIN_SIMULATED,
        pairs_at_random=study is not None and study.quiz.pairs_of == "random",
        holm=is_adjusted(compared),
        correlated=(measures, set(correlations["level"])) if len(correlations) else None,
        scored=folder.table(METRIC_SCORES)["score"].notna().any(),
        margins=margin_texts([each for each in compared if not missing(each.p_equivalent)]),
        interim=interim_sentence(folder),
        unplanned=unplanned_text(compared),
    )
    return [text]


def design_text(folder: StudyFolder, quiz: QuizSettings) -> str:
    """Return protocol, number of pictures and exposures.

    The numbers are those of the complete sessions, and without one those of the settings: a small pool gives fewer.
    """
    sessions, trials = folder.table(SESSIONS), folder.presented
    complete = sessions.loc[sessions["status"] == "complete", "session"]
    shown = trials[trials["session"].isin(complete)] if len(trials) else trials

    def number_of(planned: int, part: pd.DataFrame) -> str:
        return from_to(part.groupby(["session", "dataset"], dropna=False).size() if len(part) else pd.Series([planned]))

    pairs = number_of(quiz.pairs, shown) if quiz.protocol in PAIR_PROTOCOLS else ""
    real, fake = (shown[shown["kind"] == kind] if len(shown) else shown for kind in KINDS)
    levels = [until_answer(quiz.window_ms) if each is None else milliseconds(each) for each in quiz.levels_ms]
    counts = pairs, number_of(quiz.real, real), number_of(quiz.fake, fake)
    return sentence("methods", "design", quiz, _what_was_asked(quiz), *counts, levels)


def _what_was_asked(quiz: QuizSettings) -> str:
    """Return the first part of a sentence: what a trial shows and asks."""
    if quiz.pairs_of == "random":
        return "Participants saw a real and a generated picture, paired at random, and chose the real one"
    return quiz.facts.methods
