"""The folder of a training run: its lock, its configuration, and the finished generator.

torch is imported only where a generator is read or written, so that other questions are answered quickly.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from gan_eval.base.atomic import OWN_FOLDER, write_bytes
from gan_eval.base.errors import UserError, first_sentence
from gan_eval.base.output_folders import check_output_folder, claim_output_folder
from gan_eval.base.reading import require_file
from gan_eval.base.record import FolderRecord, read_record, require_format
from gan_eval.base.threads import MAX_THREADS
from gan_eval.settings.sections import first_problem
from gan_eval.settings.training import CONFIG_FORMAT, TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trainer.nets.layers import Network

CONFIG = "config.json"
GENERATOR = "generator.safetensors"
BEST = "best.safetensors"  # the generator that the validation metric prefers
LATEST = "latest.safetensors"  # the generator of an interrupted run; removed when the run is finished
GENERATOR_FORMAT = 2
_DIGEST = "digest"
_METADATA = "gan_eval"  # a single key: the order of several is not fixed, and equal runs must give equal files

Part = Literal["generator", "encoder"]  # the part of a trained model that a run starts from
STARTS: dict[Part, str] = {"generator": "initial_sha256", "encoder": "initial_encoder_sha256"}
"""Keys of a run's definition with the hash of what it started from."""
Definition = dict[str, Any]
"""The facts that identify a run: settings, fraction, direction, split, data, total steps."""
Machine = dict[str, Any]
"""The facts that, besides the definition, determine a run's bits: device, threads, versions."""


def run_lock(out: Path) -> tuple[Path, str, str]:
    """Return the arguments of `gan_eval.base.locks.hold_lock` with which only one process trains in a folder."""
    return out / OWN_FOLDER / "train.lock", f"--out {out}", "training there"


def check_run(out: Path, definition: Definition, machine: Machine) -> list[str]:
    """Check that the run may start or continue in `out`; nothing is written."""
    record = FolderRecord(out / CONFIG, {**dict.fromkeys(STARTS.values()), **definition})
    if not record.file.exists():
        check_output_folder(out)
        if (out / GENERATOR).exists():
            raise UserError(f"{out / CONFIG}: missing next to {GENERATOR}; restore it, or choose another folder")
        return []
    before = read_record(record.file, known=CONFIG_FORMAT, machine=dict)["machine"]
    start = f"; where the networks are the same, --init-from {out} starts from this generator"
    record.require_same(f"choose another folder{start if (out / GENERATOR).exists() else ''}")
    return [
        f"{name} was {before[name]} when the run began and is {now} now: "
        "the result will agree closely, but not bit for bit"
        for name, now in machine.items()
        if before.get(name, now) != now  # only a GPU has a cuDNN
    ]


def begin_run(out: Path, definition: Definition, machine: Machine) -> None:
    """Claim `out` and record what is trained there, unless that is done already."""
    claim_output_folder(out)
    if not (out / CONFIG).exists():
        FolderRecord(out / CONFIG, {"format": CONFIG_FORMAT, **definition}).write(machine=machine)


def note_in_config(out: Path, facts: Mapping[str, Any]) -> None:
    """Add facts to the configuration of a run; they are not part of its definition."""
    FolderRecord(out / CONFIG, {**read_record(out / CONFIG), **facts}).write()


def recorded_threads(*folders: Path) -> int | None:
    """Return the number of CPU threads of the run in the first of these folders that has one; None: unknown."""
    for folder in folders:
        with suppress(UserError):
            if config := read_record(folder / CONFIG, machine=dict):
                threads = config["machine"].get("threads")
                return threads if isinstance(threads, int) and 0 < threads <= MAX_THREADS else None
    return None


def save_generator(path: Path, net: "nn.Module", definition: Definition) -> None:
    """Write a generator of finite weights with its settings, without paths and times: equal runs give equal files."""
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    described = {**definition, "format": GENERATOR_FORMAT}
    metadata = json.dumps({**described, _DIGEST: digest_of(described, tensors)}, sort_keys=True)
    write_bytes(path, save(tensors, metadata={_METADATA: metadata}))


