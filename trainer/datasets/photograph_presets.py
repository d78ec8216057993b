"""The data sets of the inpainting publications, and their trainings: pictures, sizes, where they come from, terms.

`docs/data.md` shows the same table, made from here (`python -m trainer.datasets.photograph_presets`).

Trainings of the inpainting publications by name, as keys of `TrainingSettings`; without a length.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction
from trainer.datasets.presets import PRESETS, Preset

_IMAGENET_TERMS = "ImageNet's: non-commercial research and education only; cite"
_IMAGENET = "Russakovsky et al., ImageNet large scale visual recognition challenge, IJCV 2015"
_IMAGENET_SPLITS = (("train", 1_281_167), ("val", 50_000))


@dataclass(frozen=True)
class PhotographPreset:
    """One data set of single photographs and a training on it."""

    name: str
    holds: str
    """What is on the pictures."""
    splits: tuple[tuple[str, int], ...]
    """Pictures in each split; none where that is left to the user."""
    side: str
    """Pixels of a picture, as the documentation says it."""
    origin: str
    """Where it comes from; what the user does."""
    terms: str
    citation: str
    trained: str
    """Which of `TRAININGS`."""
    source_size: int | None = None
    """Side to which its pictures are brought before they are enlarged."""
    epochs: int | None = None
    """Published length; None where none is."""
    after: str = ""
    """The set whose generator it starts from."""
    pictures: str = ""
    """How many, as the documentation says it, where the splits do not."""
    url: str | None = None
    """The official archive; None where each user brings the pictures."""
    archive_note: str = "no archive"
    sha256: str | None = None
    direction: Direction = "AtoB"
    """Of no meaning here: a photograph is input and target."""

    def training(self) -> dict[str, Any]:
        """The training, as keys of `TrainingSettings`; without a length where none is published."""
        settings = deepcopy(TRAININGS[self.trained].settings)
        if self.source_size is not None:
            settings["inpainting"]["source_size"] = self.source_size
        return settings if self.epochs is None else settings | {"epochs": self.epochs}

    @property
    def without_address(self) -> str:
        """The user's line where there is nothing to download."""
        return f"{self.name}: no address; {self.origin}"

    @property
    def length(self) -> str:
        """The length of the training, for people."""
        epochs = "not published; `--epochs N`" if self.epochs is None else f"{self.epochs} epochs"
        return f"{epochs}, from the generator of {self.after} (`--init-from RUN`)" if self.after else epochs


AnyPreset = Preset | PhotographPreset
"""Both have name, terms, citation, `training()`, `direction`, `url`, `sha256`, `splits` and `without_address`."""


PHOTOGRAPH_PRESETS: dict[str, PhotographPreset] = {
    preset.name: preset
    for preset in (
        PhotographPreset(
            name="tiny_imagenet",
            holds="objects of 200 classes",
            splits=(("train", 100_000), ("val", 10_000), ("test", 10_000)),
            side="64",
            origin="`gan-eval data fetch tiny_imagenet`",
            terms=_IMAGENET_TERMS,
            citation="Le and Yang, Tiny ImageNet visual recognition challenge, Stanford CS 231N, 2015",
            trained="published",
            source_size=64,
            url="http://cs231n.stanford.edu/tiny-imagenet-200.zip",
            archive_note="about 248 MB",
        ),
        PhotographPreset(
            name="imagenet_64",
            holds="objects of 1,000 classes",
            splits=_IMAGENET_SPLITS,
            side="64",
            origin="register at image-net.org, then `gan-eval data crops IMAGENET --out DIR --size 64`",
            terms=_IMAGENET_TERMS,
            citation=_IMAGENET,
            trained="published",
            source_size=64,
        ),
        PhotographPreset(
            name="imagenet_128",
            holds="objects of 1,000 classes",
            splits=_IMAGENET_SPLITS,
            side="128",
            origin="register at image-net.org, then `gan-eval data crops IMAGENET --out DIR --size 128`",
            terms=_IMAGENET_TERMS,
            citation=_IMAGENET,
            trained="published",
        ),
        PhotographPreset(
            name="landscapes",
            holds="landscapes",
            pictures="11,357 (7,038 given and a public collection)",
            splits=(),
            side="any",
            origin="bring landscapes in one folder; they are split by hash",
            terms="those of the pictures that you bring",
            citation="Inpainting from scratch",
            trained="hole_filling",
            epochs=500,
        ),
        PhotographPreset(
            name="paintings",
            holds="paintings like Monet's",
            pictures="2,343 (300 given and painters of similar style)",
            splits=(),
            side="any",
            origin="bring paintings in one folder; they are split by hash",
            terms="those of the pictures that you bring",
            citation="Inpainting from scratch",
            trained="hole_filling",
            epochs=90,
            after="landscapes",
        ),
    )
}


