"""Tables survive CSV and Parquet without loss; what does not fit is refused by table, row and column."""

import csv
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refused
from tables_reference import reference

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.stats.tables.rates import RATES
from gan_eval.tables.columns import columns_of, frame_of_columns, write_columns
from gan_eval.tables.frames import conform, frame_of, read_rows, read_table, write_rows, write_table
from gan_eval.tables.schema import Table, name_text

IDS = Table("ids", "", (name_text("participant", "", optional=True), name_text("session", "", optional=True)))
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
name = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1, max_size=12)
number = st.floats(allow_nan=False)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "stimulus": name,
            "metric": text,
            "kind": st.none() | st.sampled_from(tables.KINDS),
            "value": st.none() | number,
            "reason": st.none() | text,
            "fraction": st.none() | st.floats(0, 1),
            "comment": st.none() | text,
        }
    ),
    unique_by=lambda row: (row["stimulus"], row["metric"]),
    max_size=6,
)


def as_rows(frame: pd.DataFrame) -> list[dict[str, object]]:
    return [
        {name: None if pd.isna(value) else value for name, value in record.items()}
        for record in frame.astype(object).to_dict("records")
    ]


@pytest.mark.slow
@settings(max_examples=10)
@given(rows)
def test_rows_and_frames_write_the_same_file_and_read_back_what_was_written(tmp_path_factory, written):
    folder = tmp_path_factory.mktemp("tables")
    csv, parquet = folder / "t.csv", folder / "t.parquet"
    write_rows(written, csv, tables.IMAGE_METRICS)
    bytes_of_rows = csv.read_bytes()
    assert read_rows(csv, tables.IMAGE_METRICS) == [
        {name: row.get(name) for name in (*tables.IMAGE_METRICS.names, *(["comment"] if written else []))}
        for row in written
    ]
    frame = read_table(csv, tables.IMAGE_METRICS)
    write_table(frame, csv, tables.IMAGE_METRICS)
    assert csv.read_bytes() == bytes_of_rows
    write_table(frame, parquet, tables.IMAGE_METRICS)
    columns = columns_of(written, tables.IMAGE_METRICS)
    write_columns(columns, tables.IMAGE_METRICS, folder)
    assert (folder / "image_metrics.csv").read_bytes() == bytes_of_rows
    assert (folder / "image_metrics.parquet").read_bytes() == parquet.read_bytes()
    assert frame_of_columns(columns, tables.IMAGE_METRICS).equals(frame_of(written, tables.IMAGE_METRICS))
    pd.testing.assert_frame_equal(read_table(parquet, tables.IMAGE_METRICS), frame)
    assert as_rows(frame_of(written, tables.IMAGE_METRICS)) == as_rows(frame)


def test_a_frame_writes_each_float_as_python_does_but_never_with_three_decimals(tmp_path, monkeypatch):
    monkeypatch.setattr("gan_eval.tables.frames.ROWS_AT_ONCE", 999)  # several parts in one file
    near = [math.nextafter(end, towards) for end in (1e-4, 1e9, 1e15) for towards in (0, end, math.inf)]
    drawn = np.random.default_rng(0).uniform(-5000, 5000, 2000)
    values = [*near, *drawn.tolist(), *(10.0 ** np.arange(-320.0, 308.0)).tolist(), 3.0, -0.0, 0.1 + 0.2, -math.inf]
    values += [0.875, -257.307, 1.125e-7, 1.125e-300, 0.125]
    written = [{"stimulus": str(number), "metric": "psnr", "value": value} for number, value in enumerate(values)]
    write_table(frame_of(written, tables.IMAGE_METRICS), tmp_path / "t.csv", tables.IMAGE_METRICS)
    with (tmp_path / "t.csv").open(encoding="utf-8") as file:
        texts = [row["value"] for row in csv.DictReader(file)]
    assert [float(text) for text in texts] == values
    padded = [re.sub(r"(\.\d{3})(?=e|$)", r"\g<1>0", repr(value)) for value in values]
    assert texts == padded
    assert sum(text != repr(value) for text, value in zip(texts, values, strict=True)) >= 5


