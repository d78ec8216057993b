"""The models' folders of a study: settings, log, validation, warnings and sample grids of each training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.errors import UserError, shortened
from gan_eval.files.reading import read_json
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.thumbnails import COMPOSITE, GENERATED, MASKED, ORIGINAL
from gan_eval.stimuli.pictures import Picture, read_rgb
from gan_eval.tables import TRAINING_WARNINGS, VALIDATION, Table
from gan_eval.tables.frames import read_table

MODES = ("train", "eval")
"""BatchNorm and dropout as in training, or as in evaluation."""
TRANSLATED = ("input", "generated", "ground truth")
FILLED = (ORIGINAL, MASKED, GENERATED, COMPOSITE)
"""The columns of sample grids, of generators that translate pictures and of those that fill holes."""
MOST_COLUMNS = 8
"""Maximum number of steps in the columns of a table or a grid."""


class TrainingSample(NamedTuple):
    """The first item of a sample grid."""

    condition: Picture
    """The generator's input; the masked picture where it fills holes."""
    generated: Picture
    """The composite where it fills holes."""
    real: Picture


@dataclass(frozen=True)
class TrainingRun:
    """One model's training."""

    model: str
    log: pd.DataFrame
    validation: pd.DataFrame
    warnings: pd.DataFrame
    settings: Mapping[str, Any]
    """The training settings of `config.json`; empty where it is absent."""
    grids: Mapping[int, Path]
    """Sample grids by step, ascending: one row for each item, its stages side by side, all square."""
    snapshots: Sequence[int]
    """Steps after which the generator was kept, ascending."""

    @property
    def ratio(self) -> str:
        """The weights of the loss, such as `GAN:L1 1:100`; empty where the settings are unknown."""
        return loss_ratio(self.settings)

    @property
    def fills_holes(self) -> bool:
        """True: the generator fills holes. False: it translates pictures."""
        return fills_holes(self.settings)

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of a sample grid's columns."""
        return FILLED if self.fills_holes else TRANSLATED

    def epoch(self, step: int) -> int | None:
        """Return the pass over the data after `step` steps; 0 before the first, None where the log does not have it."""
        if step == 0:
            return 0
        later = self.log[(self.log["step"] >= step) & self.log["epoch"].notna()]
        return None if later.empty else int(later["epoch"].iloc[0])

    def sample(self, step: int) -> TrainingSample | None:
        """Return the first item after `step` steps; None where the grid cannot be read."""
        try:
            grid = read_rgb(self.grids[step])
        except UserError:
            return None
        side = grid.shape[1] // len(self.stages)
        if side == 0 or grid.shape[0] < side:
            return None
        stages = [np.ascontiguousarray(grid[:side, k * side : (k + 1) * side]) for k in range(len(self.stages))]
        if self.fills_holes:
            original, masked, _, composite = stages
            return TrainingSample(masked, composite, original)
        return TrainingSample(*stages)


def training_runs(folder: StudyFolder) -> list[TrainingRun]:
    """Return the runs that have a training log: in the study's order, others by name."""
    order = list(folder.study.models) if folder.study is not None else []
    names = sorted(folder.training, key=lambda name: (order.index(name) if name in order else len(order), name))
    runs = []
    for name in names:
        place = folder.path / "models" / name
        config = place / "config.json"
        runs.append(
            TrainingRun(
                model=name,
                log=folder.training[name],
                validation=_table(place / "validation.csv", VALIDATION),
                warnings=_table(place / "training_warnings.csv", TRAINING_WARNINGS),
                settings=_settings_of(config) if config.is_file() else {},
                grids=_by_step(place / "samples", ".png"),
                snapshots=list(_by_step(place / "snapshots", ".safetensors")),
            )
        )
    return runs


