"""Values that another program computed: pyiqa's own files, matched to the judged pictures by file name."""

from pathlib import Path

import pandas as pd
import pytest
from make_metrics import metric_of

from gan_eval.errors import UserError
from gan_eval.stats.metrics_and_people.external_values import read_image_metrics
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import write_table

MODELS = ("real", "blur", "noise")


def trials(models: tuple[str, ...] = MODELS, count: int = 8) -> pd.DataFrame:
    rows = [
        {
            "stimulus": f"photos/{model}/{number:04}",
            "kind": "real" if model == "real" else "fake",
            "participant": f"P{person}",
            "model": None if model == "real" else model,
            "dataset": "photos",
            "item": f"photos/{number:04}",
            "response": "real" if person < number % 4 else "fake",
        }
        for person in range(3)
        for model in models
        for number in range(count)
    ]
    return fill_trials(pd.DataFrame(rows))


def pyiqas(file: Path, numbers: range, *, separator: str = ",", end: str = "\r\n", shift: float = 0.0) -> Path:
    """A file as `inference_iqa.py --save_file` writes it: csv.writer without a header; older versions with a tab."""
    file.parent.mkdir(exist_ok=True)
    file.write_bytes("".join(f"{n:04}.png{separator}{50.5 + n + shift}{end}" for n in numbers).encode())
    return file


@pytest.mark.parametrize(("separator", "end"), [(",", "\r\n"), ("\t", "\n")])
def test_pyiqas_file_is_of_generated_pictures_and_names_the_metric(tmp_path: Path, separator: str, end: str) -> None:
    file = pyiqas(tmp_path / "musiq.csv", range(6), separator=separator, end=end)
    found, lines = read_image_metrics([file], trials(("real", "blur")))
    assert found["stimulus"].tolist() == [f"photos/blur/{n:04}" for n in range(6)]
    assert found["value"].tolist() == [50.5 + n for n in range(6)]
    assert {*found["metric"]} == {"musiq"}
    assert {*found["kind"]} == {"fake"}
    assert lines == []
    named, _ = read_image_metrics([Path(f"clipiqa+={file}")], trials(("real", "blur")))
    assert {*named["metric"]} == {"clipiqa+"}


def test_a_folder_names_the_model_or_the_real_pictures(tmp_path: Path) -> None:
    files = [pyiqas(tmp_path / model / "musiq.csv", range(4), shift=n) for n, model in enumerate(MODELS)]
    found, _ = read_image_metrics(files, trials())
    values = found.set_index("stimulus")["value"]
    assert [values[f"photos/{model}/0002"] for model in MODELS] == [52.5, 53.5, 54.5]
    (tmp_path / "all.csv").write_text("file,topiq,note\nout/noise/0001.png,0.25,x\nout/blur/0003.jpg,nan,y\n")
    wide, _ = read_image_metrics([tmp_path / "all.csv"], trials())
    assert wide["stimulus"].tolist() == ["photos/noise/0001", "photos/blur/0003"]
    assert wide["metric"].tolist() == ["topiq", "topiq"]
    assert wide["reason"].fillna("").tolist() == ["", "no number in all.csv"]


def test_ours_and_others_are_joined(tmp_path: Path) -> None:
    judged, ours, musiq = trials(("real", "blur")), tmp_path / "image_metrics.csv", tmp_path / "musiq.csv"
    values = metric_of(judged, {f"photos/blur/{n:04}": float(n) for n in range(8)})
    write_table(values, ours, IMAGE_METRICS)
    musiq.write_text("".join(f"{n:04}.png,{n}\n" for n in range(12)))
    found, lines = read_image_metrics([ours, musiq], judged)
    assert lines == [f"{musiq}: 8 of 12 pictures were judged; the others are not needed"]
    psnr, others = (found[found["metric"] == name].set_index("stimulus")["value"] for name in ("psnr", "musiq"))
    pd.testing.assert_series_equal(others, psnr)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.png,1\nb.png,2\n", "none of its 2 pictures was judged: 'a.png' against 'photos/real/0000'; give values"),
        ("0001.png,1\n", r"'0001.png' may be 'photos/blur/0001' and 'photos/noise/0001'; give one file for each model"),
        ("name,remark\n0001.png,good\n", "no column of numbers"),
        ("0001.png\n0002.png\n", "one column; expected the picture's file and its value"),
        ("noise/0001.png,1\nnoise/0001.jpg,2\n", "photos/noise/0001"),
    ],
)
def test_what_does_not_match_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "musiq.csv").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_image_metrics([tmp_path / "musiq.csv"], trials())
    assert "musiq.csv" in str(error.value)
    assert "\n" not in str(error.value)
