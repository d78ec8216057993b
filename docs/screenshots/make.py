"""Pictures of every page of the quiz, off screen, from a session that this program answers itself.

    python docs/screenshots/make.py OUT [--size 1366x768] [--ratio 1] [--text-size 100] [--language en] [--readme] ...
    python docs/screenshots/make.py OUT --size 960x600 --film

`OUT/01_welcome.png`, ... are at physical pixels: `--size 3840x2160 --ratio 2` is a 4K screen whose pages are laid out
for 1920x1080. The pictures to be judged are photographs from scikit-image (public domain) and, as fakes, the same
photographs blurred and flattened. `--readme` saves two of them, in few colours, next to this file. `--film` plays a
short session instead and makes `docs/images/session.gif` of it, with `docs/images/report.png` at its end.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from skimage import data

from gan_eval.pictures.decode import write_png
from gan_eval.pictures.sets import StimulusSet, read_set, stimulus_row, write_set
from gan_eval.quiz.station import Presentation
from gan_eval.settings.quiz import QuestionSettings, QuizSettings

SIDE = 256
IMAGES = Path(__file__).parents[1] / "images"
FILM_MS = {"welcome": 3000, "ready": 1200, "fixation": 400, "picture": 900, "end": 3000}
"""Seconds of each page or phase in the moving picture; others are left out."""
REPORT_MS = 5000
FILM_WIDTH = 720
QUESTIONS = (
    QuestionSettings(id="age", text="How old are you?", choices=("18 to 29", "30 to 44", "45 to 59", "60 or older")),
    QuestionSettings(id="work", text="What is your work?", required=False),
)


def crops() -> list[Image.Image]:
    """Square details of photographs."""
    found = []
    for photograph in (data.astronaut(), data.chelsea(), data.coffee(), data.rocket()):
        image = Image.fromarray(photograph)
        for column in range(3):
            side = min(image.size) * 2 // 3
            left = column * (image.width - side) // 2
            box = (left, (image.height - side) * (column % 2), left + side, (image.height - side) * (column % 2) + side)
            found.append(image.crop(box).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    return found


def make_set(folder: Path, *, inputs: bool) -> StimulusSet:
    """A stimulus set of those details; its fakes are blurred and flattened, its inputs, if any, have few colours."""
    rows = []
    for number, real in enumerate(crops()):
        fake = real.filter(ImageFilter.GaussianBlur(2)).filter(ImageFilter.ModeFilter(7))
        label = real.filter(ImageFilter.GaussianBlur(6)).quantize(5).convert("RGB")
        for role, picture in (("input", label), ("real", real), ("fake", fake)):
            write_png(folder / role / f"{number}.png", np.asarray(picture))
        shared = {"dataset": "details", "stem": str(number), "size": (SIDE, SIDE)}
        if inputs:
            shared["input_file"] = f"input/{number}.png"
        rows.append(stimulus_row(folder, folder / f"real/{number}.png", kind="real", **shared))
        shared["reference_file"] = f"real/{number}.png"
        rows.append(stimulus_row(folder, folder / f"fake/{number}.png", kind="fake", model="blur", **shared))
    write_set(folder, rows)
    return read_set(folder)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", default="1366x768", help="the screen in physical pixels")
    parser.add_argument("--ratio", type=float, default=1.0, help="physical pixels for one logical pixel")
    parser.add_argument("--text-size", type=int, default=100)
    parser.add_argument("--language", default="en")
    parser.add_argument("--protocol", default="quick_response")
    parser.add_argument(
        "--exposure-ms", type=float, help="a flash, after which the keys are named; else until the answer"
    )
    parser.add_argument("--no-inputs", action="store_true", help="a set without what the generator was given")
    parser.add_argument("--readme", action="store_true", help="make the two pictures of docs/gallery.md")
    parser.add_argument("--film", action="store_true", help="make the README's moving picture")
    return parser.parse_args()


def offscreen(size: str, ratio: float, folder: Path) -> None:
    """Let Qt draw on a screen that does not exist."""
    width, height = (int(length) for length in size.split("x"))
    screen = {"name": "drawn", "x": 0, "y": 0, "width": width, "height": height, "dpr": 1, "logicalDpi": 96}
    file = folder / "screens.json"
    file.write_text(json.dumps({"screens": [screen]}), encoding="utf-8")
    os.environ |= {"QT_QPA_PLATFORM": f"offscreen:configfile={file}", "QT_SCALE_FACTOR": str(ratio)}


def make_film(pages: Path, report: Path, gif: Path) -> None:
    """Join the pictures of a session, and the head of a report, to one GIF that repeats."""
    shown = [(file, FILM_MS.get(file.stem.split("_", 1)[1], 0)) for file in sorted(pages.glob("*.png"))]
    frames = [(Image.open(file).convert("RGB"), ms) for file, ms in shown if ms]
    width, height = frames[0][0].size
    with Image.open(report) as page:
        whole = page.convert("RGB")
    head = whole.resize((width, round(whole.height * width / whole.width)), Image.Resampling.LANCZOS)
    frames.append((head.crop((0, 0, width, height)), REPORT_MS))
    size = (FILM_WIDTH, round(height * FILM_WIDTH / width))
    small = [picture.resize(size, Image.Resampling.LANCZOS).quantize(96) for picture, _ in frames]
    durations = [ms for _, ms in frames]
    small[0].save(gif, save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True)


def main() -> None:
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        offscreen(given.size, given.ratio, folder)
        from robot import take_pictures  # Qt reads where to draw when it is loaded

        pairs = given.protocol in ("paired", "model_vs_model")
        questions = {} if given.film else {"practice": 1, "break_every": 3, "confidence": 5, "questions": QUESTIONS}
        settings = QuizSettings(
            protocol=given.protocol,
            **({"pairs": 5} if pairs else {"real": 4, "fake": 4}),
            exposure_ms=given.exposure_ms or "until-answer",
            feedback_ms=600,
            blank_ms=200,
            **questions,
        )
        how = Presentation(text_size=given.text_size, language=given.language)
        take_pictures(
            make_set(folder / "set", inputs=not given.no_inputs),
            settings,
            how,
            store=folder / "store.sqlite",
            out=given.out,
            every_trial=given.film,
        )
    if given.film:
        make_film(given.out, IMAGES / "report.png", IMAGES / "session.gif")
    if given.readme:
        for found, name in (("welcome", "instructions"), ("end", "review")):
            picture = Image.open(next(given.out.glob(f"*_{found}.png"))).convert("RGB")
            few_colours = picture.quantize(128, dither=Image.Dither.FLOYDSTEINBERG)
            few_colours.save(Path(__file__).with_name(f"{name}.png"), optimize=True)


if __name__ == "__main__":
    main()
