"""The sections of both reports in reading order: that of a study, and that of metric tables alone.

A section is a function that gives a `Section`; one without blocks is left out. Another section is such a function in a
file of its own and a line here.
"""

from dataclasses import replace

from gan_eval.report.downloads import downloads_of, files_section
from gan_eval.report.metrics import values
from gan_eval.report.metrics.agreement import agreement_section as metric_agreement_section
from gan_eval.report.metrics.answer import answer_section as metric_answer_section
from gan_eval.report.metrics.data import Measured
from gan_eval.report.metrics.differences import differences_section
from gan_eval.report.metrics.distributions import distributions_section
from gan_eval.report.metrics.extremes import extremes_section as metric_extremes_section
from gan_eval.report.metrics.method import method_section as metric_method_section
from gan_eval.report.parts.blocks import Report, without_empty_tables
from gan_eval.report.parts.folder import StudyFolder, without_common_notes
from gan_eval.report.parts.thumbnails import Album
from gan_eval.report.parts.words import listed, plural
from gan_eval.report.people.agreement import agreement_section
from gan_eval.report.people.answer import basis
from gan_eval.report.people.checklist import checklist_section
from gan_eval.report.people.choices import choices_section
from gan_eval.report.people.comparisons import comparisons_section
from gan_eval.report.people.design import badges, design_section, notes_section, trained_for
from gan_eval.report.people.detection import detection_section
from gan_eval.report.people.first_page import answer_section
from gan_eval.report.people.grades import grades_section
from gan_eval.report.people.models import models_section
from gan_eval.report.people.paper import method_section, versions_section
from gan_eval.report.people.participants import included_count, participants_section
from gan_eval.report.people.pictures import extremes_section, pictures_section
from gan_eval.report.people.psychometric import psychometric_section
from gan_eval.report.people.published import published_section
from gan_eval.report.people.rates import rates_section
from gan_eval.report.people.robustness import robustness_section
from gan_eval.report.people.thresholds import thresholds_section
from gan_eval.report.people.times import times_section
from gan_eval.report.people.timing import timing_section
from gan_eval.report.training.section import training_section


def study_report(folder: StudyFolder, *, title: str | None = None, with_raw_tables: bool = False) -> Report:
    """What the folder's tables say.

    Args:
        folder: as read.
        title: heading; default: the study's title, else its name, else how many took part, else the folder's name.
        with_raw_tables: hand on the tables of single sessions too.
    """
    brief = without_common_notes(folder)  # those stand once, under `What to bear in mind`
    downloads = downloads_of(folder, with_raw_tables=with_raw_tables)
    if not title and folder.facts.get("title"):
        title = str(folder.facts["title"])
    elif not title and folder.study is not None:
        title = folder.study.study.title or folder.study.study.name
    elif not title:
        count = included_count(folder)
        noun = "simulated participant" if folder.simulated else "participant"
        title = f"Real or fake? {plural(count, noun)}" if count else folder.path.resolve().name
    details, empty = without_empty_tables(
        [  # in the order of the questions that a reader asks
            rates_section(brief),
            detection_section(brief),
            choices_section(brief),
            grades_section(brief),
            thresholds_section(brief),
            psychometric_section(brief),
            comparisons_section(brief),
            robustness_section(brief),
            extremes_section(brief),
            agreement_section(brief),
            values.study_section(brief),
            published_section(brief),
            models_section(brief),
            times_section(brief),
            design_section(folder),
            pictures_section(folder),
            participants_section(brief),
            timing_section(brief),
            training_section(brief),
        ]
    )
    first, notes = answer_section(folder), notes_section(folder, basis=basis(folder), too_few=empty)
    return Report(
        title=title,
        simulated=folder.simulated,
        badges=badges(folder),
        downloads=downloads,
        sections=[
            *((first, notes) if first.blocks else ()),
            *details,
            *(() if first.blocks else (notes,)),
            checklist_section(folder),
            method_section(folder),
            files_section(downloads),
            versions_section(folder),
        ],
    )


def metrics_report(measured: Measured, *, title: str | None = None) -> Report:
    """What metric tables say, without participants.

    Args:
        measured: the tables.
        title: heading; default: made of the models and data sets.
    """
    models = list(dict.fromkeys(model for dataset in measured.datasets for model in measured.models(dataset)))
    if not title and models:
        who = models[0] if len(models) == 1 else plural(len(models), "model")
        title = f"Metrics of {who} on {listed(measured.datasets)}"
    fractions = {
        float(fraction)
        for frame in (measured.images, measured.sets)
        if "fraction" in frame
        for fraction in frame["fraction"].dropna().unique()
        if fraction < 1
    }
    album = Album()
    return Report(
        title=title or "Metrics of pictures",
        badges=[f"{trained_for(sorted(fractions), 'Models trained')} of the planned steps"] if fractions else [],
        album=album,
        sections=[
            metric_answer_section(measured),
            replace(values.values_section(measured), on_first_page=True),
            distributions_section(measured),
            differences_section(measured),
            metric_extremes_section(measured, album),
            metric_agreement_section(measured, album),
            metric_method_section(measured),
        ],
    )
