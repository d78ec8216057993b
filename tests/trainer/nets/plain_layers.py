"""Layers written out in float64, to compare networks with; W is a state dict."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_eval.settings.training import EncoderOrder

Weights = dict[str, Tensor]


def weights_of(net: nn.Module) -> Weights:
    """A copy in float64."""
    return {name: tensor.clone().double() for name, tensor in net.state_dict().items()}


def drawn(net: nn.Module, seed: int = 0) -> nn.Module:
    """The network in float64 with weights, biases and norms that all matter."""
    numbers = torch.Generator().manual_seed(seed)
    for name, weight in net.named_parameters():
        nn.init.normal_(weight, 1.0 if "norm.weight" in name else 0.0, 0.3, generator=numbers)
    return net.double()


def batch_norm(W: Weights, name: str, x: Tensor) -> Tensor:
    """(N, C, H, W) normalised over N, H and W."""
    mean = x.mean((0, 2, 3), keepdim=True)
    variance = (x - mean).square().mean((0, 2, 3), keepdim=True)
    weight, bias = (W[f"{name}.{part}"].view(1, -1, 1, 1) for part in ("weight", "bias"))
    return (x - mean) / (variance + 1e-5).sqrt() * weight + bias


def leaky(x: Tensor) -> Tensor:
    """Slope 0.2 below 0."""
    return torch.where(x > 0, x, x / 5)


def halve(W: Weights, name: str, x: Tensor) -> Tensor:
    """A convolution of kernel 4, stride 2, padding 1."""
    return F.conv2d(x, W[f"{name}.weight"], W.get(f"{name}.bias"), stride=2, padding=1)


def double(W: Weights, name: str, x: Tensor) -> Tensor:
    """Its transpose."""
    return F.conv_transpose2d(x, W[f"{name}.weight"], W.get(f"{name}.bias"), stride=2, padding=1)


def connect(W: Weights, name: str, x: Tensor) -> Tensor:
    """The channel-wise fully-connected layer, one channel after the other."""
    count, _, height, width = x.shape
    channels = [
        (x[:, c].reshape(count, -1) @ matrix.T + bias).reshape(count, height, width)
        for c, (matrix, bias) in enumerate(zip(W[f"{name}.weight"], W[f"{name}.bias"], strict=True))
    ]
    return torch.stack(channels, 1)


def encode(W: Weights, x: Tensor, order: EncoderOrder = "norm_activation") -> Tensor:
    """The context encoder's first half."""
    x = leaky(halve(W, "encoder.0.conv", x))
    level = 1
    while f"encoder.{level}.conv.weight" in W:
        name, x = f"encoder.{level}.norm", halve(W, f"encoder.{level}.conv", x)
        x = leaky(batch_norm(W, name, x)) if order == "norm_activation" else batch_norm(W, name, leaky(x))
        level += 1
    return x


def decode(W: Weights, x: Tensor, *, first: int) -> Tensor:
    """The context encoder's second half from stage `first` on."""
    level = first
    while f"decoder.{level}.norm.weight" in W:
        x = batch_norm(W, f"decoder.{level}.norm", double(W, f"decoder.{level}.conv", x)).clamp(min=0)
        level += 1
    return torch.tanh(double(W, f"decoder.{level}.conv", x))
