"""Files of experiment tools in their own columns: read without options, with the answers that were played."""

import io
import json
import os
import re
import shlex
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.stats.importing.convert import Imported, import_trials
from gan_eval.stats.importing.tools import TOOLS
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import read_table

FIXTURES = Path(os.environ.get("GAN_EVAL_TOOLS_FILES", Path(__file__).parents[5] / "shared" / "tools_files"))
PAGE = Path(__file__).parents[4] / "docs" / "tools.md"
Played = tuple[int, int, float | None]
"""Number of main trials, of those without an answer, and accuracy."""
ANSWERS = ["real", None, "real", "fake", "fake", "fake"]
"""What each person answers to real_1, fake_1, real_2, fake_2, real_3, fake_3: 4 of 5 are right, one is missed."""
PICTURES = [f"{kind}_{number}" for number in (1, 2, 3) for kind in ("real", "fake")]
KINDS = ["real", "fake"] * 3
PLAYED: Played = (6, 1, 0.8)
KEYS = {"real": "j", "fake": "f", None: None}


def played(found: Imported) -> Played:
    main = found.trials[found.trials["phase"] == "main"]
    answered = main[main["response"] != "none"]
    accuracy = (answered["response"] == answered["kind"]).mean() if len(answered) else None
    return len(main), len(main) - len(answered), accuracy


def imported(files: Path | Sequence[Path], **options: Any) -> Imported:
    return import_trials(files, **{"mapping": {}, **options})


def written(tmp_path: Path, name: str, rows: list[dict[str, Any]], **options: Any) -> Path:
    file = tmp_path / name
    pd.DataFrame(rows).to_csv(file, index=False, **options)
    return file


def jspsych(person: str, *, version: int = 8, keys: dict[Any, Any] = KEYS) -> list[dict[str, Any]]:
    """A session: a fixation and a picture each; a missed picture is `null`, as jsPsych writes it."""
    rows: list[dict[str, Any]] = []
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True)):
        key = "null" if answer is None else keys[answer]
        own: dict[str, Any] = {"plugin_version": "2.2.0"} if version == 8 else {"internal_node_id": f"0.0-{at}.0"}
        field = "key_press" if version == 6 else "response"
        common = {"participant": person, **own}
        fixation = {"trial_type": "html-keyboard-response", "stimulus": "+", "rt": "null", field: "null"}
        judged = {"trial_type": "image-keyboard-response", "stimulus": f"img/{picture}.png", field: key, "truth": kind}
        judged |= {"rt": "null" if answer is None else 400 + at, "correct": str(answer == kind).lower()}
        rows += [
            {**common, **fixation, "trial_index": 2 * at, "time_elapsed": 1500 * at + 150},
            {**common, **judged, "trial_index": 2 * at + 1, "time_elapsed": 1500 * at + 1400},
        ]
    return rows


def test_files_of_each_person_are_joined_by_column_name(tmp_path: Path) -> None:
    files = []
    for person, columns in (("P01", None), ("P02", ["plugin_version", "age"]), ("P03", None)):
        rows = [{**row, "age": 31} for row in jspsych(person)]
        frame = pd.DataFrame(rows)
        frame = (
            frame[columns + [name for name in frame if name not in columns]] if columns else frame.drop(columns="age")
        )
        files.append(tmp_path / f"{person}.csv")
        frame.to_csv(files[-1], index=False)
    assert played(imported(files)) == (18, 3, 0.8)
    joined = tmp_path / "joined.csv"
    joined.write_text("".join("\ufeff" + file.read_text() for file in files), encoding="utf-8")
    assert played(imported(joined)) == (18, 3, 0.8), "headers in between"
    nameless = [written(tmp_path, f"s{n}.csv", [{**row, "participant": None} for row in jspsych("")]) for n in (1, 2)]
    assert set(imported(nameless).trials["participant"]) == {"s1", "s2"}
    (tmp_path / "a").mkdir()
    alike = [(tmp_path / "s1.csv").rename(tmp_path / "a" / "s2.csv"), tmp_path / "s2.csv"]
    assert set(imported(alike).trials["participant"]) == {"a/s2", f"{tmp_path.name}/s2"}
    instructions = written(tmp_path, "P09.csv", [row for row in jspsych("P09") if "truth" not in row])
    assert any("P09" in line for line in imported([*files, instructions]).doubts), "a file without a judgement"
    assert not any("no row" in line for line in imported(files).doubts)
    wrong = [{**row, "truth": "fake"} if row["trial_index"] == 1 else row for row in jspsych("P02")]
    with pytest.raises(UserError, match=r"row 2 of .*P02.csv"):
        imported([files[0], written(tmp_path, "P02.csv", wrong)])


