"""Starting from a trained generator instead of from drawn weights: pre-train on one set, fine-tune on another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.files import sha256_bytes, sha256_json
from gan_eval.training_settings import TrainingSettings
from trainer.checkpoints import list_checkpoints, read_checkpoint
from trainer.model import load_model
from trainer.nets.build import empty_discriminator, empty_generator
from trainer.nets.match import first_difference

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Initial:
    """The weights that a run starts with."""

    generator: Weights
    discriminator: Weights | None
    """None: drawn from the seed, as there is none beside the generator, or it is another network."""
    sha256: str
    """Over all of them."""


def load_initial(path: Path, settings: TrainingSettings, say: Callable[[str], None]) -> Initial:
    """The generator of a run or a file, and the discriminator of the run's last checkpoint where there is one.

    Args:
        path: what `trainer.model.load_model` takes.
        settings: of the run that starts.
        say: told where the discriminator starts anew.

    Raises:
        UserError: no such generator, or it is another network than the run's.
    """
    model = load_model(path)
    generator = model.net.state_dict()
    if difference := first_difference(empty_generator(settings).state_dict(), generator):
        raise UserError(f"init_from {path}: another network than this run's generator: {difference}")
    discriminator = _discriminator(model.file.parent, settings)
    if discriminator is None:
        say(f"init_from {path}: no discriminator of this kind beside it; it starts anew")
    hashes = [_sha256(weights) for weights in (generator, discriminator) if weights is not None]
    return Initial(generator, discriminator, sha256_json(hashes))


def _discriminator(run: Path, settings: TrainingSettings) -> Weights | None:
    wanted = empty_discriminator(settings).state_dict()
    for path in list_checkpoints(run / "checkpoints"):
        state = read_checkpoint(path)
        weights = None if state is None else state.get("discriminator")
        if isinstance(weights, dict) and first_difference(wanted, weights) is None:
            return weights
    return None


def _sha256(weights: Weights) -> str:
    tensors = {name: sha256_bytes(tensor.contiguous().numpy().tobytes()) for name, tensor in weights.items()}
    return sha256_json(tensors)
