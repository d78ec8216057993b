"""Tables of other programs: units, missing words, directions, shapes that are not one row a judgement."""

import zipfile
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import small_tables
from cited_tables import cited_tables
from commands import Command
from refusals import refused
from small_tables import imported

from gan_eval.base.errors import UserError
from gan_eval.judgements.readers import import_trials, tables_to_analyze
from gan_eval.judgements.trials import fill_trials
from gan_eval.judgements.wide import numbered_columns
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.answer import grade_sentences
from gan_eval.settings.facts import Facts
from gan_eval.tables import PARTICIPANTS

table = partial(small_tables.table, people=3, pictures=6)
TIMES = [512.0, 640.0, 733.0, 820.0, 951.0, 1103.0]


def test_times_of_people_in_another_unit_are_converted(tmp_path: Path) -> None:
    frame = table(reaction_time_ms=TIMES * 3)
    is_p1, times = frame["participant"] == "P1", frame["reaction_time_ms"]
    mixed = frame.assign(reaction_time_ms=times.mask(is_p1, times / 1000))
    other = frame.assign(reaction_time_ms=times.where(is_p1, times / 1000))
    for given, source in ((mixed, "reaction_time_ms"), (other, "reaction_time_ms*1000")):
        found = imported(tmp_path, given, {"reaction_time_ms": source})
        assert found.trials["reaction_time_ms"].tolist() == pytest.approx(TIMES * 3)
        assert any("P1" in line for line in found.doubts)
    refused("'P1'", fill_trials, mixed)
    fast = frame.assign(reaction_time_ms=frame["reaction_time_ms"].mask(frame["participant"] == "P1", 60))
    found = imported(tmp_path, fast)
    assert found.trials["reaction_time_ms"].min() == 60, "too fast for people, but milliseconds"
    assert len(fill_trials(fast)) == 18


def twice(frame: pd.DataFrame, **columns: object) -> pd.DataFrame:
    """Two rows in succession for each row."""
    return frame.loc[frame.index.repeat(2)].reset_index(drop=True).assign(**columns)


def test_words_of_one_outcome_alone_do_not_decide_the_answer(tmp_path: Path) -> None:
    frame = table(correct=[0, 100, 100] * 6).drop(columns="response")
    refused("--word correct:100=", imported, tmp_path, frame)
    refused("--word kind:photo=", imported, tmp_path, table().replace({"kind": {"real": "photo"}}))


def test_grades_with_their_meaning_are_numbers(tmp_path: Path) -> None:
    frame = table(rating=["1 - surely fake", "4", "7 (surely real)"] * 6).drop(columns="response")
    assert imported(tmp_path, frame).trials["rating"].tolist() == [1, 4, 7] * 6
    words = {"rating": {"1 - surely fake": "7", "7 (surely real)": "1"}}
    assert imported(tmp_path, frame, words=words).trials["rating"].tolist() == [7, 4, 1] * 6
    refused("rating: good 18", imported, tmp_path, table(rating="good").drop(columns="response"))


def test_words_for_a_missing_number_keep_the_answer(tmp_path: Path) -> None:
    words = ["NA", "null", "-", ".", "NaN", "0.7"] * 3
    found = imported(tmp_path, table(rt=words), {"reaction_time_ms": "rt*1000"})
    assert found.trials["reaction_time_ms"].notna().sum() == 3
    assert found.rejected.empty
    assert any("3 NA in reaction_time_ms, 3 null" in line for line in found.doubts)
    words = ["none yet"] * 6 + ["0.7"] * 12
    found = imported(
        tmp_path, table(rt=words), {"reaction_time_ms": "rt*1000"}, words={"reaction_time_ms": {"none yet": ""}}
    )
    assert found.trials["reaction_time_ms"].notna().sum() == 12
    assert any("6 of 18 answers have no reaction time" in line for line in found.doubts)
    named = imported(tmp_path, table(participant="NA")).trials
    assert set(named["participant"]) == {"NA"}, "a name stays a name"


@pytest.mark.parametrize(("high", "said"), [(None, None), ("real", "Higher"), ("fake", "Lower")])
def test_the_direction_of_ratings_is_stated_or_not_reported(tmp_path: Path, high: str | None, said: str | None) -> None:
    frame = table(rating=[1, 5, 2, 6, 1, 7] * 3).drop(columns="response")
    found = imported(tmp_path, frame, rating_high=high)
    assert any("--rating-high" in line for line in found.doubts) == (high is None)
    trials = found.trials.assign(protocol=None)
    tables = cited_tables(trials) | {"trials": trials}
    folder = StudyFolder(Path(), None, Facts(), tables, stimuli={}, training={}, published={})
    text = " ".join(grade_sentences(folder))
    assert "Mean grades" in text
    assert (f"{said} looks more real" in text) if said else ("looks more real" not in text)


