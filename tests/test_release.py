"""A release without a clone: wheel and source archive, each in an empty environment."""

import os
import subprocess
import sys
import urllib.request
from importlib.metadata import PathDistribution
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gan_eval
from gan_eval.base.commands import VERBS

ROOT = Path(__file__).resolve().parent.parent
UV = [sys.executable, "-m", "uv"]
BIN = "Scripts" if os.name == "nt" else "bin"

pytestmark = pytest.mark.slow


def _uv(*words: object) -> None:
    done = subprocess.run([*UV, *map(str, words), "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode and "error sending request" in done.stderr:
        pytest.skip(f"uv reaches no registry: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    _uv("build", "--out-dir", folder)
    return folder


@pytest.fixture(
    scope="module", params=["*.whl", pytest.param("*.tar.gz", marks=pytest.mark.nightly)], ids=["wheel", "sdist"]
)
def environment(request: pytest.FixtureRequest, release: Path) -> Path:
    """An environment with the release and what it needs without extras."""
    (archive,) = release.glob(request.param)
    environment = release / request.param.strip("*.")
    _uv("venv", "--python", sys.executable, environment)
    _uv("pip", "install", "--python", environment, "--constraint", ROOT / "constraints.txt", archive)
    return environment


def _run(environment: Path, *words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "QT_QPA_PLATFORM": "offscreen"
    }
    command = [str(environment / BIN / "gan-eval"), *map(str, words)]
    return subprocess.run(
        command, cwd=cwd, env=clean, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def test_a_release_alone_quizzes_answers_and_says_what_else_to_install(environment: Path, tmp_path: Path) -> None:
    assert _run(environment, "--version", cwd=tmp_path).stdout == f"gan_eval {gan_eval.__version__}\n"
    help_page = _run(environment, "--help", cwd=tmp_path).stdout
    assert [verb for verb in VERBS if verb not in help_page] == []

    pictures = np.random.default_rng(1).integers(0, 256, (2, 4, 32, 32, 3), dtype=np.uint8)
    for name, of_folder in zip(("photographs", "model"), pictures, strict=True):
        (tmp_path / name).mkdir()
        for number, pixels in enumerate(of_folder):
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    tried = _run(environment, "try", "photographs", "model", "--no-quiz", cwd=tmp_path)
    assert tried.returncode == 0, tried.stderr
    assert "pip install 'gan-eval[metrics]'" in tried.stderr
    assert (tmp_path / "answer" / "report.html").is_file()
    quiz = (
        "quiz",
        "--stimuli",
        "answer/set",
        "--real",
        4,
        "--fake",
        4,
        "--participant",
        "P1",
        "--store",
        "store.sqlite",
    )
    sat = _run(environment, *quiz, "--simulate", "default", cwd=tmp_path)
    assert sat.returncode == 0, sat.stderr
    served = _run(environment, "serve", "--demo", cwd=tmp_path)
    assert (served.returncode, "pip install 'gan-eval[web]'" in served.stderr) == (2, True)


def test_a_release_has_the_published_studies_and_no_invented_address(environment: Path) -> None:
    of_clone = {path.name for path in (ROOT / "studies").glob("*.toml")}
    assert {path.name for path in (environment / "share" / "gan-eval" / "studies").glob("*.toml")} == of_clone
    (information,) = environment.rglob("gan_eval-*.dist-info")
    metadata = PathDistribution(information).metadata
    assert metadata["Version"] == gan_eval.__version__
    addresses = [line.partition(", ")[2] for line in metadata.get_all("Project-URL") or []]
    assert addresses == [gan_eval.__address__] * bool(gan_eval.__address__)


@pytest.mark.nightly
def test_a_release_with_its_extra_serves_a_page(release: Path, tmp_path: Path) -> None:
    environment = tmp_path / "web"
    _uv("venv", "--python", sys.executable, environment)
    _uv(
        "pip",
        "install",
        "--python",
        environment,
        "--constraint",
        ROOT / "constraints.txt",
        f"{next(release.glob('*.whl'))}[web]",
    )
    with subprocess.Popen(
        [str(environment / BIN / "gan-eval"), "serve", "--demo", "--port", "0"],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdout
        address = next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
        with urllib.request.urlopen(address, timeout=10) as page:
            assert page.status == 200
        server.terminate()
