"""Metric tables of several runs: real pictures that the runs share, and values that differ."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gan_eval.base.errors import UserError
from gan_eval.judgements.external_values import read_image_metrics
from gan_eval.judgements.trials import fill_trials
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import read_table, write_table


def trials() -> pd.DataFrame:
    """Answers of one person to eight photographs and two models' versions of each."""
    rows = [
        {"stimulus": f"photos/{model}/{number:04}", "kind": "real" if model == "real" else "fake", "participant": "P1"}
        | {"model": None if model == "real" else model, "dataset": "photos", "item": f"photos/{number:04}"}
        | {"response": "real"}
        for model in ("real", "blur", "noise")
        for number in range(8)
    ]
    return fill_trials(pd.DataFrame(rows))


def of_run(folder: Path, model: str, judged: pd.DataFrame, *, shift: float = 0.0, sha256: str = "0") -> Path:
    """The table `image_metrics` of one run of `metrics`: the model's pictures and the real ones."""
    shown = judged.drop_duplicates("stimulus")
    shown = shown[(shown["model"] == model) | (shown["kind"] == "real")]
    rows = shown[["stimulus", "item", "kind", "model", "dataset"]].assign(metric="niqe", reason=None, run=model)
    values = [len(name) + int(name[-4:]) + shift for name in rows["stimulus"]]
    hashes = [sha256 * 64 if kind == "real" else "f" * 64 for kind in rows["kind"]]
    folder.mkdir()
    file = folder / "image_metrics.csv"
    write_table(rows.assign(value=values, sha256=hashes), file, IMAGE_METRICS)
    return file


def test_runs_that_share_the_real_pictures_are_taken_together(tmp_path: Path) -> None:
    judged = trials()
    files = [of_run(tmp_path / model, model, judged) for model in ("blur", "noise")]
    found, lines = read_image_metrics(files, judged)
    assert lines == []
    assert len(found) == found["stimulus"].nunique() == 24
    assert found["value"].notna().all()
    assert found.loc[found["kind"] == "real", "run"].eq("blur").all()


@pytest.mark.parametrize(("cells", "said"), [({"shift": 0.5}, "value"), ({"sha256": "a"}, "sha256")])
def test_different_values_or_pictures_of_one_name_are_refused_with_both_files(
    tmp_path: Path, cells: dict[str, Any], said: str
) -> None:
    judged = trials()
    a, b = of_run(tmp_path / "a", "blur", judged), of_run(tmp_path / "b", "noise", judged, **cells)
    with pytest.raises(
        UserError, match=rf"stimulus=photos/real/0000, metric=niqe: {said}: {a} has .*, {b} has "
    ) as error:
        read_image_metrics([a, b], judged)
    assert "give only one of the files" in str(error.value)


def test_value_replaces_a_row_without_one_and_last_digits_may_differ(tmp_path: Path) -> None:
    judged = trials()
    a, b = of_run(tmp_path / "a", "blur", judged), of_run(tmp_path / "b", "noise", judged, shift=1e-9)
    first = read_table(a, IMAGE_METRICS)
    first.loc[first["stimulus"] == "photos/real/0003", "value"] = None
    write_table(first.assign(reason=first["value"].isna().map({True: "small", False: None})), a, IMAGE_METRICS)
    found, _ = read_image_metrics([a, b], judged)
    assert found["value"].notna().all()
    assert len(found) == 24
