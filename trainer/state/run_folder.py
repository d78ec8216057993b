"""The folder of a training run: its lock, its configuration, and the finished generator.

torch is imported for generators alone: that a run is finished, or in other hands, is told at once.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from gan_eval.errors import UserError, first_sentence
from gan_eval.files import (
    OWN_FOLDER,
    claim_output_folder,
    read_json,
    require_file,
    sha256_json,
    write_bytes,
    write_json,
)
from gan_eval.launch import MAX_THREADS
from gan_eval.settings.sections import first_problem
from gan_eval.settings.training import Direction, TrainingSettings
from gan_eval.stimuli.pixel_formats import RGB8, PixelFormat
from trainer.datasets.pairs import Formats, PairedSet
from trainer.datasets.photographs import PhotographSet

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trainer.nets.build import Generator

FORMAT = 1
CONFIG = "config.json"
GENERATOR = "generator.safetensors"
BEST = "best.safetensors"
"""The generator that the validation metric prefers."""
LATEST = "latest.safetensors"
"""The generator of an interrupted run as it was then; gone when the run is finished."""
EVOLUTION = "evolution.webp"
"""What `train` writes last."""
PICTURES = f"{OWN_FOLDER}/pictures.json"
"""The state of the files that are trained on, as the run began."""
GENERATOR_FORMAT = 2
"""Of a generator's file; since 2 it has a digest of its tensors and its definition."""
_DIGEST = "digest"
_METADATA = "gan_eval"  # one key only: the order of several is not fixed, and equal runs shall give equal files

Part = Literal["generator", "encoder"]
"""What of a generator a run starts from."""
STARTS: dict[Part, str] = {"generator": "initial_sha256", "encoder": "initial_encoder_sha256"}
"""Where the definition of a run has the hash of what it started from."""
Definition = dict[str, Any]
"""What makes two runs the same run: settings, fraction, direction, split, data, total of steps."""
Machine = dict[str, Any]
"""What makes equal runs equal bit for bit: device, threads, versions."""


_NETWORK = (
    "image_size", "generator", "norm", "statistics", "downsampling", "upsampling", "depth", "bottleneck",
    "encoder_order", "inpainting",
)  # fmt: skip
"""Beginnings of the names of settings with which a generator is another network, or means something else."""


def run_lock(out: Path) -> tuple[Path, str, str]:
    """What `gan_eval.locks.hold_lock` takes, so that one process at a time trains in a folder."""
    return out / OWN_FOLDER / "train.lock", f"--out {out}", "training there"


def is_finished(
    out: Path, settings: TrainingSettings, data: Path, *, direction: Direction, split: str, fraction: float
) -> bool:
    """Whether `out` holds the finished run of these arguments of `train`, on the very files that it began with.

    Told within a moment, by their states; where these do not tell, False: `train` looks at the pictures themselves.

    Raises:
        UserError: the folder holds a damaged run, or there are no such pictures.
    """
    if not all((out / name).is_file() for name in (GENERATOR, CONFIG, PICTURES, EVOLUTION)):
        return False
    from safetensors import SafetensorError, safe_open

    if (out / GENERATOR).stat().st_mtime_ns > (out / EVOLUTION).stat().st_mtime_ns:  # it was changed since
        return False
    try:
        safe_open(out / GENERATOR, framework="numpy").keys()
    except (SafetensorError, OSError):  # such as a truncated file
        return False
    config, holes = _read_config(out / CONFIG), settings.inpainting
    from_files = settings.style_network != "none" or (holes is not None and bool(holes.shapes or holes.mask_folder))
    if settings.starts_from or any(config.get(fact) for fact in STARTS.values()) or from_files:
        return False
    task = {"direction": direction} if holes is None else {}
    arguments = {"settings": settings.model_dump(mode="json"), "fraction": fraction, "split": split, **task}
    if _differing(config, {"devices": 1, **arguments}):
        return False
    data_set = PairedSet(data, direction) if holes is None else PhotographSet(data)
    files = data_set.files(data_set.training_paths(split, limit=settings.max_pairs))
    return bool(read_json(out / PICTURES) == _states(files))


