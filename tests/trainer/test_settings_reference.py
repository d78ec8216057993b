"""docs/training_settings.md is made from the settings and says something about each."""

from pathlib import Path

from gan_eval.study import TrainingSettings
from trainer.settings_reference import reference

ROWS = [line.split(" | ") for line in reference().splitlines() if line.startswith("| `")]


def test_the_page_is_current() -> None:
    path = Path(__file__).parents[2] / "docs" / "training_settings.md"
    assert path.read_text() == reference(), "run: python -m trainer.settings_reference > docs/training_settings.md"


def test_every_setting_has_its_row_and_a_meaning() -> None:
    assert [row[0] for row in ROWS] == [f"| `{name}`" for name in TrainingSettings.model_fields]
    assert [row[0] for row in ROWS if len(row[3].removesuffix(" |")) < 5] == []


def test_types_ranges_and_defaults() -> None:
    rows = {row[0].strip("| `"): row[1:3] for row in ROWS}
    assert rows["epochs"] == ["whole number ≥ 1", "–"]
    assert rows["norm"] == ["`batch`, `instance`, `none`", "`batch`"]
    assert rows["decay"] == ["number ≥ 0, ≤ 1", "0"]
    assert rows["learning_rate"] == ["number > 0", "0.0002"]
    assert rows["snapshots"] == ["list of whole numbers", "–"]
    assert rows["validation_metrics"] == ["list of texts", "`psnr`, `ssim`"]
    assert rows["jitter"] == ["true or false", "`true`"]
    assert rows["seed"] == ["whole number ≥ 0", "0"]
