"""The keys of kept values: another code is another key for the metrics that use it, another comment is none."""

import ast
import shutil
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_eval.metrics.catalogue import METRICS, Metric
from gan_eval.metrics.run import code_hash
from gan_eval.metrics.run.code_hash import Code, NoSourceError
from gan_eval.metrics.run.sets import SHARED_CODE
from gan_eval.metrics.run.tools import _EXTRACTORS, decoder

PACKAGE = Path(code_hash.__file__).parents[2]
Read = Callable[[str], tuple[str, bool] | None]

SMALL = {
    "p": '"""A package."""\nfrom p.a import value as exported\n',
    "p.a": """
        import p.deep.far
        from p import tools
        from p.b import Base, unused
        from . import c
        LIMIT = 3
        OTHER = 4
        def value(x):
            '''Says something.'''
            from p.d import scale as by
            return tools.add(x, LIMIT) * by(c.FACTOR)
        def other(x):
            return OTHER * x
        class Kind(Base):
            def size(self):
                return pick(self).measured()
        def pick(kind):
            return tools
        def inner(x):
            return nested(x)
        def nested(x):
            return p.deep.far.DEPTH
        TABLE = {}
        TABLE["row"] = OTHER
        def rows():
            return TABLE, "numbers.npz"
    """,
    "p.b": "class Base:\n    width = 5\ndef unused():\n    return 1\n",
    "p.c": "FACTOR = 7\nREST = 8\n",
    "p.d": "from p.e import *\nimport numpy as np\ndef scale(x):\n    return np.float64(x) + STEP\n",
    "p.e": "STEP = 1\n",
    "p.tools": "ROUND = 2\ndef add(x, y):\n    return round(x + y, ROUND)\ndef measured():\n    return 9\n"
    "def never():\n    return 10\n",
    "p.deep": "",
    "p.deep.far": "DEPTH = 11\n",
}


def small(**edits: str) -> Code:
    """The code of SMALL with `module='old -> new'` replaced."""
    texts = {name: textwrap.dedent(text) for name, text in SMALL.items()}
    for name, edit in edits.items():
        old, new = edit.split(" -> ")
        module = name.replace("__", ".")
        assert old in texts[module]
        texts[module] = texts[module].replace(old, new)
    packages = {"p", "p.deep"}
    return Code(lambda name: (texts[name], name in packages) if name in texts else None)


ROOTS = ("value", "other", "Kind", "pick", "inner", "rows", "exported")


@pytest.mark.parametrize(
    ("edit", "changed"),
    [
        ({"p__a": "LIMIT = 3 -> LIMIT = 30"}, {"value", "exported"}),
        ({"p__a": "OTHER = 4 -> OTHER = 40"}, {"other", "rows"}),
        ({"p__b": "width = 5 -> width = 6"}, {"Kind"}),
        ({"p__b": "return 1 -> return 2"}, set()),
        ({"p__c": "FACTOR = 7 -> FACTOR = 70"}, {"value", "exported"}),
        ({"p__c": "REST = 8 -> REST = 80"}, set()),
        ({"p__d": "STEP -> -STEP"}, {"value", "exported"}),
        ({"p__d": "import numpy as np -> import cupy as np"}, {"value", "exported"}),
        ({"p__e": "STEP = 1 -> STEP = 2"}, {"value", "exported"}),
        ({"p__tools": "ROUND = 2 -> ROUND = 3"}, {"value", "exported"}),
        ({"p__tools": "return 9 -> return 90"}, {"Kind"}),
        ({"p__tools": "return 10 -> return 100"}, set()),
        ({"p__tools": "ROUND = 2 -> ROUND = 2\nprint(1)"}, {"value", "exported", "Kind", "pick"}),
        ({"p__deep__far": "DEPTH = 11 -> DEPTH = 12"}, {"inner"}),
        ({"p__a": "def inner -> # a comment\ndef inner"}, set()),
        ({"p__a": "'''Says something.''' -> '''Says another thing.'''"}, set()),
        ({"p": "A package. -> Another text."}, set()),
    ],
)
def test_a_change_reaches_what_uses_it_and_nothing_else(edit, changed):
    before, after = small(), small(**edit)
    roots = {name: f"p:{name}" if name == "exported" else f"p.a:{name}" for name in ROOTS}
    assert {name for name, root in roots.items() if before.hash_of(root) != after.hash_of(root)} == changed