@pytest.mark.parametrize("version", [6, 7, 8])
def test_jspsych_of_each_version(tmp_path: Path, version: int) -> None:
    keys = {"real": 74, "fake": 70} if version == 6 else {"real": "J", "fake": "f"}
    found = imported(written(tmp_path, "a.csv", jspsych("P1", version=version, keys=keys)))
    assert played(found) == PLAYED
    assert f"jsPsych {'6 or 7' if version == 7 else version};" in found.doubts[0]
    assert found.trials["reaction_time_ms"].notna().sum() == 5


def test_keys_that_differ_between_people_and_keys_without_correct(tmp_path: Path) -> None:
    other = {"real": "f", "fake": "j", None: None}
    files = [written(tmp_path, "1.csv", jspsych("P1")), written(tmp_path, "2.csv", jspsych("P2", keys=other))]
    assert played(imported(files)) == (12, 2, 0.8)
    rows = [{name: cell for name, cell in row.items() if name != "correct"} for row in jspsych("P1")]
    with pytest.raises(UserError, match="--word response:f=MEANING"):
        imported(written(tmp_path, "3.csv", rows))
    rows = [{**row, "correct_response": KEYS[row["truth"]] if "truth" in row else None} for row in rows]
    assert played(imported(written(tmp_path, "4.csv", rows))) == PLAYED


def test_one_code_for_the_people_of_several_files_is_asked_about(tmp_path: Path) -> None:
    """`setSeed` of jsPsych 8.3 also seeds `randomID`, so that every session has one code."""
    rows = jspsych("dyvoyqls")
    files = [written(tmp_path, f"{name}.csv", rows) for name in "ab"]
    halves = [written(tmp_path, f"half{at}.csv", rows[at * 6 : at * 6 + 6]) for at in (0, 1)]
    question = "participant dyvoyqls: the same pictures in several files"

    def is_asked(given: Sequence[Path], **mapping: str) -> bool:
        return any(question in line for line in imported(given, mapping=mapping).doubts)

    assert is_asked(files)
    assert not any(is_asked(files, **{column: "@file"}) for column in ("participant", "session"))
    assert not is_asked(halves)


def test_several_tasks_of_jspsych_are_one_and_the_others_are_named(tmp_path: Path) -> None:
    buttons = [
        {**row, "trial_type": "image-button-response", "response": "0", "correct": None} for row in jspsych("P1")
    ]
    buttons = [row for row in buttons if "truth" in row]
    slider = [{**row, "trial_type": "image-slider-response", "response": 50, "slider_start": 50} for row in buttons]
    file = written(tmp_path, "a.csv", jspsych("P1") + buttons + slider)
    found = imported(file)
    assert played(found) == PLAYED
    assert any("image-button-response (6), image-slider-response (6)" in line for line in found.doubts)
    found = imported(file, where=["trial_type=image-button-response"], words={"response": {"0": "fake"}})
    assert set(found.trials["response"]) == {"fake"}
    found = imported(file, where=["trial_type=image-slider-response"])
    assert found.trials["rating"].tolist() == [50] * 6
    assert any("6 of 6 ratings are the slider's start value" in line for line in found.doubts)


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


def test_simulated_sessions_of_jspsych_are_warned_of_and_marked_on_request(tmp_path: Path) -> None:
    rows = [{**row, "time_elapsed": row["trial_index"] * 2} for row in jspsych("P1")]
    found = imported(written(tmp_path, "a.csv", rows + jspsych("P2")))
    assert any("a session (12 rows)" in line and "simulated" in line for line in found.doubts)
    assert not any("simulated" in line for line in imported(written(tmp_path, "b.csv", jspsych("P2") * 2)).doubts)
    assert imported(tmp_path / "a.csv", mapping={"simulated": '@"true"'}).trials["simulated"].all()


