"""LPIPS and DISTS: distances of two pictures, or of a filled hole, in features of networks trained on ImageNet.

The networks come from the packages lpips and piq; this module gives them local weights and 8-bit pictures in the
expected range. Nothing is downloaded. Both load torch, and so do the functions that read their weights.
"""

import warnings
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.definitions.similarity import HOLE
from gan_eval.metrics.kernels.pictures import HolePixels, Pixels, Unmeasurable, as_hole, as_pair

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gan_eval.metrics.weights.files import State

Trunk = Literal["alexnet", "vgg16"]

_CONVOLUTIONS: dict[Trunk, dict[int, tuple[int, int, int]]] = {
    "alexnet": {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)},
    "vgg16": {
        0: (64, 3, 3), 2: (64, 64, 3), 5: (128, 64, 3), 7: (128, 128, 3),
        10: (256, 128, 3), 12: (256, 256, 3), 14: (256, 256, 3),
        17: (512, 256, 3), 19: (512, 512, 3), 21: (512, 512, 3),
        24: (512, 512, 3), 26: (512, 512, 3), 28: (512, 512, 3),
    },
}  # fmt: skip
"""Convolutions by K in torchvision's `features.K`: numbers of outputs and inputs, and side of the kernel."""

_MIN_SIDE: dict[Trunk, int] = {"alexnet": 31, "vgg16": 16}
"""Minimum side in pixels, which leaves one pixel at the last layer that is compared."""

_LIBRARY_NAME: dict[Trunk, str] = {"alexnet": "alex", "vgg16": "vgg"}

DISTS_CHANNELS = (3, 64, 128, 256, 512, 512)
"""Channels of the picture and of the five layers of VGG16 that DISTS compares."""
_DISTS_LAYERS = ("3", "8", "15", "22", "29")
"""relu1_2, relu2_2, relu3_3, relu4_3, relu5_3 as torchvision numbers them."""


@dataclass(frozen=True)
class PerceptualDistance:
    """A network that compares two pictures, on its device. It is thread-safe."""

    name: str
    network: "nn.Module"
    divisor: float
    """Divisor of an 8-bit value; then `offset` is subtracted to give the network's input."""
    offset: float
    smallest: int
    """Minimum side in pixels."""
    device: str = "cpu"
    has_map: bool = False
    """True: the network gives a distance for each pixel, (1, 1, H, W), which is averaged over a hole. False: the hole's
    bounding box is compared."""

    def __call__(self, fake: Pixels, real: Pixels, hole: "HolePixels | None" = None) -> float:
        """Return the distance; 0 for equal pictures (DISTS: to 1e-6)."""
        pair, where, what = as_pair(fake, real), None, ""
        if hole is not None:
            where = as_hole(hole, pair[0])
            if not self.has_map:
                rows, columns = np.nonzero(where)
                box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
                pair = pair[0][box], pair[1][box]
                what = "the hole's bounding box has "
        distance = self._distance(pair, what)
        if where is not None and self.has_map:
            return float(distance[0, 0][distance.new_tensor(where).bool()].double().mean())
        return float(distance)

    def map(self, fake: Pixels, real: Pixels) -> NDArray[np.float32]:
        """Return (H, W) the distance at each pixel; for a network that `has_map`."""
        return np.asarray(self._distance(as_pair(fake, real))[0, 0].numpy(), np.float32)

    def _distance(self, pair: tuple[Pixels, Pixels], what: str = "") -> "Tensor":
        """Return the network's output on the CPU: a number, or (1, 1, H, W)."""
        import torch

        from gan_eval.metrics.kernels.devices import exact_inference

        height, width, _ = pair[0].shape
        if min(height, width) < self.smallest:
            raise Unmeasurable(
                f"{what}{width}x{height} pixels; {self.name} needs at least {self.smallest}x{self.smallest}"
            )
        planes = (
            torch.tensor(picture, device=self.device)
            .permute(2, 0, 1)[None]
            .to(torch.float32, memory_format=torch.contiguous_format)
            for picture in pair
        )
        with exact_inference(self.device):
            distance: Tensor = self.network(*(picture / self.divisor - self.offset for picture in planes))
            return distance.cpu()


def read_trunk(path: Path, trunk: Trunk) -> "dict[str, Tensor]":
    """Read the convolutions of a network from torchvision's file, which may hold other tensors too.

    Raises:
        UserError: the file does not hold them.
    """
    from gan_eval.metrics.weights.files import read_state, required_tensors

    return required_tensors(read_state(path, trunk), trunk_shapes(trunk), path, trunk)


