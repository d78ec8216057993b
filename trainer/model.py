"""Load a trained generator from a run's folder, its `.safetensors`, or a file of another program.

Files of others hold a state dict in the layout of pytorch-CycleGAN-and-pix2pix (`latest_net_G.pth`), plain or in a
checkpoint, written by PyTorch or as safetensors: the content decides, not the suffix. The network follows from keys and
shapes, so no option can contradict the file. Only a U-Net's dropout, without weights, stays unknown.
"""

import re
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from torch import Tensor, nn

from gan_eval.base.errors import UserError
from gan_eval.base.reading import require_file
from gan_eval.metrics.weights.files import first_nonfinite, load_torch_file, storage_problem
from gan_eval.pictures.decode import natural_key
from gan_eval.settings.choices import Direction
from gan_eval.settings.sections import first_problem
from gan_eval.settings.training import MAX_LEVELS, NormKind, TrainingSettings
from trainer.nets.build import GENERATORS, first_difference, generator_for, uninitialised
from trainer.nets.layers import Network
from trainer.nets.resnet import ResNet
from trainer.nets.unet import UNet
from trainer.state.run_folder import (
    GENERATOR,
    Definition,
    generator_file,
    is_ours,
    load_generator,
    read_safetensors,
    settings_of,
)

SUFFIXES = (".pth", ".pt", ".bin", ".ckpt")  # of files that PyTorch writes
LAYOUT = "pytorch-CycleGAN-and-pix2pix"
IMAGE_SIZE = 256  # default size of training and testing in that program
UNET_128 = 7  # levels of its U-Net for pictures of 128x128
GENERATOR_KEYS = ("netG", "net_G", "generator", "G", "state_dict", "model_state_dict", "params_ema", "params", "model")
"""Keys of a checkpoint's part that holds the generator, the surest first."""
DROPOUT = 0.5  # fixed probability in that program

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Model:
    """A generator on the CPU, and what is known about it."""

    net: Network
    settings: TrainingSettings
    file: Path
    name: str  # name of the run; for a snapshot, also the snapshot's name
    direction: Direction | None  # AtoB: the left half is the input; None: not in the file
    fraction: float  # share of the planned training that was done; 1 for a `.pth`
    notes: tuple[str, ...] = ()  # messages for the user
    definition: Definition = field(default_factory=dict)  # definition of its run; empty for a `.pth`


def load_model(path: Path, *, dropout: bool = True) -> Model:
    """Load the generator of a run, of one of its files, or of a file of pytorch-CycleGAN-and-pix2pix.

    Args:
        path: `RUN`, `RUN/best.safetensors`, `RUN/snapshots/step_0000500.safetensors` or `.../latest_net_G.pth`.
        dropout: false if a U-Net of another program was trained without dropout; its file does not record this.

    Raises:
        UserError: no such generator; it is damaged; `dropout` is false, but the file records the dropout.
    """
    path = Path(path)
    if not path.is_dir() and (path.suffix in SUFFIXES or _is_of_others(path)):
        return load_foreign(path, dropout=dropout)
    if not dropout:
        raise UserError(f"{path}: its settings record the dropout; --no-dropout is for a U-Net of another program")
    net, definition = load_generator(path)
    file = generator_file(path)
    direction: Direction = "BtoA" if definition.get("direction") == "BtoA" else "AtoB"
    fraction = definition["fraction"]
    return Model(net, settings_of(definition), file, _name(file), direction, fraction, definition=definition)


def _is_of_others(path: Path) -> bool:
    """Return True for a file of weights that `train` did not write; a damaged safetensors file may be ours."""
    with suppress(SafetensorError, OSError):
        return path.is_file() and not (_is_safetensors(path) and is_ours(path))
    return False


def _is_safetensors(path: Path) -> bool:
    """Return True for a file that begins as safetensors do: the length of a JSON object, and its brace."""
    with path.open("rb") as file:
        start = file.read(9)
    is_length = int.from_bytes(start[:8], "little") < path.stat().st_size
    return path.suffix == ".safetensors" or (start[8:] == b"{" and is_length)


