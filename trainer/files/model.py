"""A trained generator from any file that holds one: a run's folder, its `.safetensors`, or a foreign `.pth`."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction, TrainingSettings
from gan_eval.stimuli.pixel_formats import PixelFormat
from trainer.datasets.pairs import Formats
from trainer.files.foreign import DROPOUT, SUFFIX, load_foreign, save_foreign
from trainer.nets.layers import Network
from trainer.nets.resnet import ResNet
from trainer.nets.unet import UNet
from trainer.state.run_folder import (
    GENERATOR,
    Definition,
    direction_of,
    formats_of,
    generator_file,
    load_generator,
    settings_of,
)


@dataclass(frozen=True)
class Model:
    """A generator on the CPU and what is known of it."""

    net: Network
    settings: TrainingSettings
    file: Path
    name: str  # the run's name, with the snapshot's where it is one
    direction: Direction | None  # the half that is the input; None: the file does not say
    fraction: float  # share of the planned training that was done; 1 for a foreign file
    formats: Formats | None = None
    """Channels and depth of input and target, and how they are shown; None: unknown."""
    notes: tuple[str, ...] = ()  # messages for the user
    definition: Definition = field(default_factory=dict)  # its run's; of a foreign file empty

    @property
    def is_foreign(self) -> bool:
        """True for a file of another program."""
        return self.file.suffix == SUFFIX


def load_model(path: Path, *, dropout: bool | None = None) -> Model:
    """Load the generator of a run, of one of its files, or of a `.pth` of pytorch-CycleGAN-and-pix2pix.

    Args:
        path: `RUN`, `RUN/best.safetensors`, `RUN/snapshots/step_0000500.safetensors` or `.../latest_net_G.pth`.
        dropout: for a `.pth`: whether a U-Net has dropout; default: yes.
    """
    path = Path(path)
    if path.suffix == SUFFIX and not path.is_dir():
        foreign = load_foreign(path, dropout=dropout)
        return Model(foreign.net, foreign.settings, path, _name(path), None, 1.0, notes=foreign.notes)
    if dropout is not None:
        raise UserError(f"{path}: its settings have the dropout; --dropout and --no-dropout are for {SUFFIX} files")
    net, definition = load_generator(path)
    file = generator_file(path)
    settings, direction, fraction = settings_of(definition), direction_of(definition), definition["fraction"]
    formats = formats_of(definition)
    return Model(net, settings, file, _name(file), direction, fraction, formats=formats, definition=definition)


def export_pth(model: Model, out: Path) -> tuple[str, ...]:
    """Write a generator as `latest_net_G.pth`; return a message for what the layout does not hold."""
    save_foreign(model.net, out)
    if model.settings.dropout in (0.0, DROPOUT):
        return ()
    return (f"{out}: dropout {model.settings.dropout:g} is not in the layout, which always takes {DROPOUT:g}",)


def describe(model: Model) -> dict[str, str | int | float | None]:
    """Return the facts in a generator's file by name."""
    settings, net = model.settings, model.net
    return {
        "file": str(model.file),
        "from": "pytorch-CycleGAN-and-pix2pix" if model.is_foreign else "gan_eval",
        "generator": settings.generator,
        "depth": net.depth if isinstance(net, UNet) else None,
        "channels": settings.generator_channels,
        "channels_in": net.in_channels,
        "channels_out": net.out_channels,
        "samples_in": _range(model.formats[0]) if model.formats else None,
        "samples_out": _range(model.formats[1]) if model.formats else None,
        "norm": settings.norm,
        "dropout": settings.dropout if isinstance(net, UNet | ResNet) else None,
        "downsampling": settings.downsampling if isinstance(net, UNet) else None,
        "upsampling": settings.upsampling,
        "image_size": settings.image_size,
        "multiple": net.multiple,
        "only_size": net.only_size,
        "direction": model.direction,
        "fraction": model.fraction,
        "weights": sum(weight.numel() for weight in net.parameters()),
    }


def _range(pixel_format: PixelFormat) -> str:
    """The samples that are -1 and 1 for the network, and their depth."""
    low, high = pixel_format.limits or (0, pixel_format.levels)
    return f"{low}..{high} of {pixel_format.bits} bits"


def _name(file: Path) -> str:
    """The model's name from its path: the run's folder, and what of the run it is unless its end.

    `facades/latest_net_G.pth` is facades, `facades/200_net_G.pth` facades-200, `zebra/latest_net_G_A.pth` zebra-A;
    `unet.pth` is unet.
    """
    folder, stem = file.resolve().parent, file.stem
    if match := re.fullmatch(r"(?:latest|(\d+))_net_G(?:_([AB]))?", stem):
        return "-".join([folder.name, *filter(None, match.groups())])
    if file.suffix == SUFFIX:
        return stem
    if file.name == GENERATOR:
        return folder.name
    return f"{(folder.parent if folder.name == 'snapshots' else folder).name}-{stem}"
