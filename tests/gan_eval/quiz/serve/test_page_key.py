"""Public contents of a page without a server, its key, and the people whose sessions are imported."""

import base64
import csv
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from quiz_study import two_models

from gan_eval import tables
from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.errors import UserError
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.admission import QuizStudy
from gan_eval.quiz.serve.cipher import NONCE_BYTES, encrypted
from gan_eval.quiz.serve.page_export import Destination, export_page
from gan_eval.quiz.serve.page_import import ReturnedAnswers, import_page
from gan_eval.quiz.serve.page_key import PageKey, read_key, write_key
from gan_eval.settings.browser import BrowserSettings
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import open_store

Files = dict[str, bytes]
Import = Callable[..., ReturnedAnswers]


@pytest.fixture
def study(stimuli: StimulusSet) -> QuizStudy:
    settings = QuizSettings(real=3, fake=3, practice=2, mask="scramble")
    return QuizStudy(name="tiles", settings=settings, shown=[two_models(stimuli)], seed=5, design={"made": "here"})


def export(study: QuizStudy, folder: Path, people: int = 4, **to: Any) -> PageKey:
    place = Destination(path=folder / "web", **to)
    return export_page(study, place, people=people, key_file=folder / "study.key", say=lambda _: None)[0]


def public_files(folder: Path) -> Files:
    """The files of a page's lists and pictures, by their path."""
    files = (file for name in ("lists", "pictures") for file in (folder / "web" / name).iterdir())
    return {file.relative_to(folder / "web").as_posix(): file.read_bytes() for file in files}


def opened(content: bytes, key: bytes) -> bytes:
    return encrypted(content[NONCE_BYTES:], key, content[:NONCE_BYTES])


def lists_of(files: Files, key: PageKey) -> list[dict[str, Any]]:
    return [
        json.loads(opened(files[f"lists/{number}.bin"], key.list_key(number)))
        for number in range(1, 1 + len(key.lists))
    ]


def test_the_cipher_is_chacha20() -> None:
    """RFC 8439, section 2.3.2: the block after the first one."""
    stream = encrypted(bytes(128), bytes(range(32)), bytes.fromhex("000000090000004a00000000"))
    block = "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
    block += "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"
    assert stream[64:].hex() == block


def test_nothing_public_can_be_counted_or_compared(study: QuizStudy, tmp_path: Path) -> None:
    key = export(study, tmp_path)
    files = public_files(tmp_path)
    pictures = {name: content for name, content in files.items() if name.startswith("pictures/")}
    assert len({len(content) for content in pictures.values()}) == 1
    assert len({len(content) for name, content in files.items() if name.startswith("lists/")}) == 1
    page = tmp_path / "web"
    record = page / OWN_FOLDER  # of the files' names, each once
    everything = b"".join(
        file.read_bytes() for file in page.rglob("*") if file.is_file() and not file.is_relative_to(record)
    )
    assert not [name for name in pictures if Path(name).stem.encode() in everything], "no list names a picture"
    assert b"IHDR" not in everything
    addresses = [
        address.split("#")
        for answers in lists_of(files, key)
        for trial in answers["trials"]
        for address in chain(*trial["showings"], *trial["masks"])
    ]
    assert {name for name, _ in addresses} == pictures.keys()
    for name, text in addresses:
        picture = opened(pictures[name], base64.urlsafe_b64decode(text + "="))
        assert picture.startswith(b"\x89PNG\r\n")
        assert picture.rstrip(b"\0").endswith(b"IEND\xae\x42\x60\x82")
    pixels = [opened(pictures[name], base64.urlsafe_b64decode(text + "=")) for name, text in dict(addresses).items()]
    assert len(set(pixels)) < len(pixels), "practice shows some of the pictures of other lists"
    assert len(set(pictures.values())) == len(pictures), "which their files do not show"


