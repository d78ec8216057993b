"""Files of experiment tools in their own columns: read without options, with the answers that were played."""

import json
import os
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from refusals import refused
from tool_files import (
    ANSWERS,
    BATCH,
    KEYS,
    KINDS,
    PICTURES,
    PLAYED,
    Played,
    eprime,
    expyriment,
    google_form,
    gorilla,
    imported,
    jspsych,
    labjs,
    mturk,
    of_jatos,
    opensesame,
    otree,
    played,
    played_in,
    presentation,
    psychopy,
    qualtrics,
    revisit,
    written,
)

from gan_eval.__main__ import run
from gan_eval.base.errors import UserError
from gan_eval.judgements.tools import TOOLS, tool_of
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import read_table

FIXTURES = Path(os.environ.get("GAN_EVAL_TOOLS_FILES", Path(__file__).parents[4] / "shared" / "tools_files"))
PAGE = Path(__file__).parents[3] / "docs" / "tools.md"


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
    refused(r"row 2 of .*P02.csv", imported, [files[0], written(tmp_path, "P02.csv", wrong)])


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
    refused("--word response:f=MEANING", imported, written(tmp_path, "3.csv", rows))
    rows = [{**row, "correct_response": KEYS[row["truth"]] if "truth" in row else None} for row in rows]
    assert played(imported(written(tmp_path, "4.csv", rows))) == PLAYED


def test_one_code_for_the_people_of_several_files_is_seen(tmp_path: Path) -> None:
    """`setSeed` of jsPsych 8.3 also seeds `randomID`, so that every session has one code."""
    rows = jspsych("dyvoyqls")
    files = [written(tmp_path, f"{name}.csv", rows) for name in "ab"]
    halves = [written(tmp_path, f"half{at}.csv", rows[at * 6 : at * 6 + 6]) for at in (0, 1)]
    assert imported(files).read_as.repeated == 1
    assert imported(files, mapping={"participant": "@file"}).read_as.repeated == 0
    assert imported(halves).read_as.repeated == 0


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


def test_labjs_has_the_participant_on_the_forms_row_and_the_limit_as_time(tmp_path: Path) -> None:
    found = imported(written(tmp_path, "data.csv", labjs("P1") + labjs("P2")))
    assert played(found) == (12, 2, 0.8)
    assert set(found.trials["participant"]) == {"P1", "P2"}
    assert found.trials["reaction_time_ms"].max() == 305, "not the limit of 900"
    file = tmp_path / "data.jsonl"
    file.write_text("\n".join(map(json.dumps, labjs("P1"))))
    assert played(imported(file)) == PLAYED


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


def test_summaries_of_psychopy_are_refused_by_their_shape(tmp_path: Path) -> None:
    row = {"picture": "real_1.png", "truth": "real", "keys_raw": "j", "rt_raw": 0.5, "picture_raw": "fake_1.png"}
    file = written(tmp_path, "trials.txt", [row | {"thisN_raw": 0, "thisTrialN_raw": 0}], sep="\t")
    refused("wide CSV", imported, file)
    rows = [{"participant": "P1", "stimulus": name, "kind": kind, "response": kind, "rt": 500, "rt_raw": 501}
            for name, kind in zip(PICTURES, KINDS, strict=True)]  # fmt: skip
    assert len(imported(written(tmp_path, "own.csv", rows)).trials) == 6, "one such column does not make a summary"


def test_expyriment_has_comments_and_key_codes(tmp_path: Path) -> None:
    assert played(imported(expyriment(tmp_path / "e.xpd"))) == PLAYED


@pytest.mark.parametrize("wide", [True, False])
def test_otree_writes_0_for_a_page_that_timed_out(tmp_path: Path, wide: bool) -> None:
    found = imported(written(tmp_path, "otree.csv", otree(wide)))
    assert played(found) == (12, 2, 0.8)
    assert found.trials["confidence"].dropna().eq(3).all()
    assert any("2 answers 0 without a time" in line for line in found.doubts)


def test_gorilla_has_several_rows_a_trial_and_an_end(tmp_path: Path) -> None:
    found = imported(gorilla(tmp_path / "data_exp.csv"))
    assert played(found) == PLAYED
    assert found.rejected.empty