def test_empty_text_of_a_frame_is_missing_as_in_a_file():
    cells = pd.Series(["", "a"], dtype="str")
    frame = frame_of([{"stimulus": name, "metric": "psnr", "value": 1.0} for name in "xy"], tables.IMAGE_METRICS)
    frame["model"] = cells
    assert conform(frame, tables.IMAGE_METRICS, where="t")["model"].isna().tolist() == [True, False]
    refused("t: row 1, column stimulus", conform, frame.assign(stimulus=cells), tables.IMAGE_METRICS, where="t")


@pytest.mark.parametrize("dtype", ["float64", "Float64", "float32", "double[pyarrow]", "int64", "object"])
def test_a_conformed_frame_can_be_changed_and_the_given_one_stays(dtype):
    rows = [{"stimulus": name, "metric": "psnr", "value": value} for name, value in (("a", 1.0), ("b", 2.0))]
    frame = frame_of(rows, tables.IMAGE_METRICS)
    frame["value"] = frame["value"].astype(dtype)
    given = frame.copy(deep=True)
    result = conform(frame, tables.IMAGE_METRICS, where="t")
    result.loc[0, "value"] = 9.0
    assert result["value"].tolist() == [9.0, 2.0]
    pd.testing.assert_frame_equal(frame, given)
    again = conform(frame, tables.IMAGE_METRICS, where="t")
    frame.loc[1, "value"] = 7
    assert again["value"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "value", ["007", "1e5", "NA", "nan", "None", "true", " padded ", "a,b", 'say "so"', "x\r\ny", "é\u2028"]
)
def test_text_that_looks_like_something_else_stays_text(tmp_path, value):
    row = {"stimulus": "a", "metric": "psnr", "value": math.inf, "reason": value}
    for name in ("t.csv", "t.parquet"):
        write_table(frame_of([row], tables.IMAGE_METRICS), tmp_path / name, tables.IMAGE_METRICS)
        frame = read_table(tmp_path / name, tables.IMAGE_METRICS)
        assert frame["reason"].tolist() == [value]
        assert frame["value"].tolist() == [math.inf]


BASE = "stimulus,item,kind,model,dataset,metric,value,reason,run\n"


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["t.csv", "empty"]),
        ("stimulus,metric\n", ["t.csv", "item, kind, model, dataset, value, reason, run"]),
        (BASE + "a,,unreal,,,psnr,1,,\n", ["row 1, column kind", "'unreal'", "real, fake"]),
        (BASE + "a,,,,,psnr,1,,\nb,,,,,psnr,one,,\n", ["row 2, column value", "'one'", "a number"]),
        (BASE + "a,,,,,psnr,1,,\na,,,,,psnr,2,,\n", ["row 2", "stimulus=a, metric=psnr", "row 1"]),
        (BASE + ",,,,,psnr,1,,\n", ["row 1, column stimulus"]),
        (BASE + "a,b\n", ["row 1", "2 cells"]),
        (BASE.replace("run", "run,kind"), ["column kind"]),
        (BASE + '"a,,,\n', ["CSV"]),
    ],
)
def test_bad_files_are_refused_by_row_and_column(tmp_path, content, parts):
    path = tmp_path / "t.csv"
    path.write_text(content)
    for read in (read_rows, read_table):
        with pytest.raises(UserError) as caught:
            read(path, tables.IMAGE_METRICS)
        for part in parts:
            assert part in str(caught.value)


