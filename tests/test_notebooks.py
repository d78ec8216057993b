"""The notebooks' code runs in order against the code as it is, and what they show is fit to be committed."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "docs" / "notebooks").glob("*.ipynb"))
LARGEST = 500_000


def code_cells(path: Path) -> list[dict[str, Any]]:
    """The cells of code."""
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cells_run_in_order(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="the notebook trains; PyTorch is not installed")
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("GAN_EVAL_DATA", raising=False)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
        for number, cell in enumerate(code_cells(path)):
            exec(compile("".join(cell["source"]), f"{path.name}, code cell {number}", "exec"), namespace)
    assert (namespace["run"] / "generator.safetensors").is_file()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_was_run_from_top_to_bottom_and_tells_nothing_private(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell["outputs"]:
            assert output["output_type"] in ("display_data", "execute_result"), "no warnings, no errors"
            texts = "".join("".join(text) for kind, text in output["data"].items() if kind.startswith("text/"))
            assert not re.search(r"(^|[\s'\"(])/\w|[A-Z]:\\|https?://|\d\d:\d\d|\d{4}-\d\d-\d\d", texts), texts


def test_there_is_a_notebook() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["train_and_look"]
