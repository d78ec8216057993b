"""Malformed pictures, in result folders, stimulus sets and data sets."""

import io
import zlib
from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st
from PIL import Image
from png_by_hand import chunk, png

from attack.attack import Attack, Special
from attack.damage import damaged, something_else
from attack.world import QUIZ, World
from gan_eval.files.digests import sha256_bytes

Bad = tuple[str, bytes | Special]
"""A description of the fault, and the picture."""


def attacks(world: World) -> st.SearchStrategy[Attack]:
    """Every family of this topic."""
    return st.one_of(
        _in_result_folders(world), _in_result_folders(world), _in_sets(world), _in_data(world), _names(world)
    )


def _saved(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


NOISE = Image.fromarray(np.random.default_rng(2).integers(0, 256, (32, 32, 3), dtype=np.uint8))
TURNED = Image.Exif()
TURNED[0x0112] = 6
FRAMES = [NOISE.rotate(90 * turn) for turn in range(3)]

DECODABLE: dict[str, Callable[[], bytes]] = {
    "CMYK": lambda: _saved(NOISE.convert("CMYK"), "JPEG"),
    "grey": lambda: _saved(NOISE.convert("L"), "PNG"),
    "grey and alpha": lambda: _saved(NOISE.convert("LA"), "PNG"),
    "alpha": lambda: _saved(NOISE.convert("RGBA"), "PNG"),
    "one bit": lambda: _saved(NOISE.convert("1"), "PNG"),
    "palette": lambda: _saved(NOISE.convert("P"), "PNG"),
    "palette with transparency": lambda: _saved(NOISE.convert("P"), "PNG", transparency=3),
    "16-bit grey": lambda: _saved(Image.fromarray(np.arange(1024, dtype=np.uint16).reshape(32, 32) * 64), "PNG"),
    "16-bit colour": lambda: png(32, 32, depth=16, body=(b"\0" + bytes(range(192))) * 32),
    "32-bit floats": lambda: _saved(Image.fromarray(np.full((32, 32), np.nan, dtype=np.float32)), "TIFF"),
    "animated GIF": lambda: _saved(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]),
    "animated PNG": lambda: _saved(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]),
    "animated WebP": lambda: _saved(FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:]),
    "several pages": lambda: _saved(FRAMES[0], "TIFF", save_all=True, append_images=FRAMES[1:]),
    "JPEG by another name": lambda: _saved(NOISE, "JPEG"),
    "BMP": lambda: _saved(NOISE, "BMP"),
    "JPEG 2000": lambda: _saved(NOISE, "JPEG2000"),
    "icon": lambda: _saved(NOISE, "ICO", sizes=[(32, 32)]),
    "turned by EXIF": lambda: _saved(NOISE.crop((0, 0, 20, 32)), "JPEG", exif=TURNED),
    "one pixel": lambda: _saved(NOISE.crop((0, 0, 1, 1)), "PNG"),
    "one row": lambda: _saved(NOISE.resize((5000, 1)), "PNG"),
    "another size": lambda: _saved(NOISE.resize((33, 31)), "PNG"),
    "one colour": lambda: _saved(Image.new("RGB", (32, 32)), "PNG"),
    "broken profile": lambda: _saved(NOISE, "PNG", icc_profile=b"nonsense"),
    "garbage behind": lambda: _saved(NOISE, "PNG") + b"PK\x03\x04" * 100,
}  # fmt: skip
"""Pictures that some program reads: they may be taken, refused or left out, but not silently misread."""

UNREADABLE: dict[str, Callable[[], bytes | Special]] = {
    "bomb": lambda: png(60_000, 60_000, body=bytes(10_000)),
    "larger bomb": lambda: png(2**31 - 1, 2**31 - 1),
    "no width": lambda: png(0, 32),
    "no size": lambda: png(0, 0),
    "no such depth": lambda: png(32, 32, depth=7, body=bytes(4000)),
    "no such colour": lambda: png(32, 32, colour=9, body=bytes(4000)),
    "few rows": lambda: png(32, 32, body=bytes(97 * 5)),
    "no data": lambda: png(32, 32),
    "text bomb": lambda: png(32, 32, more=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))),
    "half a JPEG": lambda: _saved(NOISE, "JPEG")[:400],
    "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n(PWNED) (w) file closefile\nshowpage\n",
    "vector picture": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"/>',
    "folder": lambda: Special("folder"),
    "dangling link": lambda: Special("link", "nowhere.png"),
    "link to itself": lambda: Special("link", "0.png"),
    "endless device": lambda: Special("link", "/dev/zero"),
    "pipe": lambda: Special("fifo"),
}
"""Files that no program reads as a picture."""