def trunk_shapes(trunk: Trunk) -> dict[str, tuple[int, ...]]:
    """Return the shapes of `features.K.weight` and `features.K.bias`.

    >>> trunk_shapes("alexnet")["features.3.weight"]
    (192, 64, 5, 5)
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (outputs, inputs, side) in _CONVOLUTIONS[trunk].items():
        shapes[f"features.{layer}.weight"] = (outputs, inputs, side, side)
        shapes[f"features.{layer}.bias"] = (outputs,)
    return shapes


def read_dists_weights(path: Path) -> "dict[str, Tensor]":
    """Read `alpha` and `beta`, (1, 1475, 1, 1): the weights of each channel's texture and structure.

    Raises:
        UserError: the file does not hold them.
    """
    from gan_eval.metrics.weights.files import read_state, required_tensors

    shape = (1, sum(DISTS_CHANNELS), 1, 1)
    return required_tensors(read_state(path, "dists"), {"alpha": shape, "beta": shape}, path, "dists")


def lpips_distance(
    trunk: Trunk, convolutions: "State", *, device: str = "cpu", has_map: bool = False
) -> PerceptualDistance:
    """Return LPIPS 0.1 (Zhang et al. 2018): network and linear heads of the library lpips, with these convolutions."""
    import lpips
    import torch

    name = _LIBRARY_NAME[trunk]
    # without meta tensors the library first builds the whole classifier: 0.5 GB
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore", UserWarning)  # it uses an argument's old name in torchvision
        network = lpips.LPIPS(net=name, pretrained=False, pnet_rand=True, verbose=False, spatial=has_map)
    heads = torch.load(Path(lpips.__file__).parent / f"weights/v0.1/{name}.pth", map_location="cpu", weights_only=True)
    state = {**heads, **{f"lins.{key[3]}{key[4:]}": value for key, value in heads.items()}}
    state |= {
        key: convolutions[f"features.{key.split('.', 2)[2]}"] for key in network.state_dict() if key[:4] == "net."
    }
    state |= dict(network.named_buffers())
    network.load_state_dict(state, assign=True)
    network.requires_grad_(False)
    return PerceptualDistance(
        name=f"LPIPS with {'AlexNet' if trunk == 'alexnet' else 'VGG16'}",
        network=network.to(device).eval(),
        divisor=127.5,
        offset=1,
        smallest=_MIN_SIDE[trunk],
        device=device,
        has_map=has_map,
    )


LPIPS_ALEX = Metric(
    name="lpips_alex",
    title="LPIPS, AlexNet",
    kind="pair",
    measures="distance from the reference in AlexNet's features, weighted as people judged distorted patches",
    source="Zhang et al. 2018; version 0.1, AlexNet, pictures not resized",
    definition="lpips/0.1/alex",
    min_size=(_MIN_SIDE["alexnet"], _MIN_SIDE["alexnet"]),
    weights=("alexnet",),
    readers=(partial(read_trunk, trunk="alexnet"),),
    make=partial(lpips_distance, "alexnet"),
    library="lpips",
)

LPIPS_VGG = replace(
    LPIPS_ALEX,
    name="lpips_vgg",
    title="LPIPS, VGG16",
    measures="as lpips_alex, in VGG16's features",
    source="Zhang et al. 2018; version 0.1, VGG16, pictures not resized",
    definition="lpips/0.1/vgg16",
    min_size=(_MIN_SIDE["vgg16"], _MIN_SIDE["vgg16"]),
    weights=("vgg16",),
    readers=(partial(read_trunk, trunk="vgg16"),),
    make=partial(lpips_distance, "vgg16"),
)


def dists_distance(convolutions: "State", weights: "State", *, device: str = "cpu") -> PerceptualDistance:
    """Return DISTS (Ding et al. 2020) as piq computes it: a shorter side above 256 pixels is scaled to 256."""
    import piq
    import torch
    from piq.perceptual import ContentLoss
    from torch import nn
    from torchvision.models import vgg16

    class InPlace(nn.Sequential):
        """Layers that stay on their device; piq moves them at each call, even while other threads use them."""

        def to(self, *_: Any, **__: Any) -> "InPlace":
            return self

    class LocalDists(piq.DISTS):
        """piq's DISTS with given weights, which its own constructor would download."""

        def __init__(self, layers: nn.Module, weights: "State") -> None:
            parts = [part for key in ("alpha", "beta") for part in weights[key].split(list(DISTS_CHANNELS), dim=1)]
            ContentLoss.__init__(
                self,
                layers,
                layers=_DISTS_LAYERS,
                weights=parts,
                replace_pooling=True,
                allow_layers_weights_mismatch=True,
            )

    with torch.device("meta"):
        layers = vgg16(weights=None).features
    layers.load_state_dict({key.removeprefix("features."): value for key, value in convolutions.items()}, assign=True)
    return PerceptualDistance(
        name="DISTS",
        network=LocalDists(InPlace(*layers), weights).to(device).eval(),
        divisor=255,
        offset=0,
        smallest=_MIN_SIDE["vgg16"],
        device=device,
    )


DISTS = Metric(
    name="dists",
    title="DISTS",
    kind="pair",
    measures="difference from the reference in structure and texture of VGG16's features; texture may shift",
    high=1,
    source="Ding et al. 2020; as piq, pictures above 256 pixels on the shorter side scaled to it",
    definition="dists/piq",
    min_size=(_MIN_SIDE["vgg16"], _MIN_SIDE["vgg16"]),
    weights=("vgg16", "dists"),
    readers=(partial(read_trunk, trunk="vgg16"), read_dists_weights),
    make=dists_distance,
    library="piq",
)


LPIPS_ALEX_HOLE = replace(
    LPIPS_ALEX,
    name="lpips_alex_hole",
    title="LPIPS, AlexNet, hole",
    measures="as lpips_alex: its map (spatial=True), averaged over the hole's pixels",
    source=f"{LPIPS_ALEX.source}; each layer's map enlarged bilinearly to the picture's size, their sum; {HOLE}",
    definition="lpips/0.1/alex/hole",
    takes_hole=True,
    make=partial(lpips_distance, "alexnet", has_map=True),
)
DISTS_HOLE = replace(
    DISTS,
    name="dists_hole",
    title="DISTS, hole",
    measures="as dists, of the hole's bounding box cut out of both pictures",
    source=f"{DISTS.source}; of the smallest rectangle that holds the hole; {HOLE}",
    definition="dists/piq/hole-box",
    takes_hole=True,
)

METRICS = (LPIPS_ALEX, LPIPS_VGG, DISTS, LPIPS_ALEX_HOLE, DISTS_HOLE)