def _name(file: Path, *, is_ours: bool = True) -> str:
    """Return the model's name from its path: the run's folder, and the file's step unless it is the last one.

    Examples: `facades/latest_net_G.pth`: facades; `facades/200_net_G.pth`: facades-200; `zebra/latest_net_G_A.pth`:
    zebra-A; `unet.pth`: unet.
    """
    folder, stem = file.resolve().parent, file.stem
    if match := re.fullmatch(r"(?:latest|(\d+))_net_G(?:_([AB]))?", stem):
        return "-".join([folder.name, *filter(None, match.groups())])
    if not is_ours:
        return stem
    if file.name == GENERATOR:
        return folder.name
    return f"{(folder.parent if folder.name == 'snapshots' else folder).name}-{stem}"


def load_foreign(path: Path, *, dropout: bool = True) -> Model:
    """Load a generator of pytorch-CycleGAN-and-pix2pix on the CPU; `dropout` and errors as in `load_model`."""
    named, notes = _named_tensors(path)
    tensors = checked(_of_generator(named, path), path)
    settings, (in_channels, out_channels) = infer_settings(tensors, path)
    if settings.generator == "unet":
        if dropout:
            notes.append(
                f"{path}: the file does not record a U-Net's dropout; dropout is assumed, as in pix2pix; if it was "
                "trained without, add --no-dropout"
            )
        if settings.depth == UNET_128:
            notes.append(f"{path}: a U-Net of seven levels (unet_128): 128x128 pictures, unless --image-size is given")
        settings = settings.model_copy(update={"dropout": DROPOUT if dropout else 0.0})
    elif not dropout:
        raise UserError(f"{path}: the file of a ResNet records its dropout; remove --no-dropout")
    net = generator_for(settings, (in_channels, out_channels))
    expected = _renamed(net)
    tensors = _without_old_statistics(tensors, net, expected)
    if difference := first_difference(expected, tensors):
        depth = f" of {settings.depth} levels" if settings.depth else ""
        summary = f"{settings.generator}{depth}, {settings.generator_channels} channels, norm {settings.norm}"
        raise UserError(f"{path}: {difference} ({summary} was inferred from its keys and shapes)")
    net = uninitialised(net)
    with torch.no_grad():
        for key, tensor in _renamed(net).items():
            tensor.copy_(tensors[key])
    return Model(net, settings, path, _name(path, is_ours=False), None, 1.0, notes=tuple(notes))


def _without_old_statistics(tensors: Tensors, net: nn.Module, expected: Tensors) -> Tensors:
    """Return the tensors of an old file without running statistics that are not used, and with numbers of batches."""
    names = _names(net)
    norms = [names[name] for name, module in net.named_modules() if isinstance(module, nn.InstanceNorm2d)]
    unused = {f"{norm}.{leaf}" for norm in norms for leaf in ("running_mean", "running_var", "num_batches_tracked")}
    counts = {key: torch.zeros((), dtype=torch.long) for key in expected if key.endswith("num_batches_tracked")}
    return counts | {key: value for key, value in tensors.items() if key not in unused}


def read_tensors(path: Path) -> Tensors:
    """Return the tensors of a file by name, without the prefixes of DataParallel and torch.compile."""
    return checked(_named_tensors(path)[0], path)


def _named_tensors(path: Path) -> tuple[Tensors, list[str]]:
    """Return the tensors of a file by name, and lines on parts with tensors of the same names that were not taken."""
    content, notes = _generator_part(_content(path), path)
    if not isinstance(content, Mapping) or not content:
        raise UserError(f"{path}: contains a {type(content).__name__}; expected a state dict (tensors by name)")
    tensors: Tensors = {}
    for key, value in content.items():
        name = re.sub(r"^((module|_orig_mod)\.)+", "", str(key))
        if not isinstance(value, Tensor):
            raise UserError(
                f"{path}: {key} is not a tensor; expected a generator's state dict, such as latest_net_G.pth, or a "
                f"checkpoint with one as {', '.join(GENERATOR_KEYS)}"
            )
        if name in tensors:
            raise UserError(f"{path}: {name} appears twice, with different prefixes")
        tensors[name] = value
    return tensors, notes


