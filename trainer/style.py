"""The style loss: the distance of two pictures in the Gram matrices of a network that was trained on ImageNet.

It is that of Gatys et al. 2016, as a term of a generator's objective as in Johnson et al. 2016 (arXiv 1603.08155).
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from gan_eval.base.errors import naming
from gan_eval.metrics.weights.cache import find
from gan_eval.metrics.weights.files import read_state, required_tensors
from gan_eval.settings.training import StyleLayers, StyleNetwork

BLOCKS: dict[StyleLayers, int] = {"poolings": 4, "all": 5}
"""Number of blocks, separated by poolings, that are compared. `poolings`: the last ReLU of each, which are relu1_2,
relu2_2, relu3_3, relu4_3 of VGG16 and relu1_2, relu2_2, relu3_2, relu4_2 of VGG13; `all`: every ReLU."""
_MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's channels in 0..1, the input of torchvision's networks."""
_DEVIATION = (0.229, 0.224, 0.225)
"""Standard deviation of these channels."""


def gram(features: Tensor) -> Tensor:
    """Return the Gram matrices (N, C, C) of (N, C, H, W): inner products of the channels, divided by C*H*W.

    See Gatys et al. 2016, eq. 3; the scale is that of Johnson et al. 2016, eq. 4. The result is at least float32, even
    under autocast.
    """
    channels = features.flatten(2).to(torch.promote_types(features.dtype, torch.float32))
    with torch.autocast(features.device.type, enabled=False):
        return channels @ channels.transpose(1, 2) / features.shape[1:].numel()


class StyleLoss(nn.Module):
    """Sum over the layers of the root mean square distance of the Gram matrices, mean over the batch.

    For equal pictures, the loss and its gradient are 0.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Sequential, layers: StyleLayers = "poolings") -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        poolings = [index for index, layer in enumerate(network) if isinstance(layer, nn.MaxPool2d)]
        every = [index for index, layer in enumerate(network) if isinstance(layer, nn.ReLU)]
        before = [index - 1 for index in poolings]
        self.compared = frozenset([*(every if layers == "all" else before), len(network) - 1])
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)
        self.train()

    def train(self, mode: bool = True) -> "StyleLoss":
        """Stay in evaluation mode, so that BatchNorm does not depend on the batch."""
        return super().train(False)

    def forward(self, fake: Tensor, target: Tensor) -> Tensor:
        """Return a scalar; only `fake` gets gradients."""
        with torch.no_grad():
            of_target = self.grams(target)
        loss = fake.new_zeros(())
        for ours, theirs in zip(self.grams(fake), of_target, strict=True):
            # the norm has gradient 0 at 0; a square root has none
            loss = loss + (torch.linalg.vector_norm(ours - theirs, dim=(1, 2)) / ours.shape[-1]).mean()
        return loss

    def grams(self, pictures: Tensor) -> list[Tensor]:
        """Return the Gram matrix of each layer for pictures (N, 3, H, W) in [-1, 1]."""
        planes = ((pictures + 1) / 2 - self.mean) / self.deviation
        grams = []
        for index, layer in enumerate(self.network):
            planes = layer(planes)
            if index in self.compared:
                grams.append(gram(planes))
        return grams


def style_weights(name: StyleNetwork) -> Path:
    """Return the file of a network's weights in the cache."""
    with naming("training.style_network: "):
        return find(name)


def load_style_network(name: StyleNetwork, path: Path | None = None, layers: StyleLayers = "poolings") -> nn.Sequential:
    """Return torchvision's network up to the last compared layer, in evaluation mode with frozen weights."""
    path = path or style_weights(name)
    from torchvision.models import vgg13_bn, vgg16

    builders = {"vgg13_bn": vgg13_bn, "vgg16": vgg16}
    with torch.device("meta"):
        features = builders[name](weights=None).features
    poolings = [index for index, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)]
    network = nn.Sequential(*features[: poolings[BLOCKS[layers] - 1]])
    shapes = {
        f"features.{key}": tuple(value.shape)
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")  # only used in training; older files lack it
    }
    state = required_tensors(read_state(path, name), shapes, path, name)
    network.load_state_dict({key.removeprefix("features."): value for key, value in state.items()}, assign=True)
    return network.requires_grad_(False).eval()
