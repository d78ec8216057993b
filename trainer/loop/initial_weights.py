"""Starting from a trained generator instead of from drawn weights: pre-train on one set, fine-tune on another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.files import sha256_bytes, sha256_json
from gan_eval.settings.training import TrainingSettings
from gan_eval.weights.files import first_nonfinite
from trainer.files.model import Model, load_model
from trainer.nets.build import empty_discriminator, first_difference, generator_shape
from trainer.state.checkpoints import CHECKPOINTS, list_checkpoints, read_checkpoint
from trainer.state.run_folder import generator_file, note_in_config, start_of_finished

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Initial:
    """A trained generator that a run starts from."""

    source: Path
    """What `trainer.files.model.load_model` takes."""
    sha256: str
    """Of the generator's weights. What lies beside it may change while it does not, so it has no part in the run."""


@dataclass(frozen=True)
class StartWeights:
    """The weights that a run starts with."""

    generator: Weights
    discriminator: Weights | None
    """None: drawn from the seed, as there is none beside the generator, or it is another network."""


def find_initial(named: Path | None, settings: TrainingSettings, out: Path) -> Initial | None:
    """The generator that a run starts from; None where it starts from drawn weights.

    Args:
        named: what the user names; default: what the settings name.
        settings: of the run that starts.
        out: its folder. Where it is finished the generator that it started from is no longer needed.

    Raises:
        UserError: no such generator, or it is another network than the run's.
    """
    source = named or (Path(settings.init_from) if settings.init_from else None)
    if source is None:
        return None
    recorded = start_of_finished(out)
    if recorded is not None:
        try:
            generator_file(source)
        except UserError:
            return Initial(source, recorded)
    return Initial(source, hash_weights(load_as(source, settings).net.state_dict()))


def load_start(initial: Initial, settings: TrainingSettings, say: Callable[[str], None]) -> StartWeights:
    """The generator, and the discriminator of the last readable checkpoint beside it where it is of the run's kind.

    Args:
        initial: which generator.
        settings: of the run that starts.
        say: takes a message where the discriminator starts anew.

    Raises:
        UserError: as `find_initial`, or the discriminator has numbers that are not finite.
    """
    model = load_as(initial.source, settings)
    expected = empty_discriminator(settings).state_dict()
    for path in list_checkpoints(model.file.parent / CHECKPOINTS):
        weights = (read_checkpoint(path) or {}).get("discriminator")
        if isinstance(weights, dict) and first_difference(expected, weights) is None:
            if key := first_nonfinite(weights):
                raise UserError(f"init_from: {path}: discriminator {key} is not finite; remove this checkpoint")
            return StartWeights(model.net.state_dict(), weights)
    say(f"init_from {initial.source}: no discriminator of this kind beside it; it starts anew")
    return StartWeights(model.net.state_dict(), None)


def record_start(out: Path, start: StartWeights) -> None:
    """Write down which discriminator was taken; it does not make the run another one."""
    taken = None if start.discriminator is None else hash_weights(start.discriminator)
    note_in_config(out, {"initial_discriminator_sha256": taken})


def load_as(source: Path, settings: TrainingSettings) -> Model:
    """A trained generator of the network that the settings describe.

    Raises:
        UserError: there is none, or it is another network.
    """
    model = load_model(source)
    if difference := first_difference(generator_shape(settings).state_dict(), model.net.state_dict()):
        raise UserError(f"init_from {source}: another network than this run's generator: {difference}")
    if model.settings.encoder_order != settings.encoder_order:  # of which the weights tell nothing
        raise UserError(
            f"init_from {source}: another network than this run's generator: its encoder_order is "
            f"{model.settings.encoder_order}; give this run the same"
        )
    return model


def hash_weights(weights: Weights) -> str:
    """SHA-256 over the names and numbers of weights."""
    tensors = {name: sha256_bytes(tensor.contiguous().numpy().tobytes()) for name, tensor in weights.items()}
    return sha256_json(tensors)