def test_a_later_page_does_not_show_which_pictures_are_new(study: QuizStudy, tmp_path: Path) -> None:
    export(study, tmp_path, people=2)
    before = public_files(tmp_path)
    export(study, tmp_path, people=4)
    after = public_files(tmp_path)
    assert len(after) > len(before)
    assert {name for name in after if name in before} == {"lists/1.bin", "lists/2.bin"}
    assert not {*before.values()} & {*after.values()}


def test_a_list_has_the_truth_of_practice_only(study: QuizStudy, tmp_path: Path) -> None:
    key = export(study, tmp_path)
    lists = lists_of(public_files(tmp_path), key)
    practised: set[str] = set()
    judged: set[str] = set()
    for answers, dealt in zip(lists, key.lists, strict=True):
        assert [trial["trial"] for trial in answers["trials"]] == [row["trial"] for row in dealt.plan]
        assert {*answers["feedback"]} == {str(row["trial"]) for row in dealt.plan if row["phase"] == "practice"}
        for trial in answers["trials"]:
            shown = {name for group in trial["showings"] + trial["masks"] for name in group}
            (practised if trial["phase"] == "practice" else judged).update(shown)
    assert not practised & judged, "practice shows files that no other list has"
    text = json.dumps(lists) + (tmp_path / "web" / "index.html").read_text()
    names = {row["stimulus"] for dealt in key.lists for row in dealt.plan}
    assert not [name for name in (*names, "secret", "hiddenmodel", key.secret) if name in text]


def test_key_and_links_are_private_and_a_link_opens_one_list(study: QuizStudy, tmp_path: Path) -> None:
    key = export(study, tmp_path, address="https://example.org/study")
    web = tmp_path / "web"
    assert (web / "index.html").stat().st_mode & 0o044
    for name in ("study.key", "study.links.csv"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    with (tmp_path / "study.links.csv").open() as file:
        *personal, for_all = csv.DictReader(file)
    assert [(row["participant"], row["list"]) for row in personal] == [(f"P0{n}", f"{n}") for n in range(1, 5)]
    links = [row["link"] for row in personal]
    assert links[0].startswith("https://example.org/study/?participant=P01&list=1#")
    assert for_all["link"] == f"https://example.org/study/#{key.open_to_all}"
    secrets = [part for link in links for part in link.partition("#")[2].split(".")]
    assert len({*secrets}) == 8
    export(study, tmp_path, people=2)
    with (tmp_path / "study.links.csv").open() as file:
        assert [row["participant"] for row in csv.DictReader(file)] == ["P01", "P02", ""]
    public = (web / "index.html").read_text()
    assert not [part for part in (*secrets, key.open_to_all) if part in public]


def test_a_link_names_the_code_as_the_study_does(study: QuizStudy, tmp_path: Path) -> None:
    browser = BrowserSettings(participant_parameters=("id", "participant"))
    key = export(replace(study, settings=study.settings.model_copy(update={"browser": browser})), tmp_path)
    assert next(key.links("https://example.org", 1))[2].startswith("https://example.org/?id=P01&list=1#")


def test_the_page_of_jatos_opens_its_lists_itself(study: QuizStudy, tmp_path: Path) -> None:
    to = Destination(path=tmp_path / "study.jzip", jatos=True)
    key, _ = export_page(study, to, people=2, key_file=tmp_path / "study.key", say=lambda _: None)
    with zipfile.ZipFile(to.path) as archive:
        assert f'"{key.open_to_all}"' in archive.read(f"gan_eval_{key.page}/index.html").decode()
        assert len({member.date_time for member in archive.infolist()}) == 1
    assert not (tmp_path / "study.links.csv").exists()


def test_one_key_serves_several_pages_of_one_design_only(study: QuizStudy, tmp_path: Path) -> None:
    first = export(study, tmp_path, people=3)
    assert export(study, tmp_path, people=1) == first
    assert read_key(tmp_path / "study.key") == first
    with pytest.raises(UserError, match=r"study\.key"):
        export(replace(study, design={"made": "elsewhere"}), tmp_path)


def test_a_list_that_is_dealt_otherwise_is_refused(study: QuizStudy, tmp_path: Path) -> None:
    """Another version of a library might deal so; the answers of the page in use would be scored with it."""
    key = export(study, tmp_path, people=3)
    changed = key.lists[1].model_copy(update={"plan": key.lists[2].plan})
    rotated = key.model_copy(update={"lists": [key.lists[0], changed, key.lists[2]]})
    write_key(rotated, tmp_path / "study.key")
    page = (tmp_path / "web" / "index.html").read_bytes()
    with pytest.raises(UserError, match=r"study\.key: list 2 "):
        export(study, tmp_path, people=3)
    assert read_key(tmp_path / "study.key") == rotated
    assert (tmp_path / "web" / "index.html").read_bytes() == page


def test_a_list_dealt_by_another_computer_is_the_same(study: QuizStudy, tmp_path: Path) -> None:
    key = export(study, tmp_path, people=2)
    elsewhere = key.lists[0].model_copy(update={"row": {**key.lists[0].row, "software": "gan_eval 0", "platform": "x"}})
    write_key(key.model_copy(update={"lists": [elsewhere, key.lists[1]]}), tmp_path / "study.key")
    assert export(study, tmp_path, people=2).lists[0] == elsewhere


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace('"kind":"real"', '"kind":"banana"'),
        lambda text: text.replace('"digest"', '"igest"'),
        lambda text: text[:-100],
        lambda text: text.replace('"lists":[{', '"lists":[{"row":{}},{'),
    ],
)
def test_a_damaged_key_is_refused(study: QuizStudy, tmp_path: Path, damage: Callable[[str], str]) -> None:
    export(study, tmp_path, people=1)
    file = tmp_path / "study.key"
    read_key(file)
    file.write_text(damage(file.read_text()))
    with pytest.raises(UserError, match=r"study\.key.*damaged"):
        read_key(file)


