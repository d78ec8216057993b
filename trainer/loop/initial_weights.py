"""Starting from trained weights instead of drawn ones: from a whole generator, to pre-train on one set and fine-tune on
another, or from an encoder that anybody trained for anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.files import sha256_bytes, sha256_json
from gan_eval.metrics.weights.files import first_nonfinite
from gan_eval.settings.training import ENCODERS, TrainingSettings
from trainer.files.foreign import read_tensors
from trainer.files.model import Model, load_model
from trainer.nets.build import RGB, Channels, empty_discriminator, first_difference, generator_for
from trainer.state.checkpoints import CHECKPOINTS, list_checkpoints, read_checkpoint
from trainer.state.run_folder import Part, generator_file, note_in_config, start_of_finished

Weights = Mapping[str, Tensor]
NAMED = 4
"""Of a file's layers that do not fit, so many are named."""


@dataclass(frozen=True)
class Initial:
    """A trained generator, or encoder, that a run starts from."""

    source: Path
    """What `trainer.files.model.load_model` takes; of an encoder any file of weights."""
    sha256: str
    """Of the weights that are taken. What lies beside them may change while they do not: it has no part in the run."""
    part: Part = "generator"


@dataclass(frozen=True)
class StartWeights:
    """The weights that a run starts with."""

    generator: Weights
    """Of all of it, or of the layers of its encoder that are taken."""
    discriminator: Weights | None
    """None: drawn from the seed, as there is none beside the generator, or it is another network."""
    taken_from: Mapping[str, str] | None = None
    """Of an encoder: the layer of the file that each of its layers is taken from."""


def find_initial(
    named: Path | None,
    settings: TrainingSettings,
    out: Path,
    *,
    encoder: Path | None = None,
    channels: Channels = RGB,
) -> Initial | None:
    """The generator, or encoder, that a run starts from; None where it starts from drawn weights.

    Args:
        named: the generator that the user names; default: what the settings name.
        settings: of the run that starts.
        out: its folder. Where it is finished what it started from is no longer needed.
        encoder: the encoder that the user names; default: what the settings name.
        channels: of its pictures.

    Raises:
        UserError: no such file, a generator of another network than the run's, or no layer that fits the encoder.
    """
    generator = named or (Path(settings.init_from) if settings.init_from else None)
    encoder = encoder or (Path(settings.init_encoder) if settings.init_encoder else None)
    if generator is not None and encoder is not None:
        raise UserError(f"init_encoder {encoder}: init_from {generator} gives the encoder too; give one of them")
    source = encoder or generator
    if source is None:
        return None
    part: Part = "generator" if encoder is None else "encoder"
    recorded = start_of_finished(out, part)
    if recorded is not None:
        try:
            generator_file(source)
        except UserError:
            return Initial(source, recorded, part)
    if part == "encoder":
        return Initial(source, hash_weights(load_encoder(source, settings)[0]), part)
    return Initial(source, hash_weights(load_as(source, settings, channels).net.state_dict()), part)


def load_start(
    initial: Initial, settings: TrainingSettings, say: Callable[[str], None], *, channels: Channels = RGB
) -> StartWeights:
    """The generator, and the discriminator of the last readable checkpoint beside it where it is of the run's kind; or
    the encoder alone.

    Args:
        initial: which generator.
        settings: of the run that starts.
        say: takes a message where the discriminator starts anew, and on which layers of an encoder are taken.
        channels: of its pictures.

    Raises:
        UserError: as `find_initial`.
    """
    if initial.part == "encoder":
        encoder, taken_from, left = load_encoder(initial.source, settings)
        layers = [ours if ours == theirs else f"{ours} (its {theirs})" for ours, theirs in taken_from.items()]
        drawn = f"; not there, so drawn: {', '.join(left)}" if left else ""
        say(f"init_encoder {initial.source}: taken {', '.join(layers)}{drawn}")
        return StartWeights(encoder, None, taken_from)
    model = load_as(initial.source, settings, channels)
    expected = empty_discriminator(settings, channels).state_dict()
    for path in list_checkpoints(model.file.parent / CHECKPOINTS):
        weights = (read_checkpoint(path) or {}).get("discriminator")
        if isinstance(weights, dict) and first_difference(expected, weights) is None:
            if key := first_nonfinite(weights):
                say(f"init_from: {path}: discriminator {key} is not finite; trying the checkpoint before")
                continue
            return StartWeights(model.net.state_dict(), weights)
    say(f"init_from {initial.source}: no discriminator of this kind beside it; it starts anew")
    return StartWeights(model.net.state_dict(), None)


