"""The section `training` of the report, and the same figures as files.

Training in tables and words: plateaus, validation on the way, warnings.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.files import write_bytes
from gan_eval.metrics.catalogue import METRICS
from gan_eval.report.parts.chart import Picture
from gan_eval.report.parts.folder import StudyFolder, read_folder
from gan_eval.report.parts.words import NOTHING, View, missing, number, whole
from gan_eval.report.training.curves import looks_of, panels_as_file
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
from gan_eval.report.training.runs import MODES, TrainingRun, chosen_steps, labels, training_runs
from gan_eval.report.training.samples import Film, GridOnPage, draw_grids, films, grids_on_page, sample_grids
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


_WARNINGS = {
    "discriminator_overpowers": "the discriminator overpowers the generator",
    "diversity_lost": "the generated pictures lose diversity",
}
_VERDICTS = {
    "still_improving": "still improves at the end",
    "never_improved": "never improved",
    "too_few": "too few measurements",
}
_METHOD = (
    "In brackets 95\u202f% intervals. A broken line, rising to a step and flat from there, by least squares; intervals "
    "and tests by a bootstrap of its residuals with their autocorrelation. A metric still improves where a straight "
    "line does as well, or where the interval reaches the end."
)


def warning_lines(runs: Sequence[TrainingRun]) -> list[str]:
    """Each run's warnings as sentences."""
    return [
        f"{run.model}, step {whole(row['step'])}: {_WARNINGS.get(row['warning'], row['warning'])}: {row['detail']}."
        for run in runs
        for _, row in run.warnings.iterrows()
    ]


def plateaus_view(found: pd.DataFrame) -> list[View]:
    """The step after which each metric no longer improves, both modes beside each other."""
    measured = found[found["n"] > 0]
    if measured.empty:
        return []
    rows = [
        [str(model), str(metric), *(_answer(group[group["mode"] == mode]) for mode in MODES), whole(group["n"].max())]
        for (model, metric), group in measured.groupby(["model", "metric"], sort=False)
    ]
    notes = [_METHOD, *_grouped_notes(measured)]
    head = ["model", "metric", *(f"{mode} mode" for mode in MODES), "N"]
    return [View("The step after which a metric no longer improves", head, rows, text_columns=4, notes=notes)]


def _grouped_notes(measured: pd.DataFrame) -> list[str]:
    """Each note once, with the measurements that it holds for: `all`, else metrics and modes by model."""
    lines = []
    for note, rows in measured[measured["note"].notna()].groupby("note", sort=False):
        models: dict[str, list[str]] = {}
        for (model, metric), group in rows.groupby(["model", "metric"], sort=False):
            modes = "both modes" if len(group) == len(MODES) else f"{group['mode'].iloc[0]} mode"
            models.setdefault(str(model), []).append(f"{metric} in {modes}")
        where = "; ".join(f"{model} ({', '.join(metrics)})" for model, metrics in models.items())
        lines.append(f"{'all' if len(rows) == len(measured) else where}: {note}.")
    return lines


def _answer(rows: pd.DataFrame) -> str:
    """One verdict in words, with the step's 95 % interval."""
    if rows.empty:
        return NOTHING
    row = rows.iloc[0]
    if row["verdict"] == "plateau":
        return f"{whole(row['plateau_step'])} ({whole(row['ci_low'])} to {whole(row['ci_high'])})"
    if row["verdict"] == "still_improving" and not missing(row["ci_low"]):
        return f"{_VERDICTS['still_improving']}; not before {whole(row['ci_low'])}"
    return _VERDICTS[row["verdict"]]


def validation_view(runs: Sequence[TrainingRun]) -> list[View]:
    """The validation values at the snapshots, else at steps spread over the run."""
    steps = chosen_steps(
        [int(step) for run in runs for step in run.validation["step"].unique()],
        wanted=[step for run in runs for step in run.snapshots],
    )
    rows: list[list[str]] = []
    reasons: dict[str, list[str]] = {}
    for run in runs:
        for (metric, mode), group in run.validation[run.validation["value"].notna()].groupby(["metric", "mode"]):
            values = group.drop_duplicates("step").set_index("step")["value"]
            shown = (number(values.get(step), digits=3) for step in steps)
            rows.append([run.model, str(metric), str(mode), *shown])
        for metric, reason in run.validation.loc[run.validation["reason"].notna(), ["metric", "reason"]].to_numpy():
            reasons.setdefault(f"no {metric}: {reason}", []).append(run.model)
    if not rows:
        return []
    notes = [f"{', '.join(dict.fromkeys(models))}: {reason}" for reason, models in reasons.items()]
    head = ["model", "metric", "mode", *("untrained" if step == 0 else f"step {whole(step)}" for step in steps)]
    return [View("Validation on the way", head, rows, text_columns=3, notes=notes)]
