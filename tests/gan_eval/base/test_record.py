"""A folder is used again only for what it was made with."""

import json

import pytest

from gan_eval.base.errors import UserError
from gan_eval.base.record import FolderRecord, read_record

OLD, NEW = "a" * 64, "b" * 64


def test_a_difference_is_named_once_with_its_values_but_no_hash(tmp_path):
    made = {"settings": {"steps": 2}, "inputs": {"1.png": OLD, "2.png": OLD}, "steps": 2, "start": None}
    record = FolderRecord(tmp_path / ".gan-eval" / "x.json", made)
    assert record.changes(read_record(record.file)) == [], "nothing was made yet"
    record.write(problems=["one"])
    assert read_record(record.file)["problems"] == ["one"]
    record.require_same("")
    now = {"settings": {"steps": 3}, "inputs": {"1.png": NEW}, "steps": 3, "start": NEW}
    with pytest.raises(UserError) as refusal:
        FolderRecord(record.file, now).require_same("do this")
    changes = "steps was 2, is 3; 1.png has changed; 2.png is gone; start is new"
    assert str(refusal.value).startswith(f"--out {tmp_path}: ")
    assert str(refusal.value).endswith(f": {changes}; do this")


@pytest.mark.parametrize("content", ["[1]", "{}", '{"machine": [1]}', "{", '"x"'])
def test_a_damaged_record_is_refused_in_a_line(tmp_path, content):
    file = tmp_path / "config.json"
    file.write_text(content)
    with pytest.raises(UserError, match=r"config\.json: .*(restore|remove)"):
        read_record(file, machine=dict)


def test_an_empty_record_is_not_one_of_an_empty_folder(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UserError, match=r"x\.json: damaged"):
        FolderRecord(tmp_path / "x.json", {"dataset": "d"}).require_same("")


@pytest.mark.parametrize("found", [2, "1", None])
def test_a_record_of_another_format_is_refused_with_what_to_do(tmp_path, found):
    (tmp_path / "x.json").write_text(json.dumps({"format": found, "settings": {}}))
    if found is None:  # older than the field
        assert read_record(tmp_path / "x.json", known=1, settings=dict)
        return
    with pytest.raises(UserError, match=rf"x\.json: format is {found!r}, and this program knows 1; use .*version"):
        read_record(tmp_path / "x.json", known=1, settings=dict)
