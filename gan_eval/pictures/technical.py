"""Technical differences between real and generated pictures that move a network's features, and so FID, KID and others.

The clues are those of the audit that are not content: sizes, JPEG, grey, profiles, padding. Brightness, contrast and
sharpness are left to the metrics: they are mostly the model's quality. Traces in pixels count only where they are too
strong for a generator's own artefacts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median

from gan_eval.base.errors import UserError
from gan_eval.pictures import decode as images
from gan_eval.pictures.clues import CLUES, Clue, Facts, Value, file_facts, pixel_facts
from gan_eval.pictures.compare import Finding, compare, judge
from gan_eval.pictures.decode import has_shape

SAMPLE = 30
"""Number of pictures of each side whose pixels are compared; of the others only the headers."""
JPEG_TRACES = (1.1, 1.05)
"""Median blockiness of a side with traces of JPEG, at least, and without, at most: quality 75 has 1.16, none 1.00."""
PLAIN_BORDER = (0.1, 0.6)
"""Median step at the edges of a side with a plain border, at most, and without, at least: 0.01, 1.3; blur has 0.2."""

_PIXELS, _SHAPE = Clue("pixels", "picture"), Clue("shape", "picture")
_CODING, _COLOUR = Clue("coding", "metadata"), Clue("colour", "metadata")
_LOSSY = ("JPEG", "WEBP")


def technical_differences(real: Sequence[Facts], fake: Sequence[Facts]) -> list[str]:
    """Return a phrase for each technical difference between the pictures of both sides (see `technical_facts`)."""
    sides = {"real": real, "generated": fake}
    phrases = []
    if any(_found(sides, clue) for clue in (CLUES["size"], _PIXELS, _SHAPE)):
        phrases.append(_sizes(*([str(facts["size"]) for facts in side] for side in sides.values())))
    bordered = _found(sides, CLUES["border_step"]) and _only_one(sides, "border_step", *PLAIN_BORDER)
    phrases += _coding(sides, may_be_traces=not bordered)
    if bordered:
        phrases.append(f"only {bordered} pictures have a plain border")
    if colour := _found(sides, _COLOUR):
        phrases.append(f"real pictures are {colour.real}, generated ones {colour.fake}")
    if profile := _found(sides, CLUES["profile"]):
        names = f"real pictures {profile.real}, generated ones {profile.fake}"
        phrases.append(f"colour profiles are not applied: {names}")
    return phrases


Sides = Mapping[str, Sequence[Facts]]
"""The facts of the real and of the generated pictures."""


def _found(sides: Sides, clue: Clue) -> Finding | None:
    """Return the comparison by a clue if it separates the sides; else None."""
    finding = compare(clue, *sides.values())
    if finding.separation is None:
        return None
    fewest = min(finding.n_real, finding.n_fake)
    return finding if judge("metadata", finding.separation, fewest) == "gives_away" else None


def _coding(sides: Sides, *, may_be_traces: bool) -> list[str]:
    """Return a phrase if the pictures are coded in different ways, or were before they got into these files."""
    if coding := _found(sides, _CODING):
        return [f"real pictures are {coding.real}, generated ones {coding.fake}"]
    if _found(sides, CLUES["jpeg_tables"]) or _found(sides, CLUES["jpeg_subsampling"]):
        return ["real and generated pictures are JPEG of different quality"]
    has_traces = may_be_traces and _found(sides, CLUES["blockiness"])
    side = _only_one(sides, "blockiness", *JPEG_TRACES) if has_traces else ""
    return [f"only {side} pictures have traces of JPEG"] if side else []


def technical_facts(files: Sequence[Path], *, threads: int = 1) -> list[Facts]:
    """Return the clues of the files of one side; a file that cannot be read is ignored."""
    step = max(1, -(-len(files) // SAMPLE))
    with ThreadPoolExecutor(threads, thread_name_prefix="clues") as pool:
        facts_of_files = pool.map(lambda at: _facts(files[at], pixels=at % step == 0), range(len(files)))
        return [facts for facts in facts_of_files if facts]


def _facts(file: Path, *, pixels: bool) -> Facts:
    """Return the clues of one file; those in the pixels only if asked for. Empty if it cannot be read."""
    try:
        content = images.read_file(file) if pixels else None
        header = file_facts(file, content)
    except UserError:
        return {}
    width, height = map(int, str(header["size"]).split("x"))
    profile = str(header["profile"])
    facts: dict[str, Value] = {
        **dict.fromkeys((_COLOUR.name, "border_step", "blockiness")),
        **header,
        _PIXELS.name: float(width * height),
        _SHAPE.name: width / height,
        _CODING.name: header["format"] if header["format"] in _LOSSY else "coded without loss",
        "profile": "none or sRGB" if profile == "none" or profile.startswith("sRGB") else profile,
    }
    if content is not None:
        with suppress(UserError):
            picture = images.decode_rgb(content, file)
            is_grey = bool((picture == picture[..., :1]).all())
            facts |= {**pixel_facts(picture), _COLOUR.name: "grey" if is_grey else "in colour"}
    return facts


def _only_one(sides: Sides, clue: str, inside: float, outside: float) -> str:
    """Return the side whose median is beyond `inside` if the other's is on the other side of `outside`; else ""."""
    sign = 1 if inside > outside else -1
    middles = {
        name: sign * median([float(value) for facts in side if (value := facts[clue]) is not None])
        for name, side in sides.items()
    }
    low, high = sorted(middles, key=middles.__getitem__)
    return high if middles[high] >= sign * inside and middles[low] <= sign * outside else ""


def _sizes(real: Sequence[str], fake: Sequence[str]) -> str:
    """Return the sizes of both sides, and what resizing to a network's square does to them."""
    sizes = [(int(width), int(height)) for width, _, height in (size.partition("x") for size in {*real, *fake})]
    is_one_shape = all(has_shape(size, min(sizes)) for size in sizes)
    effect = "a network sees them scaled by different factors" if is_one_shape else "all are squeezed to a square"
    return f"real pictures are {_listed(real)}, generated ones {_listed(fake)}: {effect}"


def _listed(sizes: Sequence[str]) -> str:
    different = [size for size, _ in Counter(sizes).most_common()]
    if len(different) <= 2:
        return " and ".join(different)
    by_area = sorted(different, key=lambda size: int(size.partition("x")[0]) * int(size.partition("x")[2]))
    return f"of {len(different)} sizes from {by_area[0]} to {by_area[-1]}"
