"""The data sets of the inpainting publications, and their trainings: pictures, sizes, where they come from, terms.

`docs/data.md` shows the same table, made from here (`python -m trainer.datasets.photograph_presets`).
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from gan_eval.errors import UserError
from gan_eval.training_settings import Direction
from trainer.datasets.presets import PRESETS, Preset

PUBLISHED_CONTEXT_ENCODER: dict[str, Any] = {
    "generator": "context_encoder",
    "discriminator": "global",
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
    "inpainting": {"masks": {"centre": 1.0}, "centre": 0.5, "fill": "zero", "overlap": 7},
}
"""Meneust and Pinto, Context Encoders: the weights 1000:1 with the highest PSNR of their Table 1."""

PATHAK: dict[str, Any] = {
    **PUBLISHED_CONTEXT_ENCODER,
    "learning_rate": 0.002,
    "discriminator_learning_rate": 0.0002,
    "beta2": 0.999,
    "inpainting": {
        "masks": {"centre": 1.0},
        "centre": 0.5,
        "fill": "mean",
        "overlap": 4,
        "overlap_shown": True,
    },
}
"""Pathak et al. 2016 (arXiv 1604.07379), as in the released train.lua."""

HOLES_ANYWHERE: dict[str, Any] = {
    "image_size": 128,
    "adversarial": "least_squares",
    "receptive_field": 40,
    "inpainting": {
        "masks": {"strokes": 1.0, "region": 1.0, "centre": 1.0},
        "mask_channel": True,
        "fill": "noise",
    },
}
"""The changes that helped in Inpainting from scratch: the mask as a channel, noise in the hole, least squares, patches
of 40 pixels. Style and total-variation losses helped too; their weights are not published, so they are left to the user
(inpainting.style_network, lambda_style, lambda_tv), and so are the shares of the kinds of holes."""

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
    settings: dict[str, Any]
    """Keys of `TrainingSettings`."""
    settings_from: str
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
        return deepcopy(self.settings)

    @property
    def without_address(self) -> str:
        """The user's line where there is nothing to download."""
        return f"{self.name}: no address; {self.origin}"

    @property
    def length(self) -> str:
        """The length of the training, for people."""
        return f"{self.settings['epochs']} epochs" if "epochs" in self.settings else "not published; `--epochs N`"


AnyPreset = Preset | PhotographPreset
"""Both have name, terms, citation, `training()`, `direction`, `url`, `sha256`, `splits` and `without_address`."""


def _enlarged(settings: dict[str, Any], source_size: int) -> dict[str, Any]:
    return {**settings, "inpainting": {**settings["inpainting"], "source_size": source_size}}


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
            settings=_enlarged(PUBLISHED_CONTEXT_ENCODER, 64),
            settings_from="Meneust and Pinto",
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
            settings=_enlarged(PUBLISHED_CONTEXT_ENCODER, 64),
            settings_from="Meneust and Pinto",
        ),
        PhotographPreset(
            name="imagenet_128",
            holds="objects of 1,000 classes",
            splits=_IMAGENET_SPLITS,
            side="128",
            origin="register at image-net.org, then `gan-eval data crops IMAGENET --out DIR --size 128`",
            terms=_IMAGENET_TERMS,
            citation=_IMAGENET,
            settings=PUBLISHED_CONTEXT_ENCODER,
            settings_from="Meneust and Pinto",
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
            settings={**HOLES_ANYWHERE, "epochs": 500},
            settings_from="Inpainting from scratch",
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
            settings={**HOLES_ANYWHERE, "epochs": 90},
            settings_from="Inpainting from scratch: from the generator trained on landscapes (`--set init_from=RUN`)",
        ),
    )
}


def any_preset_of(name: str) -> AnyPreset:
    """The preset of this name, of A|B pictures or of photographs.

    Raises:
        UserError: there is none.
    """
    every: dict[str, AnyPreset] = {**PRESETS, **PHOTOGRAPH_PRESETS}
    if name not in every:
        raise UserError(f"data set {name!r}: no preset of this name; choose from {', '.join(every)}")
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
    rows = ["| name | length | settings | from |", "|" + " --- |" * 4]
    for preset in PHOTOGRAPH_PRESETS.values():
        inpainting = preset.settings["inpainting"]
        values = {name: value for name, value in preset.settings.items() if name not in ("inpainting", "epochs")}
        values |= {f"inpainting.{name}": value for name, value in inpainting.items()}
        listed = ", ".join(f"{name} {_shown(value)}" for name, value in values.items())
        rows.append(f"| {preset.name} | {preset.length} | {listed} | {preset.settings_from} |")
    return rows


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{kind} {share:g}" for kind, share in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:g}"


if __name__ == "__main__":
    print(table())
