#!/usr/bin/env bash
# Expected: frames of a clip that a phone took upright come turned, or lying on their side.
# What happens: deffcode 0.2.8 with FFmpeg 9.0.2 (imageio-ffmpeg 0.8.1) gives scrambled frames without an error: ffmpeg turns them, but writes
# "Display Matrix:" where deffcode looks for "displaymatrix:", so 64x96 pixels are cut into rows as if they were 96x64.
# Who meets it: whoever makes stimuli or real reference frames of phone clips: width and height look right, and a metric gives a number.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check deffcode==0.2.8 imageio-ffmpeg==0.8.1 numpy==2.4.6
"$work/venv/bin/python" - "$work" <<'PYTHON'
import logging
import subprocess
import sys
from importlib.metadata import version

import imageio_ffmpeg
import numpy as np

logging.disable(logging.CRITICAL)
from deffcode import FFdecoder  # noqa: E402

EXPECTED = {"deffcode": "scrambled", "ffmpeg": "turned"}
folder, ffmpeg = sys.argv[1], imageio_ffmpeg.get_ffmpeg_exe()
frame = np.zeros((64, 96, 3), np.uint8)
frame[:, :48] = 200  # bright on the left
source = [*("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "96x64", "-r", "25", "-i", "-")]
coded = [*("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p")]
run = [ffmpeg, "-v", "error", "-y"]
subprocess.run([*run, *source, *coded, f"{folder}/lying.mp4"], input=np.stack([frame] * 5).tobytes(), check=True)
upright = f"{folder}/upright.mp4"  # the same pictures with the note of a phone that was held upright
subprocess.run([*run, "-display_rotation", "90", "-i", f"{folder}/lying.mp4", "-c", "copy", upright], check=True)


def looks(picture: np.ndarray) -> str:
    """Compare with the frame as it lies and as it is turned, to the noise of the codec."""
    for word, expected in {"lying": frame, "turned": np.rot90(frame), "turned back": np.rot90(frame, -1)}.items():
        if picture.shape == expected.shape and np.abs(picture.astype(int) - expected).max() < 8:
            return word
    return "scrambled"


def by_deffcode() -> np.ndarray:
    decoder = FFdecoder(upright, frame_format="rgb24", custom_ffmpeg=ffmpeg).formulate()
    picture = next(decoder.generateFrame())
    decoder.terminate()
    return picture


versions = [f"{name} {version(name)}" for name in ("deffcode", "imageio-ffmpeg")]
print(*versions, "FFmpeg", imageio_ffmpeg.get_ffmpeg_version())
pictures = {"deffcode": by_deffcode()}
shape = next(read := imageio_ffmpeg.read_frames(upright))["size"][::-1]
pictures["ffmpeg"] = np.frombuffer(next(read), np.uint8).reshape(*shape, 3)
found = {name: looks(picture) for name, picture in pictures.items()}
for name, picture in pictures.items():
    print(f"{name}: {picture.shape[1]}x{picture.shape[0]}, {found[name]}; first row {picture[0, ::12, 0]}")
sys.exit(None if found == EXPECTED else f"changed: expected {EXPECTED}, found {found}")
PYTHON
