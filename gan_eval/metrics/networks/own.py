"""The user's own network for features: its file, and its settings in a TOML file next to it.

`--network NAME=FILE` names TorchScript or, with the suffix `.onnx`, ONNX. It takes pictures (N, 3, S, S) float32,
scaled as the settings say, and gives features (N, d).
"""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError
from torch import Tensor, nn

from gan_eval.base.digests import sha256_file, sha256_json, unchanged
from gan_eval.base.errors import UserError, first_sentence, last_words, memory_ran_out
from gan_eval.base.reading import read_toml
from gan_eval.metrics.kernels.devices import exact_inference
from gan_eval.metrics.networks.extractors import NetworkExtractor
from gan_eval.metrics.networks.segmenter import Network, load_network
from gan_eval.metrics.weights.cache import network_files
from gan_eval.settings.choices import ResizerName
from gan_eval.settings.sections import first_problem

BATCH = 16
"""Number of pictures for one call of the network."""
TOLERANCE = 0.01
"""Difference of a picture's features alone and among others, as a share of the largest, that rounding explains.

Networks in bfloat16 have up to 0.008."""


class NetworkSettings(BaseModel):
    """The keys of the TOML file.

    The network is given (level / 255 - mean) / std of each channel R, G, B, with levels 0 to 255.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    input_size: Annotated[int, Field(gt=0, le=4096)]
    """Side of the square that pictures are resized to."""
    licence: str = Field(validation_alias=AliasChoices("licence", "license"), min_length=1)
    """Licence of the network's weights, for the table `runs`."""
    crop: bool = False
    """Crop a picture to its centred square before it is resized."""
    resizer: ResizerName | Literal["bicubic"] = "clean"
    """Method as for `--resizer`, or `bicubic`: Pillow's, on the 8-bit picture, antialiased, rounded to 8 bits."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (1.0, 1.0, 1.0)
    features: PositiveInt | None = None
    """d, the number of features of the network."""


PRESETS = {
    "dinov2": NetworkSettings(
        input_size=224,
        licence="Apache-2.0",
        resizer="bicubic",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        features=1024,
    ),
    "clip": NetworkSettings(
        input_size=336,
        licence="MIT",
        crop=True,
        resizer="bicubic",
        mean=(0.48145466, 0.4578275, 0.40821073),
        std=(0.26862954, 0.26130258, 0.27577711),
        features=768,
    ),
}
"""Settings of networks that are known by their name: DINOv2 ViT-L/14 with the pictures as dgm-eval prepares them
(FD-DINOv2, Stein et al. 2023), and CLIP ViT-L/14@336px as CMMD's program does (Jayasumana et al. 2024)."""


