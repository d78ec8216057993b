"""Values that another program computed, matched to the judged pictures by file name."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from make_metrics import metric_of
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.judgements.external_values import read_image_metrics
from gan_eval.judgements.trials import fill_trials
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
    assert [line.partition("musiq.csv: ")[2][:15] for line in lines] == ["2 of 8 judged p"]
    named, _ = read_image_metrics([Path(f"clipiqa+={file}")], trials(("real", "blur")))
    assert {*named["metric"]} == {"clipiqa+"}


@pytest.mark.parametrize(
    "name", ["a blur 1.PNG", "x/a%20blur%201.png", "https://x.org/a%20blur%201.png?t=2", "a blur 1"]
)
@pytest.mark.parametrize("judged", ["C:\\x\\a blur 1.PNG", "a%20blur%201.png", "stim/a blur 1.jpg"])
def test_addresses_and_paths_of_windows_name_one_picture(tmp_path: Path, judged: str, name: str) -> None:
    known = trials(("blur",), 2)
    known = known.assign(stimulus=known["stimulus"].where(known["stimulus"] != "photos/blur/0001", judged))
    found, _ = values_of(tmp_path / "v.csv", f"image,a\n{name},0.5\n0000.png,0.25\n", known)
    assert found == {"a": {judged: 0.5, "blur/0000": 0.25}}


def test_a_name_with_an_accent_may_be_written_as_in_macos(tmp_path: Path) -> None:
    known = trials(("blur",), 1).assign(stimulus="photos/blur/caf\u00e9")
    assert values_of(tmp_path / "v.csv", "image,a\ncafe\u0301.png,0.5\n", known)[0] == {"a": {"blur/caf\u00e9": 0.5}}


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
    (line,) = lines
    assert line.startswith(f"{musiq}: 8 of 12 ")
    psnr, others = (found[found["metric"] == name].set_index("stimulus")["value"] for name in ("psnr", "musiq"))
    pd.testing.assert_series_equal(others, psnr)


NUMBERED = [str(number) for number in range(12)]
BY_NAME = {name: 20.0 + place for place, name in enumerate(sorted(NUMBERED))}
"""Values in the order in which programs list the files: 0, 1, 10, 11, 2, ..."""


def numbered(models: tuple[str, ...] = ("real", "blur")) -> pd.DataFrame:
    frame = trials(models, len(NUMBERED))
    return frame.assign(stimulus=frame["stimulus"].str.replace("/0+(?=[0-9])", "/", regex=True))


def with_numbers(*numbers: int) -> pd.DataFrame:
    """The trials of these pictures alone."""
    frame = numbered()
    return frame[frame["stimulus"].str.rpartition("/")[2].isin([str(number) for number in numbers])]


def values_of(file: Path, text: str, judged: pd.DataFrame) -> tuple[dict[str, dict[str, float]], list[str]]:
    """The values by metric and picture."""
    file.write_text(text)
    found, lines = read_image_metrics([file], judged)
    by_metric = {
        str(metric): dict(zip(rows["stimulus"].str.removeprefix("photos/"), rows["value"], strict=True))
        for metric, rows in found.groupby("metric")
    }
    return by_metric, lines


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (",image,psnr", "{n},{name}.png,{value}"),  # pandas' index
        (",image,psnr", "{n},{name},{value}"),  # names that are numbers
        ('"image","psnr"', '"{n}","{name}.png",{value}'),  # R's write.table
        ("n,psnr,input_file_dist", "{n},{value},{name}.png"),  # ffmpeg-quality-metrics, picture by picture
        ("image,psnr", "{name},{value}"),
        ("id,psnr", "{name},{value}"),
        (",psnr", "out/{name}.png | real/{name}.png,{value}"),  # pyiqa's command
        (",,psnr", "real/{name}.png,out/{name}.png,{value}"),  # a frame of pairs
        ("ref,dist,psnr", "data/real/{name}.png,data/blur/{name}.png,{value}"),
        ("dist,ref,psnr", "{name}.png,real/{name}.png,{value}"),
        ("a,b,psnr", "real/{name}.png,/out/{name}.png,{value}"),
        ("Frame,image,psnr,", "{n},{name}.png,{value},"),  # libvmaf's comma at the end of each line
        ("file,metric,score", "{name}.png,psnr,{value}"),
    ],
)
def test_each_value_goes_to_its_generated_picture(tmp_path: Path, header: str, line: str) -> None:
    rows = [line.format(n=n, name=name, value=value) for n, (name, value) in enumerate(BY_NAME.items())]
    found, lines = values_of(tmp_path / "v.csv", "\n".join([header, *rows, ""]), numbered())
    assert found == {"psnr": {f"blur/{name}": value for name, value in BY_NAME.items()}}
    assert lines == []


@pytest.mark.parametrize("header", ["", ",psnr", "n,psnr", "Frame,psnr,", "index,psnr", "sample,psnr"])
def test_running_numbers_are_no_names(tmp_path: Path, header: str) -> None:
    rows = [f"{n},{value}{',' * header.endswith(',')}" for n, value in enumerate(BY_NAME.values())]
    with pytest.raises(UserError, match=r"v.csv: its (first )?column.*numbers the rows \(0, 1, 2\).*column 'image'"):
        values_of(tmp_path / "v.csv", "\n".join([*filter(None, [header]), *rows, ""]), numbered())


def test_a_pair_names_its_model(tmp_path: Path) -> None:
    judged = numbered(MODELS)
    pairs = "psnr,a\n20,noise/1.png | real/1.png\n21,blur/1.png | real/1.png\n"
    assert values_of(tmp_path / "v.csv", pairs, judged)[0] == {"psnr": {"noise/1": 20.0, "blur/1": 21.0}}
    column = "file,model,niqe\n1.png,noise,3\n1.png,real,4\n1.png,blur,5\n"
    assert values_of(tmp_path / "v.csv", column, judged)[0] == {"niqe": {"noise/1": 3.0, "real/1": 4.0, "blur/1": 5.0}}
    other = "ref,dist,vmaf\nreal/1.png,out/g7.png,20\nreal/2.png,blur/2.png,30\n"
    assert values_of(tmp_path / "v.csv", other, judged)[0] == {"vmaf": {"blur/2": 30.0}}


def test_a_decimal_comma_is_no_separator(tmp_path: Path) -> None:
    expected = {"v": {"blur/1": 39.442, "blur/2": 38.5}}
    assert values_of(tmp_path / "v.csv", "1.png;39,442\n2.png;38,5\n", numbered())[0] == expected
    assert values_of(tmp_path / "v.csv", "1.png\t39,442\n2.png\t38,5\n", numbered())[0] == expected


def test_cells_without_a_number_are_named_and_the_others_kept(tmp_path: Path) -> None:
    text = "file,a,b,c\n1.png,1.5,-,30 dB\n2.png,3 dB,0.25,31 dB\n3.png,n/a,0.5,32 dB\n"
    found, lines = values_of(tmp_path / "v.csv", text, with_numbers(1, 2, 3))
    assert {name: sum(value == value for value in of.values()) for name, of in found.items()} == {"a": 1, "b": 2}
    cells = ("row 2, column a: found '3 dB'", "row 1, column b: found '-'", "row 1, column c: found '30 dB'")
    assert [cell in line for cell, line in zip(cells, lines, strict=True)] == [True] * 3


@pytest.mark.parametrize(
    "cell",
    ["tensor(0.25)", '"tensor([0.25], device=\'cuda:0\')"', "[0.25]", "np.float32(0.25)", "[np.float64(0.25)]",
     '"tensor([[0.25]], dtype=torch.float64)"', '"array([0.25], dtype=float32)"'],
)  # fmt: skip
def test_numbers_as_torch_and_numpy_print_them_are_read(tmp_path: Path, cell: str) -> None:
    found, lines = values_of(tmp_path / "v.csv", f"file,a\n1.png,{cell}\n", with_numbers(1))
    assert (found, lines) == ({"a": {"blur/1": 0.25}}, [])


@pytest.mark.parametrize(
    "cell",
    ["real/{0}.png -> blur/{0}.png", "blur/{0}.png|real/{0}.png", "real/{0}.JPG; blur/{0}.png",
     "real/{0}.png-blur/{0}.png", "\"('real/{0}.png', 'blur/{0}.png')\"", "real/{0} vs. blur/{0}"],
)  # fmt: skip
def test_a_cell_of_two_pictures_is_the_generated_ones(tmp_path: Path, cell: str) -> None:
    text = "pair\tlpips\n" + "".join(f"{cell.format(f'000{n}')}\t0.{n}\n" for n in (1, 2))
    assert values_of(tmp_path / "v.csv", text, trials())[0] == {"lpips": {"blur/0001": 0.1, "blur/0002": 0.2}}


def test_counts_and_spreads_are_no_metrics(tmp_path: Path) -> None:
    text = "image_name,n_ratings,MOS,SD,ssim_index,laplacian_var,runtime,c_total\n1.png,30,3.5,0.7,0.9,9,0.1,60\n"
    found, (line,) = values_of(tmp_path / "v.csv", text, with_numbers(1))
    assert {*found} == {"MOS", "ssim_index", "laplacian_var"}
    assert line.endswith("n_ratings, SD, runtime, c_total")
    assert values_of(tmp_path / "v.csv", "image,count\n1.png,3\n", numbered())[0] == {"count": {"blur/1": 3.0}}


def test_a_code_among_values_is_told(tmp_path: Path) -> None:
    judged = numbered(("real", "blur"))
    names = judged.loc[judged["kind"] == "fake", "stimulus"]
    plain = {name: 50 + at for at, name in enumerate(names)}
    assert values_of(tmp_path / "v.csv", table_of(plain), judged)[1] == []
    coded = plain | dict.fromkeys([*plain][:2], -1)
    (line,) = values_of(tmp_path / "v.csv", table_of(coded), judged)[1]
    assert "v is -1 for 2 pictures" in line


def table_of(values: dict[str, int]) -> str:
    return "image,v\n" + "".join(f"{name},{value}\n" for name, value in values.items())


@pytest.mark.parametrize(("value", "is_told"), [("80.0", True), ("60.000000", True), ("inf", False), ("31.25", False)])
def test_psnr_of_equal_pictures_is_told(tmp_path: Path, value: str, is_told: bool) -> None:
    text = f"file,psnr_y,ssim\n1.png,{value},80\n2.png,{value},80\n3.png,30.5,1\n"
    assert bool(values_of(tmp_path / "v.csv", text, with_numbers(1, 2, 3))[1]) == is_told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.png,1\nb.png,2\n", r"2 pictures.*'a.png'.*'photos/real/0000'"),
        ("0001.png,1\n", r"'0001.png'.*'photos/blur/0001'.*'photos/noise/0001'"),
        ("name,remark\n0001.png,good\n", "no column of numbers"),
        ("0001.png\n0002.png\n", "one column; expected the picture's file and its value"),
        ("name,score\n0001.png,30 dB\n", r"row 1, column score:.*'30 dB'"),
        ("name,score\n0001.png,12_3\n", r"row 1, column score:.*'12_3'"),
        ("0001.png,39,442\n", "column 2"),
        ("name,a\n0001.png,1,2\n", "row 1: the row has 3 cells, the header has 2"),
        ("noise/0001.png,1\nnoise/0001.jpg,2\n", "photos/noise/0001"),
    ],
)
def test_what_does_not_match_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "musiq.csv").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_image_metrics([tmp_path / "musiq.csv"], trials())
    assert "musiq.csv" in str(error.value)
    assert "\n" not in str(error.value)


TWO_MODELS = "".join(f"blur/{n:04}.png,{n}.5\nfog/{n:04}.png,{n}.75\n" for n in range(8))
BY_COLUMN = "file,model,musiq\n" + "".join(f"{n:04}.png,blur,{n}.5\n{n:04}.png,fog,{n}.75\n" for n in range(8))
TWO_SETS = "file,musiq\n" + "".join(f"photos/{n:04}.png,{n}.5\ncars/{n:04}.png,{n}.75\n" for n in range(8))


@pytest.mark.parametrize("text", [TWO_MODELS, BY_COLUMN, TWO_SETS])
@pytest.mark.parametrize("models", [("real", "blur"), MODELS])
def test_rows_of_models_that_were_not_judged_are_left_out(tmp_path: Path, text: str, models: tuple[str, ...]) -> None:
    if text == TWO_SETS and models == MODELS:
        return  # no row names a model
    file = tmp_path / "musiq.csv"
    file.write_text(text)
    found, lines = read_image_metrics([file], trials(models))
    assert dict(zip(found["stimulus"], found["value"], strict=True)) == {
        f"photos/blur/{n:04}": n + 0.5 for n in range(8)
    }
    (line,) = lines
    assert "8 of 16 pictures were judged" in line
    assert "names no judged model" in line


def file_of(folder: Path, header: str, line: str) -> Path:
    file = folder / "musiq.csv"
    cells = [
        {"n": f"{n:04}.png", "a": n + 50.5, "b": n % 5 + 0.25, "s": 99.75 - n, "c": -1 if n > 4 else n}
        for n in range(8)
    ]
    file.write_text(header + "\n" + "".join(line.format(**of) + "\n" for of in cells))
    return file


@pytest.mark.parametrize(
    ("header", "line", "metrics", "said"),
    [
        ("image,real,fake", "{n},{b},{a}", ["musiq"], "not taken for metrics: real"),
        ("image,niqe_real,niqe_fake", "{n},{b},{a}", ["niqe_fake"], "not taken for metrics: niqe_real"),
        ("image,gt_niqe,niqe", "{n},{b},{a}", ["niqe"], "not taken for metrics: gt_niqe"),
        ("image,p_real,p_fake", "{n},{s},{a}", ["p_fake"], "not taken for metrics: p_real"),
        ("image,realism,niqe", "{n},{b},{a}", ["niqe", "realism"], ""),
        ("image,blur,fog", "{n},{b},{a}", ["blur", "fog"], "blur: a column for each model?"),
        ("image,model,musiq", "{n},fog,{a}", ["musiq"], "column model (fog) names no judged model"),
        ("image,model,musiq", "{n},blur,{a}", ["musiq"], ""),
        ("image,metric_name,score", "{n},musiq,{a}", ["musiq"], ""),
        ("image,musiq", "{n},{c}", ["musiq"], "musiq is -1 for 3 pictures, the others 0 to 4"),
        ("image,musiq,run", "{n},{a},1", ["musiq"], "not taken for metrics (counts, spreads or sizes): run"),
    ],
)
def test_a_column_that_may_mean_something_else_is_one_line(
    tmp_path: Path, header: str, line: str, metrics: list[str], said: str
) -> None:
    found, lines = read_image_metrics([file_of(tmp_path, header, line)], trials(("real", "blur")))
    assert sorted(found["metric"].unique()) == metrics
    assert {*found["kind"]} == {"fake"}
    assert len(lines) == bool(said)
    assert said in " ".join(lines)


def test_a_picture_with_two_values_is_named_with_the_way_out(tmp_path: Path) -> None:
    file = tmp_path / "musiq.csv"
    file.write_text("image,musiq\na/0001.png,1.5\na/0001.png,1.5\n")
    assert len(read_image_metrics([file], trials(("real", "blur")))[0]) == 1
    file.write_text("image,musiq\na/0001.png,1.5\nb/0001.png,2.5\n")
    with pytest.raises(UserError, match=r"two values of musiq, 1.5 and 2.5, .*one row for each picture"):
        read_image_metrics([file], trials(("real", "blur")))


@pytest.mark.parametrize("first", [0, 1, 3])
def test_pictures_that_are_numbered_from_another_number_are_told(tmp_path: Path, first: int) -> None:
    file = pyiqas(tmp_path / "musiq.csv", range(first, first + 8))
    _, lines = read_image_metrics([file], trials(("real", "blur")))
    wanted = f"{file}: {first} of 8 judged pictures of this model have no value, such as 'photos/blur/0000'"
    assert [line.startswith(wanted) for line in lines if "no value" in line] == [True] * bool(first)


@pytest.mark.parametrize(
    ("judged", "values", "is_told"),
    [
        (range(1, 25), range(40), True),  # before: 24 values of neighbours without a line
        (range(1, 25), range(24), True),
        ([*range(1, 12), *range(13, 25)], range(24), True),
        (range(24), range(1, 41), True),
        (range(1, 25), range(1, 41), False),
        (range(24), range(40), False),
        (range(5, 25), range(40), False),
        ((1, 5, 17, 22, 30, 44), range(60), False),  # some of those from 0
    ],
)
@pytest.mark.parametrize("name", ["{}", "img_{:03}", "{:04}_x4"])
def test_values_numbered_from_0_for_pictures_from_1_are_told(
    tmp_path: Path, name: str, judged: Sequence[int], values: Sequence[int], is_told: bool
) -> None:
    known = trials(("real", "blur"), len(judged))
    names = {f"{place:04}": name.format(number) for place, number in enumerate(judged)}
    known = known.assign(stimulus=[text[:-4] + names[text[-4:]] for text in known["stimulus"]])
    rows = "".join(f"{name.format(number)}.png,{number + 50.5}\n" for number in values)
    _, lines = values_of(tmp_path / "musiq.csv", "image,musiq\n" + rows, known)
    assert sum(f"numbered {values[0]} to {values[-1]}, the judged ones {judged[0]} to" in line for line in lines) == (
        1 if is_told else 0
    )


def test_few_pictures_with_values_are_told_and_files_of_parts_are_not(tmp_path: Path) -> None:
    """Before: 3 of 8 without a word; each half of the pictures in a file of its own was told."""
    few = pyiqas(tmp_path / "musiq.csv", range(3))
    _, lines = read_image_metrics([few], trials(("real", "blur")))
    assert [line.partition(": ")[2][:33] for line in lines] == ["5 of 8 judged pictures of this mo"]
    parts = [pyiqas(tmp_path / f"{first}" / "musiq.csv", range(first, first + 4)) for first in (0, 4)]
    assert not read_image_metrics(parts, trials(("real", "blur")))[1]


OBJECTS: dict[str, object] = {
    "value of each picture": {f"{name}.png": value for name, value in BY_NAME.items()},
    "metrics of each picture": {f"{name}.png": {"psnr": value} for name, value in BY_NAME.items()},
    "pictures of each metric": {"psnr": BY_NAME},
    "columns of pandas": {"image": dict(enumerate(BY_NAME)), "psnr": dict(enumerate(BY_NAME.values()))},
}


@pytest.mark.parametrize("form", OBJECTS)
def test_an_object_of_values_is_read(tmp_path: Path, form: str) -> None:
    """Before: refused as a column of numbers, or as cells without numbers."""
    found, lines = values_of(tmp_path / "psnr.json", json.dumps(OBJECTS[form]), numbered())
    assert found == {"psnr": {f"blur/{name}": value for name, value in BY_NAME.items()}}
    assert not lines


def test_an_object_without_pictures_is_refused_by_its_names(tmp_path: Path) -> None:
    refused("'psnr' against", values_of, tmp_path / "v.json", '{"psnr": 31.5, "ssim": 0.9}', numbered())
    refused("expected JSON objects", values_of, tmp_path / "v.json", "[31.5, 30.25]", numbered())


@pytest.mark.parametrize("mark", [",", "."])
def test_values_with_marks_that_may_separate_thousands_are_refused(tmp_path: Path, mark: str) -> None:
    """Before: 4.167 next to 962 was taken for 4.167, 4,167 for missing."""
    text = f'file,brisque\n1.png,"4{mark}167"\n2.png,962\n3.png,"1{mark}205"\n'
    refused("column brisque: '4.167' in row 1 may have", values_of, tmp_path / "v.csv", text, numbered())


def test_each_models_pictures_without_a_value_are_counted(tmp_path: Path) -> None:
    """Before: only where the file was of one model, and had pictures that were not judged."""
    text = "image,a\n" + "".join(f"{model}/{n:04}.png,{n}\n" for model in ("blur", "noise") for n in range(-1, 7))
    found, lines = values_of(tmp_path / "v.csv", text, trials())
    assert len(found["a"]) == 14
    assert [line.partition(": ")[2][:30] for line in lines[1:]] == ["1 of 8 judged pictures of this"] * 2


def test_another_programs_parquet_is_read(tmp_path: Path) -> None:
    """Before: each .parquet was taken for our table, "column stimulus ... is missing"."""
    pd.DataFrame({"file": ["1.png", "2.png"], "topiq": [0.25, 0.5]}).to_parquet(tmp_path / "v.parquet")
    found, _ = read_image_metrics([tmp_path / "v.parquet"], numbered())
    assert found["value"].tolist() == [0.25, 0.5]
