"""`run` waits for people: simulated sessions run only on request, never with a person's, and never count."""

import csv
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Command
from finished import STUDY, copy_study, make_set
from listening import Ear

from gan_eval.base.locks import hold_lock
from gan_eval.quiz.admission import Person
from gan_eval.quiz.simulate import Observer
from gan_eval.settings.study import load_study
from gan_eval.store import push
from gan_eval.study import demo, forgetting
from gan_eval.study.markers import run_lock
from gan_eval.study.plan import Plan, open_plan
from gan_eval.study.sessions import closing_lines, pending_sessions, quiz_session, read_sessions

WAITING = ("quiz", "analyze", "report")
"""The stages that are not up to date before the last person."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of imported pictures, on a machine without a screen."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.delenv("DISPLAY", raising=False)
    make_set(tmp_path / "main", 8)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


Run = Callable[..., str]


@pytest.fixture
def call(command: Command) -> Run:
    """`call(world, "--only", "metrics")` runs the study; what it said."""

    def run_study(world: Path, *more: str) -> str:
        status, _, said = command("run", world / "study.toml", "--out", world / "out", *more)
        assert status == 0, said
        return said

    return run_study


@pytest.fixture
def rehearsed(finished_study: Path, world: Path) -> Path:
    return copy_study(finished_study, world)


def plan_of(world: Path) -> Plan:
    return open_plan(world / "study.toml", world / "out")


def sit(world: Path, participant: str, presenter: str = "opengl") -> None:
    """A person's complete session: a simulated one in a store of its own, marked as a person's and merged in."""
    plan, apart = plan_of(world), world / f"{participant}.sqlite"
    quiz_session(plan, Person(participant, Observer()), store=apart)
    with sqlite3.connect(apart) as store:
        for table in ("sessions", "trials"):
            store.execute(f"UPDATE {table} SET simulated = 0")
        store.execute("UPDATE sessions SET presenter = ?", (presenter,))
    store.close()
    push(apart, plan.store)


def test_after_sessions_by_link_the_next_command_serves_the_study(world: Path, call: Run) -> None:
    call(world, "--only", "metrics")
    served = f"gan-eval serve {world}/study.toml --out {world}/out"
    quiz = f"gan-eval quiz {world}/study.toml --participant P01 --out {world}/out"
    both = [f"0 of 3 sessions; next: {quiz}", f"or by link, in browsers: {served}"]
    assert pending_sessions(plan_of(world)) == both, "before the first session both ways are open"
    sit(world, "P01", "browser")
    assert pending_sessions(plan_of(world)) == [f"1 of 3 sessions; next: {served}"]


def trials_of(world: Path) -> str:
    return (world / "out" / "tables" / "trials.csv").read_text()


@pytest.mark.slow
def test_without_a_screen_people_are_awaited(world: Path, call: Run, command: Command) -> None:
    call(world, "--only", "metrics")
    assert "0 of 3 sessions; next: gan-eval quiz" in call(world, "--only", "quiz")
    assert not plan_of(world).store.exists(), "nothing is simulated unasked"
    sit(world, "P01")
    sit(world, "P02")
    heard = call(world)
    assert not [stage for stage in WAITING if f"{stage}: up to date" in heard]
    (line,) = {text for text in heard.splitlines() if "2 of 3 sessions" in text}
    assert line.endswith(f"next: gan-eval quiz {world}/study.toml --participant P03 --out {world}/out")
    assert f"Interim: {line}" in (world / "out" / "report.html").read_text()
    status, _, listed = command("participants", "list", "--store", plan_of(world).store)
    assert (status, "2 of 3 sessions; next: gan-eval quiz" in listed) == (0, True)
    assert "P02" in trials_of(world)
    assert read_sessions(plan_of(world)).counts == {"complete": 2, "people": 2, "simulated": 0}


@pytest.mark.nightly
def test_after_the_last_person_the_results_are_final(world: Path, call: Run) -> None:
    call(world, "--only", "metrics")
    for number in range(1, 5):
        sit(world, f"P0{number}")
    assert "sessions; next" not in call(world)
    assert "Interim" not in (world / "out" / "report.html").read_text()
    assert "P04" in trials_of(world), "who comes after the last one is analysed as well"
    heard = call(world)
    assert [stage for stage in WAITING if f"{stage}: up to date" in heard] == list(WAITING)


@pytest.mark.slow
def test_who_is_forgotten_leaves_nothing_in_the_study_s_folder(
    world: Path, call: Run, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, store = world / "out", world / "out" / "store.sqlite"
    call(world, "--only", "metrics")
    sit(world, "Anna7")
    call(world, "--redo", "quiz", "--only", "metrics")  # a store that was moved aside
    (world / "Anna7.sqlite").unlink()
    sit(world, "Anna7")
    sit(world, "Bert8")
    call(world, "--only", "quiz")
    call(world, "--only", "analyze")
    (out / "report.html").write_text("Anna7")
    shutil.copytree(out / "tables", out / ".gan-eval" / "old" / "analyze-20260101T000000.0" / "tables")
    stale = {name: (out / "tables" / name).read_bytes() for name in ("trials.csv", "sessions.csv")}

    def naming(person: str = "Anna7") -> set[Path]:
        files = [path for path in out.rglob("*") if path.is_file()]
        return {path.relative_to(out) for path in files if person.encode() in path.read_bytes()}

    named = naming()
    assert {Path("tables/trials.csv"), Path("store.sqlite")} < named
    forget_anna = ("participants", "forget", "anna7", "--store", store)
    status, _, said = command(*forget_anna, "--dry-run")
    assert status == 0
    assert re.search(rf"to be deleted in {re.escape(str(out))}: \d+ files and folders: tables \(\d+\), report", said)
    assert all(word in said for word in ("moved aside", "exports"))
    assert naming() == named
    (aside,) = (out / ".gan-eval" / "old").glob("quiz-*/store.sqlite")
    kept = aside.read_bytes()
    aside.write_bytes(b"damaged")
    status, _, said = command(*forget_anna, "--yes")
    assert (status, str(aside) in said.splitlines()[-1]) == (2, True), "one store could not be searched"
    assert b"Anna7" in store.read_bytes()
    aside.write_bytes(kept)
    with monkeypatch.context() as killed:
        killed.setattr(forgetting, "forget", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            forgetting.forget_everywhere(store, "Anna7")
    status, removed, _ = command(*forget_anna, "--yes")
    assert status == 0, "the same command does the rest"
    assert "anna7: 50 rows removed (sessions 2, plans 16, onsets 16, trials 16)" in removed
    status, _, said = command(*forget_anna, "--yes")
    listing = f"no participant anna7; list them with: gan-eval participants list --store {store}"
    assert (status, listing in said) == (2, True)
    assert naming() == set()
    assert not (out / "report.html").exists()

    (out / "tables").mkdir(exist_ok=True)
    for name, content in stale.items():  # as an earlier version left them
        (out / "tables" / name).write_bytes(content)
    status, _, said = command("report", out, "--out", world / "page.html")
    assert (status, "1 of its sessions" in said) == (2, True)
    assert f"{world}/study.toml --out {out}" in said
    call(world, "--only", "analyze")
    assert naming() == set()
    assert "Bert8" in trials_of(world)
    monkeypatch.setattr("gan_eval.base.commands.program", lambda **_: "./run")
    store.rename(aside)  # the study's only store is one that was moved aside
    status, _, said = command("participants", "forget", "Bert8", "--store", store, "--yes")
    assert (status, naming("Bert8")) == (0, set())
    again = f"make them again with: ./run run {world}/study.toml --out {out}"
    assert again in said


def verdicts(world: Path) -> set[str]:
    with (world / "out" / "tables" / "comparisons.csv").open(encoding="utf-8", newline="") as file:
        return {row["verdict"] for row in csv.DictReader(file)}


@pytest.mark.nightly
def test_a_verdict_waits_for_all_people(world: Path, call: Run, command: Command) -> None:
    (world / "study.toml").write_text(STUDY.replace("participants = 3", "participants = 2"))
    call(world, "--only", "metrics")
    for people, waits in ((1, True), (2, False)):
        sit(world, f"P0{people}")
        assert (f"analyze: interim: no verdict ({people} of 2 people)" in call(world)) == waits
        assert ("interim" in verdicts(world)) == waits
        assert ("nterim: no verdict (1 of 2 people)" in (world / "out" / "report.html").read_text()) == waits
        words = ("analyze", "--store", plan_of(world).store, "--study", "s", "--out", world / f"apart{people}")
        status, _, said = command(*words)
        assert (status, "Interim: no verdict (1 of 2 people)" in said) == (0, waits)


@pytest.mark.slow
def test_a_rehearsal_is_complete_in_itself_and_counts_for_nobody(rehearsed: Path, call: Run) -> None:
    heard = call(rehearsed, "--simulate", "default")
    assert [stage for stage in WAITING if f"{stage}: up to date" in heard] == list(WAITING)
    report = (rehearsed / "out" / "report.html").read_text()
    assert "Rehearsal: 3 sessions" in report

    sit(rehearsed, "P01")
    heard = call(rehearsed, "--only", "quiz", "--simulate", "default")
    assert re.search(r"1 of 3 sessions \(3 simulated\); next: gan-eval quiz ", heard)
    assert "no session is simulated" in heard
    assert read_sessions(plan_of(rehearsed)).counts == {"complete": 4, "people": 1, "simulated": 3}


def test_one_process_at_a_time_runs_a_study(world: Path, call: Run, command: Command) -> None:
    call(world, "--only", "metrics")
    with hold_lock(*run_lock(world / "out")):
        status, _, said = command("run", world / "study.toml", "--out", world / "out")
    assert (status, "is running a study there; wait for it, or end it" in said.splitlines()[-1]) == (2, True)


def test_a_report_is_up_to_date_from_anywhere_until_its_words_change(
    rehearsed: Path, call: Run, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rehearsed)
    assert "report: up to date" in command("run", "study.toml", "--out", "out", "--simulate", "default")[2]
    (rehearsed / "study.toml").write_text(STUDY.replace('"First words"', '"Second words"\nquestion = "Can they?"'))
    call(rehearsed, "--simulate", "default")  # other words are shown without --redo
    report = (rehearsed / "out" / "report.html").read_text()
    assert "Second words" in report
    assert "Can they?" in report
    assert "First words" not in report


@pytest.mark.parametrize("screen", [False, True])
def test_the_demo_rehearses_without_a_screen(screen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Plan] = []
    opened: list[Plan] = []
    rehearsed: list[Plan] = []
    monkeypatch.setattr(demo, "missing_display", lambda: None if screen else "no display")
    monkeypatch.setattr(demo, "make_data", lambda _: None)
    monkeypatch.setattr(demo.cache, "find", lambda _: tmp_path)  # the weights are in the cache
    monkeypatch.setattr(
        demo, "make_plan", lambda file, out, **how: Plan(None, file, out, None, simulate=how["simulate"])
    )  # type: ignore[arg-type]
    monkeypatch.setattr(demo, "list_stages", lambda plan: seen.append(plan) or [])
    monkeypatch.setattr(demo, "open_quiz", lambda plan, *_, **__: opened.append(plan))
    monkeypatch.setattr(demo, "screen_factor", lambda size: 4)
    monkeypatch.setattr(demo, "rehearse", lambda plan, _: rehearsed.append(plan))
    monkeypatch.setattr(demo, "closing_lines", lambda *_, **__: [])

    demo.run_demo(tmp_path / "demo", Ear(), again=["demo"])
    demo.run_demo(tmp_path / "demo", Ear(), again=["demo"], simulate="dprime=2")
    assert [plan.simulate for plan in seen] == [None if screen else "default", "dprime=2"]
    assert len(opened) == len(rehearsed) == screen
    of_people = "participants = 1 " in (tmp_path / "demo" / "demo.toml").read_text()
    assert not of_people, "the last one had no person"
    size = load_study(tmp_path / "demo" / "demo.toml").quiz.picture_size
    assert size == (4 * demo.CROP if screen else "native"), "that of the first start"


@pytest.mark.slow
def test_the_demo_ends_with_one_person_s_answer_and_a_rehearsal_next_to_it(world: Path, call: Run) -> None:
    (world / "study.toml").write_text(STUDY.replace("participants = 3", "participants = 1"))
    call(world, "--only", "metrics")
    sit(world, "P01")
    for stage in ("quiz", "analyze"):
        call(world, "--only", stage)
    plan, ear = plan_of(world), Ear()
    before = plan.store.read_bytes()
    rehearsed = demo.rehearse(plan, ear)
    assert rehearsed is not None, ear.heard
    assert plan.store.read_bytes() == before, "the answers of people are in a store of their own"
    lines = closing_lines(plan, ["demo"], rehearsal=rehearsed)
    assert re.match(r"answer: One participant gives no verdict .*accuracy = \d.*%, 95% CI \[", lines[0]), lines
    page = rehearsed.folder / "report.html"
    assert re.match(r"rehearsal: .*simulated participants \(N = 24\).*\d%, 95% CI \[.*Nobody answered", lines[1]), lines
    assert lines[1].endswith(str(page))
    text = page.read_text()
    assert "<title>Simulated participants: Rehearsal: First words" in text
    assert "No person answered" in text
    tables = {path.stem for path in (rehearsed.folder / "tables").glob("*.csv")}
    assert {"paper", "rates", "correlations"} <= tables, "with metrics compared with people"
    with (rehearsed.folder / "tables" / "trials.csv").open() as file:
        assert {row["simulated"] for row in csv.DictReader(file)} == {"true"}
    assert demo.rehearse(plan, ear) is not None
    assert [line for line in ear.heard if line.endswith(": up to date")] == [
        f"{stage}: up to date" for stage in ("quiz", "analyze", "report")
    ], "a second demo only does what is missing"


def test_a_rehearsal_that_cannot_be_made_costs_the_demo_nothing(world: Path) -> None:
    plan, ear = Plan(load_study(world / "study.toml"), world / "study.toml", world / "out", None), Ear()
    (world / "out" / "rehearsal").mkdir(parents=True)
    (world / "out" / "rehearsal" / "mine.txt").write_text("mine")
    assert demo.rehearse(plan, ear) is None
    assert ear.heard[-1].startswith(f"rehearsal: skipped, --out {world}/out/rehearsal")
