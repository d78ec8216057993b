"""The sections of both reports in reading order: that of a study, and that of metric tables alone.

Each function returns a `ReportSection`; empty ones are removed.
"""

from dataclasses import replace

from gan_eval.judgements.contradictions import of_two_models
from gan_eval.report.metrics.answer import answer_section as metric_answer_section
from gan_eval.report.metrics.answer import method_section as metric_method_section
from gan_eval.report.metrics.holes import holes_of_folder
from gan_eval.report.metrics.summaries import Measured
from gan_eval.report.metrics.values import spectra_section, value_blocks
from gan_eval.report.page import downloads_of
from gan_eval.report.parts.blocks import Files, Lines, Report, ReportSection, ShownTable
from gan_eval.report.parts.folder import StudyFolder, fractions_of
from gan_eval.report.parts.words import listed, plural
from gan_eval.report.people.agreement import correlation_tables, difference_tables, score_tables
from gan_eval.report.people.answer import answer_sentences
from gan_eval.report.people.caveats import badges, caveats, trained_text
from gan_eval.report.people.comparisons import choices_tables, classes_table, comparisons_section, grades_tables
from gan_eval.report.people.curves import confidence_section, psychometric_blocks, thresholds_table
from gan_eval.report.people.first_page import first_page
from gan_eval.report.people.marks import marks_section
from gan_eval.report.people.participants import demographics, included_count, participation_sentences, timing_section
from gan_eval.report.people.pictures import fooling_galleries, giveaways_tables, samples
from gan_eval.report.people.published import published_section
from gan_eval.report.training import training_section
from gan_eval.tables.schema import KINDS


def study_report(folder: StudyFolder, *, title: str | None = None, with_raw_tables: bool = False) -> Report:
    """Return the report of a study's folder."""
    downloads = downloads_of(folder, with_raw_tables=with_raw_tables)
    answer = list(answer_sentences(folder))
    of_choices = [*choices_tables(folder), *grades_tables(folder), *classes_table(folder)]
    answers = [*of_choices, thresholds_table(folder), *psychometric_blocks(folder)]
    people = [Lines(participation_sentences(folder)), demographics(folder)]
    measured = value_blocks(folder.measured, holes_of_folder(folder))
    details = [  # in the order of a reader's questions
        comparisons_section(folder),
        ReportSection("answers", "Choices, grades and thresholds", answers),
        confidence_section(folder),
        ReportSection(
            "agreement",
            "Metrics and people",
            [*correlation_tables(folder), *difference_tables(folder), *score_tables(folder)],
        ),
        marks_section(folder),
        # without answers, the metrics are the result
        ReportSection("metrics", "Metrics", measured, on_first_page=not answer),
        published_section(folder),
        ReportSection("participants", "Participants", people),
        ReportSection(
            "pictures", "Pictures", [*giveaways_tables(folder), *fooling_galleries(folder), *samples(folder)]
        ),
        timing_section(folder),
        training_section(folder),
        ReportSection("caveats", "Caveats", [Lines(caveats(folder), "warnings")]),
    ]
    return Report(
        title=title or _title(folder),
        simulated=folder.simulated,
        badges=badges(folder),
        downloads=downloads,
        sections=[
            first_page(folder, answer),
            *map(_without_empty_rows, details),
            ReportSection("files", "All tables", [Files(downloads)]),
        ],
    )


def _without_empty_rows(section: ReportSection) -> ReportSection:
    """Return the section with its tables `without_empty` rows and columns."""
    blocks = [
        block.without_empty() if isinstance(block, ShownTable) and block.style == "rows" else block
        for block in section.blocks
    ]
    return replace(section, blocks=blocks)


def _title(folder: StudyFolder) -> str:
    if folder.study is not None:
        return folder.study.study.title or folder.study.study.name
    if folder.who_is_unknown:
        return f"{_question(folder)} {plural(int(folder.presented['answered'].sum()), 'answer')}"
    count = included_count(folder)
    return f"{_question(folder)} {folder.who_text(count)}" if count else folder.path.resolve().name


def _question(folder: StudyFolder) -> str:
    """Return what was asked; grades of real or of generated pictures alone, or of neither, are no question of truth."""
    if folder.answers.empty:
        return "Real or fake?"
    answers = folder.answers_by_type
    by_type = [len(part) > 0 for part in (answers.main, answers.pairs, answers.graded)]
    if by_type == [False, True, False] and of_two_models(answers.pairs).all():
        return "Which model is preferred?"
    if by_type == [False, False, True] and answers.graded["kind"].nunique() < len(KINDS):
        return "Graded pictures:"
    return "Real or fake?"


def metrics_report(measured: Measured) -> Report:
    """Return the report of metric tables, without participants."""
    models = list(dict.fromkeys(model for dataset in measured.datasets for model in measured.models(dataset)))
    title = "Metrics of pictures"
    if models:
        who = models[0] if len(models) == 1 else plural(len(models), "model")
        title = f"Metrics of {who} on {listed(measured.datasets)}"
    partial = trained_text(fractions_of([measured.images, measured.sets]), "Models trained")
    return Report(
        title=title,
        badges=[partial] if partial else [],
        sections=[
            metric_answer_section(measured),
            ReportSection("values", "The values", value_blocks(measured, measured.holes), on_first_page=True),
            spectra_section(measured),
            metric_method_section(measured),
        ],
    )
