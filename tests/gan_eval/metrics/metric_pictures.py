"""Pictures made from a seed, sets of them and their metrics, and an extractor that is quick."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from gan_eval.metrics import Settings
from gan_eval.metrics.definitions.record import ExtractorName
from gan_eval.metrics.networks.extractors import Extractor
from gan_eval.metrics.run.inputs import stimuli_of_sets
from gan_eval.metrics.run.runner import Evaluation, run_metrics
from gan_eval.pictures.decode import Picture


@dataclass(kw_only=True)
class Thumbnails(Extractor):
    """For the tests of what surrounds the network: the picture at 4x4. It counts what it is asked."""

    name: ExtractorName = "inception"
    size: int = 48
    key: str = "thumbnails"
    batch_size: int = 4
    prepared: list[Picture] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """(3, 4, 4) float32."""
        self.prepared.append(picture)
        return adaptive_avg_pool2d(torch.from_numpy(picture).permute(2, 0, 1).float(), 4)

    def features(self, prepared: Sequence[Tensor]) -> NDArray[np.float32]:
        """(N, 48)"""
        self.batches.append(len(prepared))
        return torch.stack(list(prepared)).flatten(1).numpy()


def features_of(given: Iterable[Picture], extractor: Any) -> NDArray[np.float32]:
    """(N, size) float32 of (H, W, 3) uint8 pictures of any sizes."""
    prepared = [extractor.prepare(picture) for picture in given]
    return extractor.features(prepared) if prepared else np.empty((0, extractor.size), np.float32)


def measure(folders: Path | list[Path], names: str | tuple[str, ...], **how: Any) -> Evaluation:
    """Measure one stimulus set or several; `how` has the other settings."""
    sets = folders if isinstance(folders, list) else [folders]
    names = (names,) if isinstance(names, str) else names
    return run_metrics(stimuli_of_sets(sets), Settings(names, **how), command="test")


def cells(found: Evaluation, column: str = "value") -> pd.Series:
    """A column of the table of pictures, by stimulus and metric."""
    return found.image_metrics.set_index(["stimulus", "metric"])[column]


def features_frame(real: NDArray[np.floating], fake: NDArray[np.floating], stem: str = "{:02}") -> pd.DataFrame:
    """The features of the data set d and its model m as the user's frame, in any order."""
    names = [f"d/{owner}/{stem.format(n)}" for owner in ("real", "m") for n in range(len(real))]
    columns = {f"f{place}": values for place, values in enumerate(np.concatenate([real, fake]).T)}
    return pd.DataFrame({"stimulus": names, **columns}).sample(frac=1, random_state=3, ignore_index=True)


def planes(picture: Picture) -> Tensor:
    """The picture as a batch of one, (1, 3, H, W) float64 in 0..255."""
    return torch.tensor(picture).permute(2, 0, 1)[None].double()


def texture(seed: int, height: int = 192, width: int = 192) -> Picture:
    """A picture with structure at several scales, as (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 128.0)
    for cell, strength in ((1, 10), (4, 20), (16, 35)):
        coarse = rng.normal(0, strength, (-(-height // cell), -(-width // cell), 3))
        picture += coarse.repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def disturbed(picture: Picture, seed: int, strength: float = 12.0) -> Picture:
    """The picture with seeded noise."""
    noise = np.random.default_rng(seed).normal(0, strength, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def regular_pictures(side: int) -> dict[str, Picture]:
    """Pictures of side x side pixels with edges, and yet nothing that natural-scene statistics could be fitted to."""
    row, column = np.indices((side, side))
    grey = {"checkerboard": (row + column) % 2 * 255, "half black": (column >= side // 2) * 255}
    return {name: np.repeat(levels[..., None], 3, axis=2).astype(np.uint8) for name, levels in grey.items()}
