"""Trials that contradict each other are refused with the first conflicting row; what may be meant is a warning."""

from pathlib import Path

import pandas as pd
import pytest
from refusals import refused

from gan_eval import analyze, read_trials
from gan_eval.__main__ import run
from gan_eval.base.errors import UserError
from gan_eval.judgements.convert import import_trials
from gan_eval.judgements.doubts import doubts
from gan_eval.judgements.trials import fill_trials

ROWS = [
    {"session": f"s{person}", "participant": f"P{person}", "stimulus": f"d/{'m' if number % 2 else 'real'}/{number}",
     "kind": "fake" if number % 2 else "real", "model": "m" if number % 2 else None, "dataset": "d",
     "item": f"d/{number}", "response": "real" if person else "fake", "reaction_time_ms": 500.0 + 7 * person + number}
    for person in range(2)
    for number in range(4)
]  # fmt: skip
SECOND = 4
"""The first row of the second session."""


def changed(row: int, **cells: object) -> pd.DataFrame:
    frame = pd.DataFrame(ROWS).astype("object")
    for name, value in cells.items():
        if name not in frame:
            frame[name] = None
        frame.loc[row, name] = value
    return frame


CASES = {
    "kind": (changed(SECOND + 1, kind="real"), r"row 6 .*stimulus 'd/m/1' has kind real, in row 2 kind fake"),
    "model": (changed(SECOND + 1, model="n"), r"row 6 .*stimulus 'd/m/1' has model n, in row 2 model m"),
    "data set": (changed(SECOND, dataset="e"), r"row 5 .*stimulus 'd/real/0' has dataset e, in row 1 dataset d"),
    "item": (changed(SECOND, item="d/9"), r"row 5 .*stimulus 'd/real/0' has item d/9, in row 1 item d/0"),
    "participant": (
        changed(SECOND + 2, participant="P9"),
        r"row 7 \(session 's1', trial 3\): participant 'P9', in row 5 of the same session participant 'P1'",
    ),
    "correct": (
        changed(3, correct=False),
        r"row 4 .*correct is false, which contradicts response fake and kind fake .*--map correct=",
    ),
    "correct without an answer": (changed(3, correct=True, response="none"), r"row 4 .*correct is true, .*none"),
    "model named all": (changed(SECOND + 1, model="all"), r"row 6, column model: the name all is reserved"),
    "name of a real picture": (changed(0, kind="fake", stimulus="d/real/x"), r"row 1 .*'d/real/x' has kind fake"),
}


@pytest.mark.parametrize("case", CASES)
def test_rows_that_contradict_each_other_are_refused(tmp_path: Path, case: str) -> None:
    frame, line = CASES[case]
    refused(rf"^trials: {line}", analyze, frame)
    frame.to_csv(tmp_path / "t.csv", index=False)
    if case == "kind":
        assert run(["analyze", str(tmp_path / "t.csv"), "--out", str(tmp_path / "out")]) == 2
        assert not (tmp_path / "out").exists()
    if case not in ("model", "data set", "model named all"):  # import gives names of their own, or leaves the row out
        refused(rf"t\.csv: {line}", import_trials, tmp_path / "t.csv", mapping={})


def test_rows_keep_their_number_if_others_are_left_out(tmp_path: Path) -> None:
    frame = changed(SECOND + 3, kind="real")
    frame.loc[1, "participant"] = None
    refused(r"^trials: row 8.*'d/m/3'.*row 4 kind", analyze, frame)


def test_legitimate_rows_agree() -> None:
    pairs = [
        {"participant": "P1", "protocol": protocol, "stimulus": f"d/{a}/1", "stimulus_b": f"d/{b}/1", "choice": choice,
         "model": model, "correct": correct}
        for protocol, a, b, model, choice, correct in (
            ("paired", "real", "m", "m", "a", True), ("paired", "real", "n", "n", "b", False),
            ("paired", "real", "n", "n", "none", None), ("model_vs_model", "m", "n", "m|n", "a", None),
            ("model_vs_model", "m", "o", "m|o", "b", None),
        )
    ]  # fmt: skip
    assert len(fill_trials(pd.DataFrame(pairs))) == 5
    of_model = [row | {"stimulus": row["stimulus_b"], "stimulus_b": None} for row in NAMED]  # the name of the pair
    for good in (PAIRS, NAMED, [row | {"protocol": None} for row in NAMED], of_model):
        assert len(fill_trials(pd.DataFrame(good))) == 4
    with pytest.raises(UserError, match=r"row 1 .*correct is false, which contradicts choice a"):
        fill_trials(pd.DataFrame([pairs[0] | {"correct": False}]))
    rows = pd.DataFrame([ROWS[0] | {"response": "none", "correct": False}, ROWS[1] | {"response": "none"}])
    assert fill_trials(rows.assign(rating=[None, 3.0]))["correct"].isna().tolist() == [False, True]


