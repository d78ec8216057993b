"""`gan-eval analyze`: what it reads, the plan and what departs from it, and poor tables."""

import csv
import re
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from commands import Command
from finished import copy_study
from make_trials import simulated

import gan_eval
from gan_eval.report.figure_content import content_of
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.people.answer import answer_sentences
from gan_eval.stats import analysis as stats
from gan_eval.stats.metrics_and_people import external_values
from gan_eval.stats.mixed.models import MIXED_MODELS
from gan_eval.stats.tables.comparisons import COMPARISONS
from gan_eval.stats.tables.rates import RATES
from gan_eval.tables import IMAGE_METRICS, PARTICIPANTS, PARTICIPATION, SESSIONS, TRIALS
from gan_eval.tables.frames import read_table, write_rows

PLAN = """
[study]
name = "s"
seed = 3
[stimuli]
sets = ["set"]
[analysis]
exclude_participants = ["participant=P000"]
comparisons = [["b", "a"]]
{more}
"""


@pytest.fixture
def analyze(tmp_path: Path, command: Command) -> Command:
    return partial(command, "analyze", tmp_path / "trials.csv", "--out", tmp_path / "out")


@pytest.fixture(scope="module")
def study_frames(finished_study: Path) -> dict[str, pd.DataFrame]:
    """The tables of the finished study's analysis, its metrics included."""
    out = finished_study / "out"
    return stats.analyze(out / "tables" / "trials.csv", image_metrics=out / "metrics" / "image_metrics.csv")


