"""Metrics in two processes that `torchrun` started, on the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from metric_pictures import disturbed, texture
from rehashed import rehash

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.machine.threads import processes
from gan_eval.metrics.run.processes import SINGLE, started_together
from gan_eval.stimuli import pictures
from gan_eval.tables.frames import read_rows, read_table
from gan_eval.tables.schema import Table

ROOT = Path(__file__).resolve().parents[4]
TOGETHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
TABLES = (tables.IMAGE_METRICS, tables.SET_METRICS, tables.METRIC_COMPARISONS)


def together(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A command in two processes."""
    return started([*TOGETHER, *map(str, arguments)])


def started(command: list[str]) -> subprocess.CompletedProcess[str]:
    # One thread in each process: the last bits of a sum depend on how many threads share it.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two models' pictures of seven items; one is broken, one has no texture, the sizes of one pair differ."""
    folder = tmp_path_factory.mktemp("sets")
    found = []
    for model in ("a", "b"):
        rows = []
        for n in range(7):
            for kind, picture in (("real", texture(n)), ("fake", disturbed(texture(n), n + ord(model)))):
                file = folder / model / kind / f"{n}.png"
                pictures.write_png(file, picture)
                named = model if kind == "fake" else None
                rows.append(
                    dict.fromkeys(tables.STIMULI.names)
                    | {"stimulus": f"d/{named or 'real'}/{n}", "item": f"d/{n}", "kind": kind, "model": named}
                    | {"dataset": "d", "file": f"{kind}/{n}.png"}
                    | {"reference_file": f"real/{n}.png" if named else None, "mask_file": "mask.png"}
                )
        pictures.write_png(folder / model / "mask.png", np.full(texture(0).shape[:2], 255, np.uint8))
        pd.DataFrame(rows).to_csv(folder / model / "stimuli.csv", index=False)
        found.append(folder / model)
    (found[0] / "fake" / "3.png").write_bytes(b"broken")
    pictures.write_png(found[1] / "fake" / "5.png", texture(5, 200, 200))
    pictures.write_png(found[1] / "fake" / "2.png", texture(5)[:, :, :1].repeat(3, axis=2) * 0)
    for changed in found:
        rehash(changed)
    return found


def without_run(folder: Path, table: Table) -> pd.DataFrame:
    return read_table(folder / f"{table.name}.csv", table).drop(columns="run")


@pytest.mark.slow
def test_two_processes_give_the_numbers_of_one(
    sets: list[Path],
    seeded_weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))
    asked = [*sets, "--metrics", "psnr,ssim,psnr_hole,niqe,fid,kid", "--weights", seeded_weights, "--device", "cpu"]

    def alone(name: str, *options: str) -> str:
        command = [sys.executable, "-m", "gan_eval", "metrics", *map(str, asked), "--out", str(tmp_path / name)]
        done = started([*command, *options])
        assert done.returncode == 0, done.stderr
        return done.stderr

    told_by_one = alone("one", "--no-cache")
    two = together("-m", "gan_eval", "metrics", *asked, "--out", tmp_path / "two")
    assert two.returncode == 0, two.stderr
    assert two.stdout == f"{tmp_path / 'two'}\n", "the first process alone speaks"
    assert two.stderr.count("3.png: not a readable picture") == told_by_one.count("3.png: not a readable picture") == 1
    assert "metrics: pictures: 12/12" in two.stderr
    assert "metrics: pictures: 9/9" not in two.stderr, "nothing of the second one's share"
    for table in TABLES:
        here, there = (without_run(tmp_path / name, table) for name in ("one", "two"))
        pd.testing.assert_frame_equal(there, here, check_exact=True)
    first, second = (read_rows(tmp_path / name / "runs.csv", tables.RUNS)[0] for name in ("one", "two"))
    assert (first["input_hash"], first["settings_hash"]) == (second["input_hash"], second["settings_hash"])

    alone("again")
    told = json.loads(read_rows(tmp_path / "again" / "runs.csv", tables.RUNS)[0]["settings"])
    assert told["kept_values_used"] == 3 * 13 + 20 + 20, "of the two: pair metrics, niqe and features that there are"


@pytest.mark.slow
def test_one_process_s_error_is_told_by_the_first(sets: list[Path], tmp_path: Path) -> None:
    """Only the second process meets a device that fails."""
    code = """
import os
from gan_eval.__main__ import main
from gan_eval.errors import UserError
from gan_eval.metrics.run import runner
if os.environ["RANK"] == "1":
    def fail(*_, **__):
        raise UserError("the second one's trouble")
    runner.measure_pictures = fail
main()
"""
    program = tmp_path / "program.py"
    program.write_text(code)
    done = together(program, "metrics", sets[0], "--metrics", "psnr", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.count("gan-eval: the second one's trouble\n") == 1
    assert done.stderr.count("gan-eval: ") == 1
    assert "exitcode  : 2" in done.stderr
    assert not list((tmp_path / "out").glob("*.csv"))


def test_a_process_alone_needs_no_group() -> None:
    assert processes() == 1
    with started_together("cpu") as (found, device):
        assert (found, device) == (SINGLE, "cpu")
    assert not torch.distributed.is_initialized()


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    started = {"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}
    for name, value in started.items():
        monkeypatch.setenv(name, value)
    asked: list[object] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="--nproc-per-node 2: this machine has 1 GPUs"), started_together(None):
        pass
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", asked.append)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda backend, **_: asked.append(backend))
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: asked.append("end"))
    with started_together(None) as (found, device):
        assert (found.rank, found.count, found.device, device) == (1, 2, "cuda:1", "cuda:1")
        assert not found.leads
        assert list(found.share([0, 1, 2, 3, 4])) == [1, 3]
    assert asked == ["cuda:1", "nccl", "end"]
