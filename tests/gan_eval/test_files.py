"""Files are whole or absent."""

import errno
import os

import pytest

from gan_eval import files
from gan_eval.errors import UserError


def test_a_failed_write_leaves_the_old_file_and_no_scraps(tmp_path):
    target = tmp_path / "a.txt"
    files.write_text(target, "old")
    with pytest.raises(ZeroDivisionError), files.atomic_path(target) as temporary:
        temporary.write_text("half")
        1 / 0  # noqa: B018
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("code", "word"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "no permission")])
def test_a_disk_that_refuses_is_told_in_one_line(tmp_path, monkeypatch, code, word):
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.os, "fsync", refuse)
    with pytest.raises(UserError, match=word) as caught:
        files.write_text(tmp_path / "a.txt", "text")
    assert "a.txt" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_full_device_is_told(tmp_path):
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("this system has no /dev/full")
    with pytest.raises(UserError, match="disk is full"), files.atomic_path(tmp_path / "a.bin"):
        with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
            full.write(b"x")


def test_an_output_folder_is_ours_or_refused(tmp_path):
    ours = files.claim_output_folder(tmp_path / "new" / "out")
    (ours / "result.csv").write_text("x")
    assert files.claim_output_folder(ours) == ours
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    files.claim_output_folder(theirs)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.doc").write_text("x")
    with pytest.raises(UserError, match="foreign: not empty"):
        files.claim_output_folder(foreign)
    assert [path.name for path in foreign.iterdir()] == ["thesis.doc"]
    with pytest.raises(UserError, match="is a file"):
        files.claim_output_folder(foreign / "thesis.doc")


def test_canonical_json_hash_is_known():
    assert files.sha256_json({"b": [1, 2.5, None], "a": "é"}) == files.sha256_bytes(
        '{"a":"é","b":[1,2.5,null]}'.encode()
    )


def test_json_errors_name_the_file(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(UserError, match=r"x\.json: not valid JSON"):
        files.read_json(tmp_path / "x.json")
    with pytest.raises(UserError, match="no such file"):
        files.read_json(tmp_path / "y.json")