def test_a_direction_without_ratings_is_refused(tmp_path: Path) -> None:
    refused("--rating-high", imported, tmp_path, table(), rating_high="real")


WIDE = "code," + ",".join(f"rf.{n}.player.{what}" for n in (1, 2, 3) for what in ("image", "truth", "said"))


@pytest.mark.parametrize("is_zip", [False, True])
def test_files_of_one_name_in_folders_of_people_are_told_apart(tmp_path: Path, is_zip: bool) -> None:
    """Before, all files of one name in a zip, or in folders of one name below those of people, were one person."""
    files = [tmp_path / f"P{person}" / "first" / "answers.csv" for person in range(3)]
    for file, (_, rows) in zip(files, table().groupby("participant"), strict=True):
        file.parent.mkdir(parents=True)
        rows.drop(columns="participant").to_csv(file, index=False)
    if is_zip:
        with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(tmp_path))
        files = [tmp_path / "study.zip"]
    found = import_trials(files, mapping={"participant": "@file"})
    assert found["participant"].unique().tolist() == [f"P{person}/first/answers" for person in range(3)]


def test_wide_tables_are_named_with_their_numbered_columns(tmp_path: Path) -> None:
    text = f"{WIDE}\n" + "".join(f"c{n},a,real,real,b,fake,fake,c,real,fake\n" for n in range(3))
    with pytest.raises(UserError, match=r"rf\.#\.player\.image \(3\).*--map"):
        imported(tmp_path, text)
    one_round = {"participant": "code", "stimulus": "image", "kind": "truth", "response": "said"}
    one_round = {ours: f"rf.1.player.{name}" if ours != "participant" else name for ours, name in one_round.items()}
    assert "rf.2.player.image" in imported(tmp_path, text, one_round).read_as.not_used


@pytest.mark.parametrize(
    ("columns", "groups"),
    [
        ([f"{n}_Q2" for n in range(1, 9)], {"#_Q2": 8}),
        (["Time", *(f"Is picture {n} real?" for n in range(8))], {"Is picture # real?": 8}),
        (["a.real1", "a.real2", "a.fake1", "a.fake2", "id"], {"a.real#": 2, "a.fake#": 2}),
        (["participant", "stimulus", "kind", "response"], {}),
    ],
)
def test_a_numbered_column_is_in_one_group(columns: list[str], groups: dict[str, int]) -> None:
    assert {pattern: len(names) for pattern, names in numbered_columns(columns).items()} == groups


def test_unnamed_columns_are_read(tmp_path: Path) -> None:
    frame = table(a="", b="").rename(columns={"a": "", "b": ""})
    assert not [name for name in imported(tmp_path, frame).trials if name.startswith("unnamed")]
    frame = table(a="x", b="").rename(columns={"a": "", "b": ""})
    assert imported(tmp_path, frame).trials["unnamed_5"].eq("x").all()


def test_addresses_of_people_are_left_out(tmp_path: Path) -> None:
    frame = table(RecipientEmail="ann@lab.example", IPAddress="192.0.2.7", Version="120.0.0.0", started="12:30:45")
    frame.loc[3, "IPAddress"] = "2001:db8::1"
    taken = imported(tmp_path, frame)
    assert {"Version", "started"} <= {*taken.trials} - {"RecipientEmail", "IPAddress"} == {*taken.trials}
    assert any("RecipientEmail" in line and "IPAddress" in line for line in taken.doubts)
    coded = imported(tmp_path, table().assign(participant=frame["participant"] + "@lab.example"))
    assert any("participant" in line and "codes" in line for line in coded.doubts)


def test_a_table_of_practice_alone_is_said(tmp_path: Path) -> None:
    assert any("practice 18" in line for line in imported(tmp_path, table(phase="practice")).doubts)


def test_a_recruiters_table_next_to_the_trials_is_left_alone(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "trials.csv", index=False)
    theirs = tmp_path / "participants.csv"
    for content in (b"Submission id,Participant id,Status\ns,P0,APPROVED\n", b"a,a\n1,2\n", b"\xff\xfe", b""):
        theirs.write_bytes(content)
        said: list[str] = []
        assert PARTICIPANTS not in tables_to_analyze(tmp_path / "trials.csv", say=said.append).tables
        assert [str(theirs) in line and "question" in line for line in said] == [True]
    theirs.write_text("session,participant,question,answer\nP0,P0,age,20\n")
    refused("answered_at", tables_to_analyze, tmp_path / "trials.csv")


def test_marks_without_our_columns_are_said(tmp_path: Path, command: Command) -> None:
    table().to_csv(tmp_path / "trials.csv", index=False)
    (tmp_path / "marks.csv").write_text("participant,stimulus,x,y\nP0,a,0.5,0.5\n")
    status, _, err = command("analyze", tmp_path / "trials.csv", "--out", tmp_path / "out")
    assert status == 0
    assert "marks.csv is not read" in " ".join(err.split())
    assert "session" in err
