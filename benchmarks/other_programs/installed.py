"""Programs that no pinned package brings: those of this machine, and of a Debian in a folder.

Debian's packages change with its release, so rows of these programs are compared only where a machine has the version
that the page names.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from other_programs.inputs import four_pairs
from other_programs.rows import Found, Table, called

ModelFit = tuple[str, str, str, list[float | None]]
"""Program, call, model and three values: the effect, its standard error, the SD of pictures."""


@dataclass(frozen=True)
class Machine:
    """This machine, or the Debian in a folder (`mmdebstrap --include=... sid FOLDER`), whose commands need root."""

    root: Path | None = None

    def has(self, command: str) -> bool:
        """True if it has this command."""
        folders = [str(self.root / "usr/bin"), str(self.root / "usr/local/bin")] if self.root else None
        return bool(shutil.which(command, path=os.pathsep.join(folders) if folders else None))

    def output(self, *command: str) -> str:
        """Output of a command, to both streams; some exit with 1 where pictures differ."""
        inside = ("chroot", str(self.root), *command) if self.root else command
        result = subprocess.run(inside, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return result.stdout

    @contextmanager
    def folder(self) -> Iterator[tuple[Path, str]]:
        """A temporary folder of its own: where it is, and what its commands call it."""
        with tempfile.TemporaryDirectory(dir=self.root / "tmp" if self.root else None) as folder:
            yield Path(folder), f"/{Path(folder).relative_to(self.root)}" if self.root else folder

    def version_of(self, package: str) -> str:
        """The version of a package of Debian's without Debian's own part; empty where it is not installed."""
        if not self.has("dpkg-query"):
            return ""
        found = re.findall(r"^Version: (?:\d+:)?([^-+\s]+)", self.output("dpkg-query", "-s", package), re.MULTILINE)
        return found[0] if found else ""

    def of_files(self) -> dict[str, Table]:
        """Metrics of the pairs as PNG files, by program."""
        programs: dict[str, Callable[[Machine], Table]] = {
            "gm": _graphicsmagick,
            "butteraugli": _butteraugli,
            "ssimulacra2": _libjxl,
            "dssim": _dssim,
        }
        return {command: measure(self) for command, measure in programs.items() if self.has(command)}

    def brisque_models(self) -> list[str]:
        """OpenCV's model of BRISQUE and its ranges, from Debian's package opencv-data; empty without it."""
        folder = (self.root or Path("/")) / "usr/share/opencv4/quality"
        return [str(file) for file in sorted(folder.glob("brisque_*_live.yml"))]

    def each_pair(self, *command: str, value: str, order: Sequence[str] = ("real", "fake")) -> list[float]:
        """The number that `value` finds in what the command prints of each pair's files, by default original first."""
        with self.folder() as (folder, name):
            found = []
            for pair in four_pairs():
                save_pair(folder, pair)
                printed = self.output(*command, *(f"{name}/{picture}.png" for picture in order))
                found.append(float(re.findall(value, printed)[0]))
        return found

    def mixed_models(self, table: Any, singular: Any) -> list[ModelFit]:
        """The fits of `mixed_models.R` and `pymer4_fit.py`."""
        if not self.has("Rscript"):
            return []
        root = self.root or Path("/")
        pythons = ["python3", *(f"/{python.relative_to(root)}" for python in root.glob("opt/pymer4-*/bin/python3"))]
        scripts = [("Rscript", "mixed_models.R"), *((python, "pymer4_fit.py") for python in sorted(pythons))]
        with self.folder() as (folder, name):
            for data, file in ((table, "table.csv"), (singular, "singular.csv")):
                data.to_csv(folder / file, index=False)
            printed = ""
            for command, script in scripts:
                shutil.copy(Path(__file__).with_name(script), folder)
                printed += self.output(command, *(f"{name}/{file}" for file in (script, "table.csv", "singular.csv")))
        cells = [line.split("\t") for line in printed.splitlines() if line.count("\t") == 6]
        return [
            (f"{package} {version}", call, model, [None if value == "NA" else float(value) for value in values])
            for package, version, call, model, *values in cells
        ]