def test_a_picture_in_the_row_before_and_answers_in_json(tmp_path: Path) -> None:
    rows = []
    for row in jspsych("P1"):
        if "truth" in row:
            grade = {"Q0": 3, "why": {"text": "sky"}}
            rows.append({**row, "response": "null"})
            rows.append({"trial_type": "survey-likert", "response": json.dumps(grade), "rt": 900, "participant": "P1"})
    mapping = {"stimulus": "@previous:stimulus", "kind": "@previous:truth", "rating": "response.Q0", "response": ""}
    mapping |= {"participant": "participant"}
    file = written(tmp_path, "a.csv", rows)
    found = imported(file, mapping=mapping, where=["trial_type=survey-likert"])
    assert found.trials["rating"].tolist() == [3] * 6
    assert found.trials["stimulus"].tolist() == [f"{name}.png" for name in PICTURES]
    assert found.trials["kind"].tolist() == KINDS
    words = imported(file, mapping=mapping | {"model": "response.why.text"}, where=["trial_type=survey-likert"]).trials
    assert words["model"][words["kind"] == "fake"].tolist() == ["sky"] * 3
    with pytest.raises(UserError, match="has the keys Q0, why"):
        imported(file, mapping=mapping | {"rating": "response.Q1"}, where=["trial_type=survey-likert"])


def test_two_questions_in_one_cell_of_jspsych(tmp_path: Path) -> None:
    rows = [row | {"trial_type": "survey-multi-choice", "correct": ""} for row in jspsych("P1") if "truth" in row]
    for row, answer in zip(rows, ANSWERS, strict=True):
        row["response"] = json.dumps({"judgement": answer or "", "sure": 2})
    file = written(tmp_path, "a.csv", rows)
    with pytest.raises(UserError, match=r"a.csv.*--map response=response.judgement"):
        imported(file)
    found = imported(file, mapping={"response": "response.judgement", "confidence": "response.sure"})
    assert played(found) == PLAYED
    assert found.trials["confidence"].eq(2).all()


def of_jatos(sessions: Sequence[list[dict[str, Any]]]) -> bytes:
    results = [
        {
            "id": 10 + at,
            "studyState": "FINISHED",
            "workerId": 70 + at,
            "urlQueryParameters": {"PROLIFIC_PID": f"x{at}"},
            "componentResults": [{"id": at, "path": f"/study_result_{10 + at}/comp-result_{at}"}],
        }
        for at in range(len(sessions))
    ]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"data": [{"studyResults": results}]}))
        for at, rows in enumerate(sessions):
            archive.writestr(f"study_result_{10 + at}/comp-result_{at}/data.txt", json.dumps(rows))
    return stream.getvalue()


def test_jatos_as_a_zip_and_as_lines(tmp_path: Path) -> None:
    sessions = [
        [
            {name: None if cell == "null" else cell for name, cell in row.items() if name != "participant"}
            for row in rows
        ]
        for rows in (jspsych("P1"), jspsych("P2"))
    ]
    (tmp_path / "results.jrzip").write_bytes(of_jatos(sessions))
    found = imported(tmp_path / "results.jrzip", tool="jatos")
    assert played(found) == (12, 2, 0.8)
    assert set(found.trials["participant"]) == {"x0", "x1"}
    assert set(found.trials["session"]) == {"10", "11"}
    assert found.trials["jatos.state"].eq("FINISHED").all()
    lines = [json.dumps(rows[:6]) + json.dumps(rows[6:]) for rows in sessions]
    (tmp_path / "data.txt").write_text("\n".join(lines))
    found = imported(tmp_path / "data.txt")
    assert (played(found), found.trials["participant"].nunique()) == ((12, 2, 0.8), 2)


def labjs(person: str) -> list[dict[str, Any]]:
    rows = [{"participant": person, "sender": "Form", "sender_type": "html.Form", "duration": 500}]
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True)):
        rows.append({"sender": "Fixation", "sender_type": "html.Screen", "duration": 150, "ended_on": "timeout"})
        row = {"sender": "Picture", "sender_type": "html.Screen", "picture": f"img/{picture}.png", "truth": kind}
        row |= {"response": answer, "duration": 900 if answer is None else 300 + at, "correctResponse": kind}
        rows.append({**row, **({} if answer is None else {"correct": str(answer == kind).lower()})})
    return rows


def test_labjs_has_the_participant_on_the_forms_row_and_the_limit_as_time(tmp_path: Path) -> None:
    found = imported(written(tmp_path, "data.csv", labjs("P1") + labjs("P2")))
    assert played(found) == (12, 2, 0.8)
    assert set(found.trials["participant"]) == {"P1", "P2"}
    assert found.trials["reaction_time_ms"].max() == 305, "not the limit of 900"
    file = tmp_path / "data.jsonl"
    file.write_text("\n".join(map(json.dumps, labjs("P1"))))
    assert played(imported(file)) == PLAYED


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
    with pytest.raises(UserError, match="--word response:f="):
        imported(written(tmp_path, "b.csv", [{**row, "correct": None} for row in rows]))


