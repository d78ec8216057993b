"""Training in tables and words: plateaus, validation on the way, warnings."""

from collections.abc import Sequence

import pandas as pd

from gan_eval.report.parts.words import NOTHING, View, missing, number, whole
from gan_eval.report.training.runs import MODES, TrainingRun, chosen_steps

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