PAIRS = [
    {"participant": "P1", "protocol": "paired", "choice": "ab"[number % 2], "stimulus": f"photo{number}",
     "stimulus_b": f"made{number}", "position": "left", "model": "m", "dataset": "d", "correct": number % 2 == 0}
    for number in range(4)
]  # fmt: skip
NAMED = [row | {"stimulus": f"d/real/{row['stimulus']}", "stimulus_b": f"d/m/{row['stimulus']}"} for row in PAIRS]


TWO = {"participant": "P1", "protocol": "model_vs_model", "choice": "a", "stimulus": "d/m/1", "stimulus_b": "d/n/1",
       "model": "m|n", "dataset": "d"}  # fmt: skip


def swapped(row: dict[str, object]) -> dict[str, object]:
    return row | {"stimulus": row["stimulus_b"], "stimulus_b": row["stimulus"]}


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([*NAMED[:2], swapped(NAMED[2])], r"row 3.*'d/m/photo2'.*swapped"),
        ([swapped({**NAMED[0], "protocol": None})], r"row 1.*'d/m/photo0'.*swapped"),
        (
            [{"participant": "P1", "choice": "a", "stimulus": a, "stimulus_b": b} for a, b in ("xy", "zw", "yx")],
            r"row 3.*'y'.*row 1 kind.*swapped",
        ),
        ([PAIRS[0], PAIRS[1], swapped(PAIRS[1])], r"row 3.*'made1'.*row 2 kind.*swapped"),
        ([PAIRS[0], {**PAIRS[1], "stimulus_b": "made0", "model": "n"}], r"row 2.*'made0'.*row 1 model"),
        (
            [PAIRS[0], {"participant": "P1", "stimulus": "made0", "kind": "real", "response": "real"}],
            r"row 2.*'made0'.*row 1 kind",
        ),
        ([{**NAMED[0], "protocol": "model_vs_model", "model": "m|n", "correct": None}], r"row 1.*'d/real/photo0'"),
        *(
            ([TWO, TWO | change], r"row 2 .*model is .*; for model_vs_model it must be A\|B")
            for change in ({"model": "m"}, {"model": None}, {"model": "m|m"}, {"model": "n|m"})
        ),
    ],
)
def test_pairs_that_contradict_their_pictures_are_refused(rows: list[dict[str, object]], line: str) -> None:
    refused(rf"^trials: {line}", fill_trials, pd.DataFrame(rows))


def test_what_may_be_one_person_or_one_session_is_a_warning() -> None:
    assert doubts(fill_trials(pd.DataFrame(ROWS))) == []
    frame = pd.DataFrame(ROWS)
    again = frame[:SECOND].assign(session="copy")
    spelled = pd.concat([frame, again.assign(participant="p0 ")], ignore_index=True)
    lines = doubts(fill_trials(spelled))
    assert len(lines) == 2
    assert "'P0' and 'p0 '" in lines[0]
    assert "'copy'" in lines[1]
    with pytest.warns(UserWarning, match="sessions 's0' and 'copy'"):
        read_trials(again.assign(session="s0").pipe(lambda first: pd.concat([first, again])))


def test_impossible_times_are_a_warning_that_names_the_first_row() -> None:
    timed = fill_trials(pd.DataFrame(ROWS).assign(reaction_time_ms=600.0))
    assert not doubts(timed.assign(reaction_time_ms=[*range(500, 500 + len(timed))]))
    timed.loc[[1, 2], "reaction_time_ms"] = [-500.0, 0.0]
    assert "2 of 8 answers have no reaction time above 0 (the first is -500 ms in row 2)" in doubts(timed)[0]


@pytest.mark.parametrize(
    ("name", "factor", "is_warned"),
    [("reaction_time_ms", 0.001, True), ("requested_exposure_ms", 0.001, True), ("reaction_time_ms", 0.1, False)],
)
def test_rows_in_seconds_among_milliseconds_are_warned_of(name: str, factor: float, is_warned: bool) -> None:
    factors = [1.0, factor] * (len(ROWS) // 2)
    rows = [{**row, name: 500.0 * by} for row, by in zip(ROWS, factors, strict=True)]
    lines = [line for line in doubts(fill_trials(pd.DataFrame(rows))) if f"column {name}: 4 of 8 are below" in line]
    assert len(lines) == is_warned