def _content(path: Path) -> Any:
    """Return what a safetensors file or a file of PyTorch contains."""
    require_file(path)
    kind = "PyTorch"
    try:
        kind = "safetensors" if _is_safetensors(path) else kind
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if (damaged := archive.testzip()) is not None:  # torch.load does not check the checksums
                    raise UserError(f"{path}: its part {damaged} is damaged; get the file again")
        if kind == "safetensors":  # the order of its tensors has no meaning
            return dict(sorted(read_safetensors(path)[0].items(), key=lambda item: natural_key(item[0])))
        return load_torch_file(path)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except Exception as error:  # pickle, zipfile and torch raise all kinds of errors on damaged bytes
        raise UserError(
            f"{path}: not a readable {kind} file of weights (truncated, or not only tensors); get it again, or save "
            "the network's state_dict()"
        ) from error


def _generator_part(content: Any, path: Path) -> tuple[Any, list[str]]:
    """Return the generator of a training checkpoint, and lines on parts with tensors of the same names."""
    notes: list[str] = []
    while isinstance(content, Mapping):  # a training checkpoint, perhaps in another
        parts = {str(key): part for key, part in content.items() if isinstance(part, Mapping) and part}
        taken = next((key for key in GENERATOR_KEYS if key in parts), None)
        if taken is None:
            break
        content = parts[taken]
        if others := [key for key, part in parts.items() if key != taken and part.keys() == content.keys()]:
            notes.append(
                f"{path}: the generator is its part {taken}; {', '.join(others)} has tensors of the same names, "
                "such as averages: to use them, save that part alone"
            )
    return content, notes


def checked(tensors: Tensors, path: Path) -> Tensors:
    """Return tensors that can be the weights of a generator.

    Raises:
        UserError: one is not of finite floating-point numbers.
    """
    for name, value in tensors.items():
        reason = storage_problem(value)
        if not reason and not name.endswith("num_batches_tracked"):
            if not value.is_floating_point():
                reason = f"is {value.dtype}".replace("torch.", "") + ", not floating-point"
            elif first_nonfinite({name: value.float()}):
                reason = "has numbers that are not finite"
        if reason:
            raise UserError(f"{path}: {name} {reason}; these are not the weights of a generator")
    return tensors


_FIRST_KEY = (re.compile(r"(.*?)model\.model\.0\.weight"), re.compile(r"(.*?)model\.1\.weight"))
"""Key of the first convolution of a U-Net and of a ResNet, after a prefix such as Lightning's `netG.`."""


def _of_generator(tensors: Tensors, path: Path) -> Tensors:
    """Return the tensors of the generator without its prefix, if the names have one."""
    for first in _FIRST_KEY:
        heads = [match[1] for key in tensors if (match := first.fullmatch(key)) and tensors[key].dim() == 4]
        if len(heads) > 1:
            names = ", ".join(prefix or "one without a prefix" for prefix in heads)
            raise UserError(f"{path}: it has several generators ({names}); save the state dict of one of them alone")
        if heads:
            return {key.removeprefix(heads[0]): value for key, value in tensors.items() if key.startswith(heads[0])}
    return tensors


