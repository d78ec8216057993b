"""`gan-eval analyze`: what it reads, the plan and what departs from it, and poor tables."""

import csv
from pathlib import Path

import numpy as np
import pytest

from gan_eval.__main__ import run
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.people.answer import answer
from gan_eval.stats.answers.rates import RATES
from gan_eval.stats.compare.comparisons import COMPARISONS
from gan_eval.stats.mixed.models import MIXED_MODELS
from gan_eval.store import open_store
from gan_eval.tables import PARTICIPANTS, PARTICIPATION, SESSIONS, TRIALS
from gan_eval.tables.frames import read_table

PLAN = """
[study]
name = "s"
seed = 3
[stimuli]
sets = ["set"]
[analysis]
exclude_participants = ["participant=P0"]
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
    assert analyze("--plan", tmp_path / "s.toml", "--exclude", "reaction_time_ms<300")[0] == 0
    note = read_table(tmp_path / "out" / "rates.csv", RATES)["note"][0]
    assert "1 of 6 participants excluded by preset rules (participant=P0: 1)" in note
    assert "exploratory rules, not in the plan (reaction_time_ms<300:" in note
    people = read_table(tmp_path / "out" / "participation.csv", PARTICIPATION)
    assert people["excluded"].tolist() == [True, *[False] * 5]
    table = read_table(tmp_path / "out" / "comparisons.csv", COMPARISONS)
    models = table[table["comparison"] == "models on d"]
    assert list(zip(models["a"], models["b"], models["exploratory"], strict=True)) == [
        ("b", "a", False), ("a", "c", True), ("b", "c", True),
    ]  # fmt: skip


def test_the_reports_first_sentence_and_the_table_to_cite_are_printed(tmp_path, analyze):
    rows = [row | {"model": row["model"].replace("c", "a")} for row in answers()]
    write(tmp_path / "trials.csv", rows)
    status, err = analyze()
    sentence, brackets, heads, *models, following = err.splitlines()
    assert following == f"next: gan-eval report {tmp_path / 'out'}"
    assert status == 0
    assert sentence == answer(read_folder(tmp_path / "out"))[0]
    assert brackets.startswith("In brackets 95 % intervals. ")
    assert heads.split()[:3] == ["Model", "Data", "set"]
    assert [line.split()[:3] for line in models] == [["a", "d", "6"], ["b", "d", "6"], ["all", "d", "6"]]
    (both,) = (row for row in csv.DictReader((tmp_path / "out" / "paper.csv").open()) if row["model"] == "all")
    assert f"{100 * float(both['accuracy']):.1f} [" in models[2]


@pytest.mark.nightly
def test_a_report_over_tables_of_two_analyses_is_refused(tmp_path, analyze, capsys):
    """Detect it by the record of the set, or without one by the tables' own column."""
    write(tmp_path / "trials.csv", answers())
    assert analyze()[0] == 0
    other, copied = tmp_path / "other", tmp_path / "copied"
    write(tmp_path / "trials.csv", answers(seed=1))
    assert run(["analyze", str(tmp_path / "trials.csv"), "--out", str(other)]) == 0
    copied.mkdir()
    for path in other.glob("*.csv"):  # without the record
        (copied / path.name).write_bytes(path.read_bytes())
    for where, name, source, said in (
        (tmp_path / "out", "robustness.csv", other, "is not what the run analysis-"),
        (tmp_path / "out", "trials.csv", other, "is not what the run analysis-"),
        (copied, "robustness.csv", tmp_path / "out", "rows of another analysis (analysis-"),
    ):
        before = (where / name).read_bytes()
        (where / name).write_bytes((source / name).read_bytes())
        capsys.readouterr()
        assert run(["report", str(where)]) == 2
        error = capsys.readouterr().err
        assert name in error
        assert said in error
        assert error.count("\n") == 1
        (where / name).write_bytes(before)
        assert run(["report", str(where)]) == 0


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("exclude_participants = ['set']", "analysis.exclude_participants: rule 'set': not understood"),
        ("exclude_participants = ['catch_acuracy<1']", "exclude_participants: no column 'catch_acuracy'; did you mean"),
        ("margin = 0.05\ncomparisons = [['b', 'a']]", "analysis.comparisons: no model 'b'"),
        ("exclude = ['correct=true']", "analysis.exclude: rule correct=true: on the outcome"),
        ("covariates = ['shoe_size']", "analysis.covariates: shoe_size: no such question"),
        ("margin = 0.05\nnoninferior = [['a', 'b']]", "analysis.noninferior: no model 'b'"),
    ],
)
def test_what_is_wrong_in_the_plan_names_the_study_file_and_the_key(tmp_path, analyze, setting, words):
    write(tmp_path / "trials.csv", answers(model="a"))
    study = tmp_path / "s.toml"
    study.write_text(f"[study]\nname = 's'\n[analysis]\n{setting}\n", encoding="utf-8")
    status, err = analyze("--plan", study)
    assert (status, err.count("\n")) == (2, 1)
    assert f"{study}: " in err
    assert words in err
    assert not (tmp_path / "out").exists()


def test_questions_and_sessions_next_to_the_trials_are_read(tmp_path, analyze):
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
    (tmp_path / "s.toml").write_text("[study]\nname = 's'\n[analysis]\ncovariates = ['age']\n", encoding="utf-8")
    assert analyze("--plan", tmp_path / "s.toml")[0] == 0
    people = read_table(tmp_path / "out" / "participation.csv", PARTICIPATION)
    assert people["participant"].tolist() == [f"P{n}" for n in range(7)]
    assert (people["status"] == "complete").all()
    models = read_table(tmp_path / "out" / "mixed_models.csv", MIXED_MODELS)
    assert models["term"].str.contains("age").any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda rows: [*rows, rows[0] | {"kind": "fake" if rows[0]["kind"] == "real" else "real"}],
            "the same session=s0, trial=1",
        ),
        (lambda rows: [row | {"kind": "maybe"} for row in rows], "maybe"),
        (lambda rows: [*rows, rows[0] | {"trial": "x"}], "trials.csv: row 9, column trial: found 'x'"),
        (lambda rows: [{name: cell for name, cell in row.items() if name != "kind"} for row in rows], "kind"),
    ],
)
def test_unusable_tables_are_one_line(tmp_path, analyze, change, words):
    write(tmp_path / "trials.csv", change(answers(people=2, each=4)))
    status, err = analyze()
    assert (status, err.count("\n")) == (2, 1)
    assert words in err


def test_a_model_of_a_store_that_reads_as_two_is_named_with_the_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, shared = tmp_path / "lab.sqlite", {"study": "s", "protocol": "quick_response", "simulated": False}
    with open_store(store) as opened:
        for name in ("s1", "s2"):
            session = {**shared, "session": name, "participant": name}
            opened.begin({**session, "status": "complete"}, [], None)
            trial = {**session, "phase": "main", "stimulus": "d/m/1", "kind": "fake", "response": "fake"}
            opened.add(
                TRIALS, [{**trial, "trial": n, "model": "a|b" if (name, n) == ("s2", 2) else "m"} for n in (1, 2)]
            )
    assert run(["analyze", "--store", str(store), "--out", str(tmp_path / "out"), "--study", "s"]) == 2
    line = "table trials, row session='s2' trial=2, column model: a model's name has no '|'; give it another"
    assert capsys.readouterr().err == f"gan-eval: {store}: {line}\n"