def record_start(out: Path, start: StartWeights) -> None:
    """Write down which discriminator, or which layers of an encoder, were taken; it makes no other run of it."""
    if start.taken_from is not None:
        note_in_config(out, {"initial_encoder": dict(start.taken_from)})
        return
    taken = None if start.discriminator is None else hash_weights(start.discriminator)
    note_in_config(out, {"initial_discriminator_sha256": taken})


def load_as(source: Path, settings: TrainingSettings, channels: Channels) -> Model:
    """A trained generator of the network that the settings describe, for pictures of these channels.

    Raises:
        UserError: there is none, or it is another network.
    """
    model = load_model(source)
    if difference := first_difference(generator_for(settings, channels).state_dict(), model.net.state_dict()):
        raise UserError(f"init_from {source}: another network than this run's generator: {difference}")
    if model.settings.encoder_order != settings.encoder_order:  # of which the weights tell nothing
        raise UserError(
            f"init_from {source}: another network than this run's generator: its encoder_order is "
            f"{model.settings.encoder_order}; give this run the same"
        )
    return model


def load_encoder(source: Path, settings: TrainingSettings) -> tuple[Weights, dict[str, str], list[str]]:
    """The weights of a file that fit the encoder of the run's generator, the bottleneck of a context encoder included.

    Layers are found by their names, whatever stands before these (`generator.encoder.0.conv`), or where no name is the
    encoder's by the shapes of their weights in the order of both; a norm only with its convolution. Of a layer that is
    found, what the run's has not, such as a bias before a norm, is left out.

    Args:
        source: a run's folder, or a `.safetensors` or PyTorch file of names with tensors.
        settings: of the run.

    Returns:
        Weights by the run's names; the file's layer by the run's layer; the run's layers that the file has not.

    Raises:
        UserError: no such file, it is none of weights, the generator has no encoder of its own, or no layer fits.
    """
    if settings.generator not in ENCODERS:
        raise UserError(
            f"init_encoder {source}: generator {settings.generator} has no encoder of its own; leave it out"
        )
    file = generator_file(source)
    own, theirs = layers_of(generator_for(settings).state_dict()), layers_of(read_tensors(file))
    own = {layer: own[layer] for layer in own if layer.startswith(("encoder.", "bottleneck."))}
    shapes, their_shapes = ({name: tuple(of[name]["weight"].shape) for name in of} for of in (own, theirs))
    taken = {
        ours: layer
        for ours in own
        for layer in theirs
        if f".{layer}".endswith(f".{ours}") and shapes[ours] == their_shapes[layer]
    }
    if not taken:
        ours, others = list(own), list(theirs)
        matcher = SequenceMatcher(None, list(shapes.values()), list(their_shapes.values()), autojunk=False)
        for block in matcher.get_matching_blocks():
            taken |= zip(ours[block.a :][: block.size], others[block.b :][: block.size], strict=True)
    left = [ours for ours in own if ours not in taken or ours.replace(".norm", ".conv") not in taken]  # norm of another
    if len(left) == len(own):
        raise UserError(
            f"init_encoder {file}: none of its layers fits the encoder; it has {some(their_shapes)}; the encoder has "
            f"{some(shapes)}; choose another file, or a generator of its shapes"
        )
    taken = {ours: taken[ours] for ours in own if ours not in left}
    weights = {
        f"{ours}.{leaf}": theirs[layer][leaf].to(tensor.dtype)
        for ours, layer in taken.items()
        for leaf, tensor in own[ours].items()
        if leaf in theirs[layer] and theirs[layer][leaf].shape == tensor.shape
    }
    return weights, taken, left


def layers_of(weights: Weights) -> dict[str, dict[str, Tensor]]:
    """Tensors by the name of their layer, and within it; layers without a weight are left out."""
    layers: dict[str, dict[str, Tensor]] = {}
    for name, tensor in weights.items():
        layer, _, leaf = name.rpartition(".")
        layers.setdefault(layer, {})[leaf] = tensor
    return {layer: leaves for layer, leaves in layers.items() if "weight" in leaves}


def some(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """A few of a file's layers with the shapes of their weights, for messages."""
    named = [f"{name or 'weight'} {shape}" for name, shape in shapes.items()][:NAMED]
    more = f" and {len(shapes) - NAMED} more" if len(shapes) > NAMED else ""
    return ", ".join(named) + more if named else "no weights"


def hash_weights(weights: Weights) -> str:
    """SHA-256 over the names and numbers of weights."""
    tensors = {name: sha256_bytes(tensor.contiguous().numpy().tobytes()) for name, tensor in weights.items()}
    return sha256_json(tensors)