def digest_of(described: Definition, tensors: "Mapping[str, Tensor]") -> str:
    """Return the SHA-256 of a file's metadata and of each tensor's name, type, shape and bytes."""
    import torch

    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode(errors="backslashreplace"))
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def is_ours(path: Path) -> bool:
    """Return True for a safetensors file with the settings that `save_generator` wrote."""
    from safetensors import safe_open

    with safe_open(path, framework="pt", device="cpu") as file:
        return _METADATA in (file.metadata() or {})


def read_safetensors(path: Path) -> "tuple[dict[str, Tensor], str | None]":
    """Read a safetensors file, on the CPU.

    Returns:
        Its tensors by name; the JSON that `save_generator` wrote, None in a file of another program.

    Raises:
        UserError: a generator of another format, or one that has changed since it was written.
    """
    from safetensors import safe_open

    with safe_open(path, framework="pt", device="cpu") as file:
        metadata = (file.metadata() or {}).get(_METADATA)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    with suppress(ValueError, RecursionError):  # no JSON, which `load_generator` refuses
        described = json.loads(metadata or "null")
        if isinstance(described, dict):
            require_format(path, described.get("format"), GENERATOR_FORMAT)
            if described.pop(_DIGEST, None) != digest_of(described, tensors):
                raise UserError(
                    f"{path}: changed since it was written (its digest differs or is missing); copy it again, or train "
                    "it again"
                )
    return tensors, metadata


def load_generator(path: Path) -> "tuple[Network, Definition]":
    """Load a generator that `train` wrote, on the CPU, and its run's definition."""
    from safetensors import SafetensorError

    from gan_eval.metrics.weights.files import first_nonfinite
    from trainer.nets.build import first_difference, generator_for, uninitialised

    path = generator_file(path)
    require_file(path)
    try:
        tensors, metadata = read_safetensors(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a readable generator ({first_sentence(error)}); train it again") from error
    if metadata is None:
        raise UserError(f"{path}: no settings of gan_eval in its metadata; it was not written by `train`")
    try:
        definition = json.loads(metadata)
        definition.pop(_DIGEST, None)
        settings = settings_of(definition)
        if not 0 < definition["fraction"] <= 1:
            raise ValueError(definition["fraction"])
    except ValidationError as error:
        problem = first_problem(error, TrainingSettings)
        raise UserError(f"{path}: not a readable generator (its settings: {problem}); train it again") from error
    except (ArithmeticError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:  # another form
        raise UserError(f"{path}: not a readable generator (its metadata are damaged); train it again") from error
    net = generator_for(settings)
    if difference := first_difference(net.state_dict(), tensors):
        raise UserError(f"{path}: {difference}; the file's weights are not those of its settings; train it again")
    net = uninitialised(net)
    net.load_state_dict(tensors)
    if key := first_nonfinite(net.state_dict()):
        raise UserError(f"{path}: its weight {key} is not finite; take another file of the run, or train it again")
    return net, definition


def has_generator(out: Path, say: Callable[[str], None]) -> bool:
    """Return whether the run in `out` has its finished generator; False for a damaged one with a checkpoint."""
    file = out / GENERATOR
    if not os.path.lexists(file):
        return False
    try:
        load_generator(file)
    except UserError as error:
        from trainer.state.checkpoints import CHECKPOINTS, list_checkpoints

        if not list_checkpoints(out / CHECKPOINTS):
            raise UserError(
                f"{file}: damaged, without a checkpoint to restore it from; remove it to train from the start"
            ) from error
        say(f"{file}: damaged; restoring it from the last checkpoint")
        return False
    return True


def generator_file(path: Path) -> Path:
    """Return the file that `path` stands for: itself, or the finished generator of a run's folder."""
    path = Path(path)
    file = path / GENERATOR if path.is_dir() else path
    if not file.is_file():
        file = file if path.suffix else path / GENERATOR
        raise UserError(f"{file}: no such file; give a finished run (to finish one, rerun its command)")
    return file


def settings_of(definition: Definition) -> TrainingSettings:
    """Return the training settings of a run."""
    return TrainingSettings(**definition["settings"])