def test_rows_frames_and_columns_write_no_three_decimals_into_csv_only(tmp_path):
    row = {"stimulus": "a", "metric": "psnr", "value": 0.875}
    write_rows([row], tmp_path / "rows.csv", tables.IMAGE_METRICS)
    write_table(frame_of([row], tables.IMAGE_METRICS), tmp_path / "frame.csv", tables.IMAGE_METRICS)
    write_columns(columns_of([row], tables.IMAGE_METRICS), tables.IMAGE_METRICS, tmp_path)
    for file in ("rows", "frame", "image_metrics"):
        assert ",0.8750," in (tmp_path / f"{file}.csv").read_text()
        assert read_table(tmp_path / f"{file}.csv", tables.IMAGE_METRICS)["value"].tolist() == [0.875]
    assert pd.read_parquet(tmp_path / "image_metrics.parquet")["value"].tolist() == [0.875]


@pytest.mark.parametrize(
    ("table", "column", "text", "is_refused"),
    [
        ("rates", "accuracy", "875", True), ("rates", "accuracy", "-1", True), ("rates", "accuracy_p", "34", True),
        ("rates", "accuracy", "inf", True), ("rates", "accuracy", "1.0000000000000002", False),
        ("rates", "dprime", "875", False), ("correlations", "spearman", "-875", True),
        ("correlations", "spearman", "-0.8750", False), ("stimuli", "mask_area", "875", True),
    ],
)  # fmt: skip
def test_a_share_that_a_spreadsheet_has_made_a_thousand_times_is_refused(tmp_path, table, column, text, is_refused):
    declared, path = ALL_TABLES[table], tmp_path / "t.csv"
    filled = {"text": "x", "int": "3", "float": "0.5", "bool": "true", "instant": "2026-01-31T12:00:00Z", "json": "{}"}
    cells = {
        each.name: (each.words or (filled[each.dtype],))[0] if each.filled or each.name == column else ""
        for each in declared.columns
    }
    path.write_text(f"{','.join(cells)}\n{','.join((cells | {column: text}).values())}\n")
    for read in (read_rows, read_table):
        if not is_refused:
            read(path, declared)
            continue
        spreadsheet = "" if text == "inf" else ".*a spreadsheet may have taken the decimal point for a separator"
        refused(rf"t\.csv: row 1, column {column}: found {text}.*expected a.*number{spreadsheet}", read, path, declared)


def test_numbers_as_only_python_writes_them_are_no_numbers(tmp_path):
    for column, text in (
        ("value", "12_3"), ("value", "１２"), ("value", "1_0e3"), ("fraction", "0_1"), ("value", "0x1f"),
    ):  # fmt: skip
        cells = dict.fromkeys(tables.IMAGE_METRICS.names, "") | {"stimulus": "a", "metric": "psnr", column: text}
        path = tmp_path / "t.csv"
        path.write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n", encoding="utf-8")
        for read in (read_rows, read_table):
            refused(rf"row 1, column {column}: found '{text}', expected a number", read, path, tables.IMAGE_METRICS)
        frame = pd.DataFrame([cells])
        refused(f"column {column}: found '{text}'", conform, frame, tables.IMAGE_METRICS, where="t")
    trial = pd.DataFrame([TRIAL | {"trial": "3_0"}]).reindex(columns=tables.TRIALS.names)
    refused("column trial: found '3_0', expected a whole number", conform, trial, tables.TRIALS, where="t")


def test_numbers_in_a_column_of_text_are_text_as_in_a_file():
    frame = pd.DataFrame({"session": ["s"] * 3, "participant": "p", "question": list("abc"), "answer": [25, None, 2.5]})
    frame["answered_at"] = None
    answers = conform(frame, tables.PARTICIPANTS, where="t")["answer"]
    assert answers.isna().tolist() == [False, True, False]
    assert answers.dropna().tolist() == ["25", "2.5"]
    whole = conform(frame.assign(answer=[25, 30, 41]), tables.PARTICIPANTS, where="t")["answer"]
    assert whole.tolist() == ["25", "30", "41"]


