#!/usr/bin/env bash
# Expected: a training program computes FID of the photographs and of the generator's pictures as they are, saved in one format.
# What happens: stylegan2-pytorch 1.9.0 (`--calculate-fid-every`) saves photographs as PNG and generated pictures as JPEG of quality 75, and draws
# them with its truncation of 0.6: a generator that gives the photographs themselves differs from them in most pixels, and its variety is cut.
# Who meets it: whoever publishes that FID or compares it with another program's. The CUDA that it asks for is replaced by the CPU here, and
# the network of FID, which it would download, by a comparison of the two folders.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check stylegan2-pytorch==1.9.0 pytorch-fid==0.3.0 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" - "$work" <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pytorch_fid import fid_score

torch.cuda.is_available = lambda: True
torch.Tensor.cuda = torch.nn.Module.cuda = lambda self, *_: self
from stylegan2_pytorch import Trainer  # noqa: E402

EXPECTED = {"real": "png", "fake": "jpg", "truncation": 0.6, "equal": False}
y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
waves = [[0.5 + 0.3 * torch.sin(x / (3 + n) + 2 * k) + 0.2 * torch.cos((x + n * y) / 7) for k in range(3)] for n in range(4)]
photographs = (torch.stack([torch.stack(planes) for planes in waves]).clamp(0, 1) * 255).round() / 255


class Perfect(torch.nn.Module):
    """A generator that gives the photographs."""

    def forward(self, styles: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return photographs[: len(noise)].clone()


found = {}


def compared(folders: list[str], *_: object) -> float:
    """Compare the pictures of the two folders in place of FID; return the largest difference in levels."""
    files = [sorted(Path(folder).iterdir(), key=lambda file: int(file.stem.split("-")[0])) for folder in folders]
    found.update({name: each[0].suffix[1:] for name, each in zip(("real", "fake"), files, strict=True)})
    real, fake = (np.stack([np.asarray(Image.open(file).convert("RGB")) for file in each]).astype(int) for each in files)
    found["equal"] = bool((real == fake).all())
    print(f"{(real != fake).any(axis=-1).mean():.0%} of the pixels differ, by up to {abs(real - fake).max()} levels")
    return float(abs(real - fake).max())


class Watched(Trainer):
    """The trainer, which also says how it truncates."""

    def generate_truncated(self, *arguments: object, **options: float) -> torch.Tensor:
        found["truncation"] = options["trunc_psi"]
        return super().generate_truncated(*arguments, **options)


print(*(f"{name} {version(name)}" for name in ("stylegan2-pytorch", "pytorch-fid", "torch", "torchvision")))
fid_score.calculate_fid_given_paths = compared
trainer = Watched(base_dir=sys.argv[1], image_size=64, network_capacity=2, batch_size=4)
trainer.init_GAN()
trainer.GAN.GE, trainer.loader = Perfect(), iter([photographs])
trainer.calculate_fid(1)
print(found)
sys.exit(None if found == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
