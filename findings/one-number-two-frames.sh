#!/usr/bin/env bash
# Expected: a video reader gives the same picture for one frame number, read in order or alone, and no frame twice.
# What happens: decord2 3.4.0 on a clip that was cut without encoding it again (an edit list, as ffmpeg -ss -c copy and phones write it) has
# 60 frames where 50 are shown. In order, frame 30 is the 30th that is shown, and the last one comes eleven times; alone, it is one from before the cut.
# Who meets it: whoever compares or shows frames of cut clips by number: real and generated frames are ten apart, and a mean counts the last one most.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check decord2==3.4.0 imageio-ffmpeg==0.8.1 numpy==2.4.6
"$work/venv/bin/python" - "$work" <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version

import decord
import imageio_ffmpeg
import numpy as np

EXPECTED = {"frames": 60, "frame 30 in order": 40, "frame 30 alone": 30, "times of the last": 11}
folder = sys.argv[1]
ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
frames = np.stack([np.full((64, 96, 3), 4 * n, np.uint8) for n in range(60)])  # the grey level tells the number
source = [*("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "96x64", "-r", "25", "-i", "-")]
coded = [*("-c:v", "libx264", "-crf", "5", "-g", "20", "-pix_fmt", "yuv420p")]
subprocess.run([*ffmpeg, *source, *coded, f"{folder}/whole.mp4"], input=frames.tobytes(), check=True)
subprocess.run([*ffmpeg, "-ss", "0.4", "-i", f"{folder}/whole.mp4", "-c", "copy", f"{folder}/cut.mp4"], check=True)


def number(picture: decord.nd.NDArray) -> int:
    return round(float(picture.asnumpy().mean()) / 4)


def opened() -> decord.VideoReader:
    return decord.VideoReader(f"{folder}/cut.mp4")


raw = [*ffmpeg, "-i", f"{folder}/cut.mp4", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
shown = np.frombuffer(subprocess.run(raw, capture_output=True, check=True).stdout, np.uint8).reshape(-1, 64 * 96).mean(axis=1)
print("decord2", version("decord2"), "FFmpeg", imageio_ffmpeg.get_ffmpeg_version())
print(f"ffmpeg: {len(shown)} frames, number 30 is {shown[30] / 4:.0f} of the whole clip")
reader = opened()
in_order = [number(reader[n]) for n in range(len(reader))]
found = {
    "frames": len(reader),
    "frame 30 in order": in_order[30],
    "frame 30 alone": number(opened()[30]),
    "times of the last": in_order.count(in_order[-1]),
}
print("decord2:", found)
print("in order:", *in_order)
sys.exit(None if found == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
