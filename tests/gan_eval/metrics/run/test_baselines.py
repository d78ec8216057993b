"""The option `--baselines`: holes that are filled without learning stand in all tables next to the model."""

from pathlib import Path

import numpy as np
import pytest
import torch
from made_sets import write_items
from metric_pictures import disturbed, texture
from tiny_segmenters import save

from gan_eval import tables
from gan_eval.__main__ import run
from gan_eval.metrics.definitions.kid import kid
from gan_eval.pictures import decode as pictures
from gan_eval.pictures.holes import mask_of
from gan_eval.pictures.sets import read_set, write_set
from gan_eval.tables.frames import read_rows


class Means(torch.nn.Module):
    """(N, 3, S, S) to (N, 3): the channels' means."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


def test_baselines_are_in_the_tables_with_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def command(*words: object) -> tuple[int, str]:
        return run(["metrics", *map(str, words)]), capsys.readouterr().err

    items, kinds = {}, {}
    for n in range(8):
        real, hole = texture(n, 24, 24), np.zeros((24, 24), bool)
        hole[4 : 12 + n % 2, 6:15] = True
        items[str(n)] = {"real": real, "fake": disturbed(real, n), "mask": mask_of(hole)}
        kinds[f"d/m/{n}"] = "centre" if n % 2 else "blocks"
    folder = write_items(tmp_path / "set", items)
    rows = read_rows(folder / "stimuli.csv", tables.STIMULI)
    write_set(folder, [row | {"mask_kind": kinds.get(str(row["stimulus"]))} for row in rows])
    save(Means(), tmp_path / "means.pt")
    (tmp_path / "means.toml").write_text("input_size = 24\nlicence = 'CC0'\n")
    out, report = tmp_path / "out", tmp_path / "report.html"
    options = ["--metrics", "psnr_hole,kid@means", "--network", f"means={tmp_path / 'means.pt'}", "--device", "cpu"]
    for more in ([], ["--report", report]):  # the same folder again
        status, err = command(folder, *options, "--baselines", "--out", out, *more)
        assert status == 0, err

    images = {
        (row["stimulus"], row["metric"]): row for row in read_rows(out / "image_metrics.csv", tables.IMAGE_METRICS)
    }
    by_hole = read_rows(out / "hole_metrics.csv", tables.HOLE_METRICS)
    assert {row["model"] for row in by_hole} == {"m", "border_mean", "harmonic"}
    for model in ("border_mean", "harmonic"):
        made = read_set(out / "baselines" / model)
        filled = {
            row["item"]: pictures.read_rgb(made.folder / row["file"]) for row in made.rows if row["kind"] == "fake"
        }
        for n in range(8):
            real, mask = items[str(n)]["real"], items[str(n)]["mask"] > 0
            error = np.mean((filled[f"d/{n}"][mask].astype(float) - real[mask]) ** 2)
            value = images[f"d/{model}/{n}", "psnr_hole"]["value"]
            assert value == pytest.approx(10 * np.log10(255**2 / error), abs=1e-9)
        for kind, first in (("blocks", 0), ("centre", 1)):
            of = [str(n) for n in range(first, 8, 2)]
            x, y = (
                np.stack([picture.mean((0, 1)) / 255 for picture in side])
                for side in ([items[n]["real"] for n in of], [filled[f"d/{n}"] for n in of])
            )
            (row,) = (row for row in by_hole if (row["model"], row["by"], row["hole"]) == (model, "kind", kind))
            assert (row["metric"], row["n_fake"]) == ("kid@means", 4)
            assert row["value"] == pytest.approx(kid(x, y, items=(of, of)), abs=1e-6)
    page = report.read_text(encoding="utf-8")
    assert "by kind of hole" in page
    assert page.count("harmonic") > 2

    bare = write_items(tmp_path / "bare", {"0": {name: items["0"][name] for name in ("real", "fake")}})
    status, err = command(bare, "--metrics", "psnr", "--baselines", "--out", tmp_path / "none")
    assert (status, "mask_file" in err) == (2, True)
    status, err = command("--real", folder / "real", "--fake", folder / "fake", "--baselines", "--out", out)
    assert (status, "--baselines" in err) == (2, True)
