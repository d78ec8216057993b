"""Lists in JSON: `[*]` makes a row of each entry, and files with the rows of people are read with their fields."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from refusals import refused

from gan_eval.judgements.convert import Imported, import_trials
from gan_eval.judgements.read_as import lines_of

KINDS = ("real", "fake")
PEOPLE, PICTURES = 4, 12
MAPPING = {name: f"answers[*].{name}" for name in ("stimulus", "kind", "response")}


def answers(person: int) -> list[dict[str, Any]]:
    """Return the trials of a person; every fourth answer is wrong."""
    return [
        {"stimulus": f"x{n}.png", "kind": KINDS[n % 2], "response": KINDS[(n + (n + person) % 4 // 3) % 2]}
        for n in range(PICTURES)
    ]


def of_json(tmp_path: Path, value: Any, mapping: dict[str, str] | None = None, **options: Any) -> Imported:
    (tmp_path / "t.json").write_text(value if isinstance(value, str) else json.dumps(value))
    return import_trials(tmp_path / "t.json", mapping=mapping or {}, **options)


def of_cells(tmp_path: Path, rows: list[dict[str, Any]], mapping: dict[str, str]) -> Imported:
    cells = [{key: each if isinstance(each, str) else json.dumps(each) for key, each in row.items()} for row in rows]
    pd.DataFrame(cells).to_csv(tmp_path / "t.csv", index=False)
    return import_trials(tmp_path / "t.csv", mapping=mapping)


def require_all(found: Imported) -> None:
    """Check that all answers were read, each with its person."""
    assert len(found.trials) == PEOPLE * PICTURES
    for person, trials in found.trials.groupby("participant"):
        expected = pd.DataFrame(answers(int(str(person)[-1])))
        assert trials[["stimulus", "kind", "response"]].to_numpy().tolist() == expected.to_numpy().tolist()
    assert found.trials["participant"].nunique() == PEOPLE
    assert found.trials["correct"].mean() == 0.75


def test_each_entry_of_a_list_is_a_row(tmp_path) -> None:
    """Before, `answers[0]` read one answer a person, and nothing could read all."""
    rows = [{"participant": f"P{person}", "age": "30", "answers": answers(person)} for person in range(PEOPLE)]
    found = of_cells(tmp_path, rows, MAPPING)
    require_all(found)
    assert found.trials["age"].astype("str").unique().tolist() == ["30"]
    assert not [name for name in found.trials if "answers" in name]
    assert found.read_as.mapped["stimulus"] == "answers[*].stimulus"
    assert not [name for name in found.read_as.not_used if "answers" in name]
    one = of_cells(tmp_path, rows, {name: path.replace("*", "0") for name, path in MAPPING.items()})
    assert len(one.trials) == PEOPLE
    assert "a row each with answers[*]" in "\n".join(lines_of(one.read_as))


def test_lists_within_lists_and_texts_in_lists(tmp_path) -> None:
    """A file of Label Studio: an object a picture, with the annotations of all people."""
    pictures = [
        {
            "id": n,
            "data": {"image": f"x{n}.png", "truth": KINDS[n % 2]},
            "annotations": [
                {"completed_by": f"P{person}", "result": [{"value": {"choices": [answers(person)[n]["response"]]}}]}
                for person in range(PEOPLE)
            ],
        }
        for n in range(PICTURES)
    ]
    mapping = {"participant": "annotations[*].completed_by", "stimulus": "data.image", "kind": "data.truth"}
    choices = "annotations[*].result[0].value.choices[0]"
    require_all(of_json(tmp_path, pictures, {**mapping, "response": choices}))
    require_all(of_json(tmp_path, pictures, {**mapping, "response": choices.replace("0", "*")}))


def test_lists_side_by_side_have_equal_places_in_one_row(tmp_path) -> None:
    rows = [
        {"participant": f"P{person}", **{name: [row[name] for row in answers(person)] for name in MAPPING}}
        for person in range(PEOPLE)
    ]
    mapping = {name: f"{name}[*]" for name in MAPPING}
    require_all(of_cells(tmp_path, rows, mapping))
    rows[2]["kind"] = rows[2]["kind"][1:]
    refused(r"row 3: .*stimulus\[\*\] 12 and kind\[\*\] 11", of_cells, tmp_path, rows, mapping)


def test_a_row_without_a_list_is_left_out_and_one_with_a_text_is_rejected(tmp_path) -> None:
    rows: list[dict[str, Any]] = [{"participant": f"P{n}", "answers": answers(n)} for n in range(PEOPLE)]
    found = of_cells(
        tmp_path, [*rows, {"participant": "P8", "answers": []}, {"participant": "P9", "answers": "no"}], MAPPING
    )
    require_all(found)
    assert found.rejected["row"].unique().tolist() == [PEOPLE + 2]
    refused("has no list", of_cells, tmp_path, [{"participant": "P8", "answers": "{}"}], MAPPING)


def test_a_list_is_named_where_columns_are_missing(tmp_path) -> None:
    rows = [{"participant": "P0", "judged": [{"img": "x.png", "said": "real"}]}] * 2
    refused(r"a row of each entry of judged: --map COLUMN='judged\[\*\].NAME'", of_json, tmp_path, rows)
    rows = [{"facts": [{"name": "x"}], "results": {"judgments": answers(0)}}] * 2
    refused(r"a row of each entry of results.judgments: --map COLUMN='results.judgments", of_json, tmp_path, rows)


def test_entries_and_numbered_columns_are_not_read_together(tmp_path) -> None:
    rows = [{"participant": "P0", "q1": "real", "q2": "fake", "answers": answers(0)}]
    refused("import one at a time", of_cells, tmp_path, rows, {**MAPPING, "response": "q#"})


def people(name: str = "participant") -> list[dict[str, Any]]:
    return [{name: f"P{person}", "device": {"os": "x"}, "trials": answers(person)} for person in range(PEOPLE)]


def test_an_object_a_person_is_read_with_its_fields(tmp_path) -> None:
    """Before, the fields next to the list were dropped, and an array of such objects was refused."""
    for value in (people(), "\n".join(map(json.dumps, people()))):
        found = of_json(tmp_path, value)
        require_all(found)
        assert found.trials["device"].unique().tolist() == ['{"os": "x"}']
    one = of_json(tmp_path, people()[2])
    assert (len(one.trials), *one.trials["participant"].unique()) == (PICTURES, "P2")


def test_a_field_of_a_person_and_of_a_row_are_both_kept(tmp_path) -> None:
    rows = [
        {**person, "trials": [{"id": n, **row} for n, row in enumerate(person["trials"])]} for person in people("id")
    ]
    require_all(of_json(tmp_path, rows, {"participant": "outer.id", "trial": "id"}))


@pytest.mark.parametrize("has_fields", [False, True])
def test_people_by_name_are_read(tmp_path, has_fields: bool) -> None:
    """Before, a file with a list under each person's code was "a wide table with numbered columns"."""
    value = {f"P{n}": {"age": 30, "trials": answers(n)} if has_fields else answers(n) for n in range(PEOPLE)}
    require_all(of_json(tmp_path, value, {"participant": "@file"}))
    refused("--map participant=@file", of_json, tmp_path, value)


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_trials_under_keys_are_read(tmp_path, is_wrapped: bool) -> None:
    """Before, an export of Firebase was one row: its columns were the codes of people, or the word above them."""
    value: Any = {
        f"P{n}": {"age": 30, "trials": {f"-N{at}": row for at, row in enumerate(answers(n))}} for n in range(4)
    }
    found = of_json(tmp_path, {"sessions": value} if is_wrapped else value, {"participant": "@file"})
    require_all(found)
    assert found.trials["key"].nunique() == PICTURES
    rows = [{"participant": f"P{n}", **row} for n in range(PEOPLE) for row in answers(n)]
    require_all(of_json(tmp_path, {f"-N{at}": row for at, row in enumerate(rows)}))


