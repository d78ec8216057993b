"""The networks that turn pictures into the features of set metrics: Inception, VGG16, and the user's segmenter.

How pictures are brought to a network's size is part of FID's and KID's name. Only the resizing is named: Inception
always takes (x - 128)/128, the scaling of its own graph. (pytorch-fid takes x/127.5 - 1 instead, so its values differ a
little from `bilinear` here.) All resizers take (H, W, 3) uint8 and give (3, S, S) float32 in 0..255, not rounded, in
whatever layout costs least.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file
from gan_eval.metrics.catalogue import Metric
from gan_eval.metrics.definitions.record import DEFAULT_RESIZER, ExtractorName
from gan_eval.metrics.kernels.devices import exact_inference, usable_device
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.networks import inception
from gan_eval.metrics.networks.extractor import Extractor
from gan_eval.metrics.networks.segmenter_settings import PALETTE
from gan_eval.metrics.weights.cache import cache_folder, find, is_official
from gan_eval.metrics.weights.files import State, read_state, required_tensors
from gan_eval.settings.training import Precision
from gan_eval.stimuli.pictures import Picture

SIZE = 299

Resizer = Callable[[Picture, int], Tensor]


def resize(picture: Picture, name: str = DEFAULT_RESIZER, *, size: int = SIZE) -> Tensor:
    """Resize with the named rule.

    Args:
        picture: (H, W, 3) uint8.
        name: `tf1` (TensorFlow 1 bilinear, corners not aligned, no antialias; as torch-fidelity), `bilinear`
            (half-pixel bilinear, no antialias; as pytorch-fid), `bilinear-aa` (with antialias; as torchmetrics 1.9) or
            `clean` (Pillow's bicubic on each channel in float32, cut off at 0 and 255; as clean-fid).
        size: S.

    Returns:
        (3, S, S) float32, 0..255.

    Raises:
        UserError: an unknown name.

    >>> resize(np.full((64, 48, 3), 7, np.uint8), "clean").unique()
    tensor([7.])
    """
    check_resizer(name)
    return RESIZERS[name](picture, size)


def check_resizer(name: str) -> None:
    """See that there is such a resizer.

    Raises:
        UserError: there is none.
    """
    if name not in RESIZERS:
        raise UserError(f"resizer {name!r}: unknown; choose one of {', '.join(RESIZERS)}")


def _tf1(picture: Picture, size: int) -> Tensor:
    """TensorFlow 1's `resize_bilinear`: the source place is i · in/out, without a half-pixel shift."""
    x = torch.as_tensor(picture).to(torch.float32).contiguous()  # the channels side by side: rows copy in one piece
    x = _between(x, 1, *_tf1_places(x.shape[1], size))
    x = _between(x, 0, *_tf1_places(x.shape[0], size))
    return x.permute(2, 0, 1)


def _between(x: Tensor, dim: int, before: Tensor, after: Tensor, way: Tensor) -> Tensor:
    """(H, W, 3) at places between two of its rows or columns; added up in the order of TensorFlow, to the last bit."""
    near = x.index_select(dim, before)
    way = way[:, None] if dim == 1 else way[:, None, None]
    return x.index_select(dim, after).sub_(near).mul_(way).add_(near)


def _tf1_places(length: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each of `size` places: the pixel before, the pixel after, and the way between them (0..1)."""
    place = torch.arange(size, dtype=torch.float32) * torch.tensor(length / size, dtype=torch.float32)
    before = place.floor().long()
    return before, (before + 1).clamp_(max=length - 1), place - before


def _bilinear(picture: Picture, size: int) -> Tensor:
    return F.interpolate(_planes(picture)[None], (size, size), mode="bilinear", align_corners=False)[0]


def _bilinear_aa(picture: Picture, size: int) -> Tensor:
    x = _planes(picture)[None]
    return F.interpolate(x, (size, size), mode="bilinear", align_corners=False, antialias=True)[0]


def _clean(picture: Picture, size: int) -> Tensor:
    channels = [
        np.array(
            Image.fromarray(picture[..., c].astype(np.float32)).resize((size, size), resample=Image.Resampling.BICUBIC)
        )
        for c in range(3)
    ]
    return torch.from_numpy(np.stack(channels)).clamp_(0, 255)


def _planes(picture: Picture) -> Tensor:
    """(3, H, W) float32, contiguous."""
    return torch.as_tensor(picture).permute(2, 0, 1).to(torch.float32, memory_format=torch.contiguous_format)


RESIZERS: dict[str, Resizer] = {"tf1": _tf1, "bilinear": _bilinear, "bilinear-aa": _bilinear_aa, "clean": _clean}

VGG_SIZE = 224
"""Side in pixels of the pictures that VGG16 was trained on."""
FEATURES = 4096
_HIDDEN = 5
"""Layers of torchvision's `classifier` up to the second hidden layer's ReLU."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's channels in 0..1: what torchvision's networks are fed with."""


class Vgg16(nn.Module):
    """(N, 3, 224, 224) float32 in 0..255 to (N, 4096) float32, none below 0."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import vgg16

        with torch.device("meta"):
            whole = vgg16(weights=None)
        self.features = whole.features
        self.classifier = whole.classifier[:_HIDDEN]
        self.register_buffer("mean", 255 * torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", 255 * torch.tensor(_DEVIATION)[:, None, None], persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        places = self.features((pictures - self.mean) / self.deviation)  # (N, 512, 7, 7)
        return self.classifier(places.flatten(1))


def load_vgg16(path: Path) -> Vgg16:
    """The network with the weights of torchvision's whole file, ready to evaluate.

    Raises:
        Unmeasurable: the file holds the convolutions alone.
        UserError: it holds something else.
    """
    state = read_state(path, "vgg16")
    if not any(key.startswith("classifier.") for key in state) and "features.0.weight" in state:
        raise Unmeasurable(
            f"{path.name} holds VGG16's convolutions alone; the hidden layers are in torchvision's whole file "
            f"vgg16-397923af.pth: --vgg16-weights FILE, or put it into {cache_folder()}"
        )
    return vgg16_of(state, path)


def vgg16_of(state: State, path: Path) -> Vgg16:
    """The network with these weights, which are not copied; `path` is their name for messages.

    Raises:
        UserError: a layer is missing, or has another shape.
    """
    network = Vgg16()
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    network.load_state_dict(required_tensors(state, shapes, path, "vgg16"), assign=True)
    return network.requires_grad_(False).eval()


_DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class NetworkExtractor:
    """A network on its device, with its resizer: an `Extractor`."""

    name: ExtractorName
    network: nn.Module
    """(N, 3, side, side) float32 in 0..255 to (N, size) float32."""
    size: int
    side: int
    key: str
    resizer: str = DEFAULT_RESIZER
    device: str = "cpu"
    companion: None = None

    @property
    def batch_size(self) -> int:
        """Pictures for one call: enough that reading the network's weights from memory costs little beside the work."""
        return 16 if self.device == "cpu" else 64

    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """(H, W, 3) uint8 to the network's (3, side, side) float32 in 0..255."""
        return resize(picture, self.resizer, size=self.side)

    def features(self, prepared: Sequence[Tensor]) -> NDArray[np.float32]:
        """(N, size) float32 of N prepared pictures, in one call of the network."""
        with exact_inference(self.device):
            batch = torch.stack([picture.permute(1, 2, 0) for picture in prepared]).permute(0, 3, 1, 2)  # channels last
            return self.network(batch.to(self.device)).cpu().numpy()


def inception_extractor(
    weights: Path, *, resizer: str = DEFAULT_RESIZER, device: str | None = None, precision: Precision = "fp32"
) -> NetworkExtractor:
    """The Inception network of FID and KID with the weights of a file.

    Args:
        weights: see `gan_eval.metrics.networks.inception.load_inception`.
        resizer: see `gan_eval.metrics.networks.extractors.resize`.
        device: `cpu`, `cuda`, ...; default: CUDA where there is one.
        precision: `bf16` is about twice as fast on processors that have instructions for it; it moves the features by
            about 2 % (relative RMS) and FID by 0.4 to 0.9 %, and stands in the key.

    Raises:
        UserError: the file is not the network's weights, or there is no such device, or no such precision on it.
    """
    if precision not in _DTYPES:
        raise UserError(f"precision {precision!r}: unknown; choose {' or '.join(_DTYPES)}")
    device = usable_device(device)
    if precision == "bf16" and device == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        raise UserError("--precision bf16: this processor has no instructions for it; leave the option out")
    network = inception.load_inception(weights, dtype=_DTYPES[precision])
    return NetworkExtractor(
        name="inception",
        network=network.to(device),
        size=inception.FEATURES,
        side=inception.SIZE,
        key=f"inception-2015-12-05/{sha256_file(weights)}/{resizer}/{precision}",
        resizer=resizer,
        device=device,
    )


def vgg16_extractor(weights: Path, *, resizer: str = DEFAULT_RESIZER, device: str | None = None) -> NetworkExtractor:
    """VGG16's second hidden layer with the weights of torchvision's whole file.

    Args:
        weights, resizer, device: see `inception_extractor`.

    Raises:
        Unmeasurable: the file holds the convolutions alone.
        UserError: the file is not the network's weights, or there is no such device.
    """
    device = usable_device(device)
    network = load_vgg16(weights)
    return NetworkExtractor(
        name="vgg16",
        network=network.to(device).to(memory_format=torch.channels_last),
        size=FEATURES,
        side=VGG_SIZE,
        key=f"vgg16-fc2/{sha256_file(weights)}/{resizer}/fp32",
        resizer=resizer,
        device=device,
    )


def features_of(pictures: Iterable[Picture], extractor: Extractor) -> NDArray[np.float32]:
    """(N, size) float32 of (H, W, 3) uint8 pictures of any sizes; they are read and forgotten batch by batch."""
    prepared = map(extractor.prepare, pictures)
    parts = []
    while batch := list(islice(prepared, extractor.batch_size)):
        parts.append(extractor.features(batch))
    return np.concatenate(parts) if parts else np.empty((0, extractor.size), np.float32)


@dataclass
class Extractors:
    """What a run's set metrics have to work with."""

    ready: dict[ExtractorName, Extractor] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    """By the metric's name, why it cannot be computed at all."""
    sha256: dict[str, str] = field(default_factory=dict)
    """Of the files that were read, by the extractor's name."""
    caveats: dict[ExtractorName, str] = field(default_factory=dict)
    """What a reader of values from an extractor must know."""


def load_extractors(
    metrics: Iterable[Metric],
    *,
    paths: Mapping[str, Path] | None = None,
    resizer: str = DEFAULT_RESIZER,
    device: str | None = None,
    precision: Precision = "fp32",
    segmenter: Path | None = None,
) -> Extractors:
    """The extractors that the metrics name, each loaded once.

    Args:
        metrics: those requested; those without an extractor are passed over.
        paths: files by the weights' name (`inception`, `vgg16`); default: the cache.
        resizer: see `gan_eval.metrics.networks.extractors.resize`.
        device: where the networks run: cpu, cuda, ...; default: CUDA where there is one.
        precision: of Inception; VGG16 and the segmenter always run in fp32.
        segmenter: the user's network that labels street scenes (see `gan_eval.metrics.networks.segmenter`).

    Raises:
        UserError: a file that was named will not do, an unknown resizer, or there is no such device. Weights that are
            not in the cache are a reason, not an error.
    """
    check_resizer(resizer)
    paths = paths or {}
    load: dict[ExtractorName, Callable[[], tuple[Extractor, Path]]] = {
        "inception": lambda: _from_weights(
            "inception", paths, partial(inception_extractor, resizer=resizer, device=device, precision=precision)
        ),
        "vgg16": lambda: _from_weights("vgg16", paths, partial(vgg16_extractor, resizer=resizer, device=device)),
        "segmenter": lambda: _user_segmenter(segmenter, device),
        "label_colours": _label_colours,
    }
    metrics = [metric for metric in metrics if metric.extractor is not None]
    extractors = Extractors()
    for name in dict.fromkeys(metric.extractor for metric in metrics if metric.extractor is not None):
        try:
            extractors.ready[name], path = load[name]()
        except Unmeasurable as reason:
            needing = [metric.name for metric in metrics if metric.extractor == name]
            extractors.unavailable |= dict.fromkeys(needing, str(reason))
            continue
        if path == PALETTE:  # no file
            continue
        extractors.sha256[name] = sha256_file(path)
        if name != "segmenter" and not is_official(name, extractors.sha256[name]):
            extractors.caveats[name] = f"{path.name} is not a known file of the weights {name}"
    return extractors


def _from_weights(name: str, paths: Mapping[str, Path], load: Callable[[Path], Extractor]) -> tuple[Extractor, Path]:
    """The extractor and its file.

    Raises:
        Unmeasurable: the file is not in the cache, is damaged there, or lacks layers.
        UserError: a file that was named will not do.
    """
    given = paths.get(name)
    try:
        path = find(name, path=given)
        return load(path), path
    except UserError as error:
        if given is not None:
            raise
        raise Unmeasurable(str(error)) from error


def _user_segmenter(file: Path | None, device: str | None) -> tuple[Extractor, Path]:
    if file is None:
        raise Unmeasurable("no segmenter was given: --segmenter FILE")
    from gan_eval.metrics.networks.segmenter import load_segmenter

    return load_segmenter(file, device=device), file


def _label_colours() -> tuple[Extractor, Path]:
    from gan_eval.metrics.networks.segmenter import LabelColours

    return LabelColours(), PALETTE


FeatureExtractor = Callable[[Tensor], Tensor]
"""(N, 3, H, W) uint8 to (N, d)."""


class InceptionFeatures(nn.Module):
    """(N, 3, H, W) uint8, of any sizes, to (N, 2048) float32: see `inception_extractor`."""

    def __init__(self, weights: Path | None, *, resizer: str, precision: Precision) -> None:
        super().__init__()
        check_resizer(resizer)
        file = find("inception", path=weights)
        self._extractor = inception_extractor(file, resizer=resizer, device="cpu", precision=precision)
        self.network = self._extractor.network
        self.num_features = self._extractor.size

    def forward(self, pictures: Tensor) -> Tensor:
        """The features, on the network's device; pictures are resized on the CPU."""
        device = next(self.network.parameters()).device
        extractor: NetworkExtractor = replace(self._extractor, device=str(device))
        parts = [
            torch.from_numpy(extractor.features([extractor.prepare(picture.numpy()) for picture in batch]))
            for batch in pictures.cpu().permute(0, 2, 3, 1).split(extractor.batch_size)
        ]
        return torch.cat(parts).to(device) if parts else torch.empty(0, self.num_features, device=device)


def width_of(extractor: FeatureExtractor) -> int:
    """d of its features: its attribute `num_features`, else what a black picture of 299x299 gives.

    Raises:
        ValueError: it gives something else than (N, d).
    """
    width = getattr(extractor, "num_features", None)
    if isinstance(width, int):
        return width
    device = next((p.device for p in extractor.parameters()), None) if isinstance(extractor, nn.Module) else None
    features = extractor(torch.zeros(1, 3, 299, 299, dtype=torch.uint8, device=device))
    if features.ndim != 2 or len(features) != 1:
        raise ValueError(f"features of the shape {tuple(features.shape)} of one picture, wanted (1, d)")
    return features.shape[1]
