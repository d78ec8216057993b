"""Answers of a page without a server that come back damaged, twice, in parts, or to an import that was killed."""

import copy
import json
import math
import random
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from quiz_study import two_models
from refusals import refused
from robot import Served
from test_exported_page import QUIZ, made_key, recorded, stored

from gan_eval import tables
from gan_eval.__main__ import run
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.admission import QuizStudy
from gan_eval.quiz.serve.page_import import ReturnedAnswers, import_page, read_key
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Store, open_store

Records = list[dict[str, Any]]
SESSION = "01a223dc-4575-7a4a-9884-0e82c649e{:03d}"


class Page:
    """An exported page, and what came back from it."""

    def __init__(self, study: QuizStudy, folder: Path, stack: ExitStack) -> None:
        self.folder, self.study = folder, study
        self.key = made_key(study, folder, people=8)
        self._served = Served(study, folder / "served.sqlite", stack)
        self._people = 0

    def answers(self, *, reload_after: int | None = None) -> Records:
        """The records of another person's whole session."""
        self._people += 1
        return recorded(
            self._served,
            self.key,
            reload_after=reload_after,
            code=f"P{self._people:02d}",
            session=SESSION.format(self._people),
        )

    def imported(self, *contents: str | bytes | Records, store: str = "answers.sqlite") -> ReturnedAnswers:
        """Import files with these contents."""
        files = []
        for number, content in enumerate(contents):
            text = content if isinstance(content, str | bytes) else lines(content)
            files.append(self.folder / f"answers-{number}.txt")
            files[-1].write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        return import_page(files, self.folder / "study.key", self.folder / store)

    def command(self, store: Path) -> list[str]:
        """The command that imports the first of these files again."""
        words = ["store", "import-page", self.folder / "answers-0.txt", "--key", self.folder / "study.key"]
        return [sys.executable, "-m", "gan_eval", *map(str, words), "--store", str(store)]

    def stored(self, store: str = "answers.sqlite") -> dict[str, Any]:
        return stored(self.folder / store)

    def statuses(self, store: str = "answers.sqlite") -> dict[str, tuple[str, int]]:
        """Status and number of trials by session."""
        with open_store(self.folder / store) as opened:
            return {
                row["session"]: (row["status"], len(opened.rows(tables.TRIALS, session=row["session"])))
                for row in opened.rows(tables.SESSIONS)
            }


def lines(records: Records) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def page(stimuli: StimulusSet, tmp_path: Path) -> Iterator[Page]:
    """A page that asks everything: a check, a question, confidence, and marks."""
    quiz = {**QUIZ, "marks": 1, "marks_after": "every"}
    quiz["questions"] = [{"id": "age", "text": "How old are you?", "required": True}]
    settings = QuizSettings(**{"real": 2, "fake": 2, **quiz})
    study = QuizStudy(name="tiles", settings=settings, shown=[two_models(stimuli)], seed=5, design={"made": "here"})
    with ExitStack() as stack:
        yield Page(study, tmp_path, stack)


# An import that ended ------------------------------------------------------------------------------------------------


def ended_sessions(page: Page) -> Records:
    """Sessions that end in every way: complete after a reload, screened out by question or display, withdrawn."""
    whole = page.answers(reload_after=2)

    def other(number: int, *records: dict[str, Any]) -> Records:
        session = {"session": SESSION.format(100 + number)}
        changed = [copy.deepcopy(record) | session | {"n": n} for n, record in enumerate(records)]
        changed[0]["body"]["participant"] = f"Q{number}"
        changed[0]["proof"] = page.key.proof(f"Q{number}", changed[0]["list"])
        return changed

    begin, wrong, right, ready, first = whole[:5]
    small = copy.deepcopy(ready)
    small["body"]["screen"]["window_width"] = 20
    leave = {**first, "name": "withdraw", "body": {"forget": False}}
    return [
        *whole,
        *other(1, begin, wrong, wrong),
        *other(2, begin, right, small),
        *other(3, begin, wrong, right, ready, first, leave),
        *other(4, begin, wrong),
    ]


