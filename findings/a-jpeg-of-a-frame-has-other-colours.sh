#!/usr/bin/env bash
# Expected: a frame of a clip that is saved as PNG and as JPEG of the best quality shows the same colours.
# What happens: FFmpeg 9.0.2 (imageio-ffmpeg 0.8.1) copies the numbers of a BT.709 clip, as nearly all clips of HD are, into the JPEG, which every
# reader takes for BT.601: a red of (200, 30, 60) is (185, 11, 60), a green of (40, 180, 80) is (52, 201, 81). PNG is right.
# Who meets it: whoever takes real pictures from clips as JPEG: people and metrics can tell them from generated ones by their colours.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check imageio-ffmpeg==0.8.1 pillow==13.0.0 numpy==2.4.6
"$work/venv/bin/python" - "$work" <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version

import imageio_ffmpeg
import numpy as np
from PIL import Image

EXPECTED = {("bt709", "png"): 1, ("bt709", "jpg"): 21, ("smpte170m", "png"): 1, ("smpte170m", "jpg"): 1}
"""Largest difference of a colour from the one that was put in, in levels; within 2."""
COLOURS = [(200, 30, 60), (40, 180, 80), (50, 90, 200), (128, 128, 128)]
folder, ffmpeg = sys.argv[1], [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
frame = np.repeat(np.repeat(np.array([COLOURS], np.uint8), 64, axis=0), 32, axis=1)
source = [*("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "128x64", "-r", "25", "-i", "-")]


def saved(matrix: str, ending: str, *options: str) -> list[tuple[int, ...]]:
    """Save the first frame of the clip and return its colours."""
    file = f"{folder}/{matrix}.{ending}"
    subprocess.run([*ffmpeg, "-i", f"{folder}/{matrix}.mp4", *options, "-frames:v", "1", "-q:v", "1", file], check=True)
    picture = np.asarray(Image.open(file).convert("RGB"))
    return [tuple(map(int, picture[32, 16 + 32 * n])) for n in range(len(COLOURS))]


def farthest(colours: list[tuple[int, ...]]) -> int:
    return int(np.abs(np.array(colours) - COLOURS).max())


print("imageio-ffmpeg", version("imageio-ffmpeg"), "FFmpeg", imageio_ffmpeg.get_ffmpeg_version(), "Pillow", version("pillow"))
print("put in:", *COLOURS)
found = {}
for matrix in ("bt709", "smpte170m"):
    tags = [*("-vf", f"scale=out_color_matrix={matrix}:out_range=tv", "-colorspace", matrix, "-color_range", "tv")]
    coded = [*("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p")]
    subprocess.run([*ffmpeg, *source, *tags, *coded, f"{folder}/{matrix}.mp4"], input=frame.tobytes() * 3, check=True)
    for ending in ("png", "jpg"):
        colours = saved(matrix, ending)
        found[matrix, ending] = farthest(colours)
        print(f"{matrix}, {ending}:", *colours)
print("bt709, jpg after scale=out_color_matrix=bt601:", *saved("bt709", "jpg", "-vf", "scale=out_color_matrix=bt601"))
same = all(abs(found[key] - EXPECTED[key]) <= 2 for key in EXPECTED)
sys.exit(None if same else f"changed: expected {EXPECTED}, found {found}")
PYTHON
