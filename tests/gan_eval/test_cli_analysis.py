"""`gan-eval analyze`: what it reads, the plan and what departs from it, and poor tables."""

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from gan_eval.__main__ import run
from gan_eval.tables import COMPARISONS, MIXED_MODELS, PARTICIPANTS, PARTICIPATION, RATES, SESSIONS, STIMULI, TRIALS
from gan_eval.tabular import read_table

PLAN = """
[study]
name = "s"
seed = 3
[stimuli]
sets = ["set"]
[analysis]
exclude_participants = ["accuracy<0.2"]
comparisons = [["b", "a"]]
{more}
"""


@pytest.fixture
def analyze(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def call(*options: object) -> tuple[int, str]:
        status = run(["analyze", str(tmp_path / "trials.csv"), "--out", str(tmp_path / "out"), *map(str, options)])
        return status, capsys.readouterr().err

    return call


def write(path: Path, rows: list[dict[str, object]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)


def answers(*, people: int = 6, each: int = 16, seed: int = 0, **columns: object) -> list[dict[str, object]]:
    """A whole trials table as rows: people who are right in three answers of four, models a, b and c."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        for trial in range(each):
            kind = "fake" if trial % 2 else "real"
            right = rng.random() < 0.75
            row: dict[str, object] = dict.fromkeys(EMPTY, "")
            row |= {"session": f"s{person}", "participant": f"P{person}", "trial": trial + 1, "phase": "main"}
            row |= {"stimulus": f"d/{kind}/{trial}", "kind": kind, "dataset": "d", "simulated": "false"}
            row["model"] = "abc"[trial // 2 % 3] if kind == "fake" else ""
            row["response"] = kind if right else {"real": "fake", "fake": "real"}[kind]
            row |= {"correct": str(right).lower(), "reaction_time_ms": round(rng.lognormal(6.5, 0.3))}
            rows.append(row | columns)
    return rows


EMPTY = TRIALS.names
"""All columns of a trials table."""


def test_the_plan_decides_and_options_beyond_it_are_exploratory(tmp_path, analyze):
    rows = answers()
    for row in rows[:16]:  # the first person takes fakes for reals and reals for fakes
        row |= {"response": {"real": "fake", "fake": "real"}[row["kind"]], "correct": "false"}
    write(tmp_path / "trials.csv", rows)
    (tmp_path / "s.toml").write_text(PLAN.format(more=""), encoding="utf-8")
    assert analyze("--plan", tmp_path / "s.toml", "--exclude", "reaction_time_ms<300", "--margin", 0.3) == (0, "")
    note = read_table(tmp_path / "out" / "rates.csv", RATES)["note"][0]
    assert "1 of 6 participants excluded by preset rules (accuracy<0.2: 1)" in note
    assert "exploratory rules, not in the plan (reaction_time_ms<300:" in note
    people = read_table(tmp_path / "out" / "participation.csv", PARTICIPATION)
    assert people["excluded"].tolist() == [True, *[False] * 5]
    table = read_table(tmp_path / "out" / "comparisons.csv", COMPARISONS)
    models = table[table["comparison"] == "models on d"]
    assert list(zip(models["a"], models["b"], models["exploratory"], strict=True)) == [
        ("b", "a", False), ("a", "c", True), ("b", "c", True),
    ]  # fmt: skip
    assert models["note"].str.contains("margin is exploratory").all()


def write_set(folder: Path, rows: list[dict[str, object]], *, reals: Iterable[dict[str, object]] = ()) -> None:
    """A stimulus set of the fakes of those trials, centres and blocks by turns, and of the reals of others."""
    folder.mkdir()
    pictures = {row["stimulus"]: row for row in rows if row["kind"] == "fake"}
    pictures |= {row["stimulus"]: row for row in reals if row["kind"] == "real"}
    holes = [("centre", 0.0625), ("blocks", 0.2)]
    stimuli = []
    for number, (name, row) in enumerate(pictures.items()):
        kind, area = holes[number % 2]
        one: dict[str, object] = dict.fromkeys(STIMULI.names, "")
        one |= {column: row[column] for column in ("stimulus", "kind", "model", "dataset")}
        stimuli.append(one | {"item": name, "file": "a.png", "mask_kind": kind, "mask_area": area})
    write(folder / "stimuli.csv", stimuli)


def test_holes_come_from_the_sets_that_were_shown(tmp_path, analyze):
    rows = answers()
    write(tmp_path / "trials.csv", rows)
    write_set(tmp_path / "set", rows)
    assert analyze() == (0, "")
    scopes = {row["scope"] for row in read_table(tmp_path / "out" / "rates.csv", RATES).to_dict("records")}
    assert "mask_kind" not in scopes
    assert analyze("--stimuli", tmp_path / "set") == (0, "")
    rates = read_table(tmp_path / "out" / "rates.csv", RATES)
    kinds = rates[rates["scope"] == "mask_kind"]
    assert set(kinds["id"]) == {"centre", "blocks"}
    assert kinds["n_fake"].sum() == 6 * 8
    status, said = analyze("--stimuli", tmp_path)
    assert status == 2
    assert "not a stimulus set" in said
    write_set(tmp_path / "other", [row | {"stimulus": f"other/{row['stimulus']}"} for row in rows])
    status, said = analyze("--stimuli", tmp_path / "set", "--stimuli", tmp_path / "other")
    assert status == 2
    assert said == (
        f"gan-eval: --stimuli {tmp_path / 'other'}: none of its generated pictures is in the trials; name a set that "
        "was shown\n"
    )
    write_set(tmp_path / "raw", [row | {"stimulus": f"{row['stimulus']}-raw"} for row in rows], reals=rows)
    assert analyze("--stimuli", tmp_path / "raw")[0] == 2, "it shares its real pictures alone"


def test_a_margin_beside_that_of_the_plan_is_refused(tmp_path, analyze):
    write(tmp_path / "trials.csv", answers())
    (tmp_path / "s.toml").write_text(PLAN.format(more="margin = 0.05"), encoding="utf-8")
    status, err = analyze("--plan", tmp_path / "s.toml", "--margin", 0.2)
    assert (status, err.count("\n")) == (2, 1)
    assert "the plan has fixed 0.05" in err
    assert not (tmp_path / "out").exists()


def test_a_planned_model_that_is_not_there_is_named(tmp_path, analyze):
    write(tmp_path / "trials.csv", answers(model="a"))
    (tmp_path / "s.toml").write_text(PLAN.format(more=""), encoding="utf-8")
    status, err = analyze("--plan", tmp_path / "s.toml")
    assert (status, err.count("\n")) == (2, 1)
    assert "analysis.comparisons: no model 'b'" in err


def test_questions_and_sessions_beside_the_trials_are_read(tmp_path, analyze):
    write(tmp_path / "trials.csv", answers())
    begun = [
        dict.fromkeys(SESSIONS.names, "")
        | {"session": f"s{n}", "participant": f"P{n}", "protocol": "single", "status": "complete", "simulated": "false"}
        for n in range(7)
    ]
    write(tmp_path / "sessions.csv", begun)
    asked = [
        dict.fromkeys(PARTICIPANTS.names, "")
        | {"session": f"s{n}", "participant": f"P{n}", "question": "age", "answer": 20 + 3 * n}
        for n in range(6)
    ]
    write(tmp_path / "participants.csv", asked)
    assert analyze("--covariate", "age") == (0, "")
    people = read_table(tmp_path / "out" / "participation.csv", PARTICIPATION)
    assert people["participant"].tolist() == [f"P{n}" for n in range(7)]
    assert (people["status"] == "complete").all()
    models = read_table(tmp_path / "out" / "mixed_models.csv", MIXED_MODELS)
    assert models["term"].str.contains("age").any()
    assert models["exploratory"].isna().all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--margin", "0.7"], "--margin"),
        (["--covariate", "shoe_size"], "shoe_size"),
        (["--exclude-participants", "catch_acuracy<1"], "did you mean catch_accuracy"),
        (["--exclude-participants", "nonsense"], "not understood"),
        (["--plan", "absent.toml"], "absent.toml"),
    ],
)
def test_bad_options_are_one_line(tmp_path, analyze, options, words):
    write(tmp_path / "trials.csv", answers(people=2, each=4))
    status, err = analyze(*options)
    assert (status, err.count("\n")) == (2, 1)
    assert words in err
    assert not (tmp_path / "out").exists()


POOR = {
    "no rows": [],
    "one trial": answers(people=1, each=1),
    "two trials": answers(people=1, each=2),
    "one participant": answers(people=1, each=20),
    "one stimulus": answers(stimulus="d/fake/1", kind="fake"),
    "no reals": [row for row in answers() if row["kind"] == "fake"],
    "all right": [row | {"response": row["kind"], "correct": "true"} for row in answers()],
    "all wrong": [row | {"response": "fake" if row["kind"] == "real" else "real"} for row in answers()],
    "all fake": answers(response="fake", correct=""),
    "no answers": answers(response="none", correct="", reaction_time_ms=""),
    "missing cells": [row | {"kind": "", "reaction_time_ms": ""} if n % 3 else row for n, row in enumerate(answers())],
    "impossible times": answers(reaction_time_ms=-5.0),
    "mixed studies": [row | {"study": f"s{n % 2}"} for n, row in enumerate(answers())],
    "one answer a stimulus": [row | {"stimulus": f"d/x/{n}"} for n, row in enumerate(answers())],
}


@pytest.mark.parametrize("name", POOR)
def test_poor_tables_give_words(tmp_path, analyze, name):
    rows = POOR[name] or [dict.fromkeys(EMPTY, "")]
    write(tmp_path / "trials.csv", rows)
    if not POOR[name]:
        (tmp_path / "trials.csv").write_text(",".join(EMPTY) + "\n", encoding="utf-8")
    status, err = analyze("--margin", 0.05)
    assert (status, err) == (0, "")
    table = read_table(tmp_path / "out" / "comparisons.csv", COMPARISONS)
    silent = table[table["ci_low"].isna() & table["note"].isna()]
    assert silent.empty
    assert table.loc[table["verdict"].isin(["different", "equivalent"]), "p"].notna().all()
    assert table.loc[table["p"].isna(), "note"].notna().all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda rows: [*rows, rows[0] | {"kind": "fake" if rows[0]["kind"] == "real" else "real"}],
            "the same session=s0, trial=1",
        ),
        (lambda rows: [row | {"kind": "maybe"} for row in rows], "maybe"),
        (lambda rows: [row | {"reaction_time_ms": "soon"} for row in rows], "soon"),
        (lambda rows: [{name: cell for name, cell in row.items() if name != "kind"} for row in rows], "kind"),
    ],
)
def test_unusable_tables_are_one_line(tmp_path, analyze, change, words):
    write(tmp_path / "trials.csv", change(answers(people=2, each=4)))
    status, err = analyze()
    assert (status, err.count("\n")) == (2, 1)
    assert words in err


def test_help_names_every_table(capsys):
    from gan_eval.stats import analyze as analyze_trials

    run(["analyze", "--help"])
    shown = capsys.readouterr().out
    documented = analyze_trials.__doc__ or ""
    for name in ("participation", "detection", "bradley_terry", "model_checks", "correlation_differences", "hype"):
        assert name in shown
        assert f"`{name}`" in documented


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("P1,1,a,fake,real\nP1,1,b,real,real\n", "t.csv: row 2: the same session=P1, trial=1 as row 1"),
        (",1,a,fake,real\nP1,2,b,real,real\nP1,x,c,real,real\n", "t.csv: row 3, column trial: found 'x'"),
        ("P1,1,a,fake,real\nP1,1,a,fake,real\nP1,2,b,unreal,real\n", "t.csv: row 3, column kind: found 'unreal'"),
    ],
)
def test_the_file_and_its_own_row_are_named(tmp_path, capsys, rows, words):
    from gan_eval.__main__ import run

    (tmp_path / "t.csv").write_text(f"participant,trial,stimulus,kind,response\n{rows}")
    assert run(["analyze", str(tmp_path / "t.csv"), "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err