def _states(files: Sequence[Path]) -> str:
    """A hash of files' names, sizes and times: where it is the same, so are the files."""
    at = [(file.parent.name, file.name, file.stat()) for file in files]
    return sha256_json([(*names, state.st_size, state.st_mtime_ns, state.st_ctime_ns) for *names, state in at])


def check_run(out: Path, definition: Definition, machine: Machine) -> list[str]:
    """Make sure that the run may be written to `out`, or goes on there; nothing is written.

    Returns:
        A message for each thing about the machine that differs from the run's start.

    Raises:
        UserError: the folder holds a run with another definition or a damaged one, or somebody else's files.
    """
    if not (out / CONFIG).exists():
        if out.exists():
            claim_output_folder(out)
        return []
    config = _read_config(out / CONFIG)
    not_always_there = {"devices": 1, **dict.fromkeys(STARTS.values()), "pictures": None}
    differing = _differing(config, {**not_always_there, **definition})
    differing = [text for text in differing if f"settings.{text}" not in differing]  # the steps without a fraction
    if differing:
        mend = "choose another folder"
        if (out / GENERATOR).is_file() and not any(
            text.removeprefix("settings.").startswith(_NETWORK) for text in differing
        ):
            mend += f"; with --init-from {out} the training there starts from this run's generator"
        raise UserError(f"--out {out}: holds a run with another {', another '.join(differing)}; {mend}")
    before = config.get("machine", {})
    return [
        f"{name} was {before.get(name)} when the run began and is {now} now: "
        "the result will agree closely, but not bit for bit"
        for name, now in ({"compiled": None} | machine).items()
        if before.get(name) != now
    ]


def _read_config(path: Path) -> dict[str, Any]:
    config = read_json(path)
    if not isinstance(config, dict) or not isinstance(config.get("machine", {}), dict):
        raise UserError(f"{path}: not the configuration of a run; restore it, or choose another folder")
    return config


def _differing(config: Mapping[str, Any], definition: Definition) -> list[str]:
    """What of a definition is another in a run's configuration."""
    there: dict[str, Any] = {key: config.get(key) for key in definition}
    there["devices"] = config.get("devices", 1)
    with suppress(TypeError, ValidationError):  # an earlier version did not know all of the settings
        there["settings"] = TrainingSettings(**there["settings"]).model_dump(mode="json")
        if definition["settings"]["validation_pairs"] is None:  # whose default was a number, which stays the run's
            there["settings"]["validation_pairs"] = None
    return differences(there, definition)


def begin_run(out: Path, definition: Definition, machine: Machine, files: Sequence[Path]) -> None:
    """Claim `out` and write down what is trained there, and on which files, unless that has been done."""
    claim_output_folder(out)
    if not (out / CONFIG).exists():
        write_json(out / PICTURES, _states(files))
        write_json(out / CONFIG, {"format": FORMAT, **definition, "machine": machine})


def begun_with(out: Path, setting: str) -> Any:
    """What the run in `out` began with; None where none has begun."""
    return _read_config(out / CONFIG).get("settings", {}).get(setting) if (out / CONFIG).is_file() else None


def note_in_config(out: Path, facts: Mapping[str, Any]) -> None:
    """Write down facts of a run that has begun; they do not make it another run."""
    write_json(out / CONFIG, {**_read_config(out / CONFIG), **facts})


def recorded_threads(*folders: Path) -> int | None:
    """Number of CPU threads with which the run in the first of these folders that holds one began; None: not known."""
    threads = _recorded_machine(*folders).get("threads")
    return threads if isinstance(threads, int) and 0 < threads <= MAX_THREADS else None