def write(path: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(path, index=False)


def answers(
    *, people: int = 6, each: int = 16, seed: int = 0, models: tuple[str, ...] = ("a", "b", "c")
) -> pd.DataFrame:
    """A whole trials table: people who are right in most of their answers on pictures of the set d."""
    size = {"participants": people, "stimuli": each, "each": each}
    return simulated(**size, intercept=1.1, real=0.0, models=models, seed=seed).assign(dataset="d")


def test_the_plan_decides_and_options_beyond_it_are_exploratory(tmp_path, analyze):
    trials = answers()
    wrong = trials["participant"] == "P000"  # who takes fakes for reals and reals for fakes
    trials.loc[wrong, "response"] = trials.loc[wrong, "kind"].map({"real": "fake", "fake": "real"})
    write(tmp_path / "trials.csv", trials.assign(correct=trials["response"] == trials["kind"]))
    (tmp_path / "s.toml").write_text(PLAN.format(more=""), encoding="utf-8")
    assert analyze("--plan", tmp_path / "s.toml", "--exclude", "reaction_time_ms<100", "--margin", 0.3)[0] == 0
    note = read_table(tmp_path / "out" / "rates.csv", RATES)["note"][0]
    assert "1 of 6 participants excluded by preset rules (participant=P000: 1)" in note
    assert "(reaction_time_ms<100:" in note
    people = read_table(tmp_path / "out" / "participation.csv", PARTICIPATION)
    assert people["excluded"].tolist() == [True, *[False] * 5]
    table = read_table(tmp_path / "out" / "comparisons.csv", COMPARISONS)
    models = table[table["comparison"] == "models on d"]
    assert list(zip(models["a"], models["b"], models["exploratory"], strict=True)) == [
        ("b", "a", False), ("a", "c", True), ("b", "c", True),
    ]  # fmt: skip


def test_the_reports_first_sentence_and_the_table_to_cite_are_printed(tmp_path, analyze):
    write(tmp_path / "trials.csv", answers(models=("a", "b")))
    status, _, err = analyze()
    sentence, brackets, heads, *models, following = err.splitlines()
    assert following == f"next: gan-eval report {tmp_path / 'out'}"
    assert status == 0
    assert sentence == next(answer_sentences(read_folder(tmp_path / "out")))
    assert "95%" in brackets
    assert heads.split()[:3] == ["Model", "Data", "set"]
    assert [line.split()[:3] for line in models] == [["a", "d", "6"], ["b", "d", "6"], ["all", "d", "6"]]
    (both,) = (row for row in csv.DictReader((tmp_path / "out" / "paper.csv").open()) if row["model"] == "all")
    assert f"{100 * float(both['accuracy']):.1f} [" in models[2]


def test_metrics_are_next_to_correlations_for_the_report(finished_study, study_frames, tmp_path, analyze, monkeypatch):
    """Figure 1 of a report of such a folder had no panel d; existing tables of metrics stay."""
    out, file = tmp_path / "out", finished_study / "out" / "metrics" / "image_metrics.csv"
    shutil.copy(finished_study / "out" / "tables" / "trials.csv", tmp_path)
    monkeypatch.setattr(stats, "analyze", lambda *_, **__: study_frames)
    for copies in (1, 2):
        assert analyze("--image-metrics", file)[0] == 0
        assert len(read_table(out / "image_metrics.csv", IMAGE_METRICS)) == 8, copies
    assert content_of(read_folder(out)).metric == "psnr"
    assert analyze()[0] == 0
    assert not (out / "image_metrics.csv").exists(), "of an earlier analysis"
    write(out / "image_metrics.csv", read_table(file, IMAGE_METRICS).head(3))
    assert analyze("--image-metrics", file)[0] == analyze()[0] == 0
    assert len(read_table(out / "image_metrics.csv", IMAGE_METRICS)) == 3


def test_the_metrics_that_are_copied_are_those_that_are_analysed(tmp_path, analyze, monkeypatch):
    """Another program may write the file again while it is analysed."""
    write(tmp_path / "trials.csv", simulated(models=("a",)))
    names = sorted(read_table(tmp_path / "trials.csv", TRIALS).query("kind == 'fake'")["stimulus"].unique())
    file, read, found = tmp_path / "musiq.csv", external_values.read_image_metrics, []

    def written(order: list[str]) -> None:
        file.write_text("image,musiq\n" + "".join(f"{name},{n}.25\n" for n, name in enumerate(order)))

    def read_before_it_is_written(*arguments):
        values = read(*arguments)
        written(names[::-1])
        return values

    for reader in (read, read_before_it_is_written):
        written(names)
        monkeypatch.setattr(external_values, "read_image_metrics", reader)
        assert analyze("--image-metrics", file)[0] == 0
        found += [tuple((tmp_path / "out" / f"{name}.csv").read_text() for name in ("correlations", "image_metrics"))]
    assert found[0] == found[1]


@pytest.mark.nightly
def test_a_report_over_tables_of_two_analyses_is_refused(finished_study, tmp_path, command):
    """Detect it by the record of the set, or without one by the tables' own column."""
    store, other, copied = finished_study / "out" / "store.sqlite", tmp_path / "other", tmp_path / "copied"
    out = tmp_path / "out"
    for folder, *rule in ((out,), (other, "--exclude", "trial=1")):
        assert command("analyze", "--store", store, "--out", folder, *rule)[0] == 0
    copied.mkdir()
    for path in other.glob("*.csv"):  # without the record
        (copied / path.name).write_bytes(path.read_bytes())
    for where, name, source, said in (
        (out, "agreement.csv", other, "has changed since run analysis-"),
        (out, "paper.csv", other, "has changed since run analysis-"),
        (copied, "agreement.csv", out, "rows of another analysis (analysis-"),
    ):
        before = (where / name).read_bytes()
        (where / name).write_bytes((source / name).read_bytes())
        status, _, error = command("report", where)
        assert status == 2
        assert name in error
        assert said in error
        assert error.count("\n") == 1
        (where / name).write_bytes(before)
        assert command("report", where)[0] == 0


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("exclude_participants = ['set']", "analysis.exclude_participants: rule 'set'"),
        ("exclude_participants = ['catch_acuracy<1']", "column 'catch_acuracy'"),
        ("margin = 0.05\ncomparisons = [['b', 'a']]", "analysis.comparisons: no model 'b'"),
        ("margin = 5", "analysis.margin: found 5; expected a share below 0.5, such as 0.05 for 5 points"),
        ("exclude = ['correct=true']", "analysis.exclude: rule correct=true"),
        ("covariates = ['shoe_size']", "analysis.covariates: shoe_size:"),
    ],
)
def test_what_is_wrong_in_the_plan_names_the_study_file_and_the_key(tmp_path, analyze, setting, words):
    write(tmp_path / "trials.csv", answers(models=("a",)))
    study = tmp_path / "s.toml"
    study.write_text(f"[study]\nname = 's'\n[analysis]\n{setting}\n", encoding="utf-8")
    status, _, err = analyze("--plan", study)
    assert (status, err.count("\n")) == (2, 1)
    assert f"{study}: " in err
    assert words in err
    assert not (tmp_path / "out").exists()


