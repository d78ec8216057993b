#!/usr/bin/env bash
# Expected: the frame of a clip at a time is the one that a player shows then, and going through all frames comes to the end.
# What happens: moviepy 2.2.1 with imageio-ffmpeg 0.8.1, on a clip of variable frame rate (a screen recording, most phones): it takes the mean
# rate for the rate of the frames that ffmpeg fills up to a constant one. The clip runs at half its speed, and its second half never comes.
# Who meets it: whoever cuts stimuli or reads frames at given times from such clips: the duration is right, so nobody looks at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check moviepy==2.2.1 imageio-ffmpeg==0.8.1 numpy==2.4.6
"$work/venv/bin/python" - "$work" <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version

import imageio_ffmpeg
import numpy as np
from moviepy import VideoFileClip

EXPECTED = {"at 2 s": 16, "last of all": 25}
"""Numbers of frames, 0 to 49: a player shows frame 25 at 2 s, and 49 at the end."""
RATE, COUNT = 25, 50
file, ffmpeg = f"{sys.argv[1]}/clip.mp4", imageio_ffmpeg.get_ffmpeg_exe()
frames = np.stack([np.full((64, 96, 3), 4 * number, np.uint8) for number in range(COUNT)])  # the grey level tells the number
source = [*("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "96x64", "-r", str(RATE), "-i", "-")]
# pairs of frames 1/25 s apart, and a pause of 3/25 s before the next pair
pauses = [*("-vf", f"setpts=(N+2*floor(N/2))/{RATE}/TB", "-fps_mode", "passthrough")]
coded = [*("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p")]
subprocess.run([ffmpeg, "-v", "error", "-y", *source, *pauses, *coded, file], input=frames.tobytes(), check=True)


def number(picture: np.ndarray) -> int:
    return round(float(picture.mean()) / 4)


print("moviepy", version("moviepy"), "imageio-ffmpeg", version("imageio-ffmpeg"), "FFmpeg", imageio_ffmpeg.get_ffmpeg_version())
with VideoFileClip(file) as clip:
    print(f"duration {clip.duration} s, {clip.fps} frames a second, {clip.n_frames} frames")
    seen = [number(picture) for picture in clip.iter_frames()]
    shown = [n + 2 * (n // 2) for n in range(COUNT)]  # when a player shows each, in 1/25 s
    given = {time: number(clip.get_frame(time + 0.01)) for time in (0.4, 1.2, 2.0, 2.8)}
    for time, frame in given.items():
        print(f"at {time} s: frame {frame}, a player shows {max(n for n in range(COUNT) if shown[n] <= round(time * RATE))}")
    found = {"at 2 s": given[2.0], "last of all": max(seen)}
print("frames that came:", *sorted(set(seen)))
sys.exit(None if found == EXPECTED else f"changed: expected {EXPECTED}, found {found}")
PYTHON
