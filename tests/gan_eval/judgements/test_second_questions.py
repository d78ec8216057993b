"""Trials with a second question about the picture: the answer to the first one counts."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from refusals import refused
from tool_files import (
    ANSWERS,
    KEYS,
    KINDS,
    PICTURES,
    PLAYED,
    imported,
    jspsych,
    labjs,
    opensesame,
    otree,
    played,
    written,
)


@pytest.mark.parametrize(
    ("task", "words"), [("button", {}), ("keyboard", {}), ("keyboard", {"f": "fake", "j": "real"})]
)
def test_the_confidence_of_jspsych_is_not_the_answer(tmp_path: Path, task: str, words: dict[str, str]) -> None:
    """`data` of a timeline stand in the rows of all its trials, and a confidence is given to missed pictures, too."""
    rows = []
    for row in [{**row, "picture": row["stimulus"]} for row in jspsych("P1") if "truth" in row]:
        rows.append(row | {"trial_type": f"image-{task}-response", "correct": "" if words else row["correct"]})
        confidence = {"trial_type": "html-keyboard-response", "stimulus": "sure?", "response": 2, "correct": ""}
        rows.append(row | confidence)
    found = imported(written(tmp_path, "a.csv", rows), words={"response": words})
    assert played(found) == PLAYED
    assert found.trials["reaction_time_ms"].notna().sum() == 5


def test_two_questions_in_one_cell_of_jspsych(tmp_path: Path) -> None:
    rows = [row | {"trial_type": "survey-multi-choice", "correct": ""} for row in jspsych("P1") if "truth" in row]
    for row, answer in zip(rows, ANSWERS, strict=True):
        row["response"] = json.dumps({"judgement": answer or "", "sure": 2})
    file = written(tmp_path, "a.csv", rows)
    refused(r"a.csv.*--map response=response.judgement", imported, file)
    found = imported(file, mapping={"response": "response.judgement", "confidence": "response.sure"})
    assert played(found) == PLAYED
    assert found.trials["confidence"].eq(2).all()


@pytest.mark.parametrize("is_scored", [True, False])
def test_the_confidence_of_labjs_is_not_the_answer(tmp_path: Path, is_scored: bool) -> None:
    """A loop's parameters stand in the rows of all screens; more confidences than answers are given."""
    rows = []
    for row in labjs("P1")[2::2]:
        rows.append({**row, "response": KEYS[row["response"]], "correct": row.get("correct") if is_scored else None})
        rows.append({**row, "sender": "Sure", "response": "2", "correct": None})
    for row in rows:
        del row["correctResponse"]
    words = {} if is_scored else {"response": {"f": "fake", "j": "real"}}
    assert played(imported(written(tmp_path, "data.csv", rows), words=words)) == PLAYED
    refused("--word response:f=", imported, written(tmp_path, "b.csv", [{**row, "correct": None} for row in rows]))


@pytest.mark.parametrize("asked_in_each", [True, False])
def test_a_later_question_of_opensesame_is_not_the_answer(tmp_path: Path, asked_in_each: bool) -> None:
    """`response`, `correct` and `response_time` are those of the last question of a trial."""
    rows = opensesame()
    for at, row in enumerate(rows):
        names = ("response", "correct", "response_time")
        row |= {f"{name}_key": row[name] for name in names} | {"time_key": 1000 * at + 2100}
        asked = at if asked_in_each else at - at % 2
        row |= {"response_confidence": 2, "correct_confidence": 0, "response_time_confidence": 300}
        row["time_confidence"] = 1000 * asked + 2500
        if asked == at:
            row |= {"response": 2, "correct": 0, "response_time": 300}
    found = imported(written(tmp_path, "subject-4.csv", rows))
    assert played(found) == PLAYED
    assert found.trials["reaction_time_ms"].dropna().eq(700).all()