def loss_weights(settings: Mapping[str, Any]) -> dict[str, float]:
    """Return the losses with a weight, without the adversarial one: the name of each setting `lambda_NAME`, in capitals
    where it has at most four letters.

    >>> loss_weights({"lambda_l1": 16.0, "lambda_ssim": 84.0, "lambda_l2": 0.0, "lambda_style": 1})
    {'L1': 16.0, 'SSIM': 84.0, 'style': 1.0}
    """
    names = {key: key.removeprefix("lambda_") for key in settings if key.startswith("lambda_") and settings[key]}
    return {name.upper() if len(name) < 5 else name: float(settings[key]) for key, name in names.items()}


def loss_ratio(settings: Mapping[str, Any]) -> str:
    """Return the weights of the loss in words.

    >>> loss_ratio({"adversarial_weight": 1.0, "lambda_l1": 100.0}), loss_ratio({"adversarial_weight": 1.0})
    ('GAN:L1 1:100', 'GAN alone')
    """
    weights = {"GAN": float(settings["adversarial_weight"])} if settings.get("adversarial_weight") else {}
    weights |= loss_weights(settings) | loss_weights(settings.get("inpainting") or {})
    if len(weights) < 2:
        return "".join(f"{name} alone" for name in weights)
    return f"{':'.join(weights)} {':'.join(f'{weight:g}' for weight in weights.values())}"


def ratios(runs: Sequence[TrainingRun]) -> list[str]:
    """Return each run's ratio where all differ, else empty texts."""
    texts = [run.ratio for run in runs]
    return texts if len(set(texts)) == len(texts) > 1 and all(texts) else [""] * len(texts)


def labels(runs: Sequence[TrainingRun]) -> list[str]:
    """Return each model's name, with its ratio in brackets where all ratios differ."""
    return [f"{run.model} ({ratio})" if ratio else run.model for run, ratio in zip(runs, ratios(runs), strict=True)]


def chosen_steps(steps: Sequence[int], preferred: Sequence[int] = ()) -> list[int]:
    """Return at most MOST_COLUMNS of the steps: the preferred ones where there are two or more, else evenly spread.

    >>> chosen_steps(range(0, 100, 10))
    [0, 10, 30, 40, 50, 60, 80, 90]
    >>> chosen_steps([0, 10, 20, 30], preferred=[10, 30, 40])
    [10, 30]
    """
    both = sorted(set(steps) & set(preferred))
    candidates = both if len(both) > 1 else sorted(set(steps))
    places = np.linspace(0, len(candidates) - 1, min(MOST_COLUMNS, len(candidates))).round().astype(int)
    return [candidates[place] for place in places]


def _table(path: Path, table: Table) -> pd.DataFrame:
    if path.is_file():
        return read_table(path, table)
    return pd.DataFrame({name: [] for name in table.names})


def _by_step(folder: Path, suffix: str) -> dict[int, Path]:
    """Return files `step_NNNNNNN.SUFFIX` by their step."""
    files = {path.stem.removeprefix("step_"): path for path in folder.glob(f"step_*{suffix}")}
    return {int(step): files[step] for step in sorted(files, key=lambda text: (len(text), text)) if step.isdigit()}


def training_settings(folder: StudyFolder) -> dict[str, Mapping[str, Any]]:
    """Return by model the `settings` of `models/NAME/config.json`, else those of study.toml.

    Raises:
        UserError: a config.json that holds no settings.
    """
    settings_of: dict[str, Mapping[str, Any]] = {}
    if folder.study is not None:
        settings_of = {name: folder.study.training_of(name).model_dump(mode="json") for name in folder.study.models}
    for config in sorted((folder.path / "models").glob("*/config.json")):
        settings_of[config.parent.name] = _settings_of(config)
    return settings_of


def _settings_of(config: Path) -> Mapping[str, Any]:
    """Return the settings in a run's `config.json`.

    Raises:
        UserError: it holds none.
    """
    facts = read_json(config)
    settings = facts.get("settings", {}) if isinstance(facts, dict) else facts
    if not isinstance(settings, dict):
        raise UserError(
            f"{config}: settings: found {shortened(repr(settings), 80)}; wanted a table of the training settings; "
            "restore the file"
        )
    return settings


def fills_holes(settings: Mapping[str, Any]) -> bool:
    """Return whether the settings are those of a generator that fills holes."""
    return settings.get("inpainting") is not None