def any_preset_of(name: str, *, also: Iterable[str] = ()) -> AnyPreset:
    """The preset of this name, of A|B pictures or of photographs.

    Args:
        also: other names that the user could have given.

    Raises:
        UserError: there is none.
    """
    every: dict[str, AnyPreset] = {**PRESETS, **PHOTOGRAPH_PRESETS}
    if name not in every:
        raise UserError(f"preset {name!r}: there is none of this name; choose from {', '.join([*every, *also])}")
    return every[name]


def table() -> str:
    """The presets as two Markdown tables: what the sets are, and how they are trained."""
    return "\n".join([*_sets(), "", *_trainings()])


def _sets() -> list[str]:
    rows = ["| name | holds | pictures | side | from | terms | cite |", "|" + " --- |" * 7]
    for preset in PHOTOGRAPH_PRESETS.values():
        counts = ", ".join(f"{split} {count:,}" for split, count in preset.splits) or preset.pictures
        origin = f"{preset.origin}: [{preset.archive_note}]({preset.url})" if preset.url else preset.origin
        cells = (preset.name, preset.holds, counts, preset.side, origin, preset.terms, preset.citation)
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _trainings() -> list[str]:
    """Which set is trained how, and what the trainings are."""
    rows = ["| name | training | length |", "| --- | --- | --- |"]
    for preset in PHOTOGRAPH_PRESETS.values():
        changed = "" if preset.source_size is None else f", inpainting.source_size {preset.source_size}"
        rows.append(f"| {preset.name} | `{preset.trained}`{changed} | {preset.length} |")
    rows += ["", "| training | settings | from |", "| --- | --- | --- |"]
    for name, training in TRAININGS.items():
        inpainting = training.settings["inpainting"]
        values = {key: value for key, value in training.settings.items() if key != "inpainting"}
        values |= {f"inpainting.{key}": value for key, value in inpainting.items()}
        listed = ", ".join(f"{key} {_shown(value)}" for key, value in values.items())
        rows.append(f"| `{name}` | {listed} | {training.source} |")
    return rows


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{kind} {share:g}" for kind, share in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:g}"


_PUBLISHED: dict[str, Any] = {
    "generator": "context_encoder",
    "discriminator": "global",
    "bottleneck": 4000,
    "image_size": 128,
    "statistics": "batch",
    "batch_size": 64,
    "learning_rate": 0.02,
    "discriminator_learning_rate": 0.002,
    "beta1": 0.5,
    "beta2": 0.9,
    "adversarial": "bce",
    "adversarial_weight": 0.001,
    "lambda_l1": 0.0,
    "lambda_l2": 0.999,
    "jitter": False,
    "inpainting": {"masks": {"centre": 1.0}, "centre": 0.5, "fill": "zero", "overlap": 7, "overlap_weight": 10.0},
}
"""Meneust and Pinto, Context Encoders: the weights 1000:1 with the highest PSNR of their Table 1. They trained with
batches of 64 and of 512."""

_PATHAK: dict[str, Any] = {
    **_PUBLISHED,
    "learning_rate": 0.002,
    "discriminator_learning_rate": 0.0002,
    "beta2": 0.999,
    "inpainting": {**_PUBLISHED["inpainting"], "fill": "mean", "overlap": 4, "overlap_shown": True},
}
"""Pathak et al. 2016 (arXiv 1604.07379), as in the released train.lua: the generator learns ten times as fast as the
discriminator, and sees the border on which the loss counts ten times."""

_HOLE_FILLING: dict[str, Any] = {
    "generator": "channelwise_unet",
    "discriminator": "global_and_patch",
    "receptive_field": 40,
    "discriminator_channels": 32,
    "image_size": 256,
    "statistics": "batch",
    "batch_size": 8,
    "learning_rate": 2e-4,
    "discriminator_learning_rate": 1e-4,
    "adversarial": "least_squares",
    "lambda_l1": 100.0,
    "dropout": 0.0,
    "inpainting": {
        "masks": {"centre": 1.0, "blocks": 2.0, "region": 2.0},
        "centre": 0.5,
        "fill": "noise",
        "mask_channel": True,
        "lambda_tv": 0.1,
    },
}
"""Inpainting from scratch, without its style loss, whose network has to be chosen (inpainting.style_network). The mask
as a channel, noise in the hole, least squares and patches of 40 pixels are what helped there. The losses' weights, the
masks' shares and how much weaker the discriminator is are not published."""


@dataclass(frozen=True)
class InpaintingTraining:
    """How a generator that fills holes is trained."""

    settings: dict[str, Any]
    """Keys of `TrainingSettings`."""
    source: str
    """Who trained so."""


TRAININGS: Mapping[str, InpaintingTraining] = {
    "published": InpaintingTraining(_PUBLISHED, "Meneust and Pinto, Context Encoders"),
    "pathak": InpaintingTraining(_PATHAK, "Pathak et al. 2016 (arXiv 1604.07379), train.lua"),
    "hole_filling": InpaintingTraining(_HOLE_FILLING, "Inpainting from scratch; the weights are ours"),
}
"""What `train --preset` takes beside the names of data sets."""


if __name__ == "__main__":
    print(table())