SESSIONS = ("01a223dc-4575-7a4a-9884-0e82c649e176", "01a223dc-4575-7a4a-9884-0e82c649e177")


def records(
    key: PageKey, session: str, code: str, number: int, *, trials: int = 0, **more: Any
) -> list[dict[str, Any]]:
    """The first records of a session, and its first trials, which are cut off after their onset."""
    common = {"gan_eval": 1, "page": key.page, "session": session, "list": number}
    tab = "t" * 16
    screen = {"width": 800, "height": 600, "window_width": 800, "window_height": 600, "device_pixel_ratio": 1.0}
    onsets = [
        [("onset", {"trial": trial, "onset_ms": 1e4 * trial, "sent_ms": 1e4 * trial}), ("resume", {})]
        for trial in range(1, trials + 1)
    ]
    arrival = {"participant": code, "tab": tab, "consent": True}
    bodies = [("begin", {}), ("ready", {"answers": {}, "screen": {**screen, "refresh_hz": 60.0}}), *chain(*onsets)]
    made = [
        {
            **common,
            "n": n,
            "name": name,
            "at": 1.79e12 + 1e4 * n,
            "body": body if name in ("ready", "onset") else arrival,
        }
        for n, (name, body) in enumerate(bodies)
    ]
    made[0] |= {"list_sha256": key.lists[number - 1].sha256, **more}
    return made


def stored(folder: Path) -> dict[str, int]:
    """The sessions of a store with their numbers of trials."""
    with open_store(folder / "a.sqlite") as store:
        return {
            row["session"]: len(store.rows(tables.TRIALS, session=row["session"]))
            for row in store.rows(tables.SESSIONS)
        }


@pytest.fixture
def take(study: QuizStudy, tmp_path: Path) -> Import:
    """Import records with the key of the study's page."""

    def imported(*those: list[dict[str, Any]]) -> ReturnedAnswers:
        (tmp_path / "answers.json").write_text(json.dumps([*chain(*those)]))
        return import_page([tmp_path / "answers.json"], tmp_path / "study.key", tmp_path / "a.sqlite")

    return imported


