"""The report of the gallery: parts of photographs, two simple changes of them, and simulated participants.

python packaging/example_report.py OUT       writes OUT/report.html; needs no network
"""

import sys
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from gan_eval.pictures.decode import write_png
from gan_eval.pictures.importing import import_items
from gan_eval.pictures.layouts import Found
from gan_eval.settings.template import write_study
from gan_eval.study import markers
from gan_eval.study.demo import MODELS, crops
from gan_eval.study.plan import make_plan
from gan_eval.study.stages import list_stages

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "grace_hopper")
"""Photographs that come with scikit-image and Matplotlib."""
SIDE, CROPS_EACH = 160, 6
STUDY = {
    "study": {"name": "example", "title": "Example: photographs and two simple changes of them"},
    "quiz": {"real": 10, "fake": 10, "participants": 10},
    "metrics": {"names": ["psnr", "ssim"]},
}


class Quiet:
    """A listener of stages that prints nothing."""

    def message(self, text: str) -> None:
        """Ignore a message."""

    def progress(self, *_: object, **__: object) -> None:
        """Ignore progress."""


def make_report(out: Path) -> Path:
    """Make pictures and a study in an empty folder, simulate its participants, and return the report."""
    items: dict[str, dict[str, Path]] = {}
    for name in PHOTOGRAPHS:
        for top, left, real in islice(crops(name, SIDE, SIDE), CROPS_EACH):
            versions = {model: np.asarray(change(Image.fromarray(real))) for model, change in MODELS.items()}
            for role, picture in {"real": real, **versions}.items():
                path = out / "pictures" / role / f"{name}-{top}-{left}.png"
                write_png(path, picture)
                items.setdefault(path.stem, {})[role] = path
    models = {model: model for model in MODELS}
    import_items(Found(items), out / "set", where="the example", dataset="photographs", models=models)
    write_study(out / "example.toml", STUDY, sets=[out / "set"])
    plan = make_plan(out / "example.toml", out / "study", simulate="default")
    markers.run(list_stages(plan), plan.folder, Quiet())
    return plan.folder / "report.html"


if __name__ == "__main__":
    print(make_report(Path(sys.argv[1])))