def opensesame() -> list[dict[str, Any]]:
    """A practice trial, then the pictures; the flag of practice stays."""
    rows: list[dict[str, Any]] = [
        {"picture": "prac.png", "truth": "real", "response": "j", "correct": 1, "time_block": "NA"}
    ]
    for picture, kind, answer in zip(PICTURES, KINDS, ANSWERS, strict=True):
        key = "None" if answer is None else KEYS[answer]
        rows.append({"picture": f"{picture}.png", "truth": kind, "response": key, "correct": int(answer == kind)})
    rows = [{"time_block": 2071, "response_time": 700, **row, "practice": "yes", "subject_nr": 4} for row in rows]
    return [{**row, "opensesame_version": "3.3.14", "logfile": "x"} for row in rows]


def test_the_practice_flag_of_opensesame_stays_and_is_taken_back(tmp_path: Path) -> None:
    found = imported(written(tmp_path, "subject-4.csv", opensesame()))
    assert played(found) == PLAYED
    assert found.trials["phase"].tolist() == ["practice"] + ["main"] * 6
    assert found.trials["reaction_time_ms"].notna().sum() == 6, "not that of the missed trial"
    by_hand = {"participant": "subject_nr", "stimulus": "picture", "kind": "truth", "response": "response"}
    found = imported(
        tmp_path / "subject-4.csv", mapping=by_hand | {"phase": "practice"}, words={"phase": {"yes": "practice"}}
    )
    assert played(found) == PLAYED


@pytest.mark.parametrize(("first", "after_ms"), [(1, 700), (4, 700), (4, -20)])
def test_the_practice_of_opensesame_ends_where_the_next_loop_begins(tmp_path: Path, first: int, after_ms: int) -> None:
    """A screen that is first shown in some trial, or between trials, has no part in it."""
    rows = opensesame()
    for at, row in enumerate(rows):
        trial = 1000 * at + 2100
        row |= {"time_block": "NA" if at < 2 else 4050, "time_trial": trial, "time_key": trial + 20}
        row["time_screen"] = "NA" if at < first else 1000 * first + 2100 + after_ms
    found = imported(written(tmp_path, "subject-4.csv", rows))
    assert found.trials["phase"].tolist() == ["practice"] * 2 + ["main"] * 5


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


def psychopy(keys: Sequence[Any], correct: Sequence[Any]) -> list[dict[str, Any]]:
    rows = [
        {"picture": f"img/{picture}.png", "truth": kind, "corrAns": KEYS[kind], "resp.keys": key, "resp.corr": right}
        for picture, kind, key, right in zip(PICTURES, KINDS, keys, correct, strict=True)
    ]
    times = [
        None if key in (None, "None") else f"[0.{at}5]" if "[" in key else f"0.{at}5" for at, key in enumerate(keys, 4)
    ]
    rows = [
        {**row, "resp.rt": time, "trials.thisN": at} for at, (row, time) in enumerate(zip(rows, times, strict=True))
    ]
    welcome = {"welcome.keys": "space", "welcome.rt": 2.1}
    return [{**row, "participant": "P1", "session": "001", "expName": "e", "": None} for row in [welcome, *rows]]


def test_psychopy_with_keys_and_with_lists_of_keys(tmp_path: Path) -> None:
    keys = ["None" if answer is None else KEYS[answer] for answer in ANSWERS]
    right = [int(answer == kind) for answer, kind in zip(ANSWERS, KINDS, strict=True)]
    found = imported(written(tmp_path, "a.csv", psychopy(keys, right), encoding="utf-8-sig"))
    assert played(found) == PLAYED
    assert found.trials["reaction_time_ms"].median() == 750
    practice = [
        {**row, "trials.thisN": None, "practice.thisN": 0, "resp.keys": "f"} for row in psychopy(keys, right)[1:]
    ]
    both = written(tmp_path, "p.csv", practice + psychopy(keys, right))
    assert played(imported(both)) == PLAYED, "the loop of practice is left out"
    lists = [key if key == "None" else f"['f', '{key}']" for key in keys]
    found = imported(written(tmp_path, "b.csv", psychopy(lists, [0] * 6)))
    assert played(found) == PLAYED, "a list is never correct in PsychoPy's eyes"
    assert found.trials["reaction_time_ms"].median() == 750


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


