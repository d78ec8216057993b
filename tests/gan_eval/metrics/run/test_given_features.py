"""Features of the user's own: read from files and frames, and the set metrics of them."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from metric_pictures import features_frame, texture
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.metrics import evaluate
from gan_eval.metrics.definitions.features import TEMPLATES
from gan_eval.metrics.run import features as features_module
from gan_eval.metrics.run.features import read_features
from gan_eval.pictures import decode as pictures

N, D = 30, 5
Folders = tuple[Path, Path]
Vectors = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    for n in range(N):
        for folder in ("real", "fake"):
            pictures.write_png(tmp_path / folder / f"{n:02}.png", texture(n + 100 * (folder == "fake"), 16, 16))
    return tmp_path / "real", tmp_path / "fake"


@pytest.fixture
def vectors() -> Vectors:
    rng = np.random.default_rng(4)
    real = rng.normal(size=(N, D))
    return real, real + rng.normal(0.3, 0.6, size=(N, D))


def measure(folders: Folders, features: Any, metrics: Any = ("p_ids@x",), **options: Any) -> pd.DataFrame:
    real, fake = folders
    given = {"x": features}
    _, found = evaluate(
        real=real, fake=fake, dataset="d", model="m", metrics=metrics, features=given, cache=False, **options
    )
    return found.set_index("metric")


def test_every_metric_is_its_functions_value_for_rows_in_any_order(folders: Folders, vectors: Vectors) -> None:
    found = measure(folders, features_frame(*vectors), "psnr")  # no metric of x is named: all of them
    assert list(found.index) == [f"{name}@x" for name in TEMPLATES]
    for name in TEMPLATES:
        items = {"items": (range(N), range(N))} if name == "kid" else {}
        row, value = found.loc[f"{name}@x"], TEMPLATES[name].function(*vectors, **items)
        assert row["value"] == pytest.approx(value, abs=1e-9), name
        assert (row["n_real"], row["n_fake"]) == (N, N)
        assert row["ci_low"] <= value <= row["ci_high"], name
    assert list(measure(folders, features_frame(*vectors), "kid@x").index) == ["kid@x"]


def test_every_kind_of_file_gives_the_same_values(folders: Folders, vectors: Vectors, tmp_path: Path) -> None:
    frame = features_frame(*vectors)
    files = [tmp_path / f"features{suffix}" for suffix in (".npz", ".csv", ".parquet")]
    np.savez(files[0], stimulus=frame["stimulus"].to_numpy(str), features=frame.iloc[:, 1:].to_numpy())
    frame.to_csv(files[1], index=False)
    frame.to_parquet(files[2])
    wanted = measure(folders, frame, "kid@x")["value"]
    extra = pd.concat([frame, frame.assign(stimulus=frame["stimulus"] + "-other")])
    for given in (*files, extra):
        pd.testing.assert_series_equal(measure(folders, given, "kid@x")["value"], wanted, rtol=1e-14)
    assert [*read_features("x", frame[:1].assign(stimulus="e\u0301")).rows] == ["\u00e9"], "as macOS writes it"


def test_a_picture_without_features_leaves_the_value_empty_with_the_reason(folders: Folders, vectors: Vectors) -> None:
    frame = features_frame(*vectors)
    for lost in ("d/real/07", "d/m/07"):
        found = measure(folders, frame[frame["stimulus"] != lost], "psnr")
        assert found["value"].isna().all()
        (reason,) = set(found["reason"])
        assert reason.startswith(f"1 of {2 * N} ")
        assert f"'{lost}'" in reason


def test_features_too_large_to_multiply_are_a_reason(folders: Folders, vectors: Vectors) -> None:
    frame = features_frame(*vectors)
    frame.loc[3, frame.columns[1]] = 1e101
    found = measure(folders, frame, "psnr")
    assert found["value"].isna().all()
    assert found["reason"].str.contains("beyond 1e\\+50").all()


def test_values_are_kept_and_follow_the_features(
    folders: Folders, vectors: Vectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")

    def fid(fake: np.ndarray) -> float:
        real, made = folders
        frame, options = features_frame(vectors[0], fake), {"dataset": "d", "model": "m", "cache": tmp_path / "cache"}
        _, found = evaluate(real=real, fake=made, metrics="fid@x", features={"x": frame}, **options)
        return float(found["value"].iloc[0])

    first = fid(vectors[1])
    assert fid(vectors[1]) == first
    assert fid(vectors[1] + 1) != first


def test_names_without_features_and_bad_names_are_refused(folders: Folders) -> None:
    for metrics, features, message in (
        ("fid@y", {}, "metric 'fid@y': no features 'y'; give --features y=FILE"),
        ("fdi@x", {"x": "x.npz"}, "metric 'fdi@x': unknown; did you mean 'fid@x'"),
        ("psnr", {"a b": "x.npz"}, "features 'a b': expected a name of letters"),
        ("psnr", {"x": "x.npy"}, r"--features x=x.npy: expected a file .npz, .csv or .parquet"),
        ("psnr", {"x": "none.csv"}, "none.csv: no such file"),
    ):
        with pytest.raises(UserError, match=message):
            evaluate(real=folders[0], fake=folders[1], metrics=metrics, features=features, cache=False)  # type: ignore[arg-type]


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_bad_files_are_refused_in_one_line(tmp_path: Path) -> None:
    names, good = np.array(["a", "b"]), np.eye(2)
    bad = np.array([[0.0, 1.0], [2.0, math.nan]])
    file, table = tmp_path / "f.npz", tmp_path / "f.csv"
    objects = np.array(["a", {"b": 1}], dtype=object)
    for arrays, message in (
        ({"stimulus": objects, "features": good}, "not a readable npz file .*Object arrays cannot be loaded"),
        ({"stimulus": names}, "has the arrays stimulus; save stimulus, the .N. names, and features"),
        ({"stimulus": names, "features": good[:1]}, "2 stimuli and 1 rows of features"),
        ({"stimulus": names, "features": good[0]}, r"features: shape \(2,\) of float64; expected \(N, d\) numbers"),
        ({"stimulus": names, "features": np.zeros((2, 0))}, "not empty"),
        ({"stimulus": names, "features": good.astype(complex)}, r"shape \(2, 2\) of complex128"),
        ({"stimulus": names[:, None], "features": good}, r"stimulus: shape \(2, 1\)"),
        ({"stimulus": np.arange(2), "features": good}, "expected \\(N\\) of text"),
        ({"stimulus": np.array(["a", "a"]), "features": good}, "rows 1 and 2 are both of 'a'; remove one"),
        ({"stimulus": np.array(["a", ""]), "features": good}, "row 2, stimulus: "),
        ({"stimulus": names, "features": bad}, r"row 2 \('b'\), feature 2: nan; compute it again"),
    ):
        with pytest.raises(UserError, match=message) as error:
            read_features("x", npz(file, **arrays))
        assert "\n" not in str(error.value)
    for content in (
        b"",
        b"no archive",
        b"PK\x03\x04" + b"0" * 90,
        npz(file, stimulus=names, features=good).read_bytes()[:-40],
    ):
        file.write_bytes(content)
        refused("not a readable npz file", read_features, "x", file)
    for text, message in (
        ("picture,f\na,1\n", "0 columns 'stimulus'"),
        (",stimulus,f\n0,a,1\n", "a column without a name, an index perhaps; write the file with index=False"),
        ("stimulus,f,note\na,1,good\n", "column note: str, expected numbers"),
        ("stimulus,f\na,1\nb,\n", r"row 2 \('b'\), feature 1: nan"),
        ("stimulus,f\na,1,2\n", "not readable"),
        ("", "not readable"),
    ):
        table.write_text(text)
        with pytest.raises(UserError, match=message) as error:
            read_features("x", table)
        assert str(table) in str(error.value)
    parquet = tmp_path / "f.parquet"
    parquet.write_bytes(b"PAR1")
    refused("not readable", read_features, "x", parquet)
    with pytest.raises(UserError, match="features 'x': found a list"):
        read_features("x", [1])  # type: ignore[arg-type]
    doubled = pd.DataFrame([["a", 1.0, 2.0]], columns=["stimulus", "f", "f"])
    refused("column 'f'", read_features, "x", doubled)


def test_features_of_other_pictures_are_refused(folders: Folders, vectors: Vectors) -> None:
    frame = features_frame(*vectors)
    frame["stimulus"] = frame["stimulus"].str.removeprefix("d/")
    refused(r"60 rows.*\(there '.*', here 'd/real/00'", measure, folders, frame)


def test_numbers_keep_their_precision_and_integers_count() -> None:
    frame = pd.DataFrame({"stimulus": ["a", "b"], "f": np.array([1, 2], np.float32), "g": np.array([3, 4], np.float32)})
    assert vars(read_features("x", frame))["values"].dtype == np.float32
    given = read_features("x", frame.assign(g=[3, 4]))
    np.testing.assert_array_equal(vars(given)["values"], np.array([[1.0, 3.0], [2.0, 4.0]]), strict=True)
    assert given.sha256 != read_features("x", frame.assign(g=[4, 3])).sha256


def test_features_that_are_written_while_they_are_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their hash would be that of other features, and so would the values that are cached under it."""
    file = tmp_path / "x.npz"
    np.savez(file, stimulus=np.array(["a", "b"]), features=np.eye(2))
    read = features_module._of_npz

    def read_before_it_is_written(path: Path) -> object:
        found = read(path)
        np.savez(file, stimulus=np.array(["a", "b", "c"]), features=np.eye(3))
        return found

    monkeypatch.setattr(features_module, "_of_npz", read_before_it_is_written)
    with pytest.raises(UserError, match="was written while it was read"):
        read_features("x", file)
    monkeypatch.setattr(features_module, "_of_npz", read)
    assert len(read_features("x", file).values) == 3
