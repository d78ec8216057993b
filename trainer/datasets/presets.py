"""The data sets of the Pix2Pix publications, in one table: sides, sizes, training, archive, terms.

`docs/data.md` shows the same table, made from here (`python -m trainer.datasets.presets`).
"""

from dataclasses import dataclass
from typing import Any

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction

_ARCHIVES = "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets"


@dataclass(frozen=True)
class Preset:
    """One data set. The sides and the sizes are those of the official archive."""

    name: str
    a: str
    """What the left half holds."""
    b: str
    """What the right half holds."""
    direction: Direction
    """As published: from labels, map or edges to the photograph."""
    splits: tuple[tuple[str, int], ...]
    """Pictures in each split."""
    width: int
    """Of a whole picture, both halves, in pixels."""
    height: int
    url: str | None
    """The official archive; None where its terms ask each user to register."""
    archive_bytes: int | None
    """None where it is not known to the byte."""
    archive_note: str
    sha256: str | None
    """Of the archive; None where no official one is published. Then `data fetch` records what it found."""
    terms: str
    citation: str
    length_from: str = "`studies/pix2pix_capability.toml`"
    """Who trained for so long, as the documentation says it."""
    epochs: int | None = 100
    steps: int | None = None
    image_size: int = 256
    lambda_l1: float = 100.0
    d_loss_factor: float = 0.5
    """1 where the discriminator's two parts are added, as published; 0.5 where they are averaged."""

    def training(self) -> dict[str, Any]:
        """The training as in `studies/`, as keys of `TrainingSettings`."""
        length = {"epochs": self.epochs} if self.steps is None else {"steps": self.steps}
        return {
            **length,
            "image_size": self.image_size,
            "lambda_l1": self.lambda_l1,
            "d_loss_factor": self.d_loss_factor,
        }

    @property
    def without_address(self) -> str:
        """The user's line where there is nothing to download."""
        reason = self.terms.partition(";")[0]
        return (
            f"{self.name}: no address, because {reason}; give the A|B archive that you have: --from FILE or --from URL"
        )

    @property
    def length(self) -> str:
        """The length of the training, for people."""
        return f"{self.epochs} epochs" if self.steps is None else f"{self.steps:,} iterations"


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="facades",
            a="photograph of a facade",
            b="label map",
            direction="BtoA",
            splits=(("train", 400), ("val", 100), ("test", 106)),
            width=512,
            height=256,
            url=f"{_ARCHIVES}/facades.tar.gz",
            archive_bytes=30_168_306,
            archive_note="30 MB",
            sha256=None,
            terms="the archive states no licence; cite",
            citation=(
                "Tyleček and Šára, Spatial pattern templates for recognition of objects with regular structure, "
                "GCPR 2013"
            ),
        ),
        Preset(
            name="maps",
            a="aerial photograph",
            b="street map",
            direction="BtoA",
            splits=(("train", 1096), ("val", 1098)),
            width=1200,
            height=600,
            url=f"{_ARCHIVES}/maps.tar.gz",
            archive_bytes=250_242_400,
            archive_note="250 MB",
            sha256=None,
            terms="taken from Google Maps; no licence stated",
            citation="Isola et al., Image-to-image translation with conditional adversarial networks, CVPR 2017",
        ),
        Preset(
            name="edges2shoes",
            a="edges",
            b="photograph of a shoe",
            direction="AtoB",
            splits=(("train", 49_825), ("val", 200)),
            width=512,
            height=256,
            url=f"{_ARCHIVES}/edges2shoes.tar.gz",
            archive_bytes=None,
            archive_note="about 2.2 GB",
            sha256=None,
            terms="UT Zappos50K, for academic, non-commercial use; cite",
            citation="Yu and Grauman, Fine-grained visual comparisons with local learning, CVPR 2014",
        ),
        Preset(
            name="cityscapes",
            a="photograph of a street",
            b="label map",
            direction="BtoA",
            splits=(("train", 2975), ("val", 500)),
            width=512,
            height=256,
            url=None,
            archive_bytes=103_441_232,
            archive_note="103 MB",
            sha256=None,
            terms="each user registers at www.cityscapes-dataset.com and agrees to its licence; cite",
            citation="Cordts et al., The Cityscapes dataset for semantic urban scene understanding, CVPR 2016",
            length_from="`studies/cityscapes_convergence.toml`",
            epochs=None,
            steps=50_000,
            d_loss_factor=1.0,
        ),
    )
}


def preset_of(name: str) -> Preset:
    """The preset of this name.

    Raises:
        UserError: there is none.
    """
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise UserError(f"data set {name!r}: no preset of A|B pictures has this name; choose from {known}")
    return PRESETS[name]


def table() -> str:
    """The presets as two Markdown tables: what the sets are, and how they are trained."""
    return "\n".join([*_sets(), "", *_trainings()])


def _sets() -> list[str]:
    rows = ["| name | A (left) | B (right) | pictures | pixels | archive | terms | cite |", "|" + " --- |" * 8]
    for preset in PRESETS.values():
        splits = ", ".join(f"{split} {count:,}" for split, count in preset.splits)
        archive = f"[{preset.archive_note}]({preset.url})" if preset.url else f"{preset.archive_note}, by `--from` only"
        cells = (preset.name, preset.a, preset.b, splits, f"{preset.width}×{preset.height}", archive)
        rows.append(f"| {' | '.join((*cells, preset.terms, preset.citation))} |")
    return rows


def _trainings() -> list[str]:
    head = ["| name | direction | λ (L1) | factor of D's loss | length | length from | size |", "|" + " --- |" * 7]
    return head + [
        f"| {preset.name} | {preset.direction} | {preset.lambda_l1:g} | {preset.d_loss_factor:g} | {preset.length} "
        f"| {preset.length_from} | {preset.image_size} |"
        for preset in PRESETS.values()
    ]


if __name__ == "__main__":
    print(table())
