"""Archives, and the real data where they are there."""

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def picture_bytes(seed: int, size: tuple[int, int] = (32, 16)) -> bytes:
    """A PNG of noise, (width, height) pixels."""
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., Path]:
    """Writes an archive of {member: bytes, or size of a picture}; default: facades with three pictures."""
    default = {"facades/train/1.png": (32, 16), "facades/train/2.png": (32, 16), "facades/val/1.png": (32, 16)}

    def make(name: str = "facades.tar.gz", members: dict[str, bytes | tuple[int, int]] | None = None) -> Path:
        contents = {
            member: given if isinstance(given, bytes) else picture_bytes(number, given)
            for number, (member, given) in enumerate((members or default).items())
        }
        path = tmp_path / name
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as zipped:
                for member, content in contents.items():
                    zipped.writestr(member, content)
            return path
        with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as tarred:
            for member, content in contents.items():
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                tarred.addfile(entry, io.BytesIO(content))
        return path

    return make


@pytest.fixture
def real_data() -> Path:
    """The folder of the real test pictures."""
    default = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = Path(os.environ.get("GAN_EVAL_DATA") or default)
    if not (folder / "facades").is_dir():
        pytest.skip("no real data: neither $GAN_EVAL_DATA nor ../shared/data has facades")
    return folder
