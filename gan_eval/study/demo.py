"""The demos: small studies on photographs that come with scikit-image and Matplotlib, without data of the user.

`run_demo` goes from training to the report; `make_online_demo` is ready to be served within seconds. The generators of
the first learn to turn 8-colour images, with each channel on or off and dithered, back into photographs. A
pixel depends only on the pixels around it, so a minute and few photographs are enough.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import islice, permutations, product
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageFilter

from gan_eval.base.atomic import write_bytes
from gan_eval.base.commands import setup_command
from gan_eval.base.errors import UserError
from gan_eval.base.locks import refuse_if_held
from gan_eval.base.output_folders import claim_output_folder
from gan_eval.base.progress import Listener, about_download
from gan_eval.base.reading import read_bytes
from gan_eval.base.system_libraries import missing_display
from gan_eval.metrics.weights import cache
from gan_eval.pictures import decode as images
from gan_eval.pictures.decode import Picture
from gan_eval.pictures.importing import import_items
from gan_eval.pictures.layouts import Found
from gan_eval.settings.study import load_study
from gan_eval.settings.template import toml, write_study
from gan_eval.study import markers
from gan_eval.study.markers import Stage
from gan_eval.study.plan import Plan, make_plan
from gan_eval.study.sessions import closing_lines, is_rehearsal, open_quiz, read_sessions
from gan_eval.study.stages import list_stages
from gan_eval.study.two_folders import screen_factor, size_note
from gan_eval.tables import IMAGE_METRICS, SET_METRICS

STUDY = Path(__file__).with_name("demo.toml")
REHEARSED = 24
"""Number of simulated participants, so that each picture is judged by about four."""
OF_A_PERSON = b"participants = 1 "
OF_A_REHEARSAL = b"participants = %d " % REHEARSED
OWN_SIZE = b'picture_size = "native"'
CROP = 192
"""Side of a crop in pixels: the size the study trains and shows."""

TRAIN_PHOTOGRAPHS = {
    "stereo_motorcycle": 96, "rocket": 110, "hubble_deep_field": 220, "immunohistochemistry": 160, "retina": 305,
    "camera": 160, "brick": 320, "grass": 320, "gravel": 320,
}  # fmt: skip
TEST_PHOTOGRAPHS = {"astronaut": 160, "chelsea": 108, "coffee": 200, "grace_hopper": 160}
"""Functions of `skimage.data`, and a file of Matplotlib, with the distance in pixels from one crop to the next, to the
right and downwards; no photograph is in both."""

PHOTOGRAPHS = (
    "astronaut", "chelsea", "coffee", "grace_hopper", "rocket", "stereo_motorcycle", "camera", "retina",
    "immunohistochemistry", "brick", "grass", "gravel",
)  # fmt: skip
ONLINE_CROP = 256
"""Side of a crop in pixels."""
CROPS_EACH = 4
"""Maximum number of crops of one photograph."""


def run_demo(
    out: Path, listener: Listener, *, again: Sequence[str], simulate: str | None = None, threads: int | None = None
) -> Path:
    """Train, generate, measure, ask people (or simulate them without a screen) and report.

    Args:
        again: the command that the user typed, in words.
        simulate: rehearse the quiz with this simulated participant even where there is a screen.

    Raises:
        SystemExit: the quiz was interrupted and has printed that.
    """
    claim_output_folder(out, private=True)
    refuse_if_held(*markers.run_lock(out))
    asks = simulate is None and missing_display() is None
    rehearsed = f"{REHEARSED} simulated participants"
    who = f"a quiz of 30 pictures for you, a rehearsal by {rehearsed}" if asks else f"a quiz rehearsed by {rehearsed}"
    listener.message(
        f"demo: trains 3 small models (about a minute each), generates and measures their pictures, then {who}, "
        f"statistics, and {out / 'report.html'}; 4 minutes on 2 CPU cores. Ctrl-C stops it; rerun it to continue"
    )
    listener.progress(0, 0, "pictures")
    make_data(out / "data" / "dots2photo")
    listener.progress(1, 1, "pictures")
    _fetch_inception(listener)
    study = out / "demo.toml"
    size = load_study(study).quiz.picture_size if study.is_file() else _size_on_screen(asks)  # answers belong to one
    text = STUDY.read_bytes().replace(OWN_SIZE, b"picture_size = %s" % toml(size).encode())
    write_bytes(study, text)
    if not asks and simulate is None:
        listener.message("no screen here: the quiz is rehearsed by simulated participants, marked as simulated")
        simulate = "default"
    how: dict[str, Any] = {"data_root": out / "data", "simulate": simulate, "threads": threads}
    plan = make_plan(study, out, **how)
    if is_rehearsal(plan, read_sessions(plan)):
        write_bytes(study, text.replace(OF_A_PERSON, OF_A_REHEARSAL))
        plan = make_plan(study, out, **how)
    stages = list_stages(plan)
    if asks:
        markers.run(_some(stages, "train", "generate", "metrics"), out, listener)
        open_quiz(plan, read_sessions(plan), listener, note=size_note(CROP, size))
    markers.run(stages, out, listener)
    rehearsal = rehearse(plan, listener) if asks else None
    for line in closing_lines(plan, again, rehearsal=rehearsal):
        listener.message(line)
    listener.message("with pictures of your own: gan-eval try REAL FAKE  # two folders; equal file names are pairs")
    return out / "report.html"


def _some(stages: Sequence[Stage], *families: str) -> list[Stage]:
    return [stage for stage in stages if stage.name.split("-")[0] in families]


def _fetch_inception(listener: Listener) -> None:
    """Fetch the network's weights if they are not there; without the network, the rows of FID have the reason."""
    try:
        cache.find("inception")
    except UserError:
        try:
            cache.fetch("inception", on_progress=about_download("fetch weights", listener.progress))
        except UserError as error:
            listener.message(f"FID and KID are left out: {error}")


