"""Draw the picture of docs/marks.md and README.md: simulated marks on photographs with made-up artefacts.

    python docs/screenshots/marks.py

The photographs are those of the demo. Of two made-up models, one blurs a place of each photograph and the other shifts
stripes there. Simulated participants mark this place, or one near the centre.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter

from gan_eval.__main__ import run
from gan_eval.study.demo import TEST_PHOTOGRAPHS, crops
from gan_eval.tables import MARKS

SIDE, PEOPLE, OUT = 256, 24, Path("docs/images/marks.png")


def damaged(photograph: Image.Image, model: str, spot: np.ndarray) -> Image.Image:
    """Return a photograph whose place `spot` (shares of the side) a model has damaged."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    cover = np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / (2 * 0.07**2))[..., None] ** 0.5
    pixels = np.asarray(photograph, float)
    blurred = np.asarray(photograph.filter(ImageFilter.GaussianBlur(9)), float)
    shifted = np.where((np.arange(SIDE) // 5 % 2 == 0)[:, None, None], np.roll(pixels, 14, axis=1), 255 - pixels)
    return Image.fromarray((cover * (blurred if model == "blurs" else shifted) + (1 - cover) * pixels).astype(np.uint8))


def main() -> None:
    """Make pictures and marks, analyse them, and draw the figure."""
    rng = np.random.default_rng(4)
    crops_of_all = (crop for name in TEST_PHOTOGRAPHS for _, _, crop in list(crops(name, SIDE, 200))[:3])
    photographs = [Image.fromarray(crop) for crop in crops_of_all]
    with TemporaryDirectory() as temporary:
        folder, trials, marks = Path(temporary), [], []
        spots = {
            (model, n): rng.uniform(0.15, 0.85, 2) for model in ("blurs", "stripes") for n in range(len(photographs))
        }
        for name in ("real", "blurs", "stripes"):
            (folder / name).mkdir()
            for n, photograph in enumerate(photographs):
                shown = photograph if name == "real" else damaged(photograph, name, spots[name, n])
                shown.save(folder / name / f"{n:02d}.png")
        for person in range(PEOPLE):
            for n in range(len(photographs)):
                of_trial = {"session": f"S{person:02d}", "trial": 2 * n + 1, "simulated": True}
                model = ("blurs", "stripes")[(person + n) % 2]
                key = {"participant": f"S{person:02d}", "dataset": "photographs", "item": f"photographs/{n:02d}"}
                fake = {"stimulus": f"photographs/{model}/{n:02d}", "kind": "fake", "model": model, "response": "fake"}
                real = {"stimulus": f"photographs/real/{n:02d}", "kind": "real", "response": "real"}
                trials += [key | of_trial | fake, key | of_trial | {"trial": 2 * n + 2} | real]
                is_seen = rng.random() < (0.5 if model == "blurs" else 0.8)
                middle = spots[model, n] if is_seen else np.array([0.5, 0.5])
                x, y = (middle + rng.normal(0, 0.035 if is_seen else 0.15, 2)).clip(0, 1)
                marks.append(key | of_trial | fake | {"mark": 1, "x": x, "y": y})
        pd.DataFrame(trials).to_csv(folder / "trials.csv", index=False)
        pd.DataFrame(marks).reindex(columns=[*MARKS.names]).to_csv(folder / "marks.csv", index=False)
        fakes = [word for model in ("blurs", "stripes") for word in ("--fake", folder / model)]
        for command in (
            [
                "stimuli",
                "import",
                "--real",
                folder / "real",
                *fakes,
                "--dataset",
                "photographs",
                "--out",
                folder / "set",
            ],
            ["analyze", folder / "trials.csv", "--stimuli", folder / "set", "--out", folder / "analysis"],
            ["report", folder / "analysis", "--stimuli", folder / "set", "--figure", f"marks={folder / 'figure.png'}"],
        ):
            if status := run([str(word) for word in command]):
                sys.exit(status)
        with Image.open(folder / "figure.png") as figure:
            figure.thumbnail((1400, 1400), Image.Resampling.LANCZOS)
            figure.convert("RGB").quantize(255).save(OUT, optimize=True)


if __name__ == "__main__":
    main()
