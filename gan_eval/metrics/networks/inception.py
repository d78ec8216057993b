"""The Inception network of 2015-12-05 up to its 2048 pooled features, as FID and KID use it.

TensorFlow's graph differs from torchvision's in three places: average pooling ignores the padding, the last block
pools by maximum, and batch normalisation has no scale and an epsilon of 1e-3. Batch normalisation is folded into the
convolutions when the weights are loaded. The graph has 3x3 means before 1x1 convolutions; here they come after them,
which gives the same sums.
"""

import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError, first_sentence
from gan_eval.metrics.weights.files import load_tensors
from gan_eval.metrics.weights.known import WEIGHTS

FEATURES = 2048
SIZE = 299
"""Side of the input in pixels."""
BATCH_NORM_EPSILON = 1e-3

Kernel = int | tuple[int, int]


class Convolution(nn.Conv2d):
    """Convolution with the folded batch normalisation as its bias, then ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Kernel, *, stride: int = 1, padded: bool = True) -> None:
        """Make a convolution; if `padded`, the output has the input's size (at stride 1)."""
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        margin = (sides[0] // 2, sides[1] // 2) if padded else (0, 0)
        super().__init__(inputs, outputs, sides, stride=stride, padding=margin)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(super().forward(x))


class MeanConvolution(Convolution):
    """3x3 mean of the pixels inside the picture, at stride 1; 1x1 convolution; ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        assert self.bias is not None
        means = F.avg_pool2d(F.conv2d(x, self.weight), 3, stride=1, padding=1, count_include_pad=False)
        return F.relu_(means.add_(self.bias[:, None, None]))


class Parallel(nn.Module):
    """Branches over the same input, joined along the channels."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def _block_35(inputs: int, pooled: int) -> Parallel:
    """35x35: branches 1x1, 5x5, double 3x3, pool."""
    return Parallel(
        Convolution(inputs, 64, 1),
        nn.Sequential(Convolution(inputs, 48, 1), Convolution(48, 64, 5)),
        nn.Sequential(Convolution(inputs, 64, 1), Convolution(64, 96, 3), Convolution(96, 96, 3)),
        MeanConvolution(inputs, pooled),
    )


def _block_17(inputs: int, middle: int) -> Parallel:
    """17x17: branches 1x1, 7x7 in two halves, double 7x7 in four, pool."""
    return Parallel(
        Convolution(inputs, 192, 1),
        nn.Sequential(
            Convolution(inputs, middle, 1), Convolution(middle, middle, (1, 7)), Convolution(middle, 192, (7, 1))
        ),
        nn.Sequential(
            Convolution(inputs, middle, 1),
            Convolution(middle, middle, (7, 1)),
            Convolution(middle, middle, (1, 7)),
            Convolution(middle, middle, (7, 1)),
            Convolution(middle, 192, (1, 7)),
        ),
        MeanConvolution(inputs, 192),
    )


def _block_8(inputs: int, pooled: nn.Module) -> Parallel:
    """8x8: branches 1x1, 3x3 in two parallel halves, double 3x3 likewise, pool."""
    return Parallel(
        Convolution(inputs, 320, 1),
        nn.Sequential(Convolution(inputs, 384, 1), _halves()),
        nn.Sequential(Convolution(inputs, 448, 1), Convolution(448, 384, 3), _halves()),
        pooled,
    )


def _halves() -> Parallel:
    return Parallel(Convolution(384, 384, (1, 3)), Convolution(384, 384, (3, 1)))


class Inception(nn.Module):
    """Network from (N, 3, 299, 299) float32 in 0..255 to (N, 2048) float32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Convolution(3, 32, 3, stride=2, padded=False),
            Convolution(32, 32, 3, padded=False),
            Convolution(32, 64, 3),
            nn.MaxPool2d(3, stride=2),
            Convolution(64, 80, 1),
            Convolution(80, 192, 3, padded=False),
            nn.MaxPool2d(3, stride=2),
        )
        self.blocks = nn.Sequential(
            _block_35(192, 32),
            _block_35(256, 64),
            _block_35(288, 64),
            Parallel(  # 35x35 to 17x17
                Convolution(288, 384, 3, stride=2, padded=False),
                nn.Sequential(
                    Convolution(288, 64, 1), Convolution(64, 96, 3), Convolution(96, 96, 3, stride=2, padded=False)
                ),
                nn.MaxPool2d(3, stride=2),
            ),
            _block_17(768, 128),
            _block_17(768, 160),
            _block_17(768, 160),
            _block_17(768, 192),
            Parallel(  # 17x17 to 8x8
                nn.Sequential(Convolution(768, 192, 1), Convolution(192, 320, 3, stride=2, padded=False)),
                nn.Sequential(
                    Convolution(768, 192, 1),
                    Convolution(192, 192, (1, 7)),
                    Convolution(192, 192, (7, 1)),
                    Convolution(192, 192, 3, stride=2, padded=False),
                ),
                nn.MaxPool2d(3, stride=2),
            ),
            _block_8(1280, MeanConvolution(1280, 192)),
            # The original graph pools by maximum here; kept, because every published FID rests on it.
            _block_8(2048, nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), Convolution(2048, 192, 1))),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        x = (pictures - 128).div_(128)
        parts = x.split(1) if x.device.type == "cpu" else [x]
        activations = self.blocks(torch.cat([self.stem(part) for part in parts]))
        return activations.mean(dim=(2, 3), dtype=torch.float32)


def load_inception(path: Path) -> Inception:
    """Return the network with the folded weights of a file, in channels-last layout and in evaluation mode."""
    with torch.device("meta"):  # without memory and random numbers for weights that are replaced
        network = Inception()
    convolutions = [module for module in network.modules() if isinstance(module, Convolution)]
    try:
        layers = list(_layers(_read_state(path)))
        if len(layers) != len(convolutions):
            raise ValueError(f"{len(layers)} convolutions, expected {len(convolutions)}")
        for convolution, layer in zip(convolutions, layers, strict=True):
            weight, bias = _fold(*layer)
            if not (weight.isfinite().all() and bias.isfinite().all()):
                raise ValueError("a convolution with numbers that are not finite")
            if weight.shape != convolution.weight.shape:
                expected = tuple(convolution.weight.shape)
                raise ValueError(f"a convolution of shape {tuple(weight.shape)}, expected {expected}")
            weight = weight.contiguous(memory_format=torch.channels_last)
            convolution.weight, convolution.bias = (nn.Parameter(x, requires_grad=False) for x in (weight, bias))
    except Exception as error:  # zipfile and torch raise many errors for other files
        raise UserError(
            f"{path}: not the weights of Inception 2015-12-05 ({first_sentence(error)}); "
            "get them with `gan-eval weights fetch inception`"
        ) from error
    return network.eval()


def _read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a state dict, or of the one known TorchScript file.

    A state dict is read without running code. Loading TorchScript runs code of the file, so only a file with the known
    SHA-256 is loaded.
    """
    members: list[str] = []
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    if any(name.endswith("/constants.pkl") for name in members):  # torch.save does not write such a file
        packaged = WEIGHTS["inception"].packaged
        if packaged is None or sha256_file(path) != packaged.sha256:
            raise ValueError("a TorchScript other than the known one; loading it could run code")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch.jit is deprecated, the file's format stays
            return dict(torch.jit.load(str(path), map_location="cpu").state_dict())
    return load_tensors(path)


Layer = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Weight of a convolution; scale, shift, mean and variance of the batch normalisation that follows."""


def _layers(state: Mapping[str, Tensor]) -> Iterator[Layer]:
    """Yield each convolution in the network's order.

    Both file formats list the convolutions in that order: `X.weight, X.beta, X.mean, X.var` in the TorchScript,
    `X.conv.weight, X.bn.*` in the state dict, of which auxiliary classifiers and `fc` are not used.
    """
    for name, weight in state.items():
        if name.endswith(".conv.weight") and f"{name.removesuffix('.conv.weight')}.bn.bias" in state:
            norm = name.removesuffix("conv.weight") + "bn."
            if not name.startswith("AuxLogits"):
                scale, shift = state[norm + "weight"], state[norm + "bias"]
                yield weight, scale, shift, state[norm + "running_mean"], state[norm + "running_var"]
        elif name.endswith(".weight") and weight.ndim == 4:
            stem = name.removesuffix("weight")
            shift = state[stem + "beta"]
            yield weight, torch.ones_like(shift), shift, state[stem + "mean"], state[stem + "var"]


def _fold(weight: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution with its batch normalisation folded in, computed in float64."""
    factor = scale.double() / (variance.double() + BATCH_NORM_EPSILON).sqrt()
    bias = shift.double() - mean.double() * factor
    return (weight.double() * factor[:, None, None, None]).float(), bias.float()
