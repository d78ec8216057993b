"""The evolution of a run as one small animated picture, made from its sample grids.

`train` writes it at the end; of any run: `python -m trainer.evolution RUN [--gif]`.
"""

import argparse
import io
import math
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from gan_eval.files import write_bytes
from gan_eval.stimuli.pictures import Picture, read_rgb
from trainer.state.run_folder import EVOLUTION
from trainer.watch.samples import grid_step, list_grids

FRAMES = 60
"""At most so many grids are shown, evenly spread, the first and the last among them."""
BYTES = 1_500_000
"""Frames are made smaller until the file is at most this large,"""
LARGEST, SMALLEST = 768, 96
"""within these sides of a frame in pixels."""
TOTAL_MS, SHORTEST_MS, LONGEST_MS, LAST_MS = 9000, 120, 500, 2500
"""The frames share the first; each is shown at least and at most so long, the last one longer."""
QUALITY = 80
"""Of a WebP."""
SUFFIXES = (".webp", ".gif")


def write_evolution(run: Path, *, suffix: str = ".webp") -> Path | None:
    """Write RUN/evolution.webp (or .gif) from RUN/samples; equal grids give equal bytes.

    Returns:
        The file, or None where there are fewer than two grids to show.

    Raises:
        UserError: a grid cannot be read, or the file cannot be written.
    """
    grids = thinned(list_grids(Path(run) / "samples"), FRAMES)
    if len(grids) < 2:
        return None
    pictures = {grid_step(path): read_rgb(path) for path in grids}
    side = min(LARGEST, *(max(picture.shape[:2]) for picture in pictures.values()))
    while True:
        first, *others = [labelled(shrunk(picture, side), step) for step, picture in pictures.items()]
        kind: dict[str, Any] = {"format": "GIF"} if suffix == ".gif" else {"format": "WEBP", "quality": QUALITY}
        buffer = io.BytesIO()
        first.save(buffer, save_all=True, append_images=others, duration=durations(len(grids)), loop=0, **kind)
        content = buffer.getvalue()
        if len(content) <= BYTES or side <= SMALLEST:
            break
        side = max(SMALLEST, int(side * min(0.9, math.sqrt(BYTES / len(content)))))
    path = evolution_path(Path(run), suffix)
    write_bytes(path, content)
    return path


def evolution_path(run: Path, suffix: str = ".webp") -> Path:
    """The file of the animation."""
    return (run / EVOLUTION).with_suffix(suffix)


def thinned(paths: list[Path], count: int) -> list[Path]:
    """At most `count` of the paths, evenly spread, the first and the last among them."""
    if len(paths) <= count:
        return paths
    return [paths[round(k * (len(paths) - 1) / (count - 1))] for k in range(count)]


def durations(frames: int) -> list[int]:
    """How long each frame is shown, in ms.

    >>> durations(3)
    [500, 500, 2500]
    """
    usual = min(max(TOTAL_MS // frames, SHORTEST_MS), LONGEST_MS)
    return [usual] * (frames - 1) + [LAST_MS]


def shrunk(picture: Picture, side: int) -> Image.Image:
    """The picture with its longer side brought to at most `side` pixels."""
    image = Image.fromarray(picture)
    scale = min(1.0, side / max(image.size))
    width, height = (max(1, round(length * scale)) for length in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def labelled(frame: Image.Image, step: int) -> Image.Image:
    """The frame with a strip above it that names the step."""
    height = max(14, round(frame.height / 24))
    with_strip = Image.new("RGB", (frame.width, frame.height + height), "white")
    with_strip.paste(frame, (0, height))
    font = ImageFont.load_default(size=height * 0.72)
    ImageDraw.Draw(with_strip).text((height / 4, height / 2), f"step {step:,}", fill="black", font=font, anchor="lm")
    return with_strip


def main() -> None:
    """Write the evolution of a run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m trainer.evolution", description=write_evolution.__doc__)
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--gif", action="store_true", help="a GIF instead of a WebP")
    options = parser.parse_args()
    print(write_evolution(options.run, suffix=".gif" if options.gif else ".webp") or "fewer than two sample grids")


if __name__ == "__main__":
    main()
