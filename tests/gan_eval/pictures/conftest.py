"""Small stimulus sets whose classes differ in nothing, or in just what a test wants."""

from collections.abc import Callable
from pathlib import Path

import pytest
from giveaway_pictures import picture
from PIL import Image

from gan_eval.pictures.sets import StimulusSet, read_set, stimulus_row, write_set
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
        real: tuple[str, Save] = (".png", Image.Image.save),
        fake: tuple[str, Save] = (".png", Image.Image.save),
        names: dict[str, str] | None = None,
        sizes: dict[str, tuple[int, int]] | None = None,
        folder: str = "set",
        model: str = "m",
    ) -> StimulusSet:
        out, rows, sizes = tmp_path / folder, list[Row](), sizes or {}
        for item in range(items):
            files: dict[str, str] = {}
            made = {"real": real, "fake": fake, "input": (".png", Image.Image.save)}
            for seed, (kind, (suffix, save)) in enumerate(made.items()):
                name = (names or {}).get(kind, "p{item}").format(item=item)
                files[kind] = f"{kind}/{name}{suffix}"
                (out / kind).mkdir(parents=True, exist_ok=True)
                save(picture(seed * 100 + item, sizes.get(kind, (40, 32))), out / files[kind])
            generated = {"model": model, "reference_file": files["real"]}
            for kind, more in (("real", {}), ("fake", generated)):
                size = sizes.get(kind, (40, 32))[::-1]
                facts = {"dataset": "d", "stem": str(item), "size": size, "input_file": files["input"], **more}
                rows.append(stimulus_row(out, out / files[kind], kind=kind, **facts))
        write_set(out, rows)
        return read_set(out)

    return make
