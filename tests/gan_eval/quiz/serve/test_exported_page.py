"""The page without a server: what it contains, and its answers in a store."""

import json
import random
import zipfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from page_server import make_sets
from quiz_study import two_models
from robot import Robot, Serve, Served

from gan_eval import tables
from gan_eval.__main__ import run
from gan_eval.base.atomic import temporary_name
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.admission import QuizStudy
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.quiz.serve import page_import
from gan_eval.quiz.serve.page_export import Destination, export_page
from gan_eval.quiz.serve.page_import import import_page
from gan_eval.quiz.serve.page_key import PageKey
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import forget, open_store
from gan_eval.tables.frames import Row

QUIZ: dict[str, Any] = {
    "practice": 1,
    "confidence": 3,
    "exposure_ms": 150,
    "counterbalance_keys": True,
    "questions": [{"id": "age", "text": "How old are you?"}],
    "browser": {"checks": [{"text": "What do you judge?", "choices": ["sounds", "pictures"], "answer": "pictures"}]},
}
OWN = ("session", "started_at", "ended_at", "answered_at", "measured_at", "shown_at")
"""Columns in which two sessions with the same answers differ."""


@dataclass(kw_only=True)
class Recorded(Robot):
    """A participant of `serve` whose messages are also kept as the page without a server keeps them."""

    page: str
    session: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.records: list[dict[str, Any]] = []
        self.list_number = 1
        self._onset: dict[str, Any] | None = None

    def call(self, name: str, **body: Any) -> httpx.Response:
        if name == "onset":
            self._onset = body
        elif name not in ("open", "next"):
            if name == "resume" and self._onset is not None:
                self._keep("onset", self._onset)
            self._keep(name, body)
            self._onset = None
        return super().call(name, **body)

    def _keep(self, name: str, body: dict[str, Any]) -> None:
        n = len(self.records)
        record = {
            "gan_eval": 1,
            "page": self.page,
            "session": self.session,
            "list": self.list_number,
            "n": n,
            "name": name,
        }
        self.records.append({**record, "at": 1.79e12 + 1e4 * n, "body": body})


def made_key(study: QuizStudy, folder: Path, people: int = 2) -> PageKey:
    to = Destination(path=folder / "web")
    return export_page(study, to, people=people, key_file=folder / "study.key", say=lambda _: None)[0]


def recorded(
    served: Served,
    key: PageKey,
    *,
    reload_after: int | None = 2,
    code: str = "P01",
    session: str = "01a223dc-4575-7a4a-9884-0e82c649e176",
) -> list[dict[str, Any]]:
    """Take part in `serve`, with a wrong answer to the check and a reload while a picture is shown."""
    robot = Recorded(served.client, code, study=served.study, page=key.page, session=session)
    robot.arrive()
    (row,) = served.rows(tables.SESSIONS, session=robot.setup["session"])
    for record in robot.records:
        record["list"] = row["list"]
    robot.list_number = row["list"]
    robot.records[0] |= {"proof": key.proof(code, row["list"]), "list_sha256": key.lists[row["list"] - 1].sha256}
    robot.protocol = QuizProtocol(served.study.settings, list_number=row["list"])
    plan = served.rows(tables.PLANS, session=robot.setup["session"])
    robot.ask("check", choices=[0])
    robot.ask("check", choices=[1])
    following = robot.ready({"age": "30"}, refresh_hz=60.0)
    if reload_after is not None:
        following = robot.take_part(following, plan, most=reload_after)
        robot.ask("onset", trial=following["trial"], onset_ms=robot.now_ms + 5, sent_ms=robot.now_ms + 6)
        following = robot.arrive("resume")["next"]
    assert robot.take_part(following, plan)["page"] == "end"
    return robot.records


def stored(where: Path) -> dict[str, list[Row]]:
    """All rows of a store, without the columns in which sessions with the same answers differ."""
    with open_store(where) as store:
        return {
            table.name: [{name: cell for name, cell in row.items() if name not in OWN} for row in store.rows(table)]
            for table in tables.STORED_TABLES
        }


def as_jatos(records: list[dict[str, Any]], file: Path) -> Path:
    """JATOS' results: two runs of the component, with some records sent twice."""
    lines = [json.dumps(record) + "\n" for record in records]
    random.Random(1).shuffle(lines)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", '{"data": []}')
        archive.writestr("study_result_7/comp-result_9/data.txt", "".join(lines[:9]))
        archive.writestr("study_result_7/comp-result_10/data.txt", "".join(lines[5:]))
        archive.writestr("study_result_8/comp-result_11/data.txt", "")
    return file