def test_summaries_of_psychopy_are_refused_by_their_shape(tmp_path: Path) -> None:
    row = {"picture": "real_1.png", "truth": "real", "keys_raw": "j", "rt_raw": 0.5, "picture_raw": "fake_1.png"}
    file = written(tmp_path, "trials.txt", [row | {"thisN_raw": 0, "thisTrialN_raw": 0}], sep="\t")
    with pytest.raises(UserError, match="wide CSV"):
        imported(file)
    rows = [{"participant": "P1", "stimulus": name, "kind": kind, "response": kind, "rt": 500, "rt_raw": 501}
            for name, kind in zip(PICTURES, KINDS, strict=True)]  # fmt: skip
    assert len(imported(written(tmp_path, "own.csv", rows)).trials) == 6, "one such column does not make a summary"


def expyriment(file: Path) -> Path:
    lines = ["#Expyriment 0.10.0 (Python 3.6), .xpd-file", "#e mainfile: x.py", "#s id: 1"]
    lines.append("subject_id,trial,picture,truth,key,rt,correct")
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True), start=1):
        key, time = {"real": ("106", "512"), "fake": ("102", "620"), None: ("None", "None")}[answer]
        lines.append(f"1,{at},{picture}.png,{kind},{key},{time},{answer == kind}")
    file.write_text("\n".join(lines))
    return file


def test_expyriment_has_comments_and_key_codes(tmp_path: Path) -> None:
    assert played(imported(expyriment(tmp_path / "e.xpd"))) == PLAYED


def otree(wide: bool) -> list[dict[str, Any]]:
    """Two people; the missed page has 0 in numbers, and no text."""
    people = []
    for person in ("c1", "c2"):
        row: dict[str, Any] = {"participant.code": person, "participant._is_bot": 0, "participant.visited": 1}
        rounds = []
        for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True), start=1):
            cells = {"id_in_group": 1, "image": f"{picture}.png", "truth": kind, "is_real": int(answer == "real")}
            cells |= {"confidence": 0 if answer is None else 3, "rt": None if answer is None else 500 + at}
            rounds.append(cells)
            row |= {f"judge.{at}.player.{name}": cell for name, cell in cells.items()}
        if wide:
            people.append(row)
        else:
            people += [
                {"participant.code": person, "subsession.round_number": at}
                | {f"player.{name}": cell for name, cell in cells.items()}
                for at, cells in enumerate(rounds, start=1)
            ]
    return people


@pytest.mark.parametrize("wide", [True, False])
def test_otree_writes_0_for_a_page_that_timed_out(tmp_path: Path, wide: bool) -> None:
    found = imported(written(tmp_path, "otree.csv", otree(wide)))
    assert played(found) == (12, 2, 0.8)
    assert found.trials["confidence"].dropna().eq(3).all()
    assert any("2 answers 0 without a time" in line for line in found.doubts)


def test_otrees_0_from_a_page_of_the_confidence_alone_is_reported(tmp_path: Path) -> None:
    rows = otree(wide=False)
    rows[0]["player.confidence"] = 0
    file = written(tmp_path, "otree.csv", rows)
    left, out = imported(file), imported(file, words={"confidence": {"0": ""}})
    assert left.trials["confidence"].eq(0).sum() == 1
    assert any("--word confidence:0=" in line for line in left.doubts)
    assert not out.trials["confidence"].eq(0).any()
    assert not any("--word confidence:0=" in line for line in out.doubts)


def gorilla(file: Path) -> Path:
    rows = []
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True), start=1):
        row = {"Event Index": at, "Participant Private ID": 501, "Trial Number": at, "Task Name": "judge"}
        row |= {"Spreadsheet: picture": f"{picture}.png", "Spreadsheet: truth": kind}
        rows.append({**row, "Screen Name": "fixation", "Reaction Time": 250})
        rows.append({**row, "Screen Name": "judge", "Zone Type": "image", "Reaction Time": 1500})
        rows.append({**row, "Screen Name": "judge", "Zone Type": "continue", "Response": answer and "Next"})
        rows.append({**row, "Screen Name": "judge", "Zone Type": "button", "Response": answer, "Reaction Time": 600})
    pd.DataFrame(rows).to_csv(file, index=False)
    file.write_text(file.read_text() + "END OF FILE\n")
    return file


def test_gorilla_has_several_rows_a_trial_and_an_end(tmp_path: Path) -> None:
    found = imported(gorilla(tmp_path / "data_exp.csv"))
    assert played(found) == PLAYED
    assert found.rejected.empty


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


@pytest.mark.parametrize("correct", ["False", ""])
def test_a_confidence_in_a_row_of_its_own_is_not_a_trial(tmp_path: Path, correct: str) -> None:
    found = imported(xpd(tmp_path / "e.xpd", second_rows(correct=correct)))
    assert played(found) == PLAYED
    assert found.trials["reaction_time_ms"].dropna().eq(512).all()
    assert any("6 rows with 1, 2, 3 in column key" in line for line in found.doubts)


