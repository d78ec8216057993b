"""The pages of results/ say what their CSV files say."""

import csv
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

RESULTS = Path(__file__).resolve().parents[1] / "results"


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = spec_from_file_location("results_tables", RESULTS / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["cityscapes_convergence", "inpainting", "mix_loss", "photographs", "pix2pix_capability"]
)
def test_tables_are_those_of_the_csv_files(tables: ModuleType, page: str) -> None:
    text = (RESULTS / page / "README.md").read_text(encoding="utf-8").replace("*", "")
    rows = tables.PAGES[page]()
    assert len(rows) >= 4
    assert [row for row in rows if row not in text] == []


@pytest.mark.parametrize(
    "table", sorted(RESULTS.rglob("*_metrics*.csv")), ids=lambda path: str(path.relative_to(RESULTS))
)
def test_the_run_of_each_value_is_kept(table: Path) -> None:
    with table.open(newline="", encoding="utf-8") as file:
        runs = {row["run"] for row in csv.DictReader(file) if "run" in row}
    with (table.parent / "runs.csv").open(newline="", encoding="utf-8") as file:
        assert runs <= {row["run"] for row in csv.DictReader(file)}
