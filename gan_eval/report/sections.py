"""The report's sections after the design, in reading order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gan_eval.report.metrics.metrics_study import MetricsSection, hole_tables, metrics_section
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import View
from gan_eval.report.people import figures, rates
from gan_eval.report.people.agreement import agreement_figures
from gan_eval.report.people.choices import choices_views
from gan_eval.report.people.comparisons import comparison_figures, comparison_sentences, comparison_views
from gan_eval.report.people.detection import detection_figures, detection_sentences, detection_views, hype_views
from gan_eval.report.people.figures import Picture
from gan_eval.report.people.grades import alpha_views, opinion_views
from gan_eval.report.people.metric_people import agreement_views
from gan_eval.report.people.models import model_sentences, model_views
from gan_eval.report.people.other_answers import ratings_views, thresholds_views
from gan_eval.report.people.pairs import strength_figures, strength_views
from gan_eval.report.people.participants import participants_sentences, participants_views
from gan_eval.report.people.pictures import Ranking, pictured, ranking_note, ranking_views, rankings
from gan_eval.report.people.published_ import published_views
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