def test_answers_to_pictures_shown_again_are_all_kept(tmp_path: Path) -> None:
    """In a table that is sorted by picture, later answers have the words of first ones; others may be correct."""
    words = {"response": {"f": "fake", "j": "real"}}
    again = imported(xpd(tmp_path / "a.xpd", second_rows(words=["j", "f"])), mapping={"correct": ""}, words=words)
    assert len(again.trials) == 12
    assert any("in succession" in line and "--where" in line for line in again.doubts)
    others = [
        {**row, "correct": row["correct"] or row["key"] == "2"} for row in second_rows(words=["1", "2"], correct="")
    ]
    assert len(imported(xpd(tmp_path / "b.xpd", others)).trials) == 12


@pytest.mark.parametrize("has_row", [True, False])
def test_a_confidence_of_gorilla_is_no_answer_to_a_missed_picture(tmp_path: Path, has_row: bool) -> None:
    rows = []
    for at, row in enumerate(second_rows()):
        names = {"Participant Private ID": 5, "Trial Number": at // 2, "Screen Name": "judge"}
        names |= {"Spreadsheet: picture": row["picture"], "Spreadsheet: truth": row["truth"]}
        names |= {"Response": {"j": "Photo", "f": "AI", "None": None}.get(row["key"], row["key"])}
        names |= {"Reaction Time": row["rt"], "Correct": int(row["correct"] is True)}
        rows += [names] if has_row or names["Response"] else []
    found = imported(written(tmp_path, "data_exp.csv", rows))
    assert played(found) == PLAYED
    assert found.trials["reaction_time_ms"].dropna().eq(512).all()


QUALTRICS = ["StartDate", "Finished", "ResponseId", *(f"Q{number}_1" for number in range(1, 9))]
"""Six pictures, the participant's age and a remark."""


def qualtrics(tmp_path: Path, texts: Sequence[str], *, encoding: str = "utf-8", sep: str = ",") -> Path:
    answers = ["Real" if answer == "real" else "Fake" if answer else "" for answer in ANSWERS]
    rows = [["Start Date", "Finished", "Response ID", *texts, "Your age?", "Any\nremarks?"]]
    rows += [[f'{{"ImportId":"QID{n}"}}' for n in range(len(QUALTRICS))]]
    rows += [["2026-11-28 10:00:00", "True", f"R_{n}", *answers, f"3{n}", "none, really"] for n in range(2)]
    file = tmp_path / "qualtrics.csv"
    pd.DataFrame(rows, columns=QUALTRICS).to_csv(file, index=False, encoding=encoding, sep=sep)
    return file


@pytest.mark.parametrize(("encoding", "sep"), [("utf-8-sig", ","), ("utf-16", "\t")])
def test_a_wide_survey_of_qualtrics_with_its_texts_or_numbers(tmp_path: Path, encoding: str, sep: str) -> None:
    file = qualtrics(tmp_path, [f"Is it real? - {name}.png" for name in PICTURES], encoding=encoding, sep=sep)
    pictures = pd.DataFrame({"number": range(1, 7), "stimulus": PICTURES, "kind": KINDS, "model": "gan"})
    pictures.to_csv(tmp_path / "numbers.csv", index=False)
    found = imported(file, pictures=tmp_path / "numbers.csv")
    assert played(found) == (12, 2, 0.8)
    assert set(found.trials["stimulus"]) == set(PICTURES)
    texts = pictures.assign(name=[f"Is it real? - {name}.png" for name in PICTURES]).drop(columns="number")
    texts.to_csv(tmp_path / "names.csv", index=False)
    by_hand = {"participant": "ResponseId", "response": "Q#_1", "stimulus": "@name"}
    rules = ["@name!=Your age?", "@name!=Any remarks?"]
    assert played(imported(file, mapping=by_hand, where=rules, pictures=tmp_path / "names.csv")) == (12, 2, 0.8)
    assert played(imported(file)) == (12, 2, 0.8), "the names have the words real and fake"
    with pytest.raises(UserError, match="--pictures FILE"):
        imported(qualtrics(tmp_path, ["Is it real?"] * 6))
    qualtrics(tmp_path, texts["name"].tolist(), encoding=encoding, sep=sep)
    texts[:5].to_csv(tmp_path / "names.csv", index=False)
    with pytest.raises(UserError, match=r"names.csv:.*fake_3.png"):
        imported(file, pictures=tmp_path / "names.csv")


def google_form() -> pd.DataFrame:
    answers = [answer or "" for answer in ANSWERS]
    frame = pd.DataFrame([[f"2026-11-28 10:0{n}:00", f"u{n}", *answers] for n in range(2)])
    return frame.set_axis(pd.Index(["Timestamp", "Your code", *["Is this picture real?"] * 6]), axis=1)


def test_a_form_whose_questions_have_one_title(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    frame = google_form()
    pd.DataFrame({"number": range(1, 7), "stimulus": PICTURES, "kind": KINDS}).to_csv(tmp_path / "p.csv", index=False)
    with pd.ExcelWriter(tmp_path / "form.xlsx") as book:
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="Notes", index=False)
        frame.to_excel(book, sheet_name="Form", index=False)
    found = imported(tmp_path / "form.xlsx", sheet="Form", pictures=tmp_path / "p.csv")
    assert played(found) == (12, 2, 0.8)
    assert set(found.trials["participant"]) == {"u0", "u1"}
    with pytest.raises(UserError, match="Notes, Form"):
        imported(tmp_path / "form.xlsx", sheet="Answers")


BATCH = {"HITId": "H", "AssignmentId": "A", "WorkerId": "W1", "AssignmentStatus": "Approved"}


def mturk() -> list[dict[str, Any]]:
    return [
        BATCH | {"Input.image_url": f"https://x.org/{picture}.png", "Input.truth": kind}
        | {f"Answer.choice.{word}": str(answer == word).lower() for word in ("real", "fake")}
        for picture, kind, answer in zip(PICTURES, KINDS, ANSWERS, strict=True)
    ]  # fmt: skip


def test_mturk_with_radio_buttons_wide_long_and_in_pairs(tmp_path: Path) -> None:
    long = mturk()
    rejected = long[0] | {"WorkerId": "W2", "AssignmentStatus": "Rejected"}
    found = imported(written(tmp_path, "batch.csv", [*long, rejected]))
    assert played(found) == PLAYED
    assert "Mechanical Turk" in found.doubts[0]
    wide: dict[str, Any] = dict(BATCH)
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True)):
        wide |= {f"Input.image{at}": f"{picture}.png", f"Input.truth{at}": kind, f"Answer.choice{at}": answer}
    assert played(imported(written(tmp_path, "wide.csv", [wide]))) == PLAYED
    pairs: dict[str, Any] = dict(BATCH)
    for at in range(4):
        sides = ("real", "fake") if at % 2 else ("fake", "real")
        pairs |= {f"Input.images_left{at}": f"{sides[0]}/{at}.png", f"Input.images_right{at}": f"{sides[1]}/{at}.png"}
        pairs |= {f"Input.gt_side{at}": "left" if at % 2 else "right", f"Answer.selection{at}": "left"}
    found = imported(written(tmp_path, "pairs.csv", [pairs]))
    assert found.trials["correct"].tolist() == [False, True, False, True]


