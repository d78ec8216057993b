"""Files are whole or absent."""

import os
import time

import pytest
from refusals import refused

from gan_eval.base import atomic, digests, output_folders, reading


def test_a_failed_write_leaves_the_old_file_and_no_scraps(tmp_path):
    target = tmp_path / "a.txt"
    atomic.write_text(target, "old")
    with pytest.raises(ZeroDivisionError), atomic.atomic_path(target) as temporary:
        temporary.write_text("half")
        1 / 0  # noqa: B018
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_study_s_folder_is_for_its_user_alone_also_from_python(tmp_path):
    folder = output_folders.claim_output_folder(tmp_path / "study", private=True)
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize(("mask", "mode", "entered"), [(0o022, 0o640, 0o710), (0o077, 0o600, 0o700)])
def test_the_group_reads_the_report_alone_unless_the_users_mask_forbids_it(tmp_path, monkeypatch, mask, mode, entered):
    monkeypatch.setenv("GAN_EVAL_UMASK", str(mask))
    before = os.umask(0o077)  # as `make_private` does
    try:
        folder = output_folders.claim_output_folder(tmp_path / "new" / "study", private=True)
        assert folder.stat().st_mode & 0o777 == 0o700
        atomic.write_text(folder / "tables" / "trials.csv", "")
        atomic.write_text(folder / "report.html", "")
        atomic.share_with_group(folder / "report.html")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder.parent, folder, *folder.rglob("*"))}
    own = {".gan-eval": 0o700, "tables": 0o700, "trials.csv": 0o600}
    assert modes == {"new": entered, "study": entered, "report.html": mode, **own}


def test_canonical_json_hash_is_known():
    assert digests.sha256_json({"b": [1, 2.5, None], "a": "é"}) == digests.sha256_bytes(
        '{"a":"é","b":[1,2.5,null]}'.encode()
    )


def test_json_errors_name_the_file(tmp_path):
    (tmp_path / "x.json").write_text("{")
    refused(r"x\.json:.*JSON", reading.read_json, tmp_path / "x.json")
    refused("no such file", reading.read_json, tmp_path / "y.json")
    for text, problem in (
        ("[" * 99_999, "nested too deeply"),
        ("1" + "0" * 9999, r"Exceeds the limit \(4300 digits\)"),
    ):
        (tmp_path / "x.json").write_text(text)
        refused(rf"x\.json:.*JSON \({problem}", reading.read_json, tmp_path / "x.json")


@pytest.mark.parametrize(
    "name", ["a.png", "no_suffix", "store.sqlite", "two.dots.pt", "ü" * 200, "a." + "b" * 200, "a\nb.png"]
)
def test_temporary_names_are_recognised_and_fit(tmp_path, name):
    made = atomic.temporary_name(name)
    (tmp_path / made).touch()
    assert atomic.is_temporary_name(made)
    assert made != atomic.temporary_name(name)


THEIRS = (
    ".notes-personal", ".git-mybranch/.config-abcdefgh", ".p01-1a2b3c4d.png", ".a.gan-eval-0123456789ab",
    ".a.gan-eval-0123456789ab.tmp.png.txt", ".a.gan-eval-0123456789AB.tmp", "a.gan-eval-0123456789ab.tmp.png",
)  # fmt: skip


def test_only_temporary_files_of_ours_are_left_overs(tmp_path):
    """Keep all other hidden files: they are the user's."""
    for name in THEIRS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    ours = [tmp_path / atomic.temporary_name("a.png"), tmp_path / "below" / atomic.temporary_name("b")]
    ours += [tmp_path / atomic.OWN_FOLDER / atomic.temporary_name("unpacking") / "train"]
    for path in ours:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    atomic.remove_leftovers(tmp_path, older_than_s=3600.0)
    assert all(path.exists() for path in ours)
    atomic.remove_leftovers(tmp_path)
    assert not any(path.exists() for path in ours)
    assert not ours[-1].parent.exists()
    assert all((tmp_path / name).is_file() for name in THEIRS)