def test_two_keyboards_of_opensesame_in_trials_of_their_own(tmp_path: Path) -> None:
    rows = opensesame()
    for at, row in enumerate(rows):
        for item, count in (("key", at), ("practice_key", 0)):
            asked = rows[min(at, count)]
            row |= {f"{name}_{item}": asked[name] for name in ("response", "correct", "response_time")}
            row[f"time_{item}"] = "NA" if item == "key" and not at else 1000 * count + 2100
    assert played(imported(written(tmp_path, "subject-4.csv", rows))) == PLAYED


@pytest.mark.parametrize("answer_in", ["keys", "clicked_name", "response"])
@pytest.mark.parametrize("expected", [True, False])
def test_the_confidence_of_psychopy_is_not_the_answer(tmp_path: Path, answer_in: str, expected: bool) -> None:
    """It is given where the picture is missed, too; `correct` is the study's own column, which fits either answer."""
    rows = []
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True)):
        row = {"picture": f"{picture}.png", "truth": kind, "trials.thisN": at, "participant": "P1", "expName": "e"}
        row |= {f"judge.{answer_in}": KEYS[answer] if answer_in == "keys" else answer, "judge.rt": answer and 0.5}
        row |= {"sure.keys": at % 4, "sure.rt": 1.2, "slider.response": at % 4, "slider.rt": 1.5}
        rows.append(row | {"correct": int(answer == kind), **({"corrAns": KEYS[kind]} if expected else {})})
    file = written(tmp_path, "a.csv", rows)
    for mapping in ({}, {"response": f"judge.{answer_in}"}):
        found = imported(file, mapping=mapping | {"confidence": "slider.response"})
        assert played(found) == PLAYED
        assert found.trials["reaction_time_ms"].dropna().eq(500).all()
        assert found.trials["confidence"].tolist() == [0, 1, 2, 3, 0, 1]


def test_keyboards_of_psychopy_in_blocks_of_their_own_are_joined(tmp_path: Path) -> None:
    """Before, the trials of a copied routine, such as `key_resp_2`, were trials without an answer."""
    rows = []
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True)):
        name = ("key_resp", "key_resp_2", "key_resp_3")[at // 2]
        row = {"picture": f"{picture}.png", "truth": kind, "corrAns": KEYS[kind], "participant": "P1", "expName": "e"}
        row |= {
            f"{name}.keys": KEYS[answer] or "None",
            f"{name}.corr": int(answer == kind),
            f"trials{at // 2}.thisN": at,
        }
        rows.append(row | {f"{name}.rt": answer and 0.5, "sure.keys": str(at % 4)})
    found = imported(written(tmp_path, "a.csv", rows))
    assert played(found) == PLAYED
    assert found.trials["reaction_time_ms"].dropna().eq(500).all()


@pytest.mark.parametrize("names", [("#_Q6", "#_Q9"), ("Q5_#", "Q55_#")])
def test_a_second_loop_of_qualtrics_is_named_with_the_map_that_reads_both(tmp_path: Path, names: Any) -> None:
    columns = [name.replace("#", str(n)) for name in names for n in (1, 2, 3)]
    answers = dict(zip(columns, ["real", "fake", "fake", "real", "real", "fake"], strict=True))
    file = written(tmp_path, "q.csv", [{"ResponseId": f"R{n}", "StartDate": "2025", **answers} for n in range(3)])
    truth = {"kind": '@"real"'}
    (line,) = (line for line in imported(file, mapping=truth).doubts if "not read: the answers" in line)
    maps = dict(re.findall(r"--map '?(\w+)=([^' ]+)", line))
    assert len(imported(file, mapping=truth | maps).trials) == 18


def test_a_block_of_otree_is_named_with_the_maps_that_read_both(tmp_path: Path) -> None:
    row: dict[str, Any] = {"participant.code": "a"}
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True)):
        page = {"image": f"{picture}.png", "truth": kind, "response": answer or "none"}
        row |= {f"block{at // 3 + 1}.{at % 3 + 1}.player.{name}": cell for name, cell in page.items()}
        row[f"block{at // 3 + 1}.{at % 3 + 1}.subsession.round_number"] = at % 3 + 1
    file = written(tmp_path, "all_apps_wide.csv", [row])
    (line,) = (line for line in imported(file).doubts if "not read: the answers" in line)
    maps = dict(re.findall(r"--map '?(\w+)=([^' ]*)", line))
    assert played(imported(file, mapping=maps)) == PLAYED


