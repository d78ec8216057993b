"""LPIPS, DISTS and BRISQUE: metrics with pretrained weights, the same in all programs.

Each program is built as its users build it. What it would download, the same numbers of gan_eval's weights take the
place of, which come out of a package index.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, cast
from unittest import mock

import numpy as np
import torch

from gan_eval.metrics import load, scores
from gan_eval.metrics.definitions.no_reference import load_regression
from gan_eval.metrics.definitions.perceptual import read_dists_weights, read_trunk
from gan_eval.metrics.weights.cache import fetch
from other_programs.inputs import Function, as_bytes, as_doubles, as_singles, each, large_pairs
from other_programs.installed import Machine
from other_programs.rows import Found, Table, module_of, named

WEIGHTS = ("alexnet", "vgg16", "dists", "brisque")
UNIT = "expects -1..1, and takes 0..1 without a warning"
WHOLE = "of the picture's own size; gan_eval and piq scale the shorter side to 256"


def fetch_weights(folder: Path) -> None:
    """Fetch what all programs need into this folder."""
    os.environ["GAN_EVAL_CACHE"] = str(folder.absolute())
    for name in WEIGHTS:
        fetch(name)


def learned_pairs() -> Table:
    """LPIPS and DISTS of pairs."""
    with downloads_replaced(), torch.no_grad():
        return {
            "LPIPS, AlexNet": [*lpips_rows("alex", "lpips_alex"), *other_calls()],
            "LPIPS, VGG16": [*lpips_rows("vgg", "lpips_vgg"), *piq_lpips()],
            "DISTS": dists_rows(),
            "DISTS, 512x512": large_dists(),
        }


def lpips_rows(net: str, name: str) -> list[Found]:
    """LPIPS of one network."""
    import lpips
    from pyiqa.archs import lpips_arch
    from torchmetrics.functional.image import lpips as metrics_lpips

    heads = str(Path(lpips.__file__).parent / f"weights/v0.1/{net}.pth")
    metrics, pyiqa = (
        metrics_lpips._LPIPS(net=cast(Any, net)).eval(),
        lpips_arch.LPIPS(net=net, pretrained_model_path=heads),
    )
    return [
        (f"gan_eval `{name}`", each(ours_of(name), as_bytes), ""),
        (named("lpips", f"net='{net}', normalize=True"), of_units(lpips.LPIPS(net=net, verbose=False)), ""),
        (named("torchmetrics", f"net_type='{net}', normalize=True"), of_units(metrics), ""),
        (named("pyiqa", {"alex": "lpips", "vgg": "lpips-vgg"}[net]), each(pyiqa, as_singles), ""),
    ]


def of_units(network: Any) -> list[float]:
    """LPIPS of pictures in 0..1, said to be such."""
    return each(lambda a, b: network(a, b, normalize=True), as_singles)


def other_calls() -> list[Found]:
    """Return rows of wrong inputs and options that the network accepts without a warning."""
    import lpips
    from torchmetrics.functional.image import lpips as metrics_lpips

    paper, bare, first = (
        lpips.LPIPS(net="alex", verbose=False, **other) for other in ({}, {"lpips": False}, {"version": "0.0"})
    )
    equal = "not weighted by people's judgements: sum over channels and layers"
    return [
        (named("lpips", "pictures in 0..1"), each(paper, as_singles), UNIT),
        (named("torchmetrics", "pictures in 0..1"), each(metrics_lpips._LPIPS(net="alex").eval(), as_singles), UNIT),
        (named("lpips", "version='0.0', normalize=True"), of_units(first), "the first release, which did not scale"),
        (named("lpips", "lpips=False, normalize=True"), of_units(bare), equal),
    ]


def piq_lpips() -> list[Found]:
    """Only with VGG16, called LPIPS without the network's name."""
    import piq

    return [
        (named("piq", "LPIPS"), each(piq.LPIPS(), as_singles), "VGG16 is its only network"),
        (
            named("piq", "LPIPS(replace_pooling=True)"),
            each(piq.LPIPS(replace_pooling=True), as_singles),
            "mean in place of maximum pooling",
        ),
    ]


def dists_rows() -> list[Found]:
    """DISTS of pictures of 256 pixels, to which the paper's program scales the shorter side."""
    rows = [(program, each(network, as_singles), "") for program, network in dists_networks()]
    return [("gan_eval `dists`", each(ours_of("dists"), as_bytes), ""), *rows]


def large_dists() -> list[Found]:
    """Return rows of the blurred picture at twice the side."""
    fake, real = large_pairs()[0]
    rows: list[Found] = [
        ("gan_eval `dists`", [float(ours_of("dists")(as_bytes(fake), as_bytes(real))), None, None, None], "")
    ]
    for program, network in dists_networks():
        value = float(network(as_singles(fake), as_singles(real)))
        rows.append((program, [value, None, None, None], "" if program.startswith("piq") else WHOLE))
    return rows


