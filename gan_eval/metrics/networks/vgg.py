"""VGG16 up to its second hidden layer, whose 4096 values Kynkäänniemi et al. (2019) compare sets of pictures by."""

from pathlib import Path

import torch
from torch import Tensor, nn

from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.weights.cache import cache_folder
from gan_eval.weights.files import State, read_state, take

SIZE = 224
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
    network.load_state_dict(take(state, shapes, path, "vgg16"), assign=True)
    return network.requires_grad_(False).eval()