TRIAL = {"session": "s", "participant": "P1", "trial": 1, "phase": "main", "stimulus": "a", "simulated": True}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("trial", 99999999999999999999), ("trial", 2**63), ("trial", -(2**63) - 1), ("trial", 1e300),
        ("exposure_ms", math.inf), ("reaction_time_ms", math.inf), ("frame_ms", -math.inf),
        ("onset_ms", -1e308), ("requested_exposure_ms", 2e15),
    ],
)  # fmt: skip
def test_numbers_out_of_all_bounds_are_refused_by_row_and_column(tmp_path, column, value):
    path = tmp_path / "t.csv"
    write_rows([TRIAL, {**TRIAL, "trial": 2}], path, tables.TRIALS)
    frame = pd.read_csv(path, dtype="str")
    frame.loc[1, column] = f"{value!r}"
    frame.to_csv(path, index=False)
    for read in (read_rows, read_table):
        refused(rf"t\.csv: row 2, column {column}:", read, path, tables.TRIALS)
    numbers = pd.DataFrame([TRIAL, {**TRIAL, "trial": 2, "exposure_ms": 1.0, "onset_ms": 1.0, column: value}])
    refused(f"row 2, column {column}", frame_of, numbers.to_dict("records"), tables.TRIALS)


def test_a_repeated_key_with_an_empty_part_is_refused_by_row() -> None:
    cells = {column.name: "x" for column in tables.MARKS.columns if column.filled and column.dtype == "text"}
    row = cells | {"kind": "real", "trial": 1, "simulated": False}
    frame = pd.DataFrame([row | {"mark": mark} for mark in (1, None, 2, None)]).reindex(columns=tables.MARKS.names)
    refused(r"row 4: .* as row 2", conform, frame, tables.MARKS, where="marks.csv")