def dists_networks() -> list[tuple[str, Function]]:
    """The programs' networks with the published weights."""
    import piq
    from pyiqa.archs.dists_arch import DISTS
    from torchmetrics.functional.image.dists import deep_image_structure_and_texture_similarity as metrics

    official = module_of("DISTS_pytorch", "DISTS_pytorch/DISTS_pt.py").DISTS(load_weights=False)
    pyiqa = DISTS(pretrained=False).eval()
    for network in (official, pyiqa):
        network.load_state_dict({**network.state_dict(), **read_dists_weights(fetch("dists"))})
    programs = {"piq": piq.DISTS(), "DISTS_pytorch": official, "torchmetrics": metrics}
    return [*((named(name), network) for name, network in programs.items()), (named("pyiqa", "dists"), pyiqa)]


def _of_one(metric: Callable[[Any], Any], fake: Any, _: Any) -> Any:
    """A metric of one picture, of the generated picture of a pair."""
    return metric(fake)


def brisque_rows(machines: list[Machine]) -> list[Found]:
    """BRISQUE of pictures alone."""
    from pyiqa.archs import brisque_arch

    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "brisque.pth")
        torch.save(support_vectors(), model)
        pyiqa = brisque_arch.BRISQUE(pretrained_model_path=str(model))
        rows: list[Found] = [("gan_eval `brisque`", each(lambda fake, _: ours_of("brisque")(fake), as_bytes), "")]
        for package, call, metric, why in (
            ("piq", "", piq_brisque, "flat areas: gan_eval sets their contrast to 0"),
            ("pyiqa", "brisque, ", pyiqa, "flat areas, and another halving"),
        ):
            double, single = (each(partial(_of_one, metric), form) for form in (as_doubles, as_singles))
            rows.append((named(package, f"{call}float64 pictures"), double, why))
            rows.append((named(package, f"{call}float32 pictures"), single, f"{why}; single precision"))
    other = "its own regression of 770 vectors, not the release's of 774; luma in 0..1 with a constant of 1/255"
    rows.append((named("brisque"), each(lambda fake, _: brisque_program().score(fake)), other))
    return [*rows, *opencv_brisque(next((models for m in machines if (models := m.brisque_models())), []))]


def opencv_brisque(models: list[str]) -> list[Found]:
    """OpenCV's BRISQUE, where a machine has its model; of BGR, as OpenCV reads pictures."""
    if not models:
        return []
    import cv2

    name = f"OpenCV {cv2.__version__} `quality.QualityBRISQUE"
    why = "its own regression, cut to 0..100; halves without smoothing"
    compute = cv2.quality.QualityBRISQUE_compute
    return [
        (f"{name}`", each(lambda fake, _: compute(fake[..., ::-1].copy(), *models)[0]), why),
        (f"{name}, RGB`", each(lambda fake, _: compute(fake, *models)[0]), f"{why}; it expects BGR"),
    ]


def piq_brisque(picture: torch.Tensor) -> torch.Tensor:
    """piq's BRISQUE with support vectors in the picture's precision."""
    import piq

    vectors = [vector.to(picture.dtype) for vector in support_vectors()]
    with mock.patch("piq.brisque.load_url", return_value=vectors):
        score: torch.Tensor = piq.brisque(picture)
    return score


@cache
def brisque_program() -> Any:
    """The package `brisque`, whose arrays of one number NumPy 2.4 does not take for numbers."""
    from brisque import BRISQUE

    class WithNumbers(BRISQUE):
        def asymmetric_generalized_gaussian_fit(self, x: Any) -> tuple[float, ...]:
            return tuple(np.asarray(value).item() for value in super().asymmetric_generalized_gaussian_fit(x))

    return WithNumbers(url=False)


def ours_of(name: str) -> Any:
    """A metric of gan_eval with its network loaded once."""
    return partial(scores, name, network=load(name))


def support_vectors() -> tuple[Any, Any]:
    """Return what piq and pyiqa keep: coefficients (N, 1) and support vectors (N, 36)."""
    regression = load_regression(fetch("brisque"))
    return torch.from_numpy(regression.coefficients)[:, None], torch.from_numpy(regression.vectors)


@contextmanager
def downloads_replaced() -> Iterator[None]:
    """Within this, what a program asks the network for comes from gan_eval's weights, with the same numbers."""
    with (
        mock.patch("torchvision.models._api.load_state_dict_from_url", replacement),
        mock.patch("torch.hub.load_state_dict_from_url", replacement),
    ):
        yield


@cache
def whole_network(name: str) -> Any:
    """A network's state; its classifier, which no metric here uses, is not trained."""
    import torchvision

    network = getattr(torchvision.models, name)()
    return {**network.state_dict(), **read_trunk(fetch(name), name)}  # type: ignore[arg-type]


def replacement(url: str, **_: Any) -> Any:
    """Return the content of the file at this address."""
    name = url.rpartition("/")[2]
    if name.startswith(("alexnet", "vgg16")):
        return whole_network(name.partition("-")[0])
    if name == "dists_weights.pt":
        return read_dists_weights(fetch("dists"))
    if name == "lpips_weights.pt":
        import lpips

        file = Path(lpips.__file__).parent / "weights/v0.1/vgg.pth"
        heads = torch.load(file, map_location="cpu", weights_only=True)
        return list(heads.values())
    raise LookupError(url)