def _size_on_screen(asks: bool) -> int | Literal["native"]:
    """Return the width at which a person sees the pictures: the largest whole multiple that fits the screen."""
    factor = screen_factor((CROP, CROP)) if asks else 1
    return factor * CROP if factor > 1 else "native"


def rehearse(plan: Plan, listener: Listener) -> Plan | None:
    """Simulate a finished study with the pictures of a measured one, and report it; None, with a message: it cannot be.

    It is in the folder `rehearsal` of the study's; every row, and its report's title, say that nobody answered.
    """
    out = plan.folder / "rehearsal"
    listener.message(f"rehearsal: {REHEARSED} simulated participants show what a finished study looks like")
    try:
        claim_output_folder(out, private=True)
        if not (file := out / "study.toml").is_file():
            study = plan.study.study
            values = {
                "study": {
                    "name": f"{study.name}_rehearsal",
                    "title": f"Rehearsal: {study.title}",
                    "question": study.question,
                },
                "quiz": {**plan.study.quiz.model_dump(exclude_defaults=True), "participants": REHEARSED},
                "metrics": plan.study.metrics.model_dump(exclude_defaults=True),
            }
            write_study(file, values, sets=[*plan.stimulus_folders().values()])
        for name in (f"{table.name}.csv" for table in (IMAGE_METRICS, SET_METRICS)):  # they are of the same pictures
            write_bytes(out / "metrics" / name, read_bytes(plan.folder / "metrics" / name))
        rehearsed = make_plan(file, out, simulate="default")
        markers.run(_some(list_stages(rehearsed), "quiz", "analyze", "report"), out, listener)
    except UserError as error:  # for example other pictures than those of an earlier demo
        listener.message(f"rehearsal: skipped, {error}")
        return None
    return rehearsed


def make_data(folder: Path) -> None:
    """Write A|B pictures, 8-colour image and photograph, into `folder`/train and `folder`/test.

    The training crops have their channels in every order, so that the generator learns all colours.
    """
    write_crops(folder / "train", TRAIN_PHOTOGRAPHS, list(permutations(range(3))))
    write_crops(folder / "test", TEST_PHOTOGRAPHS)


