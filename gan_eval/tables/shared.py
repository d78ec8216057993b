"""Words and columns that several tables share."""

from gan_eval.tables.schema import Column, boolean, number, text

KINDS = ("real", "fake")
PHASES = ("practice", "main", "catch")
RESPONSES = ("real", "fake", "none")
STATUSES = ("open", "complete", "aborted")
PLATEAU_VERDICTS = ("plateau", "still_improving", "never_improved", "too_few")
SCOPES = ("all", "participant", "stimulus", "model", "dataset", "exposure", "block")
HOLE_SCOPES = ("mask_kind", "mask_area_band")
"""Of filled pictures: by the kind of their hole, and by its share of the picture in per cent."""
STYLE_NETWORK = text(
    "style_network",
    "inpainting: the network of the style loss that the generator was trained with, or none",
    optional=True,
)
FRACTION = number(
    "fraction", "share of the planned training steps that the models behind this row were given", optional=True
)
SIMULATED = boolean("simulated", "the answers come from a simulated participant, not from a person", optional=True)
ANALYSIS_RUN = text("run", "the analysis that made this table: the same in all tables of one analysis", optional=True)
NOTE = text("note", "what a reader must know about this row", optional=True)
STIMULUS = text("stimulus", "`dataset/real/stem` or `dataset/model/stem`", filled=True)
ITEM = text("item", "`dataset/stem`: the source picture shared by its real and generated versions")
KIND = text("kind", "the truth: ground truth or a model's output", words=KINDS)
MODEL = text("model", "the generator's name; empty for a real picture")
DATASET = text("dataset", "the data set's name")
SESSION = text("session", "one participant sitting once (UUIDv7)", filled=True)
PARTICIPANT = text("participant", "a pseudonym, never a name", filled=True)
SHARE = "0..1"
"""The unit of shares, rates and areas."""


def ends(
    name: str, what: str = "its 95 % interval", *, unit: str = "", optional: bool = False
) -> tuple[Column, Column]:
    """The columns `NAME_low` and `NAME_high` of an interval."""
    return (
        number(f"{name}_low", f"lower end of {what}", unit=unit, optional=optional),
        number(f"{name}_high", f"upper end of {what}", unit=unit, optional=optional),
    )


def with_ends(name: str, meaning: str, *, unit: str = "", optional: bool = False) -> tuple[Column, Column, Column]:
    """A number and the ends of its 95 % interval."""
    return (number(name, meaning, unit=unit, optional=optional), *ends(name, unit=unit, optional=optional))