def test_trials_of_gorilla_with_one_number_and_different_pictures_are_all_read(tmp_path: Path) -> None:
    """Before, a practice trial took the place of the trial with its number, whose answer was left out."""
    rows = pd.read_csv(gorilla(tmp_path / "data_exp.csv"), skipfooter=1, engine="python")
    practice = rows.assign(**{"Spreadsheet: picture": "practice_" + rows["Spreadsheet: picture"]})
    found = imported(written(tmp_path, "both.csv", pd.concat([practice, rows]).to_dict("records")))
    assert played(found) == (12, 2, 0.8)


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
    refused("--pictures FILE", imported, qualtrics(tmp_path, ["Is it real?"] * 6))
    qualtrics(tmp_path, texts["name"].tolist(), encoding=encoding, sep=sep)
    texts[:5].to_csv(tmp_path / "names.csv", index=False)
    refused(r"names.csv:.*fake_3.png", imported, file, pictures=tmp_path / "names.csv")


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
    refused("Notes, Form", imported, tmp_path / "form.xlsx", sheet="Answers")
    with pd.ExcelWriter(tmp_path / "first.xlsx") as book:
        for name, part in (("Form", frame), ("Pilot", frame[:1]), ("Sheet3", pd.DataFrame())):
            part.to_excel(book, sheet_name=name, index=False)
    found = imported(tmp_path / "first.xlsx", pictures=tmp_path / "p.csv")
    assert [line for line in found.doubts if "Pilot" in line and "--sheet" in line and "Sheet3" not in line]


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
    refused("jspsych, labjs", imported, file, tool="superlab")


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
    refused("expected JSON objects", imported, tmp_path / "e.json")
    (tmp_path / "e.json").write_text('[{"participant": "P1"},\n{"particip')
    refused(r"JSON.*line 2", imported, tmp_path / "e.json")


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
        "tidy.csv": revisit("P1"),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        written(folder, name, rows)
    (folder / "results.zip").write_bytes(of_jatos([jspsych("P1"), jspsych("P2")]))
    (folder / "expyriment").mkdir()
    expyriment(folder / "expyriment" / "realfake_01.xpd")
    gorilla(folder / "data_exp.csv")
    for name, write in (("eprime/faces-1-1.txt", eprime), ("presentation/1-faces.log", presentation)):
        (folder / name).parent.mkdir()
        write(folder / name, "1")
    qualtrics(folder, ["Is it real?"] * 6)
    google_form().to_csv(folder / "form.csv", index=False)
    pictures = pd.DataFrame({"number": range(1, 7), "stimulus": PICTURES, "kind": KINDS})
    pictures.to_csv(folder / "pictures.csv", index=False)


COMMANDS = re.findall(r"`\./run (trials import \S*[./]\S* .*?--out trials\.csv)`", PAGE.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_commands_of_the_page_on_tools_give_the_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_files_of_every_tool(tmp_path)
    assert len(COMMANDS) == PAGE.read_text(encoding="utf-8").count("--out trials.csv` |")
    for command in COMMANDS:
        words = [name for word in shlex.split(command) for name in sorted(map(str, Path().glob(word))) or [word]]
        assert run(words) == 0, command
        trials = read_table(Path("trials.csv"), TRIALS)
        if trials["rating"].notna().any():
            assert trials["rating"].eq(80).equals(trials["kind"].eq("real"))
        else:
            assert played_in(trials)[2] == 0.8, command


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


def test_revisit_writes_the_words_of_javascript_for_no_value(tmp_path: Path) -> None:
    rejected = [{**row, "status": "rejected"} for row in revisit("P3")]
    rows = [*revisit("P1"), *revisit("P2"), *rejected]
    found = imported(written(tmp_path, "tidy.csv", rows))
    assert played(found) == (12, 2, 0.8)
    assert set(found.trials["stimulus"]) == {f"{picture}.png" for picture in PICTURES}
    assert found.trials["reaction_time_ms"].min() == 900
    names_tell = [{name: cell for name, cell in row.items() if name != "parameters_kind"} for row in rows]
    for row in names_tell:
        row["parameters_image"] = re.sub(r"img/(real|fake)_", r"\1/", row["parameters_image"])
    assert played(imported(written(tmp_path, "names.csv", names_tell))) == (12, 2, 0.8)


def test_a_second_question_of_revisit_is_left_out(tmp_path: Path) -> None:
    sure = [row | {"responseId": "sure", "answer": "3"} for row in revisit("P1") if row["responseId"] == "verdict"]
    assert played(imported(written(tmp_path, "tidy.csv", [*revisit("P1"), *sure]))) == PLAYED


FURTHER_TOOL = """
title = "Testable"
known_by = [["subjectGroup", "rowNo"]]
sources.participant = ["testId"]
sources.kind = ["condition1"]
sources.correct = ["correct"]
sources.reaction_time_ms = ["RT"]
rules = ["trialType!=check"]
export = "results.csv"
note = "checks are left out"
"""


def test_a_further_tool_is_ten_lines_of_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOOLS, "testable", tool_of(tomllib.loads(FURTHER_TOOL)))
    rows = [
        {"testId": 5, "subjectGroup": "a", "rowNo": at, "trialType": "test", "stimFile": f"{picture}.png"}
        | {"condition1": kind, "response": KEYS[answer], "correct": int(answer == kind), "RT": answer and 500}
        for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True))
    ]
    found = imported(written(tmp_path, "results.csv", [*rows, rows[0] | {"trialType": "check"}]))
    assert played(found) == PLAYED
    assert found.read_as.tool == "Testable"
    assert found.read_as.rules == ["trialType!=check (1 of 7 rows left out)"]


def test_every_tool_is_described() -> None:
    assert all(tool.export and tool.note for tool in TOOLS.values())
    page = PAGE.read_text(encoding="utf-8")
    assert [tool.title for tool in TOOLS.values() if tool.title not in page] == [], "a row in docs/tools.md"