def write_crops(
    folder: Path,
    photographs: dict[str, int],
    orders: Sequence[tuple[int, ...]] = ((0, 1, 2),),
    *,
    change: Callable[[Picture], Picture] | None = None,
) -> None:
    """Write square crops of photographs as A|B pictures, A changed (default: dithered); existing files are kept."""
    number = 0
    for name, stride in photographs.items():
        for top, left, crop in crops(name, CROP, stride):
            path = folder / f"{name}-{top:03d}-{left:03d}.png"
            if not path.is_file():
                picture = crop[..., orders[number % len(orders)]]
                images.write_png(path, np.concatenate([(change or dithered)(picture), picture], axis=1))
            number += 1


def crops(name: str, side: int, stride: int) -> Iterator[tuple[int, int, Picture]]:
    """Return the top and left edges of square crops of a photograph, with the crops."""
    photograph = read_photograph(name)
    height, width = photograph.shape[:2]
    for top, left in product(range(0, height - side + 1, stride), range(0, width - side + 1, stride)):
        yield top, left, photograph[top : top + side, left : left + side]


def read_photograph(name: str) -> Picture:
    """Return a photograph, (H, W, 3) uint8, by its function's name in `skimage.data`, or Matplotlib's grace_hopper."""
    if name == "grace_hopper":
        from matplotlib.cbook import get_sample_data

        return images.read_rgb(Path(get_sample_data("grace_hopper.jpg", asfileobj=False)))
    from skimage import data

    picture = getattr(data, name)()
    first = picture[0] if isinstance(picture, tuple) else picture  # of a stereo pair with its depths, the left picture
    levels = np.broadcast_to(first[..., None], (*first.shape, 3)) if first.ndim == 2 else first[..., :3]
    return np.ascontiguousarray(levels, dtype=np.uint8)


def dithered(photograph: Picture) -> Picture:
    """Return a photograph in the 8 colours with channels of 0 or 255, by error diffusion (Floyd and Steinberg 1976)."""
    channels = [Image.fromarray(np.ascontiguousarray(photograph[..., channel])).convert("1") for channel in range(3)]
    return np.stack([np.asarray(channel.convert("L")) for channel in channels], axis=2)


def smooth(picture: Image.Image) -> Image.Image:
    """Return a picture without its finest detail, like the output of a generator trained by L1 alone."""
    return picture.filter(ImageFilter.GaussianBlur(0.8))


def coarse(picture: Image.Image) -> Image.Image:
    """Return a picture enlarged from half of its size, as by a generator that works at half the resolution."""
    half = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    return half.resize(picture.size, Image.Resampling.LANCZOS)


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
        import_items(Found(_write_pictures(out)), out / "set", where="the demo", dataset="photographs", models=roles)
        values = {
            "study": {
                "name": "online_demo",
                "title": "Online demo: photographs and two simple changes of them",
                "question": "Can people tell changed photographs from the originals?",
            },
            "quiz": {"real": 10, "fake": 10, "participants": 8},
            "metrics": {"names": ["psnr", "ssim", "niqe"]},
        }
        write_study(file, values, sets=[out / "set"])
        listener.message(f"demo: pictures and study file in {out}")
    return make_plan(file, out)


def _write_pictures(out: Path) -> dict[str, dict[str, Path]]:
    """Write crops and their changed copies as PNG; return the files by item and role."""
    items: dict[str, dict[str, Path]] = {}
    for name in PHOTOGRAPHS:
        for top, left, real in islice(crops(name, ONLINE_CROP, ONLINE_CROP), CROPS_EACH):
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
    """Measure the pictures once, and update tables and report; return the report."""
    names = ("audit", *["metrics"] * bool(find_spec("torch")), "analyze", "report")
    markers.run(_some(list_stages(plan), *names), plan.folder, listener)
    return plan.folder / "report.html"
