"""The tables of `docs/differences.md`: python benchmarks/differences.py [--peers FOLDER] [--debian FOLDER] [--check]

Other programs are installed, in exactly these versions, into a folder of their own (pip and npm). Both sides get
the same pictures, features and answers, which are made here. `--check` writes nothing and fails where a value moved.
The modules of `other_programs` measure.

`--debian` is the folder of a Debian whose R and programs get rows too: `mmdebstrap --include=r-cran-lme4,
r-cran-glmmtmb,r-cran-ordinal,r-cran-blme,butteraugli,libjxl-devtools,opencv-data sid FOLDER`; dssim, where it is in
/usr/local/bin; pymer4, where Python or an environment /opt/pymer4-* has it (0.9 with polars, great_tables, pyarrow and
R's lmerTest, emmeans, broom.mixed, parameters and report).
"""

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from other_programs.rows import Table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "differences.md"
BEGIN = "<!-- made by benchmarks/differences.py: do not edit by hand -->"
END = "<!-- end of what is made -->"
PEERS = (
    *("piq==0.8.0", "pytorch-msssim==1.0.0", "sewar==0.4.10", "prdc==0.2", "pytorch-fid==0.3.0", "clean-fid==0.1.35"),
    *("opencv-contrib-python-headless==5.0.0.93", "krippendorff==0.9.0", "pingouin==0.7.0", "nltk==3.10.4"),
    *("choix==0.4.1", "evalica==0.4.2", "statsmodels==0.15.0", "torch-fidelity==0.4.0", "mixedlm==1.3.0"),
    *("ssimulacra2==0.3.0", "blazediff-ssim==6.1.1", "fast-ssim==1.4.0"),
)
ALONE = (
    *("irrCAC==0.4.4", "sureal==0.9.0", "metadpy==0.1.2", "psignifit==4.3", "pyiqa==0.1.16"),
    *("image-similarity-measures==0.3.6", "DISTS_pytorch==0.1", "brisque==0.2.0", "vmaf-torch==1.1.0"),
)
"""Installed without what they ask for: they pin old versions, or bring what is not needed here."""
NEEDED = (
    *("huggingface_hub==2.4.0", "phasepack==1.5", "yuvio==1.6", "libsvm-official==3.37.0"),
    "imageio-ffmpeg==0.8.1",
)
"""Further packages that some of these need, and an ffmpeg with libvmaf; no row has these names."""
NPM = ("ssim.js@3.5.0", "image-ssim@0.2.0", "@imagemagick/magick-wasm@0.0.43")
INSTALLED = re.compile(
    r"(GraphicsMagick|Butteraugli|libjxl|dssim|lme4|glmmTMB|ordinal|blme|pymer4) |OpenCV \S+ `quality.QualityBRISQUE"
)
"""Cells of programs, or of models, that a machine may lack, or have in another version."""
HEADS = {
    "Pairs of pictures": "| metric | program | blur | JPEG | noise | equal | why |",
    "Single pictures": "| metric | program | blur | JPEG | noise | untouched | why |",
    "Sets of features": "| metric | program | value | why |",
    "Judgements": "| statistic | program | value | why |",
}


def main() -> None:
    """Measure, and write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, help="folder of the other programs (default: a temporary one)")
    parser.add_argument("--debian", type=Path, help="folder of a Debian whose R and programs have rows too")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a value has moved")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.peers, options.debian)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        made = tables(options.peers or Path(temporary), options.debian)
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    if options.check:
        sys.exit("\n".join(moved(old, made)) or None)
    PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}", encoding="utf-8")


def tables(folder: Path, debian: Path | None) -> str:
    """The page's tables, measured with the other programs in `folder`, and in a Debian."""
    from peers import peers_python

    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "install", "--silent", "--prefix", str(folder / "npm"), *NPM], check=True)
    python = peers_python(folder / "python", (*PEERS, *NEEDED), alone=ALONE)
    command = [python, __file__, "--measure", "--peers", folder, *(("--debian", debian) if debian else ())]
    rows = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1])
    parts = [f"Measured on {date.today()}."]
    for name, head in HEADS.items():
        lines = [line(what, *row) for what, found in rows[name].items() for row in found]
        parts += [f"### {name}", "\n".join([head, "|" + " --- |" * (head.count("|") - 1), *lines])]
    return "\n\n".join(parts)


def line(what: str, program: str, values: Sequence[float | None], why: str) -> str:
    """A row as a line of its table."""
    return " | ".join(("", what, program, *map(shown, values), why, "")).strip()


def shown(value: float | None) -> str:
    """A value as a table's cell; -0 is 0."""
    if value is None or math.isnan(value):
        return ""
    return f"{round(value, 4) + 0.0:.4f}" if abs(value) < 100 else f"{value:.1f}"


def moved(old: str, new: str) -> Iterator[str]:
    """The lines of a table whose numbers moved by more than two units of the last digit, or whose words changed."""
    number = re.compile(r"(?<=\| )-?(?:\d+\.\d+|inf)(?= \|)")
    lines = [[line for line in text.splitlines() if line.startswith("| ")] for text in (old, new)]
    both = set.intersection(*({line.split(" | ")[1] for line in side} for side in lines))
    lines = [[line for line in side if not is_installed(line) or line.split(" | ")[1] in both] for side in lines]
    if len(lines[0]) != len(lines[1]):
        yield f"{len(lines[0])} lines are now {len(lines[1])}"
    for was, now in zip(*lines, strict=False):
        pairs = zip(number.findall(was), number.findall(now), strict=False)
        if not all(a == b or near(a, b) for a, b in pairs) or number.sub("", was) != number.sub("", now):
            yield f"was {was}\nnow {now}"


def is_installed(line: str) -> bool:
    """True if the row is of a program that a machine may lack, or have in another version."""
    return bool(INSTALLED.match(line.split(" | ")[1]))


def near(was: str, now: str) -> bool:
    """Return True if two cells differ by at most two units of the last digit."""
    return math.isclose(float(was), float(now), abs_tol=2.5 * 10.0 ** -len(now.partition(".")[2]))


def measured(folder: Path, debian: Path | None) -> "dict[str, Table]":
    """All rows, measured in the other programs' environment."""
    import torch
    from other_programs.rows import bare

    torch.set_num_threads(1)
    bare("pyiqa", "archs")
    from other_programs import judgements, mixed, networks, pictures, sets, stills
    from other_programs.installed import Machine

    machines = [Machine(), *([Machine(debian)] if debian else [])]
    networks.fetch_weights(folder / "weights")
    programs = [stills.of_pinned_programs(), *(machine.of_files() for machine in machines)]
    return {
        "Pairs of pictures": pictures.pairs_of_pictures(folder, programs) | networks.learned_pairs(),
        "Single pictures": {"NIQE": pictures.niqe(folder), "BRISQUE": networks.brisque_rows(machines)},
        "Sets of features": sets.sets_of_features(),
        "Judgements": judgements.judgements() | mixed.mixed_models(machines),
    }


if __name__ == "__main__":
    main()
