"""Small stimulus sets whose classes differ in nothing, or in just what a test wants."""

from collections.abc import Callable
from pathlib import Path

import pytest
from giveaway_pictures import as_png, picture
from PIL import Image

from gan_eval.stimuli.sets import StimulusSet, read_set, stimulus_row, write_set
from gan_eval.tables.frames import Row

Save = Callable[[Image.Image, Path], None]
"""Writes a picture to a path, in any format."""
MakeSet = Callable[..., StimulusSet]


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    """`make_set(real=(suffix, save), fake=(suffix, save), name="{item}", sizes={"real": (w, h)})`."""

    def make(
        *,
        items: int = 8,
        real: tuple[str, Save] = (".png", as_png),
        fake: tuple[str, Save] = (".png", as_png),
        names: dict[str, str] | None = None,
        sizes: dict[str, tuple[int, int]] | None = None,
        folder: str = "set",
        model: str = "m",
    ) -> StimulusSet:
        out = tmp_path / folder
        rows: list[Row] = []
        for item in range(items):
            files: dict[str, Path] = {}
            for seed, (kind, (suffix, save)) in enumerate(
                {"real": real, "fake": fake, "input": (".png", as_png)}.items()
            ):
                name = (names or {}).get(kind, "p{item}").format(item=item)
                files[kind] = out / kind / f"{name}{suffix}"
                files[kind].parent.mkdir(parents=True, exist_ok=True)
                size = (sizes or {}).get(kind, (40, 32))
                save(picture(seed * 100 + item, size), files[kind])
            for kind in ("real", "fake"):
                width, height = (sizes or {}).get(kind, (40, 32))
                facts = {"dataset": "d", "stem": str(item), "size": (height, width)}
                facts["input_file"] = files["input"].relative_to(out).as_posix()
                if kind == "fake":
                    facts |= {"model": model, "reference_file": files["real"].relative_to(out).as_posix()}
                rows.append(stimulus_row(out, files[kind], kind=kind, **facts))
        write_set(out, rows)
        return read_set(out)

    return make