def test_a_file_that_is_not_text_or_not_there_is_named(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00")
    refused(r"t\.csv: not UTF-8", read_rows, tmp_path / "t.csv", RATES)
    refused("no such file", read_table, tmp_path / "absent.csv", RATES)
    refused("no such file", read_table, tmp_path / "absent.parquet", RATES)
    (tmp_path / "t.parquet").write_bytes(b"not parquet")
    refused(r"t\.parquet:", read_table, tmp_path / "t.parquet", RATES)


def test_a_spreadsheets_byte_order_mark_and_float_integers_are_understood(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(
        b"\xef\xbb\xbf" + b"model,dataset,metric,value,ci_low,ci_high,n_real,n_fake,reason,run\nm,d,fid,1,,,3.0,4,,\n"
    )
    assert read_rows(path, tables.SET_METRICS)[0]["n_real"] == 3
    assert read_table(path, tables.SET_METRICS)["n_real"].tolist() == [3]


@pytest.mark.parametrize("names", [["7.0", None, "8.0"], [7.0, np.nan, 8.0], pd.array([7, None, 8], "Int64")])
def test_whole_identifiers_of_a_column_with_gaps_have_no_decimals(tmp_path, names):
    frame = pd.DataFrame({"participant": names, "session": ["7.0", "v1", "8.0"]})
    (tmp_path / "t.csv").write_text("participant,session\n7.0,7.0\n,v1\n8.0,8.0\n")
    for table in (conform(frame, IDS, where="frame"), read_table(tmp_path / "t.csv", IDS)):
        assert [None if pd.isna(name) else name for name in table["participant"]] == ["7", None, "8"]
        assert table["session"].tolist() == ["7.0", "v1", "8.0"], "other text is kept"


def test_nothing_is_written_when_a_value_does_not_fit(tmp_path):
    path = tmp_path / "t.csv"
    with pytest.raises(UserError, match="column value"):
        write_rows([{"stimulus": "a", "metric": "psnr", "value": "high"}], path, tables.IMAGE_METRICS)
    assert list(tmp_path.iterdir()) == []


def test_the_reference_in_docs_is_up_to_date():
    path = Path(__file__).parents[3] / "docs" / "tables.md"
    assert path.read_text() == reference(), "run: python packaging/tables_reference.py > docs/tables.md"


def test_the_reference_in_docs_names_every_column_of_every_table():
    sections = dict(section.split("\n", 1) for section in reference().split("\n## ")[1:])
    for table in ALL_TABLES.values():
        assert [column for column in table.names if f"`{column}`" not in sections[table.name]] == []


CONTRACT = {
    "stimuli": (
        "stimulus, item, kind, model, dataset, split, file, input_file, reference_file, width, height, "
        "sha256, mask_kind, mask_area, mask_file"
    ),
    "sessions": (
        "session, study, design_hash, participant, protocol, list, seed, status, simulated, started_at, "
        "ended_at, software, platform, presenter, screen_width, screen_height, device_pixel_ratio, refresh_hz"
    ),
    "trials": (
        "session, study, participant, protocol, block, trial, phase, stimulus, stimulus_b, position, item, "
        "kind, model, dataset, requested_exposure_ms, planned_exposure_ms, exposure_ms, onset_ms, response, "
        "choice, rating, correct, reaction_time_ms, confidence, flags, answered_at, simulated"
    ),
    "image_metrics": ("stimulus, item, kind, model, dataset, metric, value, reason, run"),
    "set_metrics": ("model, dataset, metric, value, ci_low, ci_high, n_real, n_fake, reason, run"),
    "training_log": ("step, epoch, images, term, value, seconds"),
    "runs": (
        "run, command, settings, settings_hash, input_hash, software, weights_sha256, resizer, device, "
        "threads, seed, started_at, ended_at"
    ),
    "rates": (
        "scope, id, n_real, n_fake, n_none, hits, misses, false_alarms, correct_rejections, accuracy, "
        "accuracy_low, accuracy_high, accuracy_p, real_correct, real_low, real_high, fake_correct, fake_low, "
        "fake_high, dprime, criterion"
    ),
    "mixed_models": (
        "formula, link, term, estimate, std_error, z, p, ci_low, ci_high, sd_participant, sd_stimulus, "
        "log_likelihood, n_trials, n_participants, n_stimuli, singular, note"
    ),
    "comparisons": (
        "comparison, a, b, measure, difference, ci_low, ci_high, p, p_holm, margin, verdict, n_a, n_b, "
        "exploratory, note"
    ),
    "correlations": (
        "level, dataset, metric, measure, n, spearman, ci_low, ci_high, kendall, pearson, p, ceiling, note"
    ),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_the_contracts_columns_are_there_in_order(name):
    promised = CONTRACT[name].split(", ")
    assert [column for column in ALL_TABLES[name].names if column in promised] == promised


def test_a_parquet_column_of_lists_or_records_is_refused_by_name(tmp_path):
    for cell in ([1.0, 2.0], {"low": 1.0}):
        row = {**dict.fromkeys(tables.SET_METRICS.names), "model": "m", "dataset": "d", "metric": "fid", "ci_low": cell}
        pd.DataFrame([row]).to_parquet(tmp_path / "t.parquet")
        refused(r"t\.parquet: column ci_low:", read_table, tmp_path / "t.parquet", tables.SET_METRICS)


@pytest.mark.parametrize(
    ("second", "place"),
    [
        ({"stimulus": "x", "metric": "psnr"}, r"row 2:.*stimulus=x"),
        ({"stimulus": "y"}, "row 2, column metric"),
        ({"stimulus": "y", "metric": "psnr", "kind": "unreal"}, "row 2, column kind"),
        ({"stimulus": "y", "metric": "psnr", "fraction": 1.5}, "row 2, column fraction"),
    ],
)
def test_columns_that_do_not_fit_are_refused(second, place):
    refused(f"image_metrics: {place}", columns_of, [{"stimulus": "x", "metric": "psnr"}, second], tables.IMAGE_METRICS)
