"""A generator as an ONNX file, for programs without PyTorch."""

import copy
import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gan_eval.errors import UserError
from gan_eval.files.atomic import atomic_path
from gan_eval.machine.commands import setup_command
from gan_eval.settings.training import Mode
from trainer.files.model import Model, describe
from trainer.nets.context_encoder import ContextEncoder
from trainer.nets.layers import BatchNorm2d, Dropout

PACKAGES = ("onnx", "onnxscript")
EXAMPLE_SIDE = 64
"""Least side of the picture that the export follows through the network; one step of the network's multiple would be
taken for a constant."""


def export_onnx(model: Model, out: Path, *, mode: Mode = "eval") -> None:
    """Write the generator, whole or not at all.

    Input `input` (N, channels, H, W) in [-1, 1], output `output` of the same sides, but of the hole's from a context
    encoder; N is free, H and W are any multiples of the network's, or the one size that it takes. What the model is
    stands under `gan_eval` in the metadata.

    Args:
        model: the generator, on the CPU.
        out: the `.onnx` file.
        mode: statistics of BatchNorm: running (eval) or each picture's own (train). Dropout is off in both, because a
            file has no random numbers.

    Raises:
        UserError: a package is missing, a context encoder is asked for in mode train, or the file cannot be written.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"export to onnx needs {' and '.join(missing)}; install it with: {setup_command('onnx')}")
    if mode == "train" and isinstance(model.net, ContextEncoder):
        raise UserError("--mode train: a context encoder's one inner pixel has no statistics of its own; take eval")
    net = without_dropout(model.net, mode)
    side = model.net.only_size or model.net.multiple * max(2, -(-EXAMPLE_SIDE // model.net.multiple))
    example = torch.zeros(2, model.net.in_channels, side, side)
    free: dict[int, Any] = {0: torch.export.Dim("pictures")}
    if model.net.only_size is None:
        free |= {2: model.net.multiple * torch.export.Dim("height"), 3: model.net.multiple * torch.export.Dim("width")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            net,
            (example,),
            dynamo=True,
            input_names=["input"],
            output_names=["output"],
            dynamic_shapes=(free,),
            verbose=False,
        )
    assert program is not None  # None is what the older exporter returns
    for node in program.model.graph:
        node.metadata_props.clear()  # lines of source code with this machine's paths
    facts = {key: value for key, value in describe(model).items() if key != "file"}
    program.model.metadata_props["gan_eval"] = json.dumps({**facts, "mode": mode}, sort_keys=True)
    with atomic_path(out) as temporary:
        program.save(str(temporary), external_data=False)


def without_dropout(net: nn.Module, mode: Mode) -> nn.Module:
    """A copy in evaluation mode without dropout; in mode train, BatchNorm takes each picture's own statistics."""
    net = copy.deepcopy(net)
    for name, module in list(net.named_modules()):
        if isinstance(module, Dropout):
            net.set_submodule(name, nn.Identity())
        elif mode == "train" and isinstance(module, BatchNorm2d):
            per_picture = nn.InstanceNorm2d(module.num_features, eps=module.eps, affine=True)
            per_picture.load_state_dict({"weight": module.weight, "bias": module.bias})
            net.set_submodule(name, per_picture)
    return net.eval()