def infer_settings(tensors: Tensors, path: Path) -> tuple[TrainingSettings, tuple[int, int]]:
    """Return the generator's settings, inferred from keys and shapes, and its numbers of input and output channels."""
    if _is_kernel(tensors, "model.model.0"):
        first, last, inner = "model.model.0", "model.model.3", "model.model.1.model.1"
        kind, to_channels = _unet_of(tensors), 1  # a transposed convolution's weight is (in, out, kernel, kernel)
    elif _is_kernel(tensors, "model.1"):
        kind, blocks = _resnet_of(tensors, path)
        first, last, inner, to_channels = "model.1", f"model.{10 + blocks + 7}", "model.1", 0
    else:
        hint = "; this looks like a discriminator, use the net_G file" if _is_kernel(tensors, "model.0") else ""
        raise UserError(
            f"{path}: {next(iter(tensors))} is not a key of a generator of {LAYOUT} (a U-Net begins with "
            f"model.model.0.weight, a ResNet with model.1.weight){hint}"
        )
    if not _is_kernel(tensors, last):
        raise UserError(f"{path}: {last}.weight is missing; not a whole generator of {LAYOUT}")
    width, in_channels = tensors[f"{first}.weight"].shape[:2]
    size = max(IMAGE_SIZE, 2 ** min(kind.get("depth", 0), MAX_LEVELS))
    if kind.get("depth") == UNET_128:
        size = 2**UNET_128
    try:
        norm = _norm_of(tensors, inner)
        settings = TrainingSettings(**kind, generator_channels=width, norm=norm, image_size=size)
    except ValidationError as error:
        problem = first_problem(error, TrainingSettings)
        raise UserError(f"{path}: not a generator that can be run ({problem}); get another file") from error
    return settings, (in_channels, tensors[f"{last}.weight"].shape[to_channels])


def _unet_of(tensors: Tensors) -> dict[str, Any]:
    """Return the settings that name a U-Net and its number of nested levels."""
    nested = (re.match(r"model\.model\.1\.model((\.3\.model)*)\.", key) for key in tensors)
    return {"generator": "unet", "depth": 2 + max((match[1].count("model") for match in nested if match), default=0)}


def _resnet_of(tensors: Tensors, path: Path) -> tuple[dict[str, Any], int]:
    """Return the settings that name a ResNet, and its number of blocks."""
    blocks = len({match[1] for key in tensors if (match := re.match(r"model\.(\d+)\.conv_block\.", key))})
    if f"resnet_{blocks}" not in GENERATORS:
        raise UserError(f"{path}: a ResNet of {blocks} blocks (model.N.conv_block); 6 or 9 are supported")
    dropout = any(_is_kernel(tensors, f"model.{10 + block}.conv_block.6") for block in range(blocks))
    return {"generator": f"resnet_{blocks}", "dropout": DROPOUT if dropout else 0.0}, blocks


def _norm_of(tensors: Tensors, inner: str) -> NormKind:
    """Return the kind of norm after the convolution `inner`."""
    statistics = (key.removesuffix("running_mean") for key in tensors if key.endswith(".running_mean"))
    if any(f"{module}weight" in tensors for module in statistics):
        return "batch"
    return "instance" if f"{inner}.bias" in tensors else "none"  # a bias comes before no other norm


def _is_kernel(tensors: Tensors, module: str) -> bool:
    weight = tensors.get(f"{module}.weight")
    return weight is not None and weight.dim() == 4  # of a 2-D convolution


def _renamed(net: nn.Module) -> Tensors:
    """Return the tensors of our network by the names that they have in LAYOUT."""
    names = _names(net)
    parts = ((key.rpartition("."), tensor) for key, tensor in net.state_dict(keep_vars=True).items())
    return {f"{names[module]}.{leaf}": tensor for (module, _, leaf), tensor in parts}


def _names(net: nn.Module) -> dict[str, str]:
    """Return the name in LAYOUT of each convolution and norm of our network."""
    if isinstance(net, ResNet):
        return {name: name for name, module in net.named_modules() if not list(module.children())}
    assert isinstance(net, UNet)  # LAYOUT has no other networks
    names: dict[str, str] = {}
    for level in range(net.depth):
        block = "model.model" if level == 0 else "model.model.1.model" + ".3.model" * (level - 1)
        if level == 0:
            layers = {"down.{}.conv": 0, "up.{}.conv": 3}
        elif level == net.depth - 1:
            layers = {"down.{}.conv": 1, "up.{}.conv": 3, "up.{}.norm": 4}
        else:
            layers = {"down.{}.conv": 1, "down.{}.norm": 2, "up.{}.conv": 5, "up.{}.norm": 6}
        names |= {name.format(level): f"{block}.{index}" for name, index in layers.items()}
    return names
