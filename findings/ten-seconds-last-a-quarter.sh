#!/usr/bin/env bash
# Expected: 250 frames that are written at 25 frames a second last 10 s, whatever the container.
# What happens: framewright 0.3.1 (lossless FFV1, "color-correct" in place of OpenCV's writer) numbers frames in units of the container: the clip
# lasts 0.25 s in .mkv and 0.02 s in .mov, 10 s in .avi. Its own reader gives all frames back; ffmpeg at 25 frames a second gives 9 and 2.
# Who meets it: whoever keeps generated clips without loss and shows or samples them by time: the clip is over before anybody sees it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check framewright==0.3.1 imageio-ffmpeg==0.8.1 numpy==2.4.6
"$work/venv/bin/python" - "$work" <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version

import framewright
import imageio_ffmpeg
import numpy as np

EXPECTED = {"mkv": 0.25, "mov": 0.02, "avi": 10.0}
"""Seconds that the clip lasts."""
RATE, COUNT = 25, 250
ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
print("framewright", version("framewright"), "FFmpeg", imageio_ffmpeg.get_ffmpeg_version())
found = {}
for container in EXPECTED:
    file = f"{sys.argv[1]}/clip.{container}"
    writer = framewright.VideoWriter()
    writer.open(file, codec="ffv1", width=96, height=64, fps=RATE, lossless=True)
    for number in range(COUNT):
        writer.write(np.full((64, 96, 3), number, np.uint8))
    writer.release()
    command = [ffmpeg, "-v", "error", "-i", file, "-map", "0:v", "-c", "copy", "-f", "framecrc", "-"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    num, den = next(line for line in lines if line.startswith("#tb")).split()[-1].split("/")
    times = [int(line.split(",")[2]) * int(num) / int(den) for line in lines if not line.startswith("#")]
    found[container] = round(times[-1] + times[-1] / (len(times) - 1), 2)
    reader = framewright.VideoReader()
    reader.open(file)
    at_rate = sum(1 for _ in imageio_ffmpeg.read_frames(file, output_params=["-r", str(RATE)])) - 1
    print(f".{container}: {found[container]} s; framewright reads {sum(1 for _ in reader)} frames, ffmpeg at {RATE} a second {at_rate}")
sys.exit(None if found == EXPECTED else f"changed: expected {EXPECTED}, found {found}")
PYTHON
