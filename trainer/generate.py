"""Generation: a stimulus set from a trained generator and the pictures of a split."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lightning_fabric import Fabric
from torch import nn

from gan_eval.errors import UserError
from gan_eval.files import claim_output_folder, read_json, sha256_bytes, sha256_file, write_json
from gan_eval.images import Picture, by_stem, read_rgb, resize, write_png
from gan_eval.stimuli import stimulus_row, write_set
from gan_eval.study import Direction, Mode
from gan_eval.tabular import Row
from trainer.data import list_pairs, read_pair
from trainer.inference import inference, translate
from trainer.randomness import Purpose
from trainer.run_folder import GENERATOR, differences, direction_of, load_generator, settings_of

MARKER = ".gan-eval/generate.json"


def generate(
    run: Path,
    data: Path,
    *,
    split: str,
    out: Path,
    mode: Mode = "train",
    direction: Direction | None = None,
    image_size: int | None = None,
    limit: int | None = None,
    dataset: str | None = None,
    model: str | None = None,
    seed: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_message: Callable[[str], None] | None = None,
) -> Path:
    """Write the stimulus set of a run: real, generated and input picture of every item of a split.

    Pictures already there from an interrupted call are kept; the table is written last. A picture that cannot be
    read is reported to `on_message` and left out.

    Args:
        run: folder of a finished training run.
        data: folder with `SPLIT/*.jpg`, A and B side by side.
        out: the set: stimuli.csv, real/, fake/, input/, all PNG of `image_size` squared.
        mode: BatchNorm and dropout as in training (the published way) or in evaluation.
        direction, image_size, seed: default: the run's.
        limit: at most so many items.
        dataset, model: names in the table; default: the folder names of `data` and of `run`.

    Returns:
        `out`.

    Raises:
        UserError: no finished run, no such split, a size that the network cannot take, no readable picture, another
            set in `out`.
    """
    run, data, out = Path(run), Path(data), Path(out)
    net, definition = load_generator(run)
    settings = settings_of(definition)
    size = image_size or settings.image_size
    if size % 2**net.depth:
        raise UserError(f"image_size {size}: this generator needs a multiple of {2**net.depth}")
    names = _Names(dataset or data.resolve().name, model or run.resolve().name, split)
    items = by_stem(list_pairs(data, split, limit=limit))
    direction = direction or direction_of(definition)
    seed = settings.seed if seed is None else seed
    what = {
        "generator": sha256_file(run / GENERATOR), "mode": mode, "direction": direction, "image_size": size,
        "seed": seed, "dataset": names.dataset, "model": names.model, "split": split,
    }  # fmt: skip
    _claim(out, what)

    net = net.to(Fabric(accelerator="auto", devices=1).device)
    rows: list[Row] = []
    with inference(net, mode):
        for done, (stem, path) in enumerate(items.items(), start=1):
            try:
                condition, target = (resize(half, (size, size)) for half in read_pair(path, direction))
            except UserError as error:
                if on_message is not None:
                    on_message(f"{error} (left out)")
            else:
                _write_item(net, out, stem, condition, target, seed=seed)
                rows += _rows(out, names, stem, size, definition["fraction"])
            if on_progress is not None:
                on_progress(done, len(items))
    if not rows:
        raise UserError(f"{data / split}: none of its {len(items)} pictures can be used; see the messages before")
    write_set(out, rows)
    return out


@dataclass(frozen=True)
class _Names:
    """The names in the identifiers of a set."""

    dataset: str
    model: str
    split: str

    def __post_init__(self) -> None:
        if self.model == "real":
            raise UserError("model name 'real': is kept for the ground truth; give another with --model")
        for field in ("dataset", "model"):
            if "/" in (name := getattr(self, field)) or not name:
                raise UserError(f"{field} name {name!r}: a name is wanted, without '/'; give one with --{field}")


def _claim(out: Path, what: dict[str, Any]) -> None:
    """Make `out` ours for this set, or make sure that it is."""
    claim_output_folder(out)
    marker = out / MARKER
    if marker.exists():
        differing = differences(read_json(marker), what)
        if differing:
            another = ", another ".join(differing)
            raise UserError(f"--out {out}: holds a set with another {another}; choose another folder")
    else:
        write_json(marker, what)


def _write_item(net: nn.Module, out: Path, stem: str, condition: Picture, target: Picture, *, seed: int) -> None:
    """Write the three pictures of an item, unless they are there already."""
    files = {kind: out / kind / f"{stem}.png" for kind in ("input", "real", "fake")}
    same_source = _holds(files["input"], condition) and _holds(files["real"], target)
    if same_source and _decoded_shape(files["fake"]) == target.shape:
        return
    number = int(sha256_bytes(stem.encode())[:16], 16)  # by name: dropout does not depend on the rest of the set
    fake = translate(net, condition, purpose=Purpose.GENERATE, seed=seed, number=number)
    for kind, picture in {"fake": fake, "input": condition, "real": target}.items():
        write_png(files[kind], picture)


def _holds(file: Path, picture: Picture) -> bool:
    return _decoded_shape(file) == picture.shape and np.array_equal(read_rgb(file), picture)


def _decoded_shape(file: Path) -> tuple[int, ...] | None:
    """Shape of a picture that decodes to the end, else None."""
    try:
        return read_rgb(file).shape
    except UserError:
        return None


def _rows(out: Path, names: _Names, stem: str, size: int, fraction: float) -> list[Row]:
    """The rows of the real and of the fake picture of an item."""
    shared: dict[str, Any] = {
        "dataset": names.dataset, "stem": stem, "size": (size, size), "split": names.split,
        "input_file": f"input/{stem}.png", "fraction": fraction,
    }  # fmt: skip
    real, fake = (out / kind / f"{stem}.png" for kind in ("real", "fake"))
    return [
        stimulus_row(out, real, kind="real", **shared),
        stimulus_row(out, fake, kind="fake", model=names.model, reference_file=f"real/{stem}.png", **shared),
    ]
