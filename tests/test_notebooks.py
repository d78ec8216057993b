"""The notebooks run in order against the current code, and their outputs can be committed."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "docs" / "notebooks").glob("*.ipynb"))
MAX_BYTES = 500_000


def code_cells(path: Path) -> list[dict[str, Any]]:
    """The cells of code."""
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def run_cells(path: Path, folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Every name that the cells leave, run in order; what they write goes below the folder."""
    matplotlib.use("Agg")
    patch.setenv("TMPDIR", str(folder))
    patch.setattr("tempfile.tempdir", None)
    patch.delenv("GAN_EVAL_DATA", raising=False)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with warnings.catch_warnings(), matplotlib.rc_context(), pd.option_context("display.max_colwidth", 50):
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
        for number, cell in enumerate(code_cells(path)):
            exec(compile("".join(cell["source"]), f"{path.name}, code cell {number}", "exec"), namespace)
    return namespace


def notebook(stem: str) -> Path:
    """The path of a notebook that must be there."""
    (path,) = (path for path in NOTEBOOKS if path.stem == stem)
    return path


@pytest.mark.nightly
def test_training_and_looking_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run_cells(notebook("train_and_look"), tmp_path, monkeypatch)
    assert (names["run"] / "generator.safetensors").is_file()


@pytest.mark.nightly
def test_from_a_csv_to_the_answer_finds_what_was_put_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run_cells(notebook("from_csv_to_answer"), tmp_path, monkeypatch)
    assert list(names["rejected"]["row"]) == [31, 778]
    (models,) = names["comparisons"].query("comparison == 'models on scenes'").to_dict("records")
    assert models["verdict"] == "different"
    assert models["ci_low"] < true_difference(names["LEAN"], spread=np.hypot(0.7, 0.5)) < models["ci_high"]
    (metrics,) = names["differences"].to_dict("records")
    assert metrics["follows_better"] == "closeness"
    page = names["page"].read_text(encoding="utf-8")
    assert "Two models of scenes" in page
    assert "No person answered" in page


@pytest.mark.nightly
def test_from_a_folder_to_a_figure_finds_what_was_put_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run_cells(notebook("from_folder_to_figure"), tmp_path, monkeypatch)
    (models,) = names["tables"]["comparisons"].query("a == 'blocky' and b == 'soft'").to_dict("records")
    assert models["ci_high"] < 0, "soft was made to fool more people"
    assert names["correlations"]["spearman"].gt(0).all()
    assert len(names["points"]) > 100
    assert "simulated participants" in names["page"].read_text(encoding="utf-8")


def true_difference(lean: dict[str, float], *, spread: float) -> float:
    """Fooling rate of `swift` less that of `plain`, averaged over people and pictures on a fine grid."""
    z = np.linspace(-8, 8, 4001)
    density = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    called_fake = {name: float(density @ (1 / (1 + np.exp(-(value + spread * z))))) for name, value in lean.items()}
    return called_fake["plain"] - called_fake["swift"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_was_run_from_top_to_bottom_and_reports_nothing_private(path: Path) -> None:
    assert path.stat().st_size < MAX_BYTES
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell["outputs"]:
            assert output["output_type"] in ("display_data", "execute_result"), "no warnings, no errors"
            texts = "".join("".join(text) for kind, text in output["data"].items() if kind.startswith("text/"))
            assert not re.search(r"(^|[\s'\"(])/\w|[A-Z]:\\|https?://|\d\d:\d\d|\d{4}-\d\d-\d\d", texts), texts
