"""Start from trained weights: a whole generator (to fine-tune it on another data set), or only an encoder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from gan_eval.base.digests import sha256_bytes, sha256_json
from gan_eval.base.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.model import load_model, read_tensors
from trainer.nets.build import empty_discriminator, first_difference, generator_for
from trainer.state.checkpoints import CHECKPOINTS, list_checkpoints, read_checkpoint
from trainer.state.run_folder import Part, generator_file
from trainer.step import Gan

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Initial:
    """A trained generator, or encoder, that a run starts from."""

    source: Path
    """A file or run that `trainer.model.load_model` reads; for an encoder any file of weights."""
    weights: Weights  # weights of the whole generator, or of the layers taken for its encoder
    part: Part = "generator"
    taken_from: Mapping[str, str] = field(default_factory=dict)
    """For an encoder: the file's layer of each of its layers."""
    left: Sequence[str] = ()  # layers of the encoder that are not in the file, so random


def find_initial(named: Path | None, settings: TrainingSettings) -> Initial | None:
    """Return the generator, or with `init_encoder` the encoder, that a run starts from; None for random weights."""
    source = named or (Path(settings.starts_from) if settings.starts_from else None)
    if source is None:
        return None
    if settings.init_encoder:
        weights, taken_from, left = load_encoder(source, settings)
        return Initial(source, weights, "encoder", taken_from, left)
    model = load_model(source)
    weights, another = model.net.state_dict(), f"init_from {source}: another network than this run's generator"
    if difference := first_difference(generator_for(settings).state_dict(), weights):
        raise UserError(f"{another}: {difference}")
    if model.settings.encoder_order != settings.encoder_order:  # it is not visible in the weights
        raise UserError(f"{another}: its encoder_order is {model.settings.encoder_order}; give this run the same")
    return Initial(source, weights)


def start_from(initial: Initial, gan: Gan, settings: TrainingSettings, say: Callable[[str], None]) -> dict[str, Any]:
    """Replace the initial weights of a run by trained ones.

    With a whole generator comes the discriminator of the last readable checkpoint next to it, if it is the same
    network.

    Returns:
        Facts for config.json: which discriminator, or which layers of an encoder, were loaded.
    """
    gan.generator.load_state_dict({**gan.generator.state_dict(), **initial.weights})
    if initial.part == "encoder":
        pairs = initial.taken_from.items()
        layers = [ours if ours == theirs else f"{ours} (its {theirs})" for ours, theirs in pairs]
        drawn = f"; not in the file, so random: {', '.join(initial.left)}" if initial.left else ""
        say(f"init_encoder {initial.source}: loaded {', '.join(layers)}{drawn}")
        return {"initial_encoder": dict(initial.taken_from)}
    expected = empty_discriminator(settings).state_dict()
    for path in list_checkpoints(generator_file(initial.source).parent / CHECKPOINTS):
        weights = (read_checkpoint(path) or {}).get("discriminator")
        if isinstance(weights, dict) and first_difference(expected, weights) is None:
            gan.discriminator.load_state_dict(weights)
            return {"initial_discriminator_sha256": hash_weights(weights)}
    say(f"init_from {initial.source}: no discriminator of this kind next to it; it starts from random weights")
    return {"initial_discriminator_sha256": None}


def load_encoder(source: Path, settings: TrainingSettings) -> tuple[Weights, dict[str, str], list[str]]:
    """Read the weights of a file that fit the encoder of the run's generator, including a context encoder's bottleneck.

    Layers are matched by name; the file's names may have any prefix, such as `generator.encoder.0.conv`. A norm is used
    only with its convolution. A tensor that the run's layer does not have, such as a bias before a norm, is
    ignored.

    Returns:
        Weights by the run's names; the file's layer for each layer taken; the layers that are not in the file.
    """
    file = generator_file(source)
    layers, theirs = layers_of(generator_for(settings).state_dict()), layers_of(read_tensors(file))
    layers = {layer: layers[layer] for layer in layers if layer.startswith(("encoder.", "bottleneck."))}
    shapes, their_shapes = ({name: tuple(of[name]["weight"].shape) for name in of} for of in (layers, theirs))
    taken = {
        ours: layer
        for ours in layers
        for layer in theirs
        if f".{layer}".endswith(f".{ours}") and shapes[ours] == their_shapes[layer]
    }
    left = [ours for ours in layers if ours not in taken or ours.replace(".norm", ".conv") not in taken]
    if len(left) == len(layers):
        raise UserError(
            f"init_encoder {file}: none of its layers matches the encoder; choose another file, or rename its layers "
            f"to {', '.join(layers)}"
        )
    taken = {ours: taken[ours] for ours in layers if ours not in left}
    weights = {
        f"{ours}.{leaf}": theirs[layer][leaf].to(tensor.dtype)
        for ours, layer in taken.items()
        for leaf, tensor in layers[ours].items()
        if leaf in theirs[layer] and theirs[layer][leaf].shape == tensor.shape
    }
    return weights, taken, left


def layers_of(weights: Weights) -> dict[str, dict[str, Tensor]]:
    """Group tensors by layer and name within it; drop layers without a weight."""
    layers: dict[str, dict[str, Tensor]] = {}
    for name, tensor in weights.items():
        layer, _, leaf = name.rpartition(".")
        layers.setdefault(layer, {})[leaf] = tensor
    return {layer: leaves for layer, leaves in layers.items() if "weight" in leaves}


def hash_weights(weights: Weights) -> str:
    """Return the SHA-256 of the names and values of weights."""
    tensors = {name: sha256_bytes(tensor.contiguous().numpy().tobytes()) for name, tensor in weights.items()}
    return sha256_json(tensors)