def test_a_forged_early_session_does_not_take_a_participant_s_place(
    study: QuizStudy, tmp_path: Path, take: Import
) -> None:
    key = export(study, tmp_path)
    early, own = SESSIONS
    real = records(key, own, "P03", 3, trials=2, proof=key.proof("P03", 3))
    for proof in (None, key.proof("P04", 4), "x" * 22):  # no link, or that of somebody else
        forged = records(key, early, "P03", 3, trials=1, **({} if proof is None else {"proof": proof}))
        done = take(forged)
        assert stored(tmp_path) == {}
        assert "line 1, record 1 of the array: proof: P03 was not begun with a link of this page" in done.problems[0]
    done = take(records(key, early, "p03", 3, proof=key.proof_of_all), real)
    assert stored(tmp_path) == {own: 2}
    (line,) = done.problems
    assert early in line
    assert f"{own} has the participant's own link and is taken" in line


def test_of_two_sessions_by_the_link_for_all_none_takes_the_other_s_place(
    study: QuizStudy, tmp_path: Path, take: Import
) -> None:
    key = export(study, tmp_path)
    early, late = (records(key, session, "W1", 2, trials=1, proof=key.proof_of_all) for session in SESSIONS)
    done = take(early, late)
    assert stored(tmp_path) == {}
    (line,) = done.problems
    assert all(session in line for session in SESSIONS)
    assert "none is imported" in line
    assert take(late).problems == []
    done = take(early, late)
    assert stored(tmp_path) == {SESSIONS[1]: 1}
    (line,) = done.problems
    assert all(session in line for session in SESSIONS)


def test_answers_of_an_earlier_page_need_no_proof(study: QuizStudy, tmp_path: Path, take: Import) -> None:
    """Its key has no digest, and its records neither proof nor hash; the key may be used for a new page."""
    key = export(study, tmp_path).model_copy(update={"format": 1})
    (tmp_path / "study.key").write_text(key.model_dump_json(exclude_defaults=True))
    earlier = records(key, SESSIONS[0], "P03", 3, trials=1)
    del earlier[0]["list_sha256"]
    assert take(earlier).problems == []
    assert export(study, tmp_path) == key
    later = records(key, SESSIONS[1], "P04", 4, proof=key.proof("P04", 4))
    assert take(earlier, later).problems == []
    assert len(stored(tmp_path)) == 2


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"list_sha256": "0" * 64}, "list_sha256: the page has another list 2 than the key"),
        ({"list_sha256": None}, "list_sha256: the page has another list 2 than the key"),
        ({"list": 5}, "list: found 5, but the key has 4"),
    ],
)
def test_a_list_that_is_not_the_key_s_is_refused(
    study: QuizStudy, tmp_path: Path, take: Import, change: dict[str, Any], word: str
) -> None:
    key = export(study, tmp_path)
    changed = records(key, SESSIONS[0], "W1", 2, proof=key.proof_of_all)
    changed[0] |= change
    assert word in take(changed).problems[0]
    assert stored(tmp_path) == {}


def test_all_records_of_a_session_have_one_list(study: QuizStudy, tmp_path: Path, take: Import) -> None:
    key = export(study, tmp_path)
    mixed = records(key, SESSIONS[0], "W1", 2, trials=2, proof=key.proof_of_all)
    for record in mixed[4:]:
        record["list"] = 3
    (line,) = take(mixed).problems
    assert "record 4, onset: list: found 3, but it began with 2" in line
    assert stored(tmp_path) == {SESSIONS[0]: 1}


@pytest.mark.parametrize("code", ["undefined", "PROLIFIC_PID", "YOUR-ID-HERE"])
def test_codes_that_the_page_refuses_are_not_imported(
    study: QuizStudy, tmp_path: Path, take: Import, code: str
) -> None:
    key = export(study, tmp_path)
    assert f"found {code!r}" in take(records(key, SESSIONS[0], code, 2, proof=key.proof_of_all)).problems[0]
    assert stored(tmp_path) == {}
    assert take(records(key, SESSIONS[1], "Nan", 2, proof=key.proof_of_all)).problems == []
