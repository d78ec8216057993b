"""An environment of their own for the programs that the benchmarks compare with.

The peers bring many packages that the project does not want. They are installed next to this environment, whose torch
they see and use, so that both sides run on the same one.
"""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
METRIC_PEERS = ("pyiqa==0.1.16", "piq==0.8.0", "pytorch-msssim==1.0.0", "torch-fidelity==0.4.0")


def peers_python(folder: Path, packages: tuple[str, ...], *, alone: tuple[str, ...] = ()) -> Path:
    """The interpreter of an environment with these packages, made where it is not there.

    Packages come from the index that this machine's installer is configured for.

    Args:
        folder: where the environment is.
        packages: installed with all that they ask for, within this project's constraints.
        alone: installed without what they ask for.
    """
    requirements = "\n".join((*packages, *alone))
    folder = folder.absolute()
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = folder / "peers.txt"
    if python.is_file() and done.is_file() and done.read_text(encoding="utf-8") == requirements:
        return python
    print(f"making {folder} with {requirements.replace(chr(10), ', ')}", file=sys.stderr)
    venv.create(folder, with_pip=True)
    located = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [sysconfig.get_path("purelib"), str(ROOT)]
    (Path(located.stdout.strip()) / "beside.pth").write_text("\n".join(paths) + "\n", encoding="utf-8")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), *packages], check=True
    )
    if alone:
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", *alone], check=True)
    done.write_text(requirements, encoding="utf-8")
    return python
