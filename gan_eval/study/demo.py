"""The demo: a whole small study on photographs that come with scikit-image and Matplotlib, with no data of the user's.

The generators learn to make photographs of pictures of eight colours, each channel on or off, dithered as old screens
and printers did. That takes no more than what is around a pixel, so it is learnt in a minute and from few photographs,
and the pictures are such that one has to look.
"""

from collections.abc import Sequence
from itertools import permutations, product
from pathlib import Path

import numpy as np
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.files.atomic import write_bytes
from gan_eval.files.locks import refuse_if_held
from gan_eval.files.output_folders import claim_output_folder
from gan_eval.machine.system_libraries import missing_display
from gan_eval.metrics.weights import cache
from gan_eval.stimuli import pictures as images
from gan_eval.stimuli.pictures import Picture
from gan_eval.study import markers
from gan_eval.study.markers import Listener
from gan_eval.study.plan import make_plan
from gan_eval.study.sessions import ask_one_person
from gan_eval.study.stages import list_stages

STUDY = Path(__file__).with_name("demo.toml")
CROP = 192
"""Side of a crop in pixels: the size the study trains and shows."""

TRAIN_PHOTOGRAPHS = {
    "stereo_motorcycle": 96, "rocket": 110, "hubble_deep_field": 220, "immunohistochemistry": 160, "retina": 305,
    "camera": 160, "brick": 320, "grass": 320, "gravel": 320,
}  # fmt: skip
TEST_PHOTOGRAPHS = {"astronaut": 160, "chelsea": 108, "coffee": 200, "grace_hopper": 160}
"""Functions of `skimage.data`, and a file of Matplotlib, with the pixels from one crop to the next, to the right and
downwards; no photograph is in both."""


def run_demo(out: Path, listener: Listener, *, simulate: str | None = None, threads: int | None = None) -> Path:
    """Train, generate, measure, ask people (or simulate them without a screen) and report.

    Args:
        simulate: rehearse the quiz with this simulated participant even where there is a screen.

    Raises:
        SystemExit: the quiz was interrupted, and has said so.
    """
    claim_output_folder(out, private=True)
    refuse_if_held(*markers.run_lock(out))
    make_data(out / "data" / "dots2photo")
    try:
        cache.find("inception")
    except UserError:
        try:
            cache.fetch("inception", on_progress=markers.download_progress(listener, "fetch weights"))
        except UserError as error:  # without the network FID's rows carry the reason
            listener.message(f"FID and KID are left out: {error}")
    study = out / "demo.toml"
    write_bytes(study, STUDY.read_bytes())
    asks = simulate is None and missing_display() is None
    if simulate is None and not asks:
        listener.message("no screen here: the quiz is rehearsed by simulated participants, marked as simulated")
        simulate = "default"
    plan = make_plan(study, out, data_root=out / "data", simulate=simulate, threads=threads)
    stages = list_stages(plan)
    if asks:
        machine = [stage for stage in stages if stage.name.split("-")[0] in ("train", "generate", "metrics")]
        markers.run(machine, out, listener)
        ask_one_person(plan, listener)
    markers.run(stages, out, listener)
    return out / "report.html"


def make_data(folder: Path) -> None:
    """Write A|B pictures, 8-colour image and photograph, into `folder`/train and `folder`/test.

    The crops to train on have their channels in each order in turn, so that what is learnt holds for all colours.
    """
    write_crops(folder / "train", TRAIN_PHOTOGRAPHS, list(permutations(range(3))))
    write_crops(folder / "test", TEST_PHOTOGRAPHS)


def write_crops(folder: Path, photographs: dict[str, int], orders: Sequence[tuple[int, ...]] = ((0, 1, 2),)) -> None:
    """Write square crops of photographs as A|B pictures, A dithered; what is there is kept."""
    number = 0
    for name, stride in photographs.items():
        photograph = read_photograph(name)
        height, width = photograph.shape[:2]
        for top, left in product(range(0, height - CROP + 1, stride), range(0, width - CROP + 1, stride)):
            path = folder / f"{name}-{top:03d}-{left:03d}.png"
            if not path.is_file():
                crop = photograph[top : top + CROP, left : left + CROP, orders[number % len(orders)]]
                images.write_png(path, np.concatenate([dithered(crop), crop], axis=1))
            number += 1


def read_photograph(name: str) -> Picture:
    """A photograph by the name of its function in `skimage.data`, or Matplotlib's grace_hopper; (H, W, 3) uint8."""
    if name == "grace_hopper":
        from matplotlib.cbook import get_sample_data

        return images.read_rgb(Path(get_sample_data("grace_hopper.jpg", asfileobj=False)))
    from skimage import data

    picture = getattr(data, name)()
    first = picture[0] if isinstance(picture, tuple) else picture  # of a stereo pair with its depths, the left picture
    levels = np.broadcast_to(first[..., None], (*first.shape, 3)) if first.ndim == 2 else first[..., :3]
    return np.ascontiguousarray(levels, dtype=np.uint8)


def dithered(photograph: Picture) -> Picture:
    """A photograph in the eight colours whose channels are 0 or 255, by error diffusion (Floyd and Steinberg 1976)."""
    channels = [Image.fromarray(np.ascontiguousarray(photograph[..., channel])).convert("1") for channel in range(3)]
    return np.stack([np.asarray(channel.convert("L")) for channel in channels], axis=2)