@pytest.mark.parametrize(
    ("protocol", "marks"),
    [
        ("quick_response", 2),
        *(pytest.param(name, marks, marks=pytest.mark.nightly) for name, marks in (("paired", 1), ("rating", 0))),
    ],
)
def test_the_same_answers_give_the_rows_of_serve_once(serve: Serve, tmp_path: Path, protocol: str, marks: int) -> None:
    layout = {"layout": "one_after_other"} if protocol == "paired" else {}
    served = serve(protocol=protocol, **layout, **QUIZ, marks=marks, marks_after="every")
    key = made_key(served.study, tmp_path)
    records = recorded(served, key)
    where = tmp_path / "imported.sqlite"
    part = tmp_path / "part.json"
    for count in (
        2,
        *range(6, 13),
    ):  # among them those between the reload and the next trial, and a trial and its marks
        part.write_text(json.dumps(records[:count]))
        first = import_page([part], tmp_path / "study.key", where)
        assert (first.new_sessions, first.problems) == (count == 2, [])
    whole = as_jatos(records, tmp_path / "results.zip")
    second = import_page([whole, part], tmp_path / "study.key", where)
    assert (second.sessions, second.new_sessions, second.problems) == (1, 0, [])
    expected = stored(tmp_path / "served.sqlite")
    assert stored(where) == expected
    assert bool(expected["marks"]) == bool(marks)
    again = import_page([whole, part], tmp_path / "study.key", where)
    assert (again.new_sessions, again.new_trials, again.problems) == (0, 0, [])
    assert stored(where) == expected


def test_files_that_are_foreign_or_damaged_are_named_and_the_others_imported(serve: Serve, tmp_path: Path) -> None:
    served = serve(**QUIZ)
    key = made_key(served.study, tmp_path)
    records = recorded(served, key, reload_after=None)
    folder = tmp_path / "results"
    folder.mkdir()
    other = [{**record, "page": "0123", "session": record["session"][:-1] + "7"} for record in records]
    gap = [{**record, "session": record["session"][:-1] + "8"} for record in records if record["n"] != 6]
    impossible = json.loads(json.dumps(records[-1]))
    impossible["body"]["showings"] = impossible["body"]["showings"] * 2
    files = {
        "good.json": json.dumps(records[:-1]),
        "last.jsonl": json.dumps(records[-1]),
        "cut.json": json.dumps(records)[:-200],
        "foreign.json": json.dumps([{"rt": 1}, {"rt": 2}]),
        "impossible.json": json.dumps([{**impossible, "name": "check"}]),
        "other.json": json.dumps(other),
        "picture.txt": "\xff\xd8",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="latin-1")
    done = import_page([folder], tmp_path / "study.key", tmp_path / "imported.sqlite")
    named = sorted(line.partition(",")[0].partition(":")[0].rpartition("/")[2] for line in done.problems)
    assert named == ["cut.json", "foreign.json", "impossible.json", "other.json", "picture.txt"]
    assert done.new_sessions == 1
    assert stored(tmp_path / "imported.sqlite") == stored(tmp_path / "served.sqlite")
    import_words = ["--key", str(tmp_path / "study.key"), "--store", str(tmp_path / "imported.sqlite")]
    assert run(["store", "import-page", str(folder), *import_words]) == 3
    assert run(["store", "import-page", str(folder / "foreign.json"), *import_words]) == 2
    (folder / "gap.json").write_text(json.dumps(gap))
    done = import_page([folder / "gap.json"], tmp_path / "study.key", tmp_path / "gap.sqlite")
    assert done.new_trials == 2
    assert "record 6" in done.problems[0]

    leave = {**records[5], "n": 6, "name": "withdraw", "body": {"forget": False}}

    def imported(*last: dict[str, Any]) -> list[str]:
        (tmp_path / "left.json").write_text(json.dumps([*records[:6], *last]))
        done = import_page([tmp_path / "left.json"], tmp_path / "study.key", tmp_path / "left.sqlite")
        assert done.problems == []
        with open_store(tmp_path / "left.sqlite") as store:
            return [row["status"] for row in store.rows(tables.SESSIONS)]

    assert imported() == ["open"]
    assert imported(leave) == ["aborted"]
    assert imported({**leave, "body": {"forget": True}}) == [], "the data are deleted"
    assert imported({**leave, "body": {"forget": True}}) == []