def test_given_options_override_and_a_complete_map_is_taken_as_it_is(tmp_path: Path) -> None:
    rows = [{**row, "phase": "main", "label": row.get("truth")} for row in jspsych("P1")]
    file = written(tmp_path, "a.csv", rows)
    assert played(imported(file, mapping={"kind": "label"}, words={"kind": {"real": "fake", "fake": "real"}}))[:2] == (
        6,
        1,
    )
    complete = {"participant": "participant", "stimulus": "stimulus", "kind": "truth", "response": "response"}
    found = imported(file, mapping=complete, where=["truth!=-"])
    assert played(found) == PLAYED
    assert not any("looks like" in line for line in found.doubts)
    with pytest.raises(UserError, match="jspsych, labjs"):
        imported(file, tool="superlab")


def test_excels_separator_line_and_tabs(tmp_path: Path) -> None:
    table = "participant{0}stimulus{0}kind{0}response\r\nP1{0}a, b.png{0}real{0}real\r\nP1{0}c.png{0}fake{0}real\r\n"
    for name, text in (
        ("a.csv", "sep=;\r\n" + table.format(";")),
        ("b.tsv", table.format("\t")),
        ("c.csv", table.format("|")),
    ):
        (tmp_path / name).write_bytes(text.encode())
        assert imported(tmp_path / name).trials["stimulus"].tolist() == ["a, b.png", "c.png"]
    (tmp_path / "d.csv").write_text("skipped,x\n")
    (tmp_path / "d.csv").write_text("participant,stimulus,kind,response\nwho,which,truth,said\nP1,a,real,real\n")
    assert len(imported(tmp_path / "d.csv", skip_rows=1).trials) == 1
    (tmp_path / "e.json").write_text('[{"participant": "P1"}, 3]')
    with pytest.raises(UserError, match="expected JSON objects"):
        imported(tmp_path / "e.json")
    (tmp_path / "e.json").write_text('[{"participant": "P1"},\n{"particip')
    with pytest.raises(UserError, match=r"JSON.*line 2"):
        imported(tmp_path / "e.json")