def test_left_overs_of_one_file(tmp_path):
    target = tmp_path / "k.sqlite"
    ours = [tmp_path / f"{atomic.temporary_name(target.name)}{ending}" for ending in ("", "-wal", "-shm", "-journal")]
    others = [tmp_path / atomic.temporary_name(name) for name in ("k.csv", "kk.sqlite", "k")]
    others += [tmp_path / ".k-1a2b3c4d.sqlite", tmp_path / "k.sqlite-wal"]
    for path in (*ours, *others):
        path.touch()
    atomic.remove_leftovers_of(target)
    assert not any(path.exists() for path in ours)
    assert all(path.exists() for path in others)


def aged(path, content, seconds=60):
    """A file whose content is as old as it says."""
    path.write_bytes(content)
    moment = time.time() - seconds
    os.utime(path, (moment, moment))
    return path


@pytest.fixture
def hashed(monkeypatch):
    """The files that are read to be hashed; changes count as old immediately."""
    paths = []
    digest = digests.hashlib.file_digest
    monkeypatch.setattr(
        digests.hashlib, "file_digest", lambda file, kind: paths.append(file.name) or digest(file, kind)
    )
    monkeypatch.setattr(digests, "_digests", {})
    return paths


def test_a_file_is_hashed_again_only_when_size_or_time_differ(tmp_path, monkeypatch, hashed):
    monkeypatch.setattr(digests, "SETTLED_S", -1.0)
    path = aged(tmp_path / "a", b"one")
    assert {digests.sha256_file(path) for _ in range(3)} == {digests.sha256_bytes(b"one")}
    assert len(hashed) == 1
    aged(path, b"two", 30)
    assert digests.sha256_file(path) == digests.sha256_bytes(b"two")
    os.utime(path, (1, 1))
    assert digests.sha256_file(path) == digests.sha256_bytes(b"two")
    assert len(hashed) == 3


def test_a_file_that_has_just_changed_is_hashed_again(tmp_path, hashed):
    path = aged(tmp_path / "a", b"one")
    for content in (b"one", b"two"):
        path.write_bytes(content)
        assert {digests.sha256_file(path) for _ in range(2)} == {digests.sha256_bytes(content)}
    assert len(hashed) == 4


def test_what_one_run_hashed_the_next_one_knows(tmp_path, monkeypatch, hashed):
    monkeypatch.setattr(digests, "SETTLED_S", -1.0)
    changed, gone, same = (aged(tmp_path / name, name.encode()) for name in ("changed", "gone", "same"))
    record = tmp_path / "digests.json"
    for path in (changed, gone, same):
        digests.sha256_file(path)
    digests.keep_digests(record)
    aged(changed, b"CHANGED", 30)
    gone.unlink()
    monkeypatch.setattr(digests, "_digests", {})  # another process
    digests.restore_digests(record)
    hashed.clear()
    assert [digests.sha256_file(path) for path in (changed, same)] == [
        digests.sha256_bytes(content) for content in (b"CHANGED", b"same")
    ]
    assert hashed == [str(changed)]
    digests.keep_digests(record)
    assert record.read_text().count(str(tmp_path)) == 2, "what has gone or changed is forgotten"
    for damaged in ("[1]", "{", '[["a", 1]]'):
        record.write_text(damaged)
        digests.restore_digests(record)


def test_a_file_that_is_written_while_it_is_read_is_refused(tmp_path):
    file = tmp_path / "net.pt"
    file.write_bytes(b"old")
    with digests.unchanged(file, tmp_path / "absent"):
        assert digests.sha256_file(file)

    def read_while_it_is_written():
        with digests.unchanged(file):
            file.write_bytes(b"newer")

    refused("net.pt: was written while it was read", read_while_it_is_written)
