"""Values of the programs that are not Python packages, for `benchmarks/differences.py`, where they are installed."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

INSTALLED = ("ffmpeg", "GraphicsMagick", "lme4")
"""First words of their cells on the page."""
Values = dict[str, list[float]]
"""By metric, or by program."""

LME4 = """
suppressMessages(library(lme4))
data <- read.csv(commandArgs(TRUE)[1])
found <- function(...) {
  fit <- glmer(y ~ kind + (1 | person) + (1 | picture), data, family = binomial, ...)
  error <- function(hessian) suppressWarnings(sqrt(vcov(fit, use.hessian = hessian)[2, 2]))
  c(fixef(fit)[2], error(TRUE), attr(VarCorr(fit)$picture, "stddev"), error(FALSE))
}
numbers <- c(found(), found(control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13)))
cat(packageDescription("lme4")$Version, format(numbers, digits = 12))
"""


def of_files(pairs: Sequence[tuple[Any, Any]]) -> dict[str, Values]:
    """PSNR and SSIM of the pairs as PNG files, by program and metric; without programs that are not installed."""
    from PIL import Image

    found: dict[str, Values] = {}
    with tempfile.TemporaryDirectory() as folder:
        for pair in pairs:
            paths = [Path(folder, name) for name in ("fake.png", "real.png")]
            for path, picture in zip(paths, pair, strict=True):
                Image.fromarray(picture).save(path)
            for program, measure in (("ffmpeg", _ffmpeg), ("gm", _graphicsmagick)):
                if shutil.which(program):
                    for name, value in measure(*map(str, paths)).items():
                        found.setdefault(_version(program), {}).setdefault(name, []).append(value)
    return found


def _version(program: str) -> str:
    """The program's name and version, as on the page."""
    name, word = {"ffmpeg": ("ffmpeg", "-version"), "gm": ("GraphicsMagick", "version")}[program]
    return f"{name} " + re.findall(r"\d+\.\d+(?:\.\d+)?", _output(program, word))[0]


def _ffmpeg(fake: str, real: str) -> dict[str, float]:
    """Of the picture as it is (RGB), and as a video has it."""
    video = "[0]format=yuv420p[a];[1]format=yuv420p[b];[a][b]psnr"
    asked = {"psnr": ("psnr", "average"), "ssim": ("ssim", "All"), "psnr of yuv420p": (video, "average")}
    values = {}
    for name, (graph, label) in asked.items():
        lines = _output("ffmpeg", "-hide_banner", "-i", fake, "-i", real, "-lavfi", graph, "-f", "null", "-")
        values[name] = float(re.findall(rf"\b{label}:(\S+)", lines)[0])
    return values


def _graphicsmagick(fake: str, real: str) -> dict[str, float]:
    return {"psnr": float(re.findall(r"Total: +(\S+)", _output("gm", "compare", "-metric", "PSNR", fake, real))[0])}


def lme4(table: Any) -> Values:
    """By version: effect of `kind`, its error by the Hessian, SD of the pictures and the error by known spreads.

    First with lme4's own settings, then with those of `./run export --format r`.
    """
    if not shutil.which("Rscript"):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        table.to_csv(path, index=False)
        result = subprocess.run(["Rscript", "-e", LME4, str(path)], stdout=subprocess.PIPE, text=True, check=False)
    words = result.stdout.split()
    return {} if result.returncode else {f"lme4 {words[0]}": [float(word) for word in words[1:]]}


def _output(*command: str) -> str:
    """What the command prints, to both streams."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return result.stdout