@pytest.mark.parametrize(("most", "step"), [(5, 8), pytest.param(0, 1, marks=pytest.mark.nightly)])
def test_an_import_that_ended_after_any_write_is_completed_by_the_next(
    page: Page, monkeypatch: pytest.MonkeyPatch, most: int, step: int
) -> None:
    records = ended_sessions(page)
    assert page.imported(records).problems == []
    expected = page.stored()
    assert {status for status, _ in page.statuses().values()} == {"complete", "aborted", "open"}
    writes = 0
    real = {name: getattr(Store, name) for name in ("begin", "add", "update_session")}

    def limited(name: str, most: int) -> Callable[..., None]:
        def write(self: Store, *arguments: Any, **named: Any) -> None:
            nonlocal writes
            if writes >= most:
                raise UserError("ended")
            real[name](self, *arguments, **named)
            writes += 1

        return write

    is_ended = True
    while is_ended:
        writes = 0
        with monkeypatch.context() as patched:
            for name in real:
                patched.setattr(Store, name, limited(name, most))
            is_ended = bool(page.imported(records, store=f"{most}.sqlite").problems)
        assert page.imported(records, store=f"{most}.sqlite").problems == [], most
        assert page.stored(f"{most}.sqlite") == expected, most
        most += step
    assert most > 30


def test_a_trial_whose_onset_alone_was_stored_is_imported(page: Page) -> None:
    records = page.answers(reload_after=2)
    page.imported(records)
    expected = page.stored()
    last = max(row["trial"] for row in expected["trials"])
    for trial in range(1, last + 1):
        where = page.folder / f"{trial}.sqlite"
        shutil.copy(page.folder / "answers.sqlite", where)
        with open_store(where) as store, store.transaction() as connection:
            for table, first in (("trials", trial), ("marks", trial), ("onsets", trial + 1)):
                connection.exec_driver_sql(f"delete from {table} where trial >= {first}")
            connection.exec_driver_sql("update sessions set status = 'open', ended_at = null")
        assert page.imported(records, store=where.name).problems == []
        assert page.stored(where.name) == expected, trial