@pytest.fixture(params=["file", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "imported.sqlite") if request.param == "file" else request.getfixturevalue("database")


def test_who_was_deleted_does_not_come_back_with_the_same_answers(
    serve: Serve, tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    served = serve(**QUIZ)
    records = recorded(served, made_key(served.study, tmp_path), reload_after=None)
    leave = {**records[5], "n": 6, "name": "withdraw", "body": {"forget": True}}
    files = {"all.json": records, "part.json": records[:6], "leave.json": [*records[:6], leave]}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))

    def imported(name: str) -> str:
        words = ["store", "import-page", str(tmp_path / name), "--key", str(tmp_path / "study.key"), "--store", store]
        assert run(words) == 0
        with open_store(store) as opened:
            people = [row["participant"] for row in opened.rows(tables.SESSIONS)]
        said = capsys.readouterr().err
        out = "1 session left out, because the participants' data are deleted; delete them in the files, too: "
        assert (f"{out}{records[0]['session']}" in said) == (name == "both.json" or people == [])
        return " ".join(people)

    assert imported("all.json") == "P01"
    forget(store, "P01")
    assert imported("all.json") == "", "deleted by the experimenter"
    assert imported("part.json") == ""
    with open_store(store) as opened, opened.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM gan_eval_deleted")
    assert imported("leave.json") == "", "deleted by request, before anything was stored"
    assert imported("part.json") == "", "an earlier file alone"
    again = [{**record, "session": records[0]["session"][:-1] + "0"} for record in records]
    (tmp_path / "both.json").write_text(json.dumps([*records, *again]))
    assert imported("both.json") == "P01", "a new session of the same code"
    with open_store(store) as opened:
        assert [row["session"] for row in opened.rows(tables.SESSIONS)] == [again[0]["session"]]


@pytest.fixture
def study(stimuli: StimulusSet) -> QuizStudy:
    settings = QuizSettings(real=3, fake=3, practice=2, mask="scramble")
    return QuizStudy(name="tiles", settings=settings, shown=[two_models(stimuli)], seed=5, design={"made": "here"})


def test_an_archive_for_jatos_is_one_description_and_one_folder(study: QuizStudy, tmp_path: Path) -> None:
    to = Destination(path=tmp_path / "study.jzip", jatos=True)
    export_page(study, to, people=2, key_file=tmp_path / "study.key", say=lambda _: None)
    with zipfile.ZipFile(tmp_path / "study.jzip") as archive:
        names = archive.namelist()
        (jas,) = (name for name in names if name.endswith(".jas"))
        described = json.loads(archive.read(jas))
        (folder,) = {name.partition("/")[0] for name in names if "/" in name}
        html = archive.read(f"{folder}/index.html").decode()
    assert (described["version"], described["data"]["dirName"]) == ("3", folder)
    (component,) = described["data"]["componentList"]
    assert (component["htmlFilePath"], component["reloadable"]) == ("index.html", True)
    assert '<script src="jatos.js">' in html


STUDY = """
study = {name = "tiles"}
stimuli = {sets = ["tiles"]}
quiz = {real = 1, fake = 1}
"""


@pytest.mark.parametrize("option", ["--out", "--static"])
def test_what_a_killed_export_has_left_is_removed_by_the_next_one(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_sets(tmp_path, None)
    (tmp_path / "study.toml").write_text(STUDY)
    page = tmp_path / ("study.jzip" if option == "--out" else "web")
    words = ["export", "page", str(tmp_path / "study.toml"), option, str(page), "--people", "1"]
    of_others = {tmp_path / temporary_name("other.jzip"), tmp_path / ".study.notes.tmp.jzip"}
    made = {tmp_path / "study.key", page if option == "--out" else tmp_path / "study.links.csv"}
    left = {tmp_path / temporary_name(path.name) for path in made}
    for path in of_others | left:
        path.write_bytes(b"PK")
    before = {*tmp_path.iterdir()}
    with hold_lock(tmp_path / ".study.key.lock", "--key", "exporting a page to it"):
        assert run(words) == 2
        assert "study.key: another program is exporting a page to it; wait for it" in capsys.readouterr().err
    assert {*tmp_path.iterdir()} == before
    assert run(words) == 0
    assert {*tmp_path.iterdir()} == before - left | {page, *made}


def test_two_imports_into_one_store_take_turns(
    serve: Serve, tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(**QUIZ)
    records = recorded(served, made_key(served.study, tmp_path), reload_after=None)
    (tmp_path / "all.json").write_text(json.dumps(records))
    words = ["store", "import-page", str(tmp_path / "all.json"), "--key", str(tmp_path / "study.key"), "--store", store]
    begun = partial(page_import._Replay._begin)
    second: list[int] = []

    def begin(replay: Any, *rest: Any) -> None:
        if not second:
            second.append(run(words))
        begun(replay, *rest)

    monkeypatch.setattr(page_import._Replay, "_begin", begin)
    assert (run(words), second) == (0, [2])
    said = capsys.readouterr().err
    assert "another program is importing answers into it; wait for it, or end it" in said
    assert "begun a session elsewhere" not in said
    with open_store(store) as opened:
        assert len(opened.rows(tables.SESSIONS)) == 1


@pytest.mark.parametrize(
    ("quiz", "word"),
    [({"protocol": "staircase"}, "staircase"), ({"picture_size": "8 deg", "viewing_distance_cm": 60}, "8 deg")],
)
def test_what_needs_a_server_is_refused(study: QuizStudy, tmp_path: Path, quiz: dict[str, Any], word: str) -> None:
    with pytest.raises(UserError, match=word):
        made_key(replace(study, settings=QuizSettings(**quiz)), tmp_path)
    assert not [*tmp_path.glob("web/*"), *tmp_path.glob("*.key")]
