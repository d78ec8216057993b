"""The page: every section's content put into the template."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gan_eval.report import figures, views
from gan_eval.report.answer import answer
from gan_eval.report.design import badges, design_facts, methods, notes
from gan_eval.report.folder import StudyFolder
from gan_eval.report.metrics_study import MetricsSection, metrics_section
from gan_eval.report.pictures import samples
from gan_eval.report.published import published_views
from gan_eval.report.training import TrainingSection, training_section
from gan_eval.report.training_looks import curve_styles

_HERE = Path(__file__).parent


def render(folder: StudyFolder, *, title: str | None = None) -> str:
    """The whole HTML file. Every text of the tables is escaped; only the figures are markup of our own."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.jinja").render(
        style=Markup((_HERE / "style.css").read_text(encoding="utf-8")) + curve_styles(),
        title=title or _title(folder),
        simulated=folder.simulated,
        badges=badges(folder),
        answer=answer(folder),
        facts=design_facts(folder),
        sections=_sections(folder),
        samples=samples(folder),
        notes=notes(folder),
        methods=methods(folder),
        versions=views.versions(folder),
    )


def _title(folder: StudyFolder) -> str:
    if folder.facts.get("title"):
        return str(folder.facts["title"])
    if folder.study is not None:
        return folder.study.study.title or folder.study.study.name
    return folder.path.resolve().name


def _sections(folder: StudyFolder) -> list[dict[str, Any]]:
    """Heading, figures and tables, in reading order; empty sections are left out."""
    training, metrics = training_section(folder), metrics_section(folder)
    every = [
        ("rates", "Can they tell?", figures.rates_figures(folder), views.rates_views(folder)),
        ("published", "Beside published numbers", [], published_views(folder)),
        (
            "models",
            "Beyond these people and these pictures",
            [],
            [*views.mixed_view(folder), *views.comparisons_view(folder)],
        ),
        ("times", "How long did they take?", figures.reaction_figures(folder), views.reaction_view(folder)),
        ("metrics", "What do the metrics say?", [], metrics.tables),
        ("agreement", "Do metrics agree with people?", [], views.correlations_views(folder)),
        ("training", "How did training go?", training.figures, training.tables),
    ]
    return [
        {
            "id": name,
            "heading": heading,
            "figures": drawn,
            "tables": [] if name == "metrics" else tables,
            "metrics": metrics if name == "metrics" else MetricsSection(),
            "training": training if name == "training" else TrainingSection(),
        }
        for name, heading, drawn, tables in every
        if drawn or tables
    ]
