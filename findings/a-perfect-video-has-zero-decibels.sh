#!/usr/bin/env bash
# Expected: the mean PSNR of frames that all equal their references is infinite, and a frame more that is equal raises the mean.
# What happens: ffmpeg-quality-metrics 3.13.0 gives `inf` for each frame, but a summary (`get_global_stats`, and its JSON) of 0 dB, the worst value there is, for mean,
# least and largest. Of two frames, one equal, it leaves the equal one out: 35.8 dB, as if it were not there.
# Who meets it: whoever compares fills or generators over many clips or stills by this summary: a perfect result sorts as the worst.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check ffmpeg-quality-metrics==3.13.0 imageio-ffmpeg==0.8.1 numpy==2.4.6
"$work/venv/bin/python" - "$work" <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version

import imageio_ffmpeg
import numpy
from ffmpeg_quality_metrics import FfmpegQualityMetrics

EXPECTED = {"both equal": ([float("inf")] * 2, [0.0, 0.0, 0.0]), "one equal": ([float("inf"), 35.8], [35.8, 35.8, 35.8])}
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
folder = sys.argv[1]
rows, columns = numpy.mgrid[:64, :64]
still = numpy.stack([4 * columns, 4 * rows, 2 * (rows + columns)], axis=-1).astype(numpy.uint8)


def video(name, frames):
    file = f"{folder}/{name}.mkv"
    options = ["-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x64", "-r", "25", "-i", "-", "-c:v", "ffv1"]
    subprocess.run([FFMPEG, *options, file], input=b"".join(frame.tobytes() for frame in frames), check=True)
    return file


def decibels(generated):
    metrics = FfmpegQualityMetrics(reference, generated, ffmpeg_path=FFMPEG)
    frames = [round(frame["psnr_avg"], 1) for frame in metrics.calculate(["psnr"])["psnr"]]
    summary = metrics.get_global_stats()["psnr"]["psnr_avg"]
    return frames, [round(summary[name], 1) for name in ("average", "min", "max")]


reference = video("reference", [still, still])
seen = {"both equal": decibels(video("equal", [still, still])), "one equal": decibels(video("noisy", [still, still ^ numpy.uint8(5)]))}
print("ffmpeg-quality-metrics", version("ffmpeg-quality-metrics"), "imageio-ffmpeg", version("imageio-ffmpeg"))
for name, (frames, summary) in seen.items():
    print(f"{name}: dB of the frames {frames}, mean, least and largest {summary}")
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