class _Scaled(nn.Module):
    """(N, 3, S, S) float32 in 0..255 to the network's (N, d) float32."""

    def __init__(self, network: Network, settings: NetworkSettings, device: str, option: str) -> None:
        super().__init__()
        self._network, self._option = network, option
        self.size: int | None = None
        """d, once it is known."""
        self._mean, self._std = (
            torch.tensor(values, dtype=torch.float32, device=device).view(1, 3, 1, 1)
            for values in (settings.mean, settings.std)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features; the network's errors are lines.

        Raises:
            UserError: the network fails, or gives another number of features than for other pictures.
        """
        count, side = len(pictures), pictures.shape[-1]
        try:
            output = self._network(((pictures / 255 - self._mean) / self._std).contiguous()).float()
        except Exception as error:  # any error of the user's network
            if memory_ran_out(error):
                raise
            where = f"{count} pictures of {side}x{side}"
            raise UserError(f"{self._option}: fails on {where}: {last_words(error)}") from error
        if self.size is not None and output.shape != (count, self.size):
            raise UserError(f"{self._option}: gives {tuple(output.shape)} for {count} pictures, not d = {self.size}")
        return output


def read_settings(name: str, file: Path) -> NetworkSettings:
    """Return the settings in `NAME.toml` next to the network, in the TOML file with its stem, or those of `PRESETS`.

    Raises:
        UserError: the file is missing, there are no settings, they cannot be read, or a key is unknown, missing or bad.
    """
    if not file.is_file():
        raise UserError(f"--network {name}={file}: no such file")
    candidates = dict.fromkeys((file.with_name(f"{name}.toml"), file.with_suffix(".toml")))
    path = next((each for each in candidates if each.is_file()), None)
    if path is None and name in PRESETS:
        return PRESETS[name]
    if path is None:
        raise UserError(
            f"--network {name}={file}: no {' or '.join(each.name for each in candidates)} next to it; write it with "
            f"input_size and licence (and resizer, mean, std); only {' and '.join(PRESETS)} need none"
        )
    try:
        return NetworkSettings(**read_toml(path))
    except ValidationError as error:
        raise UserError(f"{path}: {first_problem(error, NetworkSettings)}") from error


def _load_onnx(file: Path, *, option: str) -> Network:
    """Load an ONNX network; it runs on the CPU."""
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(f"{option}: ONNX needs the package onnxruntime (`pip install onnxruntime`)") from error
    try:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many errors for damaged files
        if missing := [part.name for part in network_files(file) if not part.is_file()]:
            raise UserError(
                f"{option}: its weights are in {missing[0]}, which is not next to it; copy both, or export the network "
                "with external_data=False"
            ) from error
        raise UserError(f"{option}: not an ONNX network ({first_sentence(error)}); export it again") from error
    name = session.get_inputs()[0].name
    return lambda pictures: torch.from_numpy(session.run(None, {name: pictures.cpu().numpy()})[0])


def digest(file: Path) -> str:
    """Return the SHA-256 of a network's file; of ONNX, also of the files of its weights."""
    digests = [sha256_file(part) for part in network_files(file) if part.is_file()]
    return sha256_json(digests) if digests[1:] else digests[0]


def _probe(network: _Scaled, side: int, device: str, option: str) -> int:
    """Return the number of features, from three pictures: a gradient, strong noise, weak noise.

    They are given twice, and the last one alone: in three copies, as some networks are exported for N > 1.
    """
    noise = torch.rand(3, side, side, generator=torch.Generator().manual_seed(0)) * 255
    pictures = torch.stack([torch.linspace(0, 255, side).expand(3, side, side), noise, 120 + noise / 32]).to(device)
    try:
        with exact_inference(device):
            output = network(pictures)
            if output.ndim != 2 or len(output) != 3 or not output.shape[1]:
                raise UserError(
                    f"{option}: gives {tuple(output.shape)} for three pictures, expected (3, d): export it with pooling"
                )
            network.size = output.shape[1]
            again, alone = network(pictures), network(pictures[[2, 2, 2]])
    except Exception as error:
        if memory_ran_out(error):
            raise UserError(
                f"{option}: too little memory on {device}; make some free, or name another --device"
            ) from error
        raise
    least = TOLERANCE * float(output.nan_to_num(posinf=0, neginf=0).abs().max())
    for one, other, what in (
        (output, again, "change from call to call"),
        (output[2], alone[2], "depend on the other pictures of a call"),
    ):
        if not torch.isclose(one, other, rtol=0, atol=least, equal_nan=True).all():
            raise UserError(
                f"{option}: a picture's features {what}; export the network in evaluation mode: call network.eval() "
                "before torch.jit.trace or torch.onnx.export"
            )
    return network.size


def load_own_network(name: str, file: Path, *, device: str) -> NetworkExtractor:
    """Load a network and its settings. Loading TorchScript runs code that the file holds.

    Args:
        name: the user's name of its features.
        file: TorchScript, or ONNX.
        device: cpu, cuda, ...

    Raises:
        UserError: no such file, no network in it, bad settings, its output is not (N, d), or a picture's features
            change or depend on the others.
    """
    option = f"--network {name}={file}"
    settings = read_settings(name, file)
    with unchanged(*network_files(file)):
        if file.suffix.lower() == ".onnx":
            network = _load_onnx(file, option=option)
            runtime = f"onnxruntime {version('onnxruntime')}"
        else:
            network, runtime = load_network(file, device=device, option=option), "torchscript"
        sha256 = digest(file)
    scaled = _Scaled(network, settings, device, option)
    side = settings.input_size
    size = _probe(scaled, side, device, option)
    if settings.features not in (None, size):
        raise UserError(
            f"{option}: gives {size} features of a picture, and its settings expect {settings.features}; "
            f"export the right network, or write {name}.toml for this one"
        )
    return NetworkExtractor(
        name=f"@{name}",
        network=scaled,
        size=size,
        side=side,
        key=f"network/{sha256}/{settings.model_dump_json()}/{runtime}",
        batch_size=BATCH,
        crop=settings.crop,
        resizer=settings.resizer,
        device=device,
        sha256=sha256,
    )
