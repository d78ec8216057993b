"""Admission: beginning, resuming, refusals, and the lists of participants."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from quiz_study import admit, set_of, stimulus_rows, study_of
from refusals import refused

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.quiz.admission import Admitted, Person
from gan_eval.quiz.simulate import Observer
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Store, forget_in, give_back_list, open_store

SETTINGS = QuizSettings(real=2, fake=2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.sqlite") as store:
        yield store


def admitted(
    store: Store, code: str = "P01", *, settings: QuizSettings = SETTINGS,
    study: dict[str, Any] | None = None, **how: Any,
) -> Admitted:  # fmt: skip
    """The session to which a participant is admitted."""
    return admit(store, study_of(set_of(stimulus_rows(20)), settings, **study or {}), Person(code, **how))


def begin(store: Store, code: str = "P01", **how: Any) -> Admitted:
    """Admit a participant and store the session with its draw."""
    found = admitted(store, code, **how)
    session = {**found.row, "started_at": "2026-01-31T12:00:00.000Z"}
    store.begin(session, [{**row, "session": session["session"]} for row in found.plan], None)
    return found


def test_who_comes_after_a_requested_list_gets_the_next_one(store: Store) -> None:
    rows = [begin(store, f"R{n}", list_number=number, station="right").row for n, number in enumerate((1001, None))]
    assert [(row["list"], row["station"]) for row in rows] == [(1001, "right"), (1002, "right")]


def test_people_and_simulated_participants_are_counted_apart(store: Store) -> None:
    assert [begin(store, f"S{n}", observer=Observer()).row["list"] for n in range(3)] == [1, 2, 3]
    assert [begin(store, f"P{n}").row["list"] for n in range(2)] == [1, 2]


def test_those_who_are_admitted_before_any_has_begun_get_lists_of_their_own(store: Store) -> None:
    assert [admitted(store, f"P{n}").row["list"] for n in range(3)] == [1, 2, 3]
    gone = admitted(store, "P4")
    give_back_list(store, gone.row["session"])
    assert admitted(store, "P6").row["list"] == gone.row["list"] == 4


def test_lists_of_deleted_or_empty_sessions_are_dealt_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = [begin(store, f"P{number}").row["session"] for number in range(1, 7)]
    store.add(tables.ONSETS, [{"session": sessions[4], "trial": 1, "simulated": False}])
    for place in (2, 4):  # screened out, and withdrawn after a picture
        store.update_session(sessions[place], {"status": "aborted"})
    forget_in(store, "P2")
    forget_in(store, "P6")
    killed = admitted(store, "Q1").row["list"]
    assert [killed, *(begin(store, f"Q{number}").row["list"] for number in range(2, 5))] == [2, 3, 6, 7]
    monkeypatch.setattr("gan_eval.store.records.RESERVED_S", 0)  # half an hour later
    assert [begin(store, f"R{number}").row["list"] for number in range(2)] == [2, 8]


def test_programs_that_ask_at_the_same_moment_get_lists_of_their_own(tmp_path: Path) -> None:
    path, together = tmp_path / "new.sqlite", Barrier(6)

    def admit_one(number: int) -> int:
        with open_store(path) as store:
            together.wait()
            return int(admitted(store, f"P{number}").row["list"])

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(admit_one, range(6))) == [1, 2, 3, 4, 5, 6]


def test_a_list_may_be_asked_for(store: Store) -> None:
    first = begin(store, list_number=7)
    assert (first.row["list"], first.warnings) == (7, ())
    again = begin(store, "P09", list_number=7)
    (line,) = again.warnings
    assert (again.plan, line[:7]) == (first.plan, "list 7 ")
    refused(r"--list 3:.*P01.*list 7", admitted, store, list_number=3)
    assert admitted(store, list_number=7).stored


def test_codes_that_differ_only_in_case_are_one_persons(store: Store) -> None:
    first = begin(store)
    assert admitted(store, "p01").row["session"] == first.row["session"]
    with pytest.raises(UserError, match=r"store\.sqlite: participant P01.*session elsewhere"):
        store.begin({**first.row, "session": "another", "participant": "p01"}, [], None)
    store.update_session(first.row["session"], {"status": "complete"})
    refused(r"--participant p01 \(the same person as P01\):", admitted, store, "p01")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"study": {"design": {"other": 1}}}, "have changed"),
        ({"observer": Observer()}, "only one of the two is simulated|people have answered"),
    ],
)
def test_who_is_not_admitted(store: Store, how: dict[str, Any], message: str) -> None:
    begin(store)
    refused(message, admitted, store, **how)


@pytest.mark.parametrize("code", ["Jane Doe", "", "x" * 65, "a/b"])
def test_a_code_that_is_no_pseudonym_is_refused(code: str) -> None:
    refused("pseudonym", Person, code)