def test_screens_of_labjs_with_answers_that_are_not_read_are_named(tmp_path: Path) -> None:
    rows = [row | {"sender": f"Picture {at // 2}"} for at, row in enumerate(labjs("P1")[2::2])]
    file = written(tmp_path, "data.csv", [{"participant": "P1", **row} for row in rows])
    assert any("not read: Picture 0 (2), Picture 2 (2)" in line for line in imported(file).doubts)
    assert played(imported(file, where=["sender!=-"])) == PLAYED


def test_otrees_0_from_a_page_of_the_confidence_alone_is_reported(tmp_path: Path) -> None:
    rows = otree(wide=False)
    rows[0]["player.confidence"] = 0
    file = written(tmp_path, "otree.csv", rows)
    left, out = imported(file), imported(file, words={"confidence": {"0": ""}})
    assert left.trials["confidence"].eq(0).sum() == 1
    assert any("--word confidence:0=" in line for line in left.doubts)
    assert not out.trials["confidence"].eq(0).any()
    assert not any("--word confidence:0=" in line for line in out.doubts)


def second_rows(*, words: Sequence[Any] = ("1", "2", "3"), correct: str = "False") -> list[dict[str, Any]]:
    """A row for the answer and one for a confidence, which is never correct and is given to the missed picture, too."""
    rows = []
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True), start=1):
        row = {"subject_id": 1, "picture": f"{picture}.png", "truth": kind}
        rows.append(row | {"key": KEYS[answer] or "None", "rt": answer and 512, "correct": answer == kind})
        rows.append(row | {"key": words[at % len(words)], "rt": 1500, "correct": correct})
    return rows


def xpd(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("#Expyriment 1.0.1 (Python 3.11), .xpd-file\n" + pd.DataFrame(rows).to_csv(index=False))
    return file


NO_ANSWERS = {"response": dict.fromkeys("123", "none")}
"""Meanings of the words of a confidence."""


def test_a_confidence_in_a_row_of_its_own_is_no_answer(tmp_path: Path) -> None:
    file = xpd(tmp_path / "e.xpd", second_rows())
    refused("'1' is never correct, other words are; if it is not an answer, add --word response:1=none", imported, file)
    rules = [f"key!={word}" for word in "123"]
    assert played(imported(file, where=rules, words=NO_ANSWERS)) == PLAYED
    unscored = imported(xpd(tmp_path / "u.xpd", second_rows(correct="")))
    assert played(unscored) == PLAYED
    assert len(unscored.rejected) == 6


def test_answers_to_pictures_shown_again_are_all_kept(tmp_path: Path) -> None:
    """If a table is sorted by picture, later answers have the words of first ones; others may be correct."""
    words = {"response": {"f": "fake", "j": "real"}}
    again = imported(xpd(tmp_path / "a.xpd", second_rows(words=["j", "f"])), mapping={"correct": ""}, words=words)
    assert len(again.trials) == 12
    assert again.read_as.repeated == 1


@pytest.mark.parametrize("has_row", [True, False])
def test_a_confidence_of_gorilla_is_no_answer_to_a_missed_picture(tmp_path: Path, has_row: bool) -> None:
    rows = []
    for at, row in enumerate(second_rows()):
        names = {"Participant Private ID": 5, "Trial Number": at // 2, "Screen Name": "judge"}
        names |= {"Spreadsheet: picture": row["picture"], "Spreadsheet: truth": row["truth"]}
        names |= {"Response": {"j": "Photo", "f": "AI", "None": None}.get(row["key"], row["key"])}
        names |= {"Reaction Time": row["rt"], "Correct": int(row["correct"] is True)}
        rows += [names] if has_row or names["Response"] else []
    file = written(tmp_path, "data_exp.csv", rows)
    refused("is never correct", imported, file)
    found = imported(file, words=NO_ANSWERS)
    assert played(found) == PLAYED
    assert found.trials["reaction_time_ms"].dropna().eq(512).all()
