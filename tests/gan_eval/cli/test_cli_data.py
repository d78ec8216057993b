"""The commands of `data`, from the command line's words to files, lines and exit statuses."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.__main__ import run
from trainer.datasets.presets import PRESETS


def save(path: Path, seed: int = 0, size: tuple[int, int] = (32, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


@pytest.fixture
def facades(tmp_path: Path) -> Path:
    for number in range(3):
        save(tmp_path / "root" / "facades" / "train" / f"{number}.png", number, (64, 32))
    return tmp_path / "root" / "facades"


def test_list_reports_the_presets_and_what_is_there(
    facades: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GAN_EVAL_DATA", raising=False)
    assert run(["data", "list"]) == 0
    plain = capsys.readouterr().out.splitlines()
    names = [line.partition(":")[0] for line in plain]
    assert names == list(PRESETS)
    assert names[:4] == ["facades", "maps", "edges2shoes", "cityscapes"]
    assert run(["data", "list", "--data-root", str(facades.parent)]) == 0
    assert capsys.readouterr().out.splitlines() == [*plain, f"in {facades.parent}:", "  facades: train 3"]
    assert run(["data", "list", "--data-root", str(facades / "absent")]) == 2


def test_fetch_from_a_file_under_the_data_root(
    facades: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GAN_EVAL_DATA", raising=False)
    archive = tmp_path / "facades.tar.gz"
    with tarfile.open(archive, "w:gz") as tarred:
        tarred.add(facades, "facades")
    command = ["data", "fetch", "facades", "--from", str(archive)]
    assert run(command) == 2
    assert "give --data-root DIR" in capsys.readouterr().err
    assert run([*command, "--data-root", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'new' / 'facades'}\n"
    assert len(list((tmp_path / "new/facades/train").iterdir())) == 3
    assert run([*command, "--out", str(tmp_path / "own"), "--sha256", "1" * 64]) == 2
    assert run([*command, "--out", str(facades)]) == 2
    assert run(["data", "fetch", "fasades", "--out", str(tmp_path / "own")]) == 2


def test_check_exits_with_0_and_findings_and_2_where_nothing_can_be_used(
    facades: Path, capsys: pytest.CaptureFixture
) -> None:
    (facades / "train" / "bad.png").write_text("no picture")
    assert run(["data", "check", str(facades), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["splits"] == {"train": 3}
    assert "unusable" in {finding["kind"] for finding in found["findings"]}
    assert "not a readable picture" in found["unusable"][str(facades / "train" / "bad.png")]
    assert run(["data", "check", str(facades)]) == 0
    assert "unusable:" in capsys.readouterr().out
    assert run(["data", "check", str(facades / "train")]) == 2


def test_preview_writes_a_sheet(facades: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "sheet.png"
    assert run(["data", "preview", str(facades), "--direction", "BtoA", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert Image.open(out).size > (64, 32)
    (facades / "train" / "1.png").write_text("no picture")
    assert run(["data", "preview", str(facades), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}\n"
    assert "1.png: not a readable picture" in said.err
    assert run(["data", "preview", str(facades), "--direction", "AtoC", "--out", str(out)]) == 2


def test_pair_and_edges_write_data_sets(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for side in "ab":
        save(tmp_path / side / "x.png", ord(side))
    assert run(["data", "pair", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "pairs")]) == 0
    assert "train 1 pairs" in capsys.readouterr().err
    assert Image.open(tmp_path / "pairs/train/x.png").size == (64, 32)
    edges = ["data", "edges", str(tmp_path / "a"), "--sigma", "1", "--split", "test"]
    assert run([*edges, "--out", str(tmp_path / "edges")]) == 0
    assert Image.open(tmp_path / "edges/test/x.png").size == (64, 32)
    assert run([*edges, "--out", str(tmp_path / "b")]) == 2