def tf32_of(generator: Path) -> bool:
    """Whether the run that a generator's file lies in had TensorFloat-32; a file that lies alone had PyTorch's default.

    Args:
        generator: in the run's folder, or in one below.
    """
    return bool(_recorded_machine(*generator.parents[:2]).get("tf32", True))


def _recorded_machine(*folders: Path) -> Machine:
    for folder in folders:
        with suppress(UserError):
            machine: Machine = _read_config(folder / CONFIG).get("machine", {})
            return machine
    return {}


def start_of_finished(out: Path, part: Part) -> str | None:
    """The hash of what a finished run started from; None for drawn weights, or a run that is not finished."""
    if not ((out / GENERATOR).is_file() and (out / CONFIG).is_file()):
        return None
    return _read_config(out / CONFIG).get(STARTS[part])


def differences(old: Any, new: Any, prefix: str = "") -> list[str]:
    """Each field in which two nested dicts differ, with both values.

    >>> differences({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}})
    ['b.c (2 there, 3 asked for)']
    """
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys((*old, *new))
        return [line for key in keys for line in differences(old.get(key), new.get(key), f"{prefix}{key}.")]
    return [] if old == new else [f"{prefix.rstrip('.')} ({_short(old)} there, {_short(new)} asked for)"]


def fingerprint(definition: Definition) -> str:
    """SHA-256 of the definition; settings at their defaults do not count, so that new ones change no old run's."""
    settings = settings_of(definition).model_dump(mode="json", exclude_defaults=True)
    return sha256_json({**definition, "settings": settings})


def snapshot_path(run: Path, step: int) -> Path:
    """The file of the generator kept after `step` steps."""
    return run / "snapshots" / f"step_{step:07d}.safetensors"


def save_generator(path: Path, net: "nn.Module", definition: Definition) -> None:
    """Write a generator with its settings; neither path nor time, so equal runs give equal files.

    Args:
        definition: of the run; of a generator during training also `step`.

    Raises:
        UserError: a weight is not finite, or the disk is full or cannot be written.
    """
    from safetensors.torch import save

    from gan_eval.metrics.weights.files import first_nonfinite

    if key := first_nonfinite(net.state_dict()):
        raise UserError(f"{path}: not written, as its weight {key} is not finite; lower learning_rate and train anew")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    described = {**definition, "format": GENERATOR_FORMAT}
    metadata = json.dumps({**described, _DIGEST: _digest(described, tensors)}, sort_keys=True)
    write_bytes(path, save(tensors, metadata={_METADATA: metadata}))


def _digest(described: Definition, tensors: "Mapping[str, Tensor]") -> str:
    """Return the SHA-256 of what a file says of itself and of each tensor's name, type, shape and bytes."""
    import torch

    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode(errors="backslashreplace"))
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def read_safetensors(path: Path) -> "tuple[dict[str, Tensor], str | None]":
    """Read a safetensors file, on the CPU.

    A file of an earlier version or of another program has no digest and is taken as it is.

    Returns:
        Its tensors by name; the JSON that `save_generator` wrote into it, None where there is none.

    Raises:
        UserError: its tensors or settings are not those that were written.
        SafetensorError, OSError: it is no such file.
    """
    from safetensors import safe_open

    with safe_open(path, framework="pt", device="cpu") as file:
        metadata = (file.metadata() or {}).get(_METADATA)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    with suppress(ValueError, RecursionError):  # no JSON, which `load_generator` refuses
        described = json.loads(metadata or "null")
        if isinstance(described, dict):
            known = described.pop(_DIGEST, None)
            has_digest = known is not None or described.get("format", FORMAT) != FORMAT
            if has_digest and known != _digest(described, tensors):
                raise UserError(
                    f"{path}: damaged since it was written (its digest is another); copy it again, or train it again"
                )
    return tensors, metadata


