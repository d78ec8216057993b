"""Stages are skipped when up to date, refused when they differ, continued when interrupted, moved aside on demand."""

from collections.abc import Callable
from pathlib import Path

import pytest
from listening import Ear
from refusals import refused

from gan_eval.base import record
from gan_eval.base.errors import UserError
from gan_eval.study import markers
from gan_eval.study.markers import Stage


class Kitchen:
    """Three stages over one folder; each writes its name, a counter and what it read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = {"train": {"steps": 5}, "quiz": {"design": 1}, "report": {"title": "t"}}
        self.source = "pictures-1"
        self.finished = True
        self.done: list[str] = []
        (folder / ".gan-eval").mkdir(parents=True)

    def stages(self) -> list[Stage]:
        return [
            self._stage("train-a", "train", lambda: {"source": self.source}, is_precious=True),
            self._stage("train-a-b", "train", lambda: {"source": self.source}),
            self._stage("quiz", "quiz", lambda: {"a": self._hash("train-a")}, needs=("train-a",), products=list),
            self._stage("report", "report", lambda: {"quiz": self._hash("quiz")}, needs=("quiz",), derives=True),
        ]

    def _hash(self, stage: str) -> str:
        return markers.hash_result(self.folder / stage, stage)

    def _stage(self, name: str, kind: str, inputs: Callable[[], dict[str, str]], **options: object) -> Stage:
        out = self.folder / name

        def work(_: object) -> bool:
            self.done.append(name)
            out.write_text(f"{name} from {inputs()}, {self.settings[kind]}")
            return self.finished

        return Stage(name=name, settings=self.settings[kind], inputs=inputs, outputs=(out,), work=work, **options)  # type: ignore[arg-type]

    def run(self, **options: object) -> list[str]:
        """Run all; the names of the stages that did something."""
        self.done, ear = [], Ear()
        markers.run(self.stages(), self.folder, ear, **options)  # type: ignore[arg-type]
        return self.done


@pytest.fixture
def kitchen(tmp_path):
    return Kitchen(tmp_path / "out")


ALL = ["train-a", "train-a-b", "quiz", "report"]


def test_a_second_run_does_nothing(kitchen):
    assert kitchen.run() == ALL
    assert kitchen.run() == []
    (kitchen.folder / "report").unlink()
    assert kitchen.run() == ["report"], "its result is gone"
    (kitchen.folder / "quiz").write_text("one more session")
    assert kitchen.run() == ["report"], "it only derives, and follows its inputs"
    (kitchen.folder / "quiz").write_text("and another")
    (kitchen.folder / "report").unlink()
    assert not markers.status_of(kitchen.stages()[-1], kitchen.folder).damage, "it is made again in any case"
    (kitchen.folder / "report").write_text("by hand")
    assert markers.status_of(kitchen.stages()[-1], kitchen.folder).damage, "what somebody wrote there will be gone"


@pytest.mark.parametrize(
    ("stage", "settings", "source", "line"),
    [
        ("train", {"steps": 9}, "pictures-1", r"train-a\.json:.*steps .*5.*9.*--redo train-a"),
        ("train", {"steps": 5}, "pictures-2", "source was 'pictures-1', is 'pictures-2'"),
        ("report", {"title": "other"}, "pictures-1", r"'t',.*'other'"),
    ],
)
def test_other_settings_and_pictures_are_refused_with_the_difference(kitchen, stage, settings, source, line):
    kitchen.run()
    kitchen.settings[stage] = settings
    kitchen.source = source
    refused(line, kitchen.run)
    assert kitchen.done == []


def test_an_unfinished_stage_continues_and_the_rest_is_interim(kitchen):
    kitchen.finished = False
    assert kitchen.run() == ALL
    kitchen.finished = True
    assert kitchen.run() == ALL
    assert kitchen.run() == []


def test_redo_moves_the_old_results_and_all_made_from_them_aside(kitchen):
    kitchen.run()
    kitchen.settings["train"] = {"steps": 9}
    assert kitchen.run(redo=["train"]) == ALL
    old = kitchen.folder / ".gan-eval" / "old"
    assert sorted(path.name.rsplit("-", 1)[0] for path in old.iterdir()) == sorted(ALL)
    assert "'steps': 5" in next(old.glob("train-a-*/train-a")).read_text()
    assert kitchen.run(redo=["train-a"]) == ["train-a", "quiz", "report"], "no name that begins alike"
    assert kitchen.run(redo=["train-a-b"]) == ["train-a-b"]


def test_one_stage_alone(kitchen):
    refused("do the stage quiz first", kitchen.run, only="report")
    assert kitchen.run(only="train") == ["train-a", "train-a-b"]
    assert kitchen.run(only="quiz") == ["quiz"]
    refused("'tarin'; known:", kitchen.run, only="tarin")


def test_a_failure_leaves_no_marker(kitchen, monkeypatch):
    monkeypatch.setattr(record, "write_json", lambda *_: (_ for _ in ()).throw(UserError("disk full")))
    with pytest.raises(UserError):
        kitchen.run()
    monkeypatch.undo()
    assert kitchen.run() == ALL


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[1]", b"{}",
        b'{"stage": "quiz", "format": 1, "settings": {}, "inputs": {"a": [1]}, "files": {}}',
        b'{"stage": "quiz", "format": 1, "settings": {}, "inputs": {}, "files": [1]}',
        b'{"stage": "report", "format": 1, "settings": {}, "inputs": {}, "files": {}}',
    ],
    ids=lambda content: repr(content[:60]),
)  # fmt: skip
def test_a_marker_that_is_none_counts_as_absent(kitchen, content):
    kitchen.run()
    (kitchen.folder / ".gan-eval" / "quiz.json").write_bytes(content)
    assert kitchen.run() == ["quiz"]
    assert kitchen.run() == []


def test_a_folder_in_the_place_of_a_marker_is_refused(kitchen):
    (kitchen.folder / ".gan-eval" / "quiz.json").mkdir()
    refused(r"quiz\.json:", kitchen.run)


@pytest.mark.parametrize("damage", ["gone", "emptied", "edited"])
@pytest.mark.parametrize(("stage", "is_made_again"), [("report", True), ("train-a", False)])
def test_missing_and_changed_files_are_made_again_where_nothing_is_lost(kitchen, damage, stage, is_made_again):
    kitchen.run()
    file = kitchen.folder / stage
    made = file.read_bytes()
    file.unlink()
    if damage != "gone":
        file.write_bytes(b"" if damage == "emptied" else made + b"!")
    if is_made_again:
        assert kitchen.run() == [stage]
        assert file.read_bytes() == made
        assert kitchen.run() == []
    else:
        refused(rf"{stage}: (missing|changed) since {stage} made it; .*: --redo {stage}", kitchen.run)
        assert stage in kitchen.run(redo=[stage])
