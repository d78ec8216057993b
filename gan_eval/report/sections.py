"""The report's sections after the design, in reading order.

Everything that a report says, before it is set as a page or as Markdown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gan_eval.report.downloads import Download, downloads
from gan_eval.report.metrics.section import MetricsSection, hole_tables, metrics_section
from gan_eval.report.parts.chart import Picture
from gan_eval.report.parts.folder import StudyFolder, common_notes, without_common_notes
from gan_eval.report.parts.words import View, plural
from gan_eval.report.people import rates
from gan_eval.report.people import rates as figures
from gan_eval.report.people.agreement import agreement_figures, agreement_views
from gan_eval.report.people.answer import answer
from gan_eval.report.people.choices import choices_views, strength_figures, strength_views
from gan_eval.report.people.comparisons import comparison_figures, comparison_sentences, comparison_views
from gan_eval.report.people.design import badges, design_facts, notes
from gan_eval.report.people.grades import alpha_views, opinion_views, ratings_views
from gan_eval.report.people.models import model_sentences, model_views
from gan_eval.report.people.paper import methods, paper_methods
from gan_eval.report.people.participants import counted_participants, participants_sentences, participants_views
from gan_eval.report.people.pictures import Ranking, Samples, pictured, ranking_note, ranking_views, rankings, samples
from gan_eval.report.people.published import published_views
from gan_eval.report.people.rates import detection_figures, detection_sentences, detection_views, hype_views
from gan_eval.report.people.staircase import thresholds_views
from gan_eval.report.people.times import speed_figures, time_model_views
from gan_eval.report.people.timing import timing_sentences, timing_views
from gan_eval.report.training.section import TrainingSection, training_section


@dataclass(frozen=True)
class Section:
    """One section of the page; every part but identifier and heading may be empty."""

    id: str
    heading: str
    sentences: Sequence[str] = ()
    figures: Sequence[Picture] = ()
    tables: Sequence[View] = ()
    rankings: Sequence[Ranking] = ()
    metrics: MetricsSection = field(default_factory=MetricsSection)
    training: TrainingSection = field(default_factory=TrainingSection)
    source: Sequence[str] = ()
    """Tables behind what has no links of its own."""

    @property
    def empty(self) -> bool:
        """Nothing to show."""
        return not (self.sentences or self.figures or self.tables or self.rankings or self.metrics.tables)


def sections(folder: StudyFolder) -> list[Section]:
    """Those that have something to show."""
    every = [*_people(folder), *_answers(folder), *_models(folder), *_metrics(folder), _training(folder)]
    return [section for section in every if not section.empty]


def _people(folder: StudyFolder) -> list[Section]:
    return [
        Section(
            "participants",
            "Participants and exclusions",
            participants_sentences(folder),
            tables=[*participants_views(folder), *alpha_views(folder)],
        ),
        Section("timing", "Was it shown as planned?", timing_sentences(folder), tables=timing_views(folder)),
    ]


def _answers(folder: StudyFolder) -> list[Section]:
    ranked = rankings(folder)
    note = ranking_note(folder, ranked)
    return [
        Section("rates", "Can they tell?", figures=figures.rates_figures(folder), tables=rates.rates_views(folder)),
        Section(
            "detection",
            "Could they tell, or did they lean to one answer?",
            detection_sentences(folder),
            detection_figures(folder),
            [*detection_views(folder), *hype_views(folder)],
        ),
        Section(
            "choices",
            "Which picture did they choose?",
            figures=strength_figures(folder),
            tables=[*choices_views(folder), *strength_views(folder)],
        ),
        Section("grades", "How real did it look?", tables=[*ratings_views(folder), *opinion_views(folder)]),
        Section("thresholds", "For how long must it be seen?", tables=thresholds_views(folder)),
        Section(
            "times",
            "How long did they take?",
            figures=[*figures.reaction_figures(folder), *speed_figures(folder)],
            tables=[*rates.reaction_view(folder), *time_model_views(folder)],
        ),
        Section(
            "extremes",
            "Which pictures fooled most and least?",
            [note] if note else [],
            tables=[] if pictured(ranked) else ranking_views(ranked),
            rankings=ranked if pictured(ranked) else [],
            source=("rates",),
        ),
    ]


def _models(folder: StudyFolder) -> list[Section]:
    return [
        Section(
            "models",
            "Would it hold for other people and pictures?",
            model_sentences(folder),
            tables=model_views(folder),
        ),
        Section(
            "comparisons",
            "Differences, and how sure they are",
            comparison_sentences(folder),
            comparison_figures(folder),
            comparison_views(folder),
        ),
        Section("published", "Beside published numbers", tables=published_views(folder)),
    ]


def _metrics(folder: StudyFolder) -> list[Section]:
    return [
        Section(
            "metrics",
            "What do the metrics say?",
            tables=hole_tables(folder),
            metrics=metrics_section(folder),
            source=("image_metrics", "set_metrics", "metric_comparisons", "runs"),
        ),
        Section(
            "agreement",
            "Do metrics agree with people?",
            figures=agreement_figures(folder),
            tables=agreement_views(folder),
        ),
    ]


def _training(folder: StudyFolder) -> Section:
    shown = training_section(folder)
    return Section("training", "How did training go?", figures=shown.figures, tables=shown.tables, training=shown)


@dataclass(frozen=True)
class Content:
    """A report's texts, tables, figures and files; every part may be empty but the title."""

    title: str
    simulated: bool
    badges: Sequence[str]
    answer: Sequence[str]
    facts: Sequence[tuple[str, str]]
    samples: Mapping[str, Samples]
    sections: Sequence[Section]
    notes: Sequence[str]
    methods: str
    paper: str
    versions: Sequence[tuple[str, str]]
    downloads: Sequence[Download]

    @property
    def figures(self) -> list[Picture]:
        """Every figure, in reading order."""
        return [picture for section in self.sections for picture in section.figures]

    @property
    def headings(self) -> list[tuple[str, str]]:
        """Identifier and heading of every section that is there."""
        before = [("answer", "The answer", self.answer), ("design", "What was done", self.facts)]
        shown = [("pictures", "What was shown", self.samples)]
        after = [
            ("notes", "What to bear in mind", self.notes),
            ("methods", "Method", self.methods or self.paper),
            ("files", "All tables", self.downloads),
            ("versions", "Versions and hashes", self.versions),
        ]
        return [
            *((name, heading) for name, heading, there in [*before, *shown] if there),
            *((section.id, section.heading) for section in self.sections),
            *((name, heading) for name, heading, there in after if there),
        ]


def content(folder: StudyFolder, *, title: str | None = None, with_raw_tables: bool = False) -> Content:
    """What the folder's tables say.

    Args:
        folder: as read.
        title: heading; default: the study's title, else its name, else how many took part, else the folder's name.
        with_raw_tables: hand on the tables of single sessions too.
    """
    shown = without_common_notes(folder)
    return Content(
        title=title or _title(folder),
        simulated=folder.simulated,
        badges=badges(folder),
        answer=answer(folder),
        facts=design_facts(folder),
        samples=samples(folder),
        sections=sections(shown),
        notes=[*notes(shown), *(f"Of several tables: {note}." for note in common_notes(folder))],
        methods=methods(folder),
        paper=paper_methods(folder),
        versions=rates.versions(folder),
        downloads=downloads(folder, with_raw_tables=with_raw_tables),
    )


def _title(folder: StudyFolder) -> str:
    if folder.facts.get("title"):
        return str(folder.facts["title"])
    if folder.study is not None:
        return folder.study.study.title or folder.study.study.name
    count = counted_participants(folder)
    who = "simulated participant" if folder.simulated else "participant"
    return f"Real or fake? {plural(count, who)}" if count else folder.path.resolve().name