def load_generator(path: Path) -> "tuple[Generator, Definition]":
    """A generator of ours, on the CPU, and its run's definition.

    Args:
        path: the folder of a finished run, or one of its `.safetensors` files (finished, best or snapshot).

    Raises:
        UserError: the run is not finished, or the file is damaged, not a generator of ours, or has numbers that are not
            finite.
    """
    from safetensors import SafetensorError

    from gan_eval.metrics.weights.files import first_nonfinite
    from trainer.nets.build import first_difference, generator_for

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
        settings, fraction, formats = settings_of(definition), definition["fraction"], formats_of(definition)
    except ValidationError as error:
        problem = first_problem(error, TrainingSettings)
        raise UserError(f"{path}: not a readable generator (its settings: {problem}); train it again") from error
    except (ArithmeticError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:  # another form
        raise UserError(f"{path}: not a readable generator (its metadata are damaged); train it again") from error
    if not isinstance(fraction, int | float) or isinstance(fraction, bool) or not 0 < fraction <= 1:
        raise UserError(f"{path}: not a readable generator (fraction {fraction!r} in its metadata); train it again")
    net = generator_for(settings, (formats[0].channels, formats[1].channels))
    if difference := first_difference(net.state_dict(), tensors):
        raise UserError(f"{path}: {difference}; the file's weights are not those of its settings; train it again")
    net = net.to_empty(device="cpu")
    net.load_state_dict(tensors)
    if key := first_nonfinite(net.state_dict()):
        raise UserError(f"{path}: its weight {key} is not finite; take another file of the run, or train it again")
    return net, definition


def has_generator(out: Path, say: Callable[[str], None]) -> bool:
    """Whether the run in `out` has its finished generator; a damaged one is to be restored from a checkpoint.

    Args:
        say: takes a message about a damaged generator.

    Raises:
        UserError: the generator is damaged, and there is no checkpoint; or it is not a file.
    """
    file = out / GENERATOR
    if not os.path.lexists(file):
        return False
    if not file.is_file():
        raise UserError(f"{file}: not a file; remove it")
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
    """The file that `path` means: itself, or the finished generator of a run's folder.

    Raises:
        UserError: there is none.
    """
    path = Path(path)
    file = path / GENERATOR if path.is_dir() else path
    if not file.is_file():
        file = file if path.suffix else path / GENERATOR
        raise UserError(f"{file}: no such file; name the folder of a finished run (train it to the end first)")
    return file


def settings_of(definition: Definition) -> TrainingSettings:
    """The training settings of a run."""
    return TrainingSettings(**definition["settings"])


def formats_of(definition: Definition) -> Formats:
    """Channels and depth of input and target of a run; 8-bit RGB where it names none.

    Raises:
        UserError, LookupError, TypeError: it names something else.
    """
    pictures = definition.get("pictures")
    if pictures is None:
        return RGB8, RGB8
    return PixelFormat.from_dict(pictures["input"]), PixelFormat.from_dict(pictures["target"])


def named_formats(formats: Formats) -> Definition:
    """What a run's definition says of them: nothing of 8-bit RGB."""
    if all(side.is_rgb8 for side in formats):
        return {}
    return {"pictures": {"input": formats[0].as_dict(), "target": formats[1].as_dict()}}


def recorded_formats(out: Path) -> Formats | None:
    """The formats of the run that has begun in `out`; None where there is none.

    Raises:
        UserError: its configuration is damaged.
    """
    if not (out / CONFIG).exists():
        return None
    try:
        return formats_of(_read_config(out / CONFIG))
    except (LookupError, TypeError) as error:
        raise UserError(f"{out / CONFIG}: pictures: no pixel formats; restore it, or choose another folder") from error


def direction_of(definition: Definition) -> Direction:
    """Which half the run's generator takes as input."""
    return "BtoA" if definition.get("direction") == "BtoA" else "AtoB"


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text[:12] + "…" if len(text) > 40 else text