def test_questions_and_sessions_next_to_the_trials_are_read(tmp_path, analyze):
    write(tmp_path / "trials.csv", answers(models=("a",)))
    people = [{"session": f"P{n:03d}", "participant": f"P{n:03d}", "simulated": False} for n in range(7)]
    begun = [{**person, "protocol": "single", "status": "complete"} for person in people]
    asked = [{**person, "question": "age", "answer": str(20 + 3 * n)} for n, person in enumerate(people[:6])]
    write_rows(begun, tmp_path / "sessions.csv", SESSIONS)
    write_rows(asked, tmp_path / "participants.csv", PARTICIPANTS)
    (tmp_path / "s.toml").write_text("[study]\nname = 's'\n[analysis]\ncovariates = ['age']\n", encoding="utf-8")
    assert analyze("--plan", tmp_path / "s.toml")[0] == 0
    people = read_table(tmp_path / "out" / "participation.csv", PARTICIPATION)
    assert people["participant"].tolist() == [f"P{n:03d}" for n in range(7)]
    assert (people["status"] == "complete").all()
    models = read_table(tmp_path / "out" / "mixed_models.csv", MIXED_MODELS)
    assert models["term"].str.contains("age").any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda trials: trials.assign(kind="maybe"), "maybe"),
        (lambda trials: trials.assign(kind=trials["kind"].str.upper()), "trials import"),
        (
            lambda trials: trials.assign(stimulus=["", *trials["stimulus"][1:]], trial=[*range(7), "x"]),
            "trials.csv: row 8, column trial: found 'x'",
        ),
        (lambda trials: trials.drop(columns="kind"), "kind"),
    ],
)
def test_unusable_tables_are_one_line(tmp_path, analyze, change, words):
    write(tmp_path / "trials.csv", change(answers(people=2, each=4)))
    status, _, err = analyze()
    assert (status, err.count("\n")) == (2, 1)
    assert words in err


def test_a_stores_tables_stay_when_its_trials_are_analysed_in_their_folder(
    finished_study, study_frames, tmp_path, command, monkeypatch
):
    monkeypatch.setattr(stats, "analyze", lambda *_, **__: study_frames)
    out = copy_study(finished_study, tmp_path) / "out" / "tables"
    assert command("analyze", out / "trials.csv", "--out", out)[0] == 0
    assert (out / "sessions.csv").is_file()


def test_simulated_sessions_of_a_store_are_excluded_once_a_person_has_answered(finished_study, tmp_path, command):
    store = copy_study(finished_study, tmp_path) / "out" / "store.sqlite"
    with closing(sqlite3.connect(store)) as opened, opened:
        (person,) = opened.execute("SELECT min(session) FROM sessions").fetchone()
        for table in ("sessions", "trials"):
            opened.execute(f"UPDATE {table} SET simulated = 0 WHERE session = ?", [person])
    status, _, said = command("analyze", "--store", store, "--out", tmp_path / "new")
    assert (status, "simulated" in said) == (0, True)
    participation = read_table(tmp_path / "new" / "participation.csv", PARTICIPATION)
    assert participation["simulated"].tolist() == [False]
    assert read_table(tmp_path / "new" / "trials.csv", TRIALS)["simulated"].any(), "they stay in the store's table"
    with pytest.warns(UserWarning, match="simulated"):
        found = gan_eval.analyze(store)
    assert found["participation"]["simulated"].tolist() == [False]


def test_a_model_of_a_store_that_reads_as_two_is_named_with_the_store(finished_study, tmp_path, command):
    store = copy_study(finished_study, tmp_path) / "out" / "store.sqlite"
    with closing(sqlite3.connect(store)) as opened, opened:
        for table in ("plans", "trials"):
            opened.execute(f"UPDATE {table} SET model = 'a|b' WHERE kind = 'fake'")
    status, _, error = command("analyze", "--store", store, "--out", tmp_path / "new", "--study", "s")
    assert status == 2
    assert re.match(rf"gan-eval: {store}: table trials, row session='\S+' trial=\d, column model: ", error)
    assert "'|'" in error


def test_the_terminal_counts_the_people_who_judged_one_kind(tmp_path, analyze):
    trials = answers(people=8, models=("a",))
    is_real, who = trials["kind"] == "real", trials["participant"]
    write(tmp_path / "trials.csv", trials[~(is_real & who.eq("P000")) & ~(~is_real & who.isin(["P001", "P002"]))])
    status, _, err = analyze()
    assert status == 0
    assert "(N = 5)" in err
    line = "Left out of the result: 2 participants who judged no generated pictures, and 1 who judged no real ones."
    assert line in " ".join(err.split())


def test_grades_without_a_truth_and_votes_of_an_unknown_question_are_printed(tmp_path, analyze):
    rows = [
        {"participant": f"P{person}", "stimulus": f"s{item}", "rating": 1 + (item * 7 + person % 2) % 5}
        for person in range(6)
        for item in range(8)
    ]
    write(tmp_path / "trials.csv", pd.DataFrame(rows))
    status, _, err = analyze()
    assert (status, "for all pictures (48 grades)" in " ".join(err.split())) == (0, True)
    votes = pd.DataFrame(rows).drop(columns="rating").assign(model="x|y", choice="b")
    votes = votes.assign(stimulus_b="y/" + votes["stimulus"], stimulus="x/" + votes["stimulus"])
    votes.loc[::11, "choice"] = "a"
    write(tmp_path / "trials.csv", votes)
    status, _, err = analyze()
    assert (status, "chosen more often" in err, "more real" in err) == (0, True, False)