def make_files_of_every_tool(folder: Path) -> None:
    """Write the files that the commands of docs/tools.md name."""
    judged = [row for row in jspsych("P1") if "truth" in row]
    buttons = [{**row, "trial_type": "image-button-response", "correct": None} for row in judged]
    buttons = [{**row, "response": {"j": "0", "f": "1"}.get(row["response"], "null")} for row in buttons]
    slider = {"trial_type": "html-slider-response", "stimulus": "<p>real?</p>", "participant": "P1", "rt": 900}
    grades = [{**slider, "response": 20 if row["truth"] == "fake" else 80, "slider_start": 50} for row in judged]
    pairs = [each for row, grade in zip(judged, grades, strict=True) for each in ({**row, "response": "null"}, grade)]
    numbers = {"real": 1, "fake": 0, None: None}
    keys = ["None" if answer is None else KEYS[answer] for answer in ANSWERS]
    right = [numbers["real"] if answer == kind else 0 for answer, kind in zip(ANSWERS, KINDS, strict=True)]
    for name, rows in {
        "jspsych/P1.csv": jspsych("P1"),
        "jspsych/P2.csv": jspsych("P2"),
        "buttons/P1.csv": buttons,
        "slider/P1.csv": pairs,
        "labjs/data.csv": labjs("P1"),
        "psychopy/P1.csv": psychopy(keys, right),
        "opensesame/subject-4.csv": opensesame(),
        "all_apps_wide.csv": otree(wide=True),
        "batch.csv": mturk(),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        written(folder, name, rows)
    (folder / "results.zip").write_bytes(of_jatos([jspsych("P1"), jspsych("P2")]))
    (folder / "expyriment").mkdir()
    expyriment(folder / "expyriment" / "realfake_01.xpd")
    gorilla(folder / "data_exp.csv")
    qualtrics(folder, ["Is it real?"] * 6)
    google_form().to_csv(folder / "form.csv", index=False)
    pictures = pd.DataFrame({"number": range(1, 7), "stimulus": PICTURES, "kind": KINDS})
    pictures.to_csv(folder / "pictures.csv", index=False)


COMMANDS = re.findall(r"`\./run (trials import \S*[./]\S* .*?--out trials\.csv)`", PAGE.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_commands_of_the_page_on_tools_give_what_was_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_files_of_every_tool(tmp_path)
    assert len(COMMANDS) == 13
    for command in COMMANDS:
        words = [name for word in shlex.split(command) for name in sorted(map(str, Path().glob(word))) or [word]]
        assert run(words) == 0, command
        trials = read_table(Path("trials.csv"), TRIALS)
        if trials["rating"].notna().any():
            assert trials["rating"].eq(80).equals(trials["kind"].eq("real"))
        else:
            assert played(Imported(trials, trials))[2] == 0.8, command


OF_FIXTURES: dict[str, Played] = {
    "expyriment_001.xpd": (12, 3, 3 / 9),
    "jspsych_P01.csv": (12, 3, 7 / 9),
    "jspsych_P01.json": (12, 3, 7 / 9),
    "labjs_P01.csv": (12, 2, 6 / 10),
    "labjs_P01.jsonl": (12, 2, 6 / 10),
    "opensesame_subject-1.csv": (12, 12, None),
    "otree_all_apps_wide.csv": (36, 7, 19 / 29),
    "otree_realfake.csv": (36, 7, 19 / 29),
    "psychopy_P01.csv": (12, 3, 5 / 9),
}


@pytest.mark.parametrize("name", OF_FIXTURES)
def test_files_of_the_real_tools_give_what_was_played(name: str) -> None:
    file = FIXTURES / name
    if not file.is_file():
        pytest.skip("no such file below $GAN_EVAL_TOOLS_FILES or ../shared/tools_files")
    found = imported(file)
    assert played(found) == pytest.approx(OF_FIXTURES[name])
    assert found.rejected.empty
    assert set(found.trials["participant"]) <= {"P01", "1", "8aqxvxhd", "91n8zy8s", "p6cz3u28"}


def test_every_tool_is_described() -> None:
    assert all(tool.export and tool.note for tool in TOOLS.values())
