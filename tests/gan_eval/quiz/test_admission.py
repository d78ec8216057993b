"""Admission: beginning, resuming, refusals, and the lists of participants."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from quiz_study import set_of, study_of

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz.admission import Admitted, Person, admit
from gan_eval.quiz.simulate import Observer
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Store, give_back_list, open_store
from gan_eval.tables.frames import Row

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SETTINGS = QuizSettings(real=2, fake=2)
Begin = Callable[..., Admitted]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.sqlite") as store:
        yield store


@pytest.fixture
def begin(store: Store, rows: Callable[..., list[Row]]) -> Begin:
    """`begin("P01")` admits a participant and stores the session with its draw."""

    def start(
        participant: str, *, simulated: bool = False, into: Store = store, station: str | None = None, **how: object
    ) -> Admitted:
        person = Person(participant, Observer() if simulated else None, station, **how)  # type: ignore[arg-type]
        admitted = admit(into, study_of(set_of(rows(20)), SETTINGS), person, now=NOON)
        session = {**admitted.row, "started_at": "2026-01-31T12:00:00.000Z"}
        into.begin(session, [{**row, "session": session["session"]} for row in admitted.plan], None)
        return admitted

    return start


def again(store: Store, rows: Callable[..., list[Row]], settings: QuizSettings, now: datetime) -> Admitted:
    return admit(store, study_of(set_of(rows(20)), settings), Person("P01"), now=now)


def test_an_open_session_goes_on_with_its_draw_within_the_study_s_limit(
    store: Store, rows: Callable[..., list[Row]], begin: Begin
) -> None:
    first = begin("P01")
    store.add(tables.ONSETS, [{"session": first.row["session"], "trial": 1}])
    taken_up = again(store, rows, SETTINGS, NOON + timedelta(hours=1.9))
    assert taken_up.stored
    assert [row["stimulus"] for row in taken_up.plan] == [row["stimulus"] for row in first.plan]
    assert [row["trial"] for row in taken_up.onsets] == [1]
    assert taken_up.warnings == ()
    assert again(store, rows, SETTINGS, NOON + timedelta(days=3000)).stored


def test_a_clock_that_was_set_back_is_told_and_no_obstacle_without_a_limit(
    store: Store, rows: Callable[..., list[Row]], begin: Begin
) -> None:
    begin("P01")
    (line,) = again(store, rows, SETTINGS, NOON - timedelta(days=400)).warnings
    assert "was the clock set back?" in line
    assert again(store, rows, SETTINGS, NOON - timedelta(minutes=1)).warnings == ()


def test_two_stations_with_shares_of_their_own_never_deal_one_list(begin: Begin, store: Store, tmp_path: Path) -> None:
    with open_store(tmp_path / "other.sqlite") as other:
        left = [begin(f"L{n}", lists="1-3").row["list"] for n in range(3)]
        right = [begin(f"R{n}", into=other, lists="4-6", station="right").row for n in range(3)]
        assert left == [1, 2, 3]
        assert [row["list"] for row in right] == [4, 5, 6]
        assert {row["station"] for row in right} == {"right"}
        with pytest.raises(UserError, match="--lists 4-6"):
            begin("R9", into=other, lists="4-6")
        assert len(other.rows(tables.SESSIONS)) == 3


def test_people_and_simulated_participants_are_counted_apart(begin: Begin) -> None:
    assert [begin(f"simulated-{n}", simulated=True).row["list"] for n in range(3)] == [1, 2, 3]
    assert [begin(f"P{n}").row["list"] for n in range(2)] == [1, 2]


def test_those_who_are_admitted_before_any_has_begun_get_lists_of_their_own(
    store: Store, rows: Callable[..., list[Row]]
) -> None:
    def admit_one(participant: str, **how: object) -> Admitted:
        person = Person(participant, **how)  # type: ignore[arg-type]
        return admit(store, study_of(set_of(rows(20)), SETTINGS), person, now=NOON)

    assert [admit_one(f"P{n}").row["list"] for n in range(3)] == [1, 2, 3]
    assert admit_one("P3", lists="2-9").row["list"] == 4
    gone = admit_one("P4", lists="5-5")
    with pytest.raises(UserError, match="--lists 5-5"):
        admit_one("P5", lists="5-5")
    give_back_list(store, gone.row["session"])
    assert admit_one("P6", lists="5-5").row["list"] == 5


def test_programs_that_ask_at_the_same_moment_get_lists_of_their_own(
    tmp_path: Path, rows: Callable[..., list[Row]]
) -> None:
    path, together = tmp_path / "new.sqlite", Barrier(6)

    def admit_one(number: int) -> int:
        study = study_of(set_of(rows(20)), SETTINGS)
        with open_store(path) as store:
            together.wait()
            return int(admit(store, study, Person(f"P{number}"), now=NOON).row["list"])

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(admit_one, range(6))) == [1, 2, 3, 4, 5, 6]


def test_a_list_that_cannot_be_dealt_is_taken_from_nobody(store: Store, rows: Callable[..., list[Row]]) -> None:
    strict = QuizSettings(real=90, fake=90, strict_counts=True)
    with pytest.raises(UserError):
        admit(store, study_of(set_of(rows(20)), strict), Person("P01"), now=NOON)
    assert begin_only(store, rows, "P01").row["list"] == 1


def test_a_list_may_be_asked_for_but_not_beside_a_share(begin: Begin) -> None:
    first = begin("P01", list_number=7)
    assert (first.row["list"], first.warnings) == (7, ())
    assert begin("P09", list_number=7).warnings == ("list 7 has been dealt before: two participants see the same",)
    assert begin("P02", list_number=7).plan == begin("P03", list_number=7).plan
    with pytest.raises(UserError, match="--list and --lists"):
        begin("P04", list_number=7, lists="1-3")


def test_practice_and_catch_stimuli_come_from_sets_of_their_own(store: Store, rows: Callable[..., list[Row]]) -> None:
    settings = QuizSettings(real=2, fake=2, practice=2, catch=1)
    practice, catch = set_of(rows(6, dataset="training")), set_of(rows(6, dataset="cartoons"))
    study = study_of(set_of(rows(20)), settings, practice=[practice], catch=[catch])
    admitted = admit(store, study, Person("P01"), now=NOON)
    found = {(row["phase"], row["dataset"]) for row in admitted.plan}
    assert found == {("practice", "training"), ("main", "facades"), ("catch", "cartoons")}


def test_another_list_than_that_of_the_open_session_is_refused(
    store: Store, rows: Callable[..., list[Row]], begin: Begin
) -> None:
    begin("P01", list_number=3)
    with pytest.raises(UserError, match=r"--list 7: the open session of P01 .* has list 3"):
        begin_only(store, rows, "P01", list_number=7)
    assert begin_only(store, rows, "P01", list_number=3).stored


def test_numbers_that_no_database_takes_are_refused_in_one_line(
    store: Store, rows: Callable[..., list[Row]], begin: Begin
) -> None:
    for how in ({"list_number": 10**30}, {"lists": f"1-{10**30}"}, {"lists": "1" * 5000}):
        with pytest.raises(UserError, match=r"--lists? 1.*1000000000"):
            begin("P01", **how)
    begin("P02", list_number=10**9)
    with pytest.raises(UserError, match="lists end at 1000000000; give --lists"):
        begin("P03")
    assert begin("P04", lists="1-20").row["list"] == 1


def test_codes_that_differ_only_in_case_are_one_person_s(
    store: Store, rows: Callable[..., list[Row]], begin: Begin
) -> None:
    first = begin("P01")
    again_in_lower_case = begin_only(store, rows, "p01")
    assert again_in_lower_case.row["session"] == first.row["session"]
    with pytest.raises(UserError, match=r"store\.sqlite: participant P01 has begun a session elsewhere"):
        store.begin({**first.row, "session": "another", "participant": "p01"}, [], None)
    store.set_status(first.row["session"], "complete", None)
    with pytest.raises(UserError, match=r"--participant p01 \(the same person as P01\): .* complete session already"):
        begin_only(store, rows, "p01")


def begin_only(
    store: Store, rows: Callable[..., list[Row]], participant: str, *, list_number: int | None = None
) -> Admitted:
    person = Person(participant, list_number=list_number)
    return admit(store, study_of(set_of(rows(20)), SETTINGS), person, now=NOON)


@pytest.mark.parametrize("code", ["Jane Doe", "", "x" * 65, "a/b"])
def test_a_code_that_is_no_pseudonym_is_refused(code: str) -> None:
    with pytest.raises(UserError, match="pseudonym"):
        Person(code)