def test_a_file_of_data_is_part_of_the_code_that_names_it():
    def code(content: bytes) -> Code:
        text = textwrap.dedent(SMALL["p.a"])
        return Code(lambda name: (text, False) if name == "p.a" else None, data={"numbers.npz": content}.get)

    assert code(b"1").hash_of("p.a:rows") != code(b"2").hash_of("p.a:rows")
    assert code(b"1").hash_of("p.a:value") == code(b"2").hash_of("p.a:value")


def roots_of(metric: Metric) -> tuple[str, ...]:
    return (SHARED_CODE, *metric.code) if metric.kind == "set" else metric.code


def hashes(read: Read = code_hash._read_own) -> dict[str, str]:
    """The hash of every metric's own code, and of every extractor's."""
    code = Code(read, data=code_hash._data_file)
    roots = {name: roots_of(metric) for name, metric in METRICS.items()}
    roots |= {f"extractor {name}": (root,) for name, root in _EXTRACTORS.items()}
    return {name: code.hash_of(*of) for name, of in roots.items()}


def edited(module: str, old: str, new: str) -> Read:
    """gan_eval's sources with one change."""

    def read(name: str) -> tuple[str, bool] | None:
        found = code_hash._read_own(name)
        if name != module or found is None:
            return found
        assert old in found[0]
        return found[0].replace(old, new, 1), found[1]

    return read


DEFINITIONS, KERNELS, NETWORKS = (f"gan_eval.metrics.{name}" for name in ("definitions", "kernels", "networks"))
NEIGHBOURS = {
    f"{name}_{of}" for name in ("precision", "recall", "density", "coverage") for of in ("inception", "vgg16")
}
SEGMENTATION = {"pixel_accuracy", "class_accuracy", "class_iou"}
SETS = {name for name, metric in METRICS.items() if metric.kind == "set"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "old", "new", "changed"),
    [
        (f"{DEFINITIONS}.similarity", "10 * math.log10", "20 * math.log10", {"psnr", "psnr_hole"}),
        (f"{DEFINITIONS}.similarity", "0.0448", "0.0449", {"ms_ssim"}),
        (f"{KERNELS}.loops", "1.5**2", "1.6**2", {"ssim", "ssim_luma", "ms_ssim", "ssim_hole"}),
        (f"{KERNELS}.loops", "_ZERO = 1e-6", "_ZERO = 1e-5", {"niqe", "brisque"}),
        (f"{DEFINITIONS}.no_reference", "BLOCK = 96", "BLOCK = 48", {"niqe"}),
        (f"{DEFINITIONS}.kid", "BLOCK = 1024", "BLOCK = 512", {"kid"}),
        (f"{DEFINITIONS}.fid_infinity", "SIZES = 15", "SIZES = 16", {"fid_infinity"}),
        (f"{DEFINITIONS}.frechet", "TOLERANCE = 1e-8", "TOLERANCE = 1e-7", {"fid", "fid_infinity"}),
        (f"{DEFINITIONS}.neighbours", '"density": 5', '"density": 6', NEIGHBOURS),
        (f"{DEFINITIONS}.jackknife", "GROUPS = 10", "GROUPS = 11", SETS),
        (f"{DEFINITIONS}.perceptual", '("3", "8", "15"', '("3", "8", "16"', {"dists", "dists_hole"}),
        (f"{NETWORKS}.inception", "BATCH_NORM_EPSILON = 1e-3", "BATCH_NORM_EPSILON = 1e-4", {"extractor inception"}),
        (f"{NETWORKS}.extractors", "_HIDDEN = 5", "_HIDDEN = 4", {"extractor vgg16"}),
        (
            f"{NETWORKS}.extractors",
            "import numpy as np",
            "import cupy as np",
            {"extractor inception", "extractor vgg16"},
        ),
        (f"{DEFINITIONS}.segmentation", "FAR = 14.0", "FAR = 15.0", {"extractor segmenter", "extractor label_colours"}),
        ("gan_eval.metrics.run.sets", "1 {which}picture is a copy", "1 {which}picture is double", SETS),
        ("gan_eval.metrics.run.pictures", "MOST_COPIES = 8", "MOST_COPIES = 9", set()),
    ],
)
def test_another_constant_changes_the_keys_of_the_metrics_that_use_it(module, old, new, changed):
    before, after = hashes(), hashes(edited(module, old, new))
    assert {name for name in before if before[name] != after[name]} == changed


