"""The demo: a whole small study on photographs that come with scikit-image, with no data of the user's."""

from itertools import product
from pathlib import Path

import numpy as np

from gan_eval.errors import UserError
from gan_eval.files import claim_output_folder, write_bytes
from gan_eval.locks import refuse_if_held
from gan_eval.stimuli import pictures as images
from gan_eval.stimuli.pictures import Picture
from gan_eval.study import markers
from gan_eval.study.markers import Listener
from gan_eval.study.plan import make_plan
from gan_eval.study.sessions import ask_next_person
from gan_eval.study.stages import list_stages
from gan_eval.system_libraries import missing_display
from gan_eval.weights import cache

STUDY = Path(__file__).with_name("demo.toml")
CROP = 192
"""Side of a crop in pixels: the size the study trains and shows."""

TRAIN_PICTURES = {"astronaut": 64, "chelsea": 48, "rocket": 64}
TEST_PICTURES = {"coffee": 128, "motorcycle": 128}
"""Names of scikit-image's pictures and the stride of their crops in pixels; no picture is in both."""


def run_demo(out: Path, listener: Listener, *, simulate: str | None = None) -> Path:
    """Train, generate, measure, ask people (or simulate them where there is no screen) and report.

    Args:
        out: the study's folder.
        listener: told of every stage.
        simulate: rehearse the quiz with this simulated participant even where there is a screen.

    Returns:
        The report.

    Raises:
        UserError: `out` is somebody else's, or cannot be written.
        SystemExit: the quiz was interrupted, and has said so.
    """
    claim_output_folder(out)
    refuse_if_held(*markers.run_lock(out), say=listener.message)
    make_data(out / "data" / "edges2photo")
    try:
        cache.find("inception")
    except UserError:
        try:
            cache.fetch("inception", on_progress=lambda done, total: listener.progress("fetch weights", done, total))
        except UserError as error:  # without the network FID's rows carry the reason
            listener.message(f"FID and KID are left out: {error}")
    study = out / "demo.toml"
    write_bytes(study, STUDY.read_bytes())
    asks = simulate is None and missing_display() is None
    if simulate is None and not asks:
        listener.message("no screen here: the quiz is rehearsed by simulated participants, marked as simulated")
        simulate = "default"
    plan = make_plan(study, out, data_root=out / "data", simulate=simulate)
    stages = list_stages(plan)
    if asks:
        machine = [stage for stage in stages if stage.name.split("-")[0] in ("train", "generate", "metrics")]
        markers.run(machine, out, listener)
        ask_next_person(plan, listener)
    markers.run(stages, out, listener)
    return out / "report.html"


def make_data(folder: Path) -> None:
    """Write A|B pictures, edges beside photograph, into `folder`/train and `folder`/test; what is there is kept."""
    from skimage import data

    for split, pictures in (("train", TRAIN_PICTURES), ("test", TEST_PICTURES)):
        for name, stride in pictures.items():
            picture = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
            photograph = np.ascontiguousarray(picture[..., :3], dtype=np.uint8)
            height, width = photograph.shape[:2]
            for top, left in product(range(0, height - CROP + 1, stride), range(0, width - CROP + 1, stride)):
                path = folder / split / f"{name}-{top:03d}-{left:03d}.png"
                if not path.is_file():
                    crop = photograph[top : top + CROP, left : left + CROP]
                    images.write_png(path, np.concatenate([edges(crop), crop], axis=1))


def edges(photograph: Picture) -> Picture:
    """Soft edges of a photograph, dark on white: its inverted Sobel magnitude.

    Args:
        photograph: (H, W, 3) uint8.

    Returns:
        (H, W, 3) uint8, grey.
    """
    from skimage import color, filters

    magnitude = filters.sobel(filters.gaussian(color.rgb2gray(photograph), sigma=1.0))
    strength = np.clip(magnitude / np.quantile(magnitude, 0.97), 0.0, 1.0)
    grey = np.rint(255.0 * (1.0 - strength)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
