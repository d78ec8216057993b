"""The section `training` of the report, and the same figures as files."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.files import write_bytes
from gan_eval.metrics.catalogue import METRICS
from gan_eval.report.parts.folder import StudyFolder, read_folder
from gan_eval.report.parts.words import View
from gan_eval.report.people.figures import Picture
from gan_eval.report.training.curves import panels_as_file
from gan_eval.report.training.figures import (
    loss_panels,
    losses_figures,
    metric_panels,
    metric_title,
    mode_looks,
    mode_names,
    validated_metrics,
    validation_figures,
)
from gan_eval.report.training.runs import TrainingRun, labels, training_runs
from gan_eval.report.training.samples import Film, GridOnPage, draw_grids, films, grids_on_page, sample_grids
from gan_eval.report.training.training_looks import looks_of
from gan_eval.report.training.training_views import plateaus_view, validation_view, warning_lines
from gan_eval.settings.study import Study
from gan_eval.stats.answers.plateau import all_plateaus
from gan_eval.tables import PLATEAUS
from gan_eval.tabular import write_table


@dataclass(frozen=True)
class TrainingSection:
    """What the page shows of training; every part may be empty."""

    figures: Sequence[Picture] = ()
    tables: Sequence[View] = ()
    warnings: Sequence[str] = ()
    grids: Sequence[GridOnPage] = ()
    films: Sequence[Film] = ()


def training_section(folder: StudyFolder) -> TrainingSection:
    """Losses, pictures on the way, validation metrics with their plateaus, and warnings of all models."""
    runs = training_runs(folder)
    plateaus = _plateaus(folder, runs)
    return TrainingSection(
        figures=[*losses_figures(runs), *validation_figures(runs, plateaus)],
        tables=[*plateaus_view(plateaus), *validation_view(runs)],
        warnings=warning_lines(runs),
        grids=grids_on_page(sample_grids(runs)),
        films=films(runs),
    )


def write_figures(study_folder: Path, out: Path) -> list[Path]:
    """Write what the report shows of training as files, and return their paths.

    `losses.svg`; `grid.png` (models beside steps for one fixed picture); `validation_METRIC.svg` and `plateaus.csv`;
    those for which the folder holds nothing are left out. Equal input gives equal bytes.

    Raises:
        UserError: no such folder, or no training log in it.
    """
    folder = read_folder(Path(study_folder))
    runs = training_runs(folder)
    if not runs:
        raise UserError(f"{study_folder}: no models/*/training_log.csv; name the folder of a study that was trained")
    plateaus = _plateaus(folder, runs)
    paths = []
    for name, data in _drawn(runs, plateaus).items():
        paths.append(Path(out) / name)
        write_bytes(paths[-1], data)
    if len(plateaus):
        paths.append(Path(out) / "plateaus.csv")
        write_table(plateaus, paths[-1], PLATEAUS)
    return paths


def _drawn(runs: Sequence[TrainingRun], plateaus: pd.DataFrame) -> dict[str, bytes]:
    """The figures' files by name."""
    found: dict[str, bytes] = {}
    if panels := loss_panels(runs):
        found["losses.svg"] = panels_as_file(panels, labels(runs), looks_of(runs)).encode()
    if grids := sample_grids(runs):
        buffer = io.BytesIO()
        draw_grids(grids).save(buffer, "PNG", optimize=True)
        found["grid.png"] = buffer.getvalue()
    for metric in validated_metrics(runs):
        panels = metric_panels(runs, metric, plateaus)
        if panels:
            heading = f"Validation: {metric_title(metric)}"
            drawn = panels_as_file(panels, mode_names(), mode_looks(), heading=heading)
            found[f"validation_{metric}.svg"] = drawn.encode()
    return found


def study_plateaus(validations: Mapping[str, pd.DataFrame], study: Study | None) -> pd.DataFrame:
    """The table `plateaus` of models by their tables `validation`, with the registry's word on which way is better."""
    return all_plateaus(
        validations,
        datasets={name: model.data for name, model in study.models.items()} if study else {},
        higher_is_better={name: metric.higher_is_better for name, metric in METRICS.items()},
    )


def _plateaus(folder: StudyFolder, runs: Sequence[TrainingRun]) -> pd.DataFrame:
    """The study's table, else computed from the validation tables."""
    if PLATEAUS.name in folder.tables:
        return folder.tables[PLATEAUS.name]
    return study_plateaus({run.model: run.validation for run in runs}, folder.study)
