"""The functions that `gan_eval` offers: imported when first used, frames or paths in, frames out."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from finished import copy_study
from make_trials import simulated
from refusals import refused

import gan_eval
from gan_eval.__main__ import run
from gan_eval.base.errors import UserError
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.store import open_store
from gan_eval.tables import PARTICIPANTS, SESSIONS, TRIALS
from gan_eval.tables.frames import frame_of, write_table

TRIAL = {"participant": "P1", "trial": 1, "phase": "main", "stimulus": "d/m/a", "kind": "fake", "response": "real"}


def test_each_name_is_there_with_an_example_and_no_other() -> None:
    for name in gan_eval.__all__:
        assert ">>> " in getattr(gan_eval, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        gan_eval.analyse  # noqa: B018


@pytest.mark.slow
def test_every_column_without_a_value_keeps_its_dtype(tmp_path: Path) -> None:
    expected = {"text": "str", "instant": "str", "json": "str", "int": "Int64", "float": "float64", "bool": "boolean"}
    for table, suffix in (*((table, ".csv") for table in ALL_TABLES.values()), (TRIALS, ".parquet")):
        file = tmp_path / f"{table.name}{suffix}"
        write_table(frame_of([], table), file, table)
        frame = gan_eval.read_table(file)
        assert list(frame) == list(table.names)
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
            column.name: expected[column.dtype] for column in table.columns
        }
    row = TRIAL | {"session": "s", "simulated": False}
    write_table(frame_of([row], TRIALS), tmp_path / "mine.csv", TRIALS)
    dtypes = gan_eval.read_table(str(tmp_path / "mine.csv"), "trials").dtypes
    assert [str(dtypes[name]) for name in ("block", "correct", "choice", "rating")] == [
        "Int64", "boolean", "str", "float64",
    ]  # fmt: skip


def test_a_table_is_known_by_name(tmp_path: Path) -> None:
    file = tmp_path / "rate.csv"
    file.write_text("scope\nall\n")
    refused(r"rate\.csv:.*'rate';.*rates\?", gan_eval.read_table, file)
    refused(r"nowhere\.csv:", gan_eval.read_table, tmp_path / "nowhere.csv")
    refused("the table rates needs it", gan_eval.read_table, file, "rates")
    refused("a frame: no table ''", gan_eval.read_table, pd.DataFrame({"scope": ["all"]}))
    rejected = tmp_path / "trials.rejected.csv"
    rejected.write_text("row,column,found,reason\n3,kind,x,why\n")
    typed = gan_eval.read_table(rejected)
    assert typed["row"].tolist() == [3]
    pd.testing.assert_frame_equal(gan_eval.read_table(pd.read_csv(rejected), "rejected"), typed)


def test_trials_come_from_csv_parquet_and_stores_with_their_dtypes(finished_study: Path, tmp_path: Path) -> None:
    out = finished_study / "out"
    from_store = gan_eval.read_trials(out / "store.sqlite")
    assert from_store["trial"].tolist() == [*range(1, 9)] * 3
    with open_store(out / "store.sqlite", create=False) as opened:
        pd.testing.assert_frame_equal(gan_eval.read_trials(opened), from_store)
    for name in ("trials.csv", "trials.parquet"):
        pd.testing.assert_frame_equal(gan_eval.read_trials(str(out / "tables" / name)), from_store)
    (tmp_path / "u.csv").write_text(
        "participant,stimulus,kind,response,reaction_time_ms\nP1,a,fake,real,500\n,b,fake,real,600\n"
    )
    with pytest.warns(UserWarning, match=r"u\.csv: 1 trials.*participant left"):
        typed = gan_eval.read_trials(tmp_path / "u.csv")
    assert (typed["reaction_time_ms"].tolist(), typed["correct"].tolist()) == ([500.0], [False])
    with pytest.warns(UserWarning, match=r"trials: 1 trials.*participant left"):
        pd.testing.assert_frame_equal(gan_eval.read_trials(pd.read_csv(tmp_path / "u.csv", dtype=str)), typed)


@pytest.mark.slow
def test_frames_and_paths_give_the_same_analysis(finished_study: Path, tmp_path: Path) -> None:
    trials = shutil.copy(finished_study / "out" / "tables" / "trials.csv", tmp_path)
    images = finished_study / "out" / "metrics" / "image_metrics.parquet"
    plan = AnalysisSettings(replicates=200)
    whole = gan_eval.analyze(gan_eval.read_trials(trials), image_metrics=gan_eval.read_table(images), plan=plan)
    assert len(whole["correlations"]) == 1
    from_files = gan_eval.analyze(trials, image_metrics=str(images), plan=plan)
    assert from_files.keys() == whole.keys()
    for name, frame in whole.items():
        pd.testing.assert_frame_equal(from_files[name], frame)


@pytest.mark.slow
@pytest.mark.parametrize(
    "dtype", ["object", *(pytest.param(other, marks=pytest.mark.nightly) for other in ("int64", "category"))]
)
def test_identifiers_may_be_whole_numbers_as_from_read_csv(tmp_path: Path, dtype: str) -> None:
    text = simulated(participants=4, stimuli=12, each=12).drop(columns="trial")
    for name in ("participant", "stimulus"):
        text[name] = text[name].str.extract(r"(\d+)$")[0].astype(int).astype(str)
    text = text.assign(session=text["participant"] + "0", item=text["stimulus"])
    names = ["participant", "session", "stimulus", "item"]
    floats = text.assign(**{name: text[name].astype("float64") for name in names})
    cells = {name: [(str(int(n)), n, int(n))[row % 3] for row, n in enumerate(floats[name])] for name in names}
    mixed = floats.assign(**{name: pd.Series(cells[name], dtype="object") for name in names})  # 3, 3.0 and "3" are one
    fakes = text[text["kind"] == "fake"].drop_duplicates("stimulus")[["stimulus", "item", "kind", "model", "dataset"]]
    metrics = fakes.assign(metric="psnr", value=range(len(fakes)), reason=None, run=None)
    plan = AnalysisSettings(exclude_participants=("participant=3",), exclude=("stimulus=4",), replicates=200)
    expected = gan_eval.analyze(text, image_metrics=metrics, plan=plan)
    assert len(expected["correlations"]) == 1
    numbers = mixed if dtype == "object" else floats.astype(dict.fromkeys(names, dtype))
    found = gan_eval.analyze(numbers, image_metrics=metrics.astype({"stimulus": float, "item": float}), plan=plan)
    for name, table in expected.items():
        pd.testing.assert_frame_equal(found[name], table, obj=name)
    gan_eval.write_report({"trials": numbers, "image_metrics": metrics}, tmp_path / "report.html")


def test_an_analysis_of_a_store_knows_its_sessions(finished_study: Path, tmp_path: Path) -> None:
    store = copy_study(finished_study, tmp_path) / "out" / "store.sqlite"
    with open_store(store) as opened:
        names = [{name: row[name] for name in ("session", "participant")} for row in opened.rows(SESSIONS)]
        opened.add(PARTICIPANTS, [row | {"question": "age", "answer": str(30 + n)} for n, row in enumerate(names)])
        frames = gan_eval.analyze(opened, covariates=["age"])
    assert frames["rates"]["n_fake"].iloc[0] == 11, "one of 12 was not answered"
    assert frames["mixed_models"]["formula"].str.contains("age").any()
    assert run(["analyze", str(store), "--out", str(tmp_path / "answer")]) == 0
    sessions = gan_eval.read_table(tmp_path / "answer" / "sessions.csv")["session"]
    assert sorted(sessions) == sorted(row["session"] for row in names)


def test_an_open_store_where_a_table_belongs_is_reported(finished_study: Path, tmp_path: Path) -> None:
    with open_store(finished_study / "out" / "store.sqlite", create=False) as opened:
        refused("image_metrics:", gan_eval.analyze, opened, image_metrics=opened)
        refused("table trials: found a Store", gan_eval.read_table, opened, "trials")
        refused("write_report:", gan_eval.write_report, opened, tmp_path / "report.html")


def test_a_report_of_frames_and_what_is_no_table(finished_study: Path, tmp_path: Path) -> None:
    tables = finished_study / "out" / "tables"
    frames = {name: gan_eval.read_table(tables / f"{name}.csv") for name in ("rates", "trials")}
    page = gan_eval.write_report(frames, tmp_path / "answer.html", title="Two models")
    assert "Two models" in page.read_text(encoding="utf-8")
    refused("no_set:", gan_eval.write_report, frames, tmp_path / "answer.html", stimuli="no_set")
    refused("no table 'rate'", gan_eval.write_report, {"rate": frames["rates"]}, tmp_path / "r.html")
    refused("write_report:", gan_eval.write_report, {}, tmp_path / "r.html")
    refused(r"r\.pdf:.*HTML;.*r\.html", gan_eval.write_report, finished_study / "out", tmp_path / "r.pdf")
    with pytest.raises(TypeError, match="found a int; give a frame of trials, a Store, or the path of either"):
        gan_eval.analyze(3)  # type: ignore[arg-type]


def test_folders_or_stimuli_are_measured_but_not_both(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="metrics need PyTorch")
    for call in ({}, {"real": tmp_path}, {"stimuli": tmp_path, "real": tmp_path, "fake": tmp_path}):
        refused(r"stimuli.* real and fake", gan_eval.evaluate, **call)
    for folder in (tmp_path, str(tmp_path)):
        with pytest.raises(UserError, match=r"evaluate\(real=..., fake=...\)"):
            gan_eval.evaluate(tmp_path, folder)  # type: ignore[arg-type]
    refused("metric 'psnr,psnr,", gan_eval.evaluate, real=tmp_path, fake=tmp_path, metrics="psnr," * 60)