@st.composite
def bad_picture(draw: st.DrawFn) -> Bad:
    """A picture of any family, and what is wrong with it."""
    sort = draw(st.sampled_from(["decodable", "unreadable", "unreadable", "damaged", "something else"]))
    match sort:
        case "decodable":
            name = draw(st.sampled_from(sorted(DECODABLE)))
            return name, DECODABLE[name]()
        case "unreadable":
            name = draw(st.sampled_from(sorted(UNREADABLE)))
            return name, UNREADABLE[name]()
        case "damaged":
            form = draw(st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"]))
            what, data = draw(damaged(_saved(NOISE, form)))
            return f"{form} {what}", data
        case _:
            return draw(something_else())


def _is_lost(what: str) -> bool:
    """Return True if no program can read the picture, so that it must be reported."""
    return what in UNREADABLE and what != "text bomb"


_IMPORT = ("stimuli", "import", "results", "--out", "out")
_METRICS = ("metrics", "--real", "results/real", "--fake", "results/fake", "--metrics", "psnr", "--out", "out")
_OF_SETS = (
    ("stimuli", "audit", "set", "--out", "out"),
    ("stimuli", "equalise", "set", "--out", "out"),
    ("metrics", "set", "--metrics", "psnr", "--out", "out"),
    QUIZ,
)
_OF_DATA = (
    ("data", "check", "data"),
    ("data", "check", "data", "--photographs"),
    ("data", "preview", "data", "--split", "test", "--out", "out.png"),
    ("data", "pair", "data/train", "data/test", "--out", "out"),
    ("data", "edges", "data/test", "--out", "out"),
)


@st.composite
def _in_result_folders(draw: st.DrawFn, world: World) -> Attack:
    """Other programs' pictures, given as folders."""
    what, bad = draw(bad_picture())
    kinds = draw(st.sampled_from([["real"], ["fake"], ["real", "fake"]]))
    ending = draw(st.sampled_from([".png", ".png", ".jpg", ".webp", ".tif"]))
    files: dict[str, bytes | Special] = dict(world.pictures)
    for kind in kinds:
        del files[f"results/{kind}/0.png"]
    files |= {f"results/{kind}/0{ending}": _aimed(bad, f"0{ending}") for kind in kinds}
    command = draw(st.sampled_from([_IMPORT, _METRICS]))
    return Attack(f"result folder, {command[0]}: {what}", command, files, mentions=("0",) if _is_lost(what) else ())


@st.composite
def _in_sets(draw: st.DrawFn, world: World) -> Attack:
    """A picture of a stimulus set, changed after the set was made, or with a row that fits it."""
    what, bad = draw(bad_picture())
    path = draw(st.sampled_from(["set/real/0.png", "set/fake/0.png"]))
    files = {**world.set, path: _aimed(bad, "0.png")}
    fits = draw(st.booleans()) and isinstance(bad, bytes)
    if isinstance(bad, bytes) and fits:
        old, new = (sha256_bytes(data).encode() for data in (world.set[path], bad))
        files["set/stimuli.csv"] = world.set["set/stimuli.csv"].replace(old, new)
    command = draw(st.sampled_from(_OF_SETS))
    family = f"set, {' '.join(command[:2])}: {what}{', row fits' if fits else ''}"
    return Attack(family, command, files, changes=("room.sqlite*",), mentions=("0",) if _is_lost(what) else ())


@st.composite
def _in_data(draw: st.DrawFn, world: World) -> Attack:
    """A picture of a data set for training."""
    what, bad = draw(bad_picture())
    command = draw(st.sampled_from(_OF_DATA))
    files = {**world.data, "data/test/0.png": _aimed(bad, "0.png")}
    return Attack(f"data, {' '.join(command[:2])}: {what}", command, files)


NAMES = (
    "\udcff\udcfe.png", "a\nb.png", "a\tb.png", "\x1b[31mred.png", "-rf.png", "--help.png", "x" * 251 + ".png", " .png",
    "'.png", '".png', "a|b.png", "a,b.png", "=1+1.png", "%s{0}.png", "CON.png", "e\u0301.png", "\u202egnp.png", "0.PNG",
    ".hidden.png", "a b.png", "0.png.png", "\u200b.png", "a;b.png", "$(touch PWNED).png", "[bold]x[/bold].png",
    "\\.png",
)  # fmt: skip


@st.composite
def _names(draw: st.DrawFn, world: World) -> Attack:
    """Names that no program expects."""
    name = draw(st.sampled_from(NAMES))
    place = draw(st.sampled_from(["pictures", "folder", "option", "twice"]))
    files: dict[str, bytes | Special] = dict(world.pictures)
    command: tuple[str, ...] = _IMPORT
    if place == "pictures":
        files |= {f"results/{kind}/{name}": world.pictures[f"results/{kind}/0.png"] for kind in ("real", "fake")}
        command = draw(st.sampled_from([_IMPORT, _METRICS, ("data", "check", "results/real", "--photographs")]))
    elif place == "twice":
        ending = draw(st.sampled_from([".jpg", ".PNG", ".webp"]))
        files |= {f"results/fake/0{ending}": _saved(NOISE, "JPEG")}
    elif place == "folder":
        folder = name.removesuffix(".png")
        files = {path.replace("results", f"./{folder}", 1): data for path, data in files.items()}
        command = tuple(word.replace("results", f"./{folder}") for word in draw(st.sampled_from([_IMPORT, _METRICS])))
    else:
        option = draw(st.sampled_from(["--dataset", "--model"]))
        word = draw(st.sampled_from([name, "", "real", "a/b", "../up", "/abs", ".", "..", "a|b", "x" * 5000, "\x01"]))
        command = (*_IMPORT, f"{option}={word}")
    return Attack(f"name, {' '.join(command[:2])}, {place}: {ascii(name)[:30]}", command, files)


def _aimed(bad: bytes | Special, name: str) -> bytes | Special:
    """A link to itself needs its own name."""
    return Special("link", name) if isinstance(bad, Special) and bad.target == "0.png" else bad