@pytest.mark.nightly
def test_imports_killed_at_random_moments_lose_nothing(page: Page) -> None:
    rng = random.Random(7)
    whole = page.answers(reload_after=2)
    records = [
        {**record, "session": SESSION.format(100 + person), "body": record["body"] | named}
        for person in range(8)
        for record in whole
        for named in [{"participant": f"R{person}"} if record["name"] in ("begin", "resume") else {}]
    ]
    for record in records:
        if record["name"] == "begin":
            record["proof"] = page.key.proof(record["body"]["participant"], record["list"])
    assert page.imported(records).problems == []
    expected = page.stored()

    def ended(store: Path, at: float) -> int:
        """Kill an import when its log has this number of bytes; return the number that the log had."""
        process = subprocess.Popen(page.command(store), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        log, size = store.with_name(f"{store.name}-wal"), 0
        while process.poll() is None and size < at:
            with suppress(FileNotFoundError):
                size = max(size, log.stat().st_size)
            time.sleep(0.001)
        process.kill()
        process.communicate()
        return size

    whole_log, partly = ended(page.folder / "timed.sqlite", math.inf), 0
    assert page.stored("timed.sqlite") == expected
    for kill in range(16):
        store = page.folder / f"killed-{kill}.sqlite"
        ended(store, rng.uniform(0, whole_log))
        partly += 0 < len(page.stored(store.name)["trials"]) < len(expected["trials"])
        done = subprocess.run(page.command(store), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert page.stored(store.name) == expected
    print(f"16 kills, {partly} of them when some of the trials were stored")
    assert partly > 8


@pytest.mark.nightly
def test_imports_at_once_lose_nothing_and_say_who_is_importing(page: Page) -> None:
    records = [record for _ in range(4) for record in page.answers(reload_after=2)]
    page.imported(records)
    expected = page.stored()
    for attempt in range(5):
        store = page.folder / f"{attempt}.sqlite"
        at_once = [
            subprocess.Popen(page.command(store), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        results = [(process.communicate()[1], process.returncode) for process in at_once]
        assert 0 in [status for _, status in results], results
        for text, status in results:
            assert status == 0 or (status == 2 and "is importing answers into it; wait for it" in text), text
        assert page.stored(store.name) == expected


def test_a_second_import_into_a_store_is_refused(page: Page) -> None:
    from gan_eval.quiz.admission import lock_file

    records, where = page.answers(), page.folder / "answers.sqlite"
    with hold_lock(lock_file(where, "import-page"), "here", "importing"):
        with pytest.raises(UserError, match=r"answers\.sqlite: .* is importing answers into it; wait for it"):
            page.imported(records)
    assert page.imported(records).problems == []


# Parts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 13))])
def test_growing_parts_in_any_order_equal_one_import(page: Page, seed: int) -> None:
    rng = random.Random(seed)
    people = [page.answers(reload_after=rng.choice([None, 1, 2, 3])) for _ in range(3)]
    people[0] = people[0][: rng.randrange(5, len(people[0]))]
    everything = [record for records in people for record in records]
    page.imported(everything, store="once.sqlite")
    expected = page.stored("once.sqlite")
    ends = [[*sorted(rng.sample(range(1, len(records)), 3)), len(records)] for records in people]
    for step in range(4):
        parts = [record for records, until in zip(people, ends, strict=True) for record in records[: until[step]]]
        parts += rng.sample(parts, len(parts) // 3)
        rng.shuffle(parts)
        third = len(parts) // 3
        array = json.dumps(parts[third : 2 * third], indent=rng.choice([None, 1]))
        done = page.imported(lines(parts[:third]), array, parts[2 * third :])
        assert done.problems == []
    assert page.stored() == expected
    assert page.imported(everything).new_trials == 0


# Several sessions of one code ----------------------------------------------------------------------------------------


def claimed(records: Records, number: int, *, code: str = "P01", at: float = 0.0) -> Records:
    """The records as another session of a code, begun this number of milliseconds later."""
    other = [{**record, "session": SESSION.format(number), "at": record["at"] + at} for record in records]
    return [{**other[0], "body": {**other[0]["body"], "participant": code}}, *other[1:]]


def test_of_two_sessions_of_one_code_the_complete_one_is_imported(page: Page) -> None:
    own = page.answers()
    cut, forged = claimed(own[:8], 400, at=-1e7), claimed(own, 300, code="p01", at=-2e7)
    for number, order in enumerate(([*own, *cut], [*cut, *own])):
        done = page.imported(order, store=f"{number}.sqlite")
        assert page.statuses(f"{number}.sqlite") == {own[0]["session"]: ("complete", 5)}
        (line,) = done.problems
        assert line.startswith("participant P01 has several sessions: ")
        assert cut[0]["session"] in line
        assert "2 of 5 trials; " in line
        assert "participants forget P01" in line
    two = page.imported(own, forged, store="two.sqlite")
    assert page.statuses("two.sqlite") == {}
    assert "several are complete, so none is imported" in two.problems[0]
    assert all(text in two.problems[0] for text in ("answers-0.txt, line 1", "answers-1.txt, line 1", "begun 2026-"))
    begun = page.imported(cut, claimed(own[:6], 500), store="begun.sqlite")
    assert page.statuses("begun.sqlite") == {}
    assert "none is complete yet" in begun.problems[0]


def test_a_stored_session_stays_and_another_one_of_its_code_is_named(page: Page) -> None:
    own = page.answers()
    forged = claimed(own[:8], 300, at=-1e7)
    assert page.imported(forged).problems == []
    done = page.imported(forged, own)
    assert page.statuses() == {forged[0]["session"]: ("open", 2)}
    assert f"{forged[0]['session']} is in the store (open) and stays; for another one: " in done.problems[0]
    assert f"gan-eval participants forget P01 --store {page.folder / 'answers.sqlite'}" in done.problems[0]


# Records that are not those of the page ------------------------------------------------------------------------------


def test_a_foreign_and_a_cut_line_leave_the_others(page: Page) -> None:
    first, second = page.answers(), page.answers()
    text = lines(first) + '{"hello": 1}\n' + lines(second)[:-30]
    done = page.imported(text)
    assert page.statuses() == {first[0]["session"]: ("complete", 5), second[0]["session"]: ("open", 5)}
    last = text.count("\n") + 1
    name = page.folder / "answers-0.txt"
    assert [line.partition(": ")[0] for line in done.problems] == [
        f"{name}, line {last}",
        f"{name}, line {len(first) + 1}",
    ][::-1]
    assert "gan_eval: is missing" in done.problems[0]
    assert "not JSON, or cut off" in done.problems[1]


@pytest.mark.parametrize("indent", [None, 1])
def test_the_place_in_an_array_is_named(page: Page, indent: int | None) -> None:
    records = page.answers()
    bad = copy.deepcopy(records)
    bad[-1]["body"]["nothing_ms"] = -5
    text = json.dumps(bad, indent=indent)
    (line,) = page.imported(text).problems
    place = text[: text.rindex("{", 0, text.rindex('"gan_eval"'))].count("\n") + 1
    where = f"answers-0.txt, line {place}, record {len(bad)} of the array: body.nothing_ms: found -5"
    assert where in line
    assert page.imported(json.dumps(records, indent=indent)[:-20], store="cut.sqlite").problems
    assert page.statuses() == page.statuses("cut.sqlite") == {records[0]["session"]: ("open", 5)}
    (line,) = page.imported(json.dumps(records).rstrip("]"), store="end.sqlite").problems
    assert "the array does not end" in line


def test_an_empty_file_is_named(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    done = page.imported(page.answers(), b"", b" \n", b"[]")
    assert [Path(name).name for name in done.empty] == [f"answers-{number}.txt" for number in (1, 2, 3)]
    assert done.problems == []
    words = ["--key", str(page.folder / "study.key"), "--store", str(page.folder / "answers.sqlite")]
    assert run(["store", "import-page", *(str(page.folder / f"answers-{n}.txt") for n in (0, 1)), *words]) == 0
    assert f"empty: {page.folder / 'answers-1.txt'}; if its participant has answered" in capsys.readouterr().err
    assert run(["store", "import-page", str(page.folder / "answers-1.txt"), *words]) == 2


def test_records_that_contradict_each_other_are_named(page: Page) -> None:
    records = page.answers()
    other = copy.deepcopy(records[4])
    other["body"]["confidence"] = 1 + other["body"]["confidence"] % 3
    (line,) = page.imported([*records, other], store="1.sqlite").problems
    assert f"answers-0.txt, line {len(records) + 1}: record 4 of session {records[0]['session']} differs from " in line
    assert page.statuses("1.sqlite") == {records[0]["session"]: ("complete", 5)}
    (line,) = page.imported([*records[:4], {**records[4], "list": 2}], store="2.sqlite").problems
    assert "line 5: session" in line
    assert "record 4, trial: list: found 2, but it began with 1" in line
    early = {**records[4], "body": {**records[4]["body"], "sent_ms": 0.0}}
    (line,) = page.imported([*records[:4], early], store="3.sqlite").problems
    assert "record 4, trial: body.trial 1: sent_ms: before the last of its showings and presses" in line


def test_a_damaged_zip_file_leaves_the_others(page: Page) -> None:
    records, folder = page.answers(), page.folder / "results"
    folder.mkdir()
    for name in ("a.zip", "b.zip"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("data.txt", lines(records[:3]))
            archive.writestr("more.txt", lines(records[3:]))
    data = (folder / "a.zip").read_bytes()
    (folder / "a.zip").write_bytes(data.replace(b'"gan_eval"', b'"gan_evil"', 1))
    (folder / "c.zip").write_bytes(data[: len(data) // 2])
    done = import_page([folder], page.folder / "study.key", page.folder / "answers.sqlite")
    assert page.statuses() == {records[0]["session"]: ("complete", 5)}
    assert [line.startswith(str(folder / name)) for line, name in zip(done.problems, ("a.zip", "c.zip"), strict=True)]


def test_a_session_that_the_page_would_not_let_begin_is_not_complete(page: Page) -> None:
    whole = page.answers()

    def without(*names: str) -> Records:
        kept = [record for record in whole if record["name"] not in names]
        return [{**record, "n": n} for n, record in enumerate(kept)]

    (line,) = page.imported(without("check"), store="1.sqlite").problems
    assert "line 2: session" in line
    assert "record 1, ready: the questions on the instructions (a record check) were not passed" in line
    assert page.statuses("1.sqlite") == {whole[0]["session"]: ("open", 0)}
    unanswered = copy.deepcopy(whole)
    unanswered[3]["body"]["answers"] = {}
    (line,) = page.imported(unanswered, store="2.sqlite").problems
    assert "line 4: session" in line
    assert "record 3, ready: body.answers.age: is missing; the study requires this answer" in line
    refused = copy.deepcopy(whole)
    refused[0]["body"]["consent"] = False
    (line,) = page.imported(refused, store="3.sqlite").problems
    assert "record 0, begin: body.consent: expected true" in line
    assert page.statuses("3.sqlite") == {}
    for code in ("PROLIFIC_PID", "undefined", "a b", ""):
        line, missing = page.imported(claimed(whole, 1, code=code), store="4.sqlite").problems
        assert "line 1: body.participant: found" in line or "body.participant: --participant" in line
        assert "record 0, which comes before it, is missing" in missing


# Anything ------------------------------------------------------------------------------------------------------------

VALUES: tuple[Any, ...] = (
    None, True, 0, 1, -1, 2, 7, 10**6, 10**18, 2**70, 0.5, -0.5, 1e-320, 1e308, float("nan"), float("inf"), "", " ",
    "x", "3", "x" * 5000, "\0", "a\nb", "\x1b[31m", "\ud800", "../..", "trial", "begin", "real", [], [""], [[]],
    [{}], {}, {"x": 1}, {"": None}, [1] * 300, "0000",
)  # fmt: skip


def places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every value in a record."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*place, key)
        yield from places(inner, (*place, key))


def malformed(record: dict[str, Any], rng: random.Random) -> tuple[str, set[str]]:
    """A record as text with one fault, and the words of which its refusal has one."""
    changed = copy.deepcopy(record)
    *above, last = rng.choice(list(places(changed)))
    inner: Any = changed
    for part in above:
        inner = inner[part]
    named = {str(part) for part in (*above, last)} - {"body"}
    match rng.choice(["value"] * 6 + ["missing", "more", "cut", "foreign", "bytes"]):
        case "value":
            inner[last] = rng.choice(VALUES)
            above_named = {"body"} if not above else set()
            return json.dumps(changed), named | above_named
        case "missing":
            del inner[last]
            return json.dumps(changed), named | {"body"}
        case "more":
            if isinstance(inner, dict):
                inner[rng.choice(["more", "", "x" * 300, "a\nb"])] = 1
            else:
                inner.append(rng.choice(VALUES))
            return json.dumps(changed), {*named, "more", "x" * 70, "a b", "body", "no such key"}
        case "cut":
            text = json.dumps(changed)
            return text[: rng.randrange(1, len(text))], {"not JSON"}
        case "foreign":
            return json.dumps(rng.choice([*filter(None, VALUES), {"rt": 1}, {"gan_eval": 2}])), {"gan_eval"}
    return json.dumps(changed).replace(json.dumps(record["session"]), '"\udcff"'), {"session"}


def formatted(texts: list[str], rng: random.Random) -> str:
    """Records as lines, or as an array."""
    before, between, after = rng.choice([("", "\n", ""), ("[\n", ",\n", "\n]\n"), ("[", ",", "]")])
    return before + between.join(texts) + after


@pytest.fixture
def sound(stimuli: StimulusSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, Records, Records]]:
    """A page, and the whole sessions of two people."""
    settings = QuizSettings(real=1, fake=1, **{**QUIZ, "marks": 1, "marks_after": "every"})
    study = QuizStudy(name="tiles", settings=settings, shown=[two_models(stimuli)], seed=5, design={"made": "here"})
    with ExitStack() as stack:
        page = Page(study, tmp_path_factory.mktemp("page"), stack)
        yield page, page.answers(reload_after=1), page.answers()


def test_a_malformed_record_is_named_and_the_others_are_imported(
    sound: tuple[Page, Records, Records], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    page, first, second = sound
    option, refused, file = request.config.getoption, 0, tmp_path / "answers.txt"
    import_page([page.folder / "study.key"], page.folder / "study.key", tmp_path / "none.sqlite")
    for case in range(2 * option("--attacks")):
        rng = random.Random(f"{option('--attack-seed')} {case}")
        bad = rng.randrange(len(first))
        texts = [json.dumps(record) for record in (*first, *second)]
        texts[bad], words = malformed(first[bad], rng)
        place = list(range(len(texts)))
        rng.shuffle(place)
        text = formatted([texts[number] for number in place], rng)
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        store = tmp_path / f"{case}.sqlite"
        done = import_page([file], page.folder / "study.key", store)
        with open_store(store) as opened:
            trials = [row["session"] for row in opened.rows(tables.TRIALS)]
            sessions = {row["session"]: row["status"] for row in opened.rows(tables.SESSIONS)}
        assert sessions[second[0]["session"]] == "complete", (case, texts[bad])
        whole = [record["body"]["trial"] for record in first[:bad] if record["name"] in ("onset", "trial")]
        assert trials.count(first[0]["session"]) >= len({*whole}) - (first[bad]["name"] == "resume"), (case, texts[bad])
        for line in done.problems:
            assert re.match(rf"{re.escape(str(file))}, line \d+", line) or "several sessions" in line, (case, line)
            assert not re.search(r"Traceback|Error\(|[\x00-\x1f]", line), (case, line)
        if done.problems:
            refused += 1
            line = done.problems[0]
            assert any(word in line for word in words), (case, texts[bad], line)
        store.unlink()
    assert refused > option("--attacks")
    print(f"{2 * option('--attacks')} cases, {refused} refused")


def test_a_malformed_key_is_refused_in_a_line_that_names_the_cell(
    sound: tuple[Page, Records, Records], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    page, first, _ = sound
    option, text, refused = request.config.getoption, (page.folder / "study.key").read_text("utf-8"), 0
    file, path = tmp_path / "answers.txt", tmp_path / "study.key"
    file.write_text(lines(first))
    for case in range(2 * option("--attacks")):
        rng = random.Random(f"{option('--attack-seed')} key {case}")
        key = json.loads(text)
        *above, last = rng.choice([place for place in places(key) if place[0] != "design"])
        inner: Any = key
        for part in above:
            inner = inner[part]
        if rng.random() < 0.3:
            del inner[last]
        else:
            inner[last] = rng.choice(VALUES)
        path.write_text(json.dumps(key))
        store = tmp_path / f"{case}.sqlite"
        refusal, lines_said = "", list[str]()
        try:
            lines_said = import_page([file], path, store).problems
        except UserError as error:
            refusal = str(error)
        if refusal:
            refused += 1
            words = {str(part) for part in (*above, last) if not isinstance(part, int)}
            words |= {"list", "its digest", "Invalid JSON: unexpected end of hex escape at line 1 column"}
            assert refusal.startswith(f"--key {path}: "), (case, refusal)
            assert any(word in refusal for word in words), (case, above, last, refusal)
        assert all(line.startswith(str(file)) for line in lines_said), (case, above, last, lines_said)
        store.unlink(missing_ok=True)
    print(f"{2 * option('--attacks')} keys, {refused} refused")
    assert refused > option("--attacks")


def test_a_list_of_another_form_is_refused(page: Page) -> None:
    file = page.folder / "study.key"
    text = file.read_text("utf-8")

    for change, problem in (
        (lambda dealt: dealt.update(row={}), "row, protocol: empty"),
        (lambda dealt: dealt["plan"][2].pop("block"), "plan, row 3, block: empty"),
        (lambda dealt: dealt["plan"][0].update(kind="banana"), "plan, row 1, kind: found 'banana'"),
        (lambda dealt: dealt["row"].update(list=1), "row, list: found 1, expected 2"),
        (lambda dealt: dealt["plan"][0].update(dataset=3), "plan, row 1, dataset: found 3, expected '3'"),
        (lambda dealt: dealt["plan"][0].update(trial=9), "plan, row 1, trial: found 9, expected 1"),
        (lambda dealt: dealt["plan"][0].update(stimulus_b="a/b/c"), "plan, row 1, stimulus_b, position: not possible"),
    ):
        key = json.loads(text)
        change(key["lists"][1])
        file.write_text(json.dumps(key))
        refused(f"--key {re.escape(str(file))}: damaged: list 2, {problem}", read_key, file)
