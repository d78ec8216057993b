"""The page: a report's content put into the template.

Several models' metric values in one self-contained HTML file: who is best by what, and how far that can be said.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gan_eval.files import write_text
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.report.downloads import Link, links
from gan_eval.report.metrics.data import Measured
from gan_eval.report.metrics.gallery import album, how_many
from gan_eval.report.metrics.method import left_out_view, paper_paragraph, runs_view, sources, weights
from gan_eval.report.metrics.section import DatasetPart, dataset_part
from gan_eval.report.metrics.tables import table_notes
from gan_eval.report.parts.words import NARROW, clean, listed, plural
from gan_eval.report.sections import Content
from gan_eval.report.training.curves import curve_styles

_HERE = Path(__file__).parent


def render(content: Content) -> str:
    """The whole HTML file. Every text of the tables is escaped; only the figures are markup of our own."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_clean,
    )  # fmt: skip
    files = {file.table: file for file in content.downloads}

    def links_of(source: Sequence[str]) -> list[Link]:
        return links(source, files)

    environment.globals["links_of"] = links_of
    return environment.get_template("page.jinja").render(
        style=Markup((_HERE / "style.css").read_text(encoding="utf-8")) + curve_styles(), content=content
    )


def _clean(value: Any) -> Any:
    """No control letters; markup of our own stays as it is."""
    return clean(value) if type(value) is str else value


def build_metrics_report(
    frames: Mapping[str, pd.DataFrame], stimuli: Sequence[Stimulus], out: Path, *, title: str | None = None
) -> Path:
    """Write the report of metric tables and return its path. Equal input gives equal bytes.

    Args:
        frames: by table name: image_metrics, set_metrics, metric_comparisons, runs, beside; each may be absent.
        stimuli: the pictures that were measured, for thumbnails; those whose file cannot be read have none.
        out: the HTML file.
        title: heading; default: made of the models and data sets.

    Raises:
        UserError: the file cannot be written.
    """
    write_text(Path(out), render_metrics(Measured(frames, stimuli), title=title))
    return Path(out)


def render_metrics(measured: Measured, *, title: str | None = None) -> str:
    """The whole HTML file. Every text of the tables is escaped; only the figures are markup of our own."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    parts, paragraph = _parts(measured), paper_paragraph(measured)
    left_out = left_out_view(measured)
    return environment.get_template("metrics_page.jinja").render(
        style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),
        title=title or _title(measured),
        badges=_badges(measured),
        sections=_sections(parts, has_method=bool(paragraph or left_out)),
        parts=parts,
        album=album(one for part in parts for one in part.shown),
        table_notes=table_notes(measured),
        paragraph=paragraph,
        sources=sources(measured),
        weights=weights(measured),
        runs=runs_view(measured),
        left_out=left_out,
    )


def _parts(measured: Measured) -> list[DatasetPart]:
    datasets = measured.datasets
    most = how_many(sum(len(measured.picture_metrics(dataset)) for dataset in datasets))
    return [
        dataset_part(measured, dataset, prefix=f"d{place}", most_listed=most) for place, dataset in enumerate(datasets)
    ]


def _sections(parts: Sequence[DatasetPart], *, has_method: bool) -> dict[str, str]:
    """Identifier and heading of each section after the answer that has something to show."""
    shown = {
        "values": ("The values", bool(parts)),
        "distributions": ("How the values lie", any(part.distributions for part in parts)),
        "differences": ("Differences between models", any(part.difference_tables or part.wins for part in parts)),
        "extremes": ("Best and worst pictures", any(part.extremes for part in parts)),
        "agreement": ("Where metrics disagree", any(part.agreement or part.disputed for part in parts)),
        "methods": ("Method", has_method),
    }
    return {name: heading for name, (heading, there) in shown.items() if there}


def _title(measured: Measured) -> str:
    models = list(dict.fromkeys(model for dataset in measured.datasets for model in measured.models(dataset)))
    if not models:
        return "Metrics of pictures"
    who = models[0] if len(models) == 1 else plural(len(models), "model")
    return f"Metrics of {who} on {listed(measured.datasets)}"


def _badges(measured: Measured) -> list[str]:
    """What must be seen before any number is read."""
    shares = {
        float(share)
        for frame in (measured.images, measured.sets)
        if "fraction" in frame
        for share in frame["fraction"].dropna().unique()
        if share < 1
    }
    if not shares:
        return []
    told = listed([f"{100 * share:.3g}{NARROW}%" for share in sorted(shares)])
    return [f"Models trained for {told} of the planned steps"]
