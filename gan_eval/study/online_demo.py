"""A small study by link, ready within seconds: photographs that come with packages, and two simple changes of them."""

from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice, product
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from gan_eval.errors import UserError
from gan_eval.files.output_folders import claim_output_folder
from gan_eval.machine.commands import setup_command
from gan_eval.settings.template import write_study
from gan_eval.stimuli import pictures as images
from gan_eval.stimuli.importing import import_items
from gan_eval.study import markers
from gan_eval.study.demo import read_photograph
from gan_eval.study.markers import Listener
from gan_eval.study.plan import Plan, make_plan
from gan_eval.study.stages import list_stages

PHOTOGRAPHS = (
    "astronaut", "chelsea", "coffee", "grace_hopper", "rocket", "stereo_motorcycle", "camera", "retina",
    "immunohistochemistry", "brick", "grass", "gravel",
)  # fmt: skip
CROP, CROPS_EACH = 256, 4
"""Side of a crop in pixels; most crops of one photograph."""
JUDGED = 10
"""Pictures of each kind that a participant judges."""


def smooth(picture: Image.Image) -> Image.Image:
    """Return a picture without its finest detail, as of a generator that was trained by L1 alone."""
    return picture.filter(ImageFilter.GaussianBlur(0.8))


def coarse(picture: Image.Image) -> Image.Image:
    """Return a picture enlarged from half of its size, as of a generator that works at half of the resolution."""
    return picture.resize((CROP // 2, CROP // 2), Image.Resampling.BOX).resize((CROP, CROP), Image.Resampling.LANCZOS)


MODELS: dict[str, Callable[[Image.Image], Image.Image]] = {"smooth": smooth, "coarse": coarse}


def make_online_demo(out: Path, listener: Listener) -> Plan:
    """Make the demo's pictures, stimulus set and study file, unless they are there.

    Raises:
        UserError: `out` is not the demo's, or cannot be written; scikit-image is not installed.
    """
    if find_spec("skimage") is None:
        raise UserError(f"serve --demo: scikit-image is missing; install it with: {setup_command('web')}")
    claim_output_folder(out, private=True)
    file = out / "study.toml"
    if not file.is_file():
        if any((out / name).exists() for name in ("store.sqlite", "report.html", "demo.toml")):
            raise UserError(f"--out {out}: holds another study; name an empty folder")
        roles = {f"fake/{model}": model for model in MODELS}
        import_items(_write_pictures(out), out / "set", where="the demo", dataset="photographs", models=roles)
        values = {
            "study": {
                "name": "online_demo",
                "title": "Online demo: photographs and two simple changes of them",
                "question": "Can people tell changed photographs from the originals?",
            },
            "quiz": {"real": JUDGED, "fake": JUDGED, "participants": 8},
            "metrics": {"names": ["psnr", "ssim", "niqe"]},
        }
        write_study(file, values, sets=[out / "set"])
        listener.message(f"demo: pictures and study file in {out}")
    return make_plan(file, out)


def _write_pictures(out: Path) -> dict[str, dict[str, Path]]:
    """Write crops and their changed copies as PNG; return the files by item and role."""
    items: dict[str, dict[str, Path]] = {}
    for name in PHOTOGRAPHS:
        photograph = read_photograph(name)
        height, width = photograph.shape[:2]
        places = product(range(0, height - CROP + 1, CROP), range(0, width - CROP + 1, CROP))
        for top, left in islice(places, CROPS_EACH):
            real = photograph[top : top + CROP, left : left + CROP]
            versions = {"real": real}
            for model, change in MODELS.items():
                versions[f"fake/{model}"] = np.asarray(change(Image.fromarray(real)))
            stem = f"{name}-{top:04d}-{left:04d}"
            for role, picture in versions.items():
                path = out / "pictures" / role / f"{stem}.png"
                images.write_png(path, picture)
                items.setdefault(stem, {})[role] = path
    return items


def refresh_report(plan: Plan, listener: Listener) -> Path:
    """Measure the pictures, once, and bring tables and report up to date; return the report."""
    wanted = {"analyze", "report"} | ({"metrics"} if find_spec("torch") else set())
    markers.run([stage for stage in list_stages(plan) if stage.name in wanted], plan.folder, listener)
    return plan.folder / "report.html"