def save_pair(folder: Path, pair: tuple[Any, Any]) -> None:
    """Write `fake.png` and `real.png`."""
    from PIL import Image

    for name, picture in zip(("fake", "real"), pair, strict=True):
        Image.fromarray(picture).save(folder / f"{name}.png")


def _graphicsmagick(machine: Machine) -> Table:
    version = re.findall(r"\d+\.\d+\.\d+", machine.output("gm", "version"))[0]
    values = machine.each_pair("gm", "compare", "-metric", "PSNR", value=r"Total: +(\S+)")
    return {"PSNR, dB": [(called(f"GraphicsMagick {version}", "psnr"), values, "")]}


def _butteraugli(machine: Machine) -> Table:
    version = machine.version_of("butteraugli")
    if not version:
        return {}

    def row(call: str, *order: str) -> Found:
        values = machine.each_pair("butteraugli", value=r"(\d+\.\d+)", order=order)
        return called(f"Butteraugli {version}", call), values, "a distance of its own, of the first to the second"

    return {"Butteraugli": [row("original first", "real", "fake"), row("generated picture first", "fake", "real")]}


def _libjxl(machine: Machine) -> Table:
    version = machine.version_of("libjxl-devtools")
    if not version:
        return {}
    values = machine.each_pair("ssimulacra2", value=r"^(\S+)")
    why = "the authors' program; 100 for equal pictures, higher is better"
    return {"SSIMULACRA 2": [(called(f"libjxl {version}", "ssimulacra2"), values, why)]}


def _dssim(machine: Machine) -> Table:
    version = re.findall(r"Version (\d\S+)", machine.output("dssim", "-h"))[0]
    why = "1/SSIM - 1; in L*a*b*, at five sizes, where SSIM is 1 less the mean deviation of its map"
    return {"DSSIM": [(f"dssim {version}", machine.each_pair("dssim", value=r"^(\S+)"), why)]}


def ffmpeg_rows(ffmpeg: str) -> Table:
    """Metrics of the pairs as PNG files by an ffmpeg with libvmaf."""
    version = re.findall(r"version n?(\d+\.\d+(?:\.\d+)?)", Machine().output(ffmpeg, "-version"))[0]

    def row(graph: str, value: str, call: str, why: str) -> Found:
        end = ("-lavfi", graph, "-f", "null", "-")
        with tempfile.TemporaryDirectory() as folder:
            found = []
            for pair in four_pairs():
                save_pair(Path(folder), pair)
                inputs = (argument for name in ("fake", "real") for argument in ("-i", f"{folder}/{name}.png"))
                printed = Machine().output(ffmpeg, "-hide_banner", *inputs, *end)
                found.append(float(re.findall(value, printed)[0]))
        return called(f"ffmpeg {version}", call), found, why

    video = "[0]format=yuv420p[a];[1]format=yuv420p[b];[a][b]psnr"
    smoothed = "a video's luma (16 to 235 with a peak of 255) and smoothed chroma: not of the picture"
    capped = "libvmaf=feature=name=psnr:log_fmt=json:log_path=/dev/stdout"
    score = r"VMAF score: (\S+)"
    return {
        "PSNR, dB": [
            row("psnr", r"\baverage:(\S+)", "psnr", ""),
            row(video, r"\baverage:(\S+)", "psnr of yuv420p", smoothed),
            row(capped, r'"psnr_y": ([\d.]+)', "libvmaf=feature=name=psnr", "of a video's luma; never above 60"),
        ],
        "SSIM": [row("ssim", r"\bAll:(\S+)", "ssim", "windows of 8x8, a step of 4 apart; of each channel")],
        "VMAF": [
            row("libvmaf", score, "libvmaf", "of a video's luma; 97.4 for equal stills, which do not move"),
            row("[1][0]libvmaf", score, "libvmaf, reference first", "the inputs exchanged: sharper pictures get 100"),
            row(
                "libvmaf=model=version=vmaf_v0.6.1neg", score, "libvmaf, vmaf_v0.6.1neg", "without gain by enhancement"
            ),
        ],
    }