@pytest.mark.slow
def test_other_comments_and_docstrings_change_no_key():
    def read(name: str) -> tuple[str, bool] | None:
        found = code_hash._read_own(name)
        if found is None:
            return None
        tree = ast.parse(found[0])
        for node in ast.walk(tree):
            for field in ("body", "orelse"):
                for statement in (
                    getattr(node, field, None) or [] if not isinstance(node, ast.Lambda | ast.IfExp) else []
                ):
                    value = getattr(statement, "value", None)
                    if isinstance(statement, ast.Expr) and isinstance(value, ast.Constant):
                        value.value = "something else entirely"
        return "# a comment\n" + ast.unparse(tree) + "\n\nNEW = 1\n", found[1]

    assert hashes(read) == hashes()


def test_every_metric_has_code_and_none_has_another_s():
    code = Code(code_hash._read_own)
    for metric in METRICS.values():
        for root in roots_of(metric):
            module, _, function = root.partition(":")
            found = code._module(module)
            assert found is not None, root
            assert function in found.bound, root
    found = hashes()
    unlike = [
        name
        for name in METRICS
        if name not in {*NEIGHBOURS, "lpips_alex", "lpips_vgg", "lpips_alex_hole", "dists_hole"}
    ]
    assert len({found[name] for name in unlike}) == len(unlike)


def told_in(folder: Path) -> str:
    """The hash of psnr's code as a Python that finds gan_eval there tells it."""
    code = (
        "from gan_eval.metrics.run.cache import Cache; from gan_eval.metrics.run.code_hash import CodeHashes; "
        "import gan_eval; from gan_eval.metrics.catalogue import METRICS; "
        "print(gan_eval.__file__, CodeHashes(Cache(None)).of(*METRICS['psnr'].code), sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(folder), "PATH": ""}, cwd=PACKAGE.anchor,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    place, _, found = done.stdout.strip().partition("|")
    assert place.startswith(str(folder))
    return found


@pytest.mark.slow
def test_sources_in_an_archive_give_the_same_key_and_without_sources_the_version_counts(tmp_path):
    from gan_eval import __version__

    archive = tmp_path / "gan_eval.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for file in PACKAGE.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                zipped.write(file, file.relative_to(PACKAGE.parent))
    plain = code_hash._hashed(METRICS["psnr"].code)
    assert told_in(archive) == plain
    bare = tmp_path / "bare"
    shutil.copytree(PACKAGE, bare / "gan_eval", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-b", str(bare)], check=True)
    for file in bare.rglob("*.py"):
        file.unlink()
    assert told_in(bare) == f"gan_eval {__version__}, no source"


def test_a_module_that_cannot_be_read_is_no_empty_module():
    def read(name: str) -> tuple[str, bool] | None:
        raise NoSourceError

    with pytest.raises(NoSourceError):
        Code(read).hash_of("a:b")


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("gan_eval.stimuli.pixel_formats", "(2 * span)", "(3 * span)"),
        ("gan_eval.stimuli.pixel_formats", "0 <= low", "1 <= low"),
        ("gan_eval.metrics.run.pictures", "not in (1, 3)", "not in (1, 2, 3)"),
    ],
)
def test_another_rule_of_reading_changes_the_key_of_decoding(module: str, old: str, new: str) -> None:
    class Hashes:
        def __init__(self, read: Read) -> None:
            self._code = Code(read)

        def of(self, *roots: str) -> str:
            return self._code.hash_of(*roots)

    assert decoder(Hashes(code_hash._read_own)) != decoder(Hashes(edited(module, old, new)))