def test_a_list_next_to_an_answer_does_not_replace_it(tmp_path) -> None:
    """Before, lines of JSON with the path of the mouse in each trial were read as the points of that path."""
    rows = [
        {"participant": f"P{n}", **row, "mouse": [{"x": 1, "y": 2}] * 3} for n in range(PEOPLE) for row in answers(n)
    ]
    require_all(of_json(tmp_path, rows))
    require_all(of_json(tmp_path, "\n".join(map(json.dumps, rows))))


def test_a_list_of_facts_about_a_picture_does_not_multiply_its_answers(tmp_path) -> None:
    """Before, a line of Labelbox was two rows, one for each fact, and each answer counted twice."""
    lines = [
        {
            "picture": f"x{n}.png",
            "facts": [{"name": "kind", "value": KINDS[n % 2]}, {"name": "model", "value": "gan"}],
            "project": {"answers": [{"participant": f"P{p}", **answers(p)[n]} for p in range(PEOPLE)]},
        }
        for n in range(PICTURES)
    ]
    mapping = {name: f"project.answers[*].{name}" for name in ("participant", "stimulus", "kind", "response")}
    require_all(of_json(tmp_path, "\n".join(map(json.dumps, lines)), mapping))


def test_a_loop_of_psychopy_is_refused_with_the_way_out(tmp_path) -> None:
    loop = {"py/object": "psychopy.data.trial.TrialHandler2", "trialList": answers(0), "nReps": 1, "data": {}}
    refused("a loop of PsychoPy as JSON.*saveAsWideText", of_json, tmp_path, loop)


def test_a_file_of_datumaro_has_each_persons_answer_with_its_own_confidence(tmp_path) -> None:
    """A picture's tags lie in one list; a label is its number in the file's list of labels."""
    played = {
        name: [(who, (n + (who == 2)) % 2, 1 + (n + who) % 4) for who in range(3)] for n, name in enumerate("abcd")
    }
    items = [
        {
            "id": f"{KINDS[n % 2]}/{name}",
            "annotations": [
                {
                    "id": 0,
                    "type": "label",
                    "attributes": {"annotator": f"A{who}", "confidence": sure},
                    "label_id": label,
                }
                for who, label, sure in tags
            ],
        }
        for n, (name, tags) in enumerate(played.items())
    ]
    labels = {"label": {"labels": [{"name": "real"}, {"name": "fake"}]}}
    fields = {"participant": "attributes.annotator", "response": "label_id", "confidence": "attributes.confidence"}
    mapping = {"stimulus": "id"} | {name: f"annotations[*].{field}" for name, field in fields.items()}
    value = {"dm_format_version": "1.0", "categories": labels, "items": items}
    refused("label_id .*--word", of_json, tmp_path, value, mapping)
    found = of_json(tmp_path, value, mapping, words={"response": {"0": "real", "1": "fake"}})
    cells = found.trials[["stimulus", "participant", "response", "confidence"]].to_numpy().tolist()
    expected = [
        [item["id"], f"A{who}", KINDS[label], sure]
        for item, tags in zip(items, played.values(), strict=True)
        for who, label, sure in tags
    ]
    assert sorted(cells) == sorted(expected)
    assert found.trials["correct"].mean() == pytest.approx(2 / 3)
