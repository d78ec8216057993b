"""The pictures of a stimulus set as they are before they are brought to one form."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, JpegImagePlugin

from gan_eval.errors import UserError
from gan_eval.giveaways.file_facts import tables_hash
from gan_eval.giveaways.form import Form, Size, has_shape
from gan_eval.stimuli.pictures import read_file
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.tabular import Row


@dataclass(frozen=True)
class Source:
    """One picture that can be shown."""

    kind: str
    codec: str
    """The lossy coding that left its traces in the pixels; empty where there is none that is known."""
    size: Size
    """Once it is turned upright."""


def look_at(stimuli: StimulusSet, items: Mapping[str, Sequence[Row]]) -> tuple[dict[str, list[Source]], list[str]]:
    """The sources of each item, and a line for each item of which a picture cannot be read."""
    sources: dict[str, list[Source]] = {}
    problems: list[str] = []
    for item, versions in items.items():
        try:
            sources[item] = [_look_at_one(stimuli.folder / row["file"], row["kind"]) for row in versions]
        except UserError as error:
            problems.append(f"{item}: {error}")
    return sources, problems


def common_size(sources: Iterable[Source], form: Form, where: Path) -> Size:
    """The size that all are brought to: the form's, else the smallest width and the smallest height.

    Raises:
        UserError: a picture has another shape, and the form does not say how it is to be fitted.
    """
    sizes = [source.size for source in sources]
    size = form.size or (min(width for width, _ in sizes), min(height for _, height in sizes))
    others = [each for each in sizes if not has_shape(each, size)]
    if others and form.fit is None:
        raise UserError(
            f"{where}: {len(others)} pictures have another shape than {size[0]}x{size[1]}, the first is "
            f"{others[0][0]}x{others[0][1]}; give --fit crop (the centre is kept) or --fit stretch"
        )
    return size


def remaining_clues(sources: Sequence[Source], form: Form, size: Size) -> list[str]:
    """What the pictures' past may still tell once they have one form, and how to take it away."""
    real, fake = ([source for source in sources if source.kind == kind] for kind in ("real", "fake"))
    lines: list[str] = []
    codecs = [sorted({source.codec or "none" for source in each}) for each in (real, fake)]
    if codecs[0] != codecs[1] and form.jpeg is None:
        told = [", ".join(each[:3]) for each in codecs]
        lines.append(
            f"lossy coding, by format and tables: real {told[0]}; generated {told[1]}; its traces stay in the pixels, "
            "--jpeg 75 puts the same on all"
        )
    scaled = [_share(each, [source.size != size for source in each]) for each in (real, fake)]
    if scaled[0] != scaled[1]:
        lines.append(
            f"scaled were {scaled[0]} of the real and {scaled[1]} of the generated pictures, and scaling changes "
            "sharpness; a --size smaller than all scales all"
        )
    return lines


def _share(sources: Sequence[Source], told: Sequence[bool]) -> str:
    return f"{100 * sum(told) / len(sources):.0f} %" if sources else "none"


def _look_at_one(path: Path, kind: str) -> Source:
    content = read_file(path)
    try:
        with Image.open(io.BytesIO(content)) as image:
            sideways = image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
            size = (image.height, image.width) if sideways else image.size
            return Source(kind, _codec(image), size)
    except Exception as error:  # decoders raise whatever the damaged bytes lead to: struct.error, KeyError, ...
        raise UserError(f"{path}: not a readable picture ({error}); replace or remove it") from error


def _codec(image: Image.Image) -> str:
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return f"JPEG {tables_hash(image)}"
    return "WebP" if image.format == "WEBP" else ""
