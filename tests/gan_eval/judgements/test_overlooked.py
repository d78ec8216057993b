"""Tables that mean something else than they say: practice, codes for no answer, copies, models, columns, titles."""

import pandas as pd
import pytest
import small_tables
from refusals import refused
from small_tables import KINDS, imported
from tool_files import jspsych, mturk, psychopy, written

from gan_eval.base.errors import UserError
from gan_eval.judgements.convert import Imported, import_trials
from gan_eval.judgements.read_as import lines_of


def table(people: int = 4, pictures: int = 12) -> pd.DataFrame:
    """Each answer has a time of its own."""
    times = [500.0 + 37 * n + 61 * person for person in range(people) for n in range(pictures)]
    return small_tables.table(people, pictures, reaction_time_ms=times)


def lines_with(found: Imported, word: str) -> list[str]:
    return [line for line in found.doubts if word in line]


def test_a_time_that_many_answers_share_is_asked_about(tmp_path) -> None:
    frame = table()
    limit = frame.assign(reaction_time_ms=frame["reaction_time_ms"].mask(frame.index % 12 == 3, 9999))
    (line,) = lines_with(imported(tmp_path, limit), "9999 ms")
    assert "4 of 48" in line
    missed = limit.assign(response=limit["response"].mask(limit["reaction_time_ms"] == 9999, ""))
    coarse = frame.assign(reaction_time_ms=(frame["reaction_time_ms"] / 200).round() * 200)
    for other in (frame, missed, coarse):
        assert not imported(tmp_path, other).doubts


@pytest.mark.parametrize(("grades", "code"), [(range(1, 8), -99), (range(1, 8), 99), (range(31), -1), (range(5), 999)])
def test_a_code_among_grades_is_asked_about(tmp_path, grades: range, code: int) -> None:
    ratings = [grades[n % len(grades)] for n in range(48)]
    frame = table().drop(columns="response").assign(rating=ratings)
    assert not imported(tmp_path, frame, rating_high="real").doubts
    coded = frame.assign(rating=frame["rating"].mask(frame.index % 16 == 5, code))
    (line,) = imported(tmp_path, coded, rating_high="real").doubts
    assert f"3 are {code}" in line
    found = imported(tmp_path, coded, rating_high="real", words={"rating": {str(code): ""}})
    assert found.trials["rating"].max() == max(grades)


def test_times_since_the_start_of_a_session_are_asked_about(tmp_path) -> None:
    frame = table()
    assert not imported(tmp_path, frame.sort_values("reaction_time_ms", kind="stable")).doubts
    sums = frame["reaction_time_ms"].groupby(frame["participant"]).cumsum()
    for since in (2 * sums, frame["reaction_time_ms"].cumsum() * 2):
        found = imported(tmp_path, frame.assign(reaction_time_ms=since))
        assert lines_with(found, "since the start of the session?")


def test_sessions_that_are_numbered_for_each_person_are_their_own(tmp_path) -> None:
    frame = table().assign(trial=[*range(1, 13)] * 4)
    again = frame.assign(reaction_time_ms=frame["reaction_time_ms"] + 13)
    found = imported(tmp_path, pd.concat([frame.assign(session="day1"), again.assign(session="day2")]))
    assert (len(found.trials), found.trials["session"].nunique(), len(found.rejected)) == (96, 8, 0)
    assert lines_with(found, "session is day1, day2 for several participants")
    refused("a session is one person's", imported, tmp_path, table().assign(session=["a", "b", "c", "d"] * 12))


def test_codes_that_differ_in_zeros_are_asked_about(tmp_path) -> None:
    frame = table().replace({"participant": {"P0": "007", "P1": "7"}})
    assert lines_with(imported(tmp_path, frame), "'007' and '7'")


def test_names_of_models_that_are_alike_or_absent_are_asked_about(tmp_path) -> None:
    frame = table().assign(model=lambda t: t["kind"].map({"fake": "pix2pix", "real": ""}))
    assert not imported(tmp_path, frame).doubts
    spelt = frame.assign(model=frame["model"].mask(frame.index % 12 == 1, "Pix2Pix "))
    assert lines_with(imported(tmp_path, spelt), "models 'Pix2Pix ' and 'pix2pix'")
    absent = frame.assign(model=frame["model"].mask(frame.index % 12 == 1, ""))
    assert lines_with(imported(tmp_path, absent), "empty in 4 of 24 trials of generated pictures")


@pytest.mark.parametrize(
    ("image", "is_asked"),
    [
        (lambda n: n % 12 // 2, True),  # two versions of each of six images
        (lambda n: n % 12, False),
        (lambda n: n % 12 % 2, False),  # too few: words such as faces and cars
        (lambda n: n % 5, False),  # not one of a picture
    ],
)
def test_a_column_of_images_that_several_pictures_share_is_asked_about(tmp_path, image, is_asked: bool) -> None:
    """Without items, intervals of a published study of resized pictures were a fifth too narrow."""
    frame = table().assign(image=[f"image {image(n)}" for n in range(48)])
    found = imported(tmp_path, frame)
    assert any("6 values for 12 pictures" in line and "--map item=image" in line for line in found.doubts) == is_asked
    assert len(found.doubts) == is_asked
    assert not is_asked or not imported(tmp_path, frame, mapping={"item": "image"}).doubts


def graded(people: int = 6) -> pd.DataFrame:
    """Grades of 1 to 7, of real pictures higher by 3."""
    frame = table(people)
    grades = [1 + (3 * n + n % 5) % 4 + 3 * (kind == "real") for n, kind in enumerate(frame["kind"])]
    return frame.drop(columns="response").assign(rating=grades)


def test_people_with_another_scale_are_asked_about(tmp_path) -> None:
    frame = graded()
    assert not imported(tmp_path, frame, rating_high="real").doubts
    is_p1 = frame["participant"] == "P1"
    larger = frame.assign(rating=frame["rating"].where(~is_p1, 100 * frame["rating"] // 7))
    assert lines_with(imported(tmp_path, larger, rating_high="real"), "'P1' have grades up to 85")
    turned = frame.assign(rating=frame["rating"].where(~is_p1, 8 - frame["rating"]))
    assert lines_with(
        imported(tmp_path, turned, rating_high="real"), "'P1' graded real and generated pictures the other"
    )


def test_keys_of_half_of_the_people_that_are_exchanged_are_asked_about(tmp_path) -> None:
    frame = table(8, 48)
    other = frame["response"].map({"real": "fake", "fake": "real"})
    exchanged = frame.assign(response=frame["response"].where(frame["participant"] < "P4", other))
    assert lines_with(imported(tmp_path, exchanged), "were their keys exchanged?")
    assert not lines_with(imported(tmp_path, frame), "exchanged")


def test_exposures_in_frames_are_asked_about(tmp_path) -> None:
    frame = table().assign(requested_exposure_ms=[3, 6, 30] * 16)
    assert lines_with(imported(tmp_path, frame), "or frames?")
    assert not imported(tmp_path, frame.assign(requested_exposure_ms=[17, 50, 100] * 16)).doubts


def test_a_block_with_words_is_left_out(tmp_path) -> None:
    frame = table().assign(block=["practice"] * 2 + ["main"] * 46)
    found = imported(tmp_path, frame)
    assert len(found.trials) == 48
    assert found.read_as.not_used == {"block": {"main": 46, "practice": 2}}
    assert len(imported(tmp_path, frame, where=["block=main"]).trials) == 46
    assert imported(tmp_path, frame.assign(block=[1, 2] * 24)).trials["block"].tolist() == [1, 2] * 24


def test_rows_of_the_onset_do_not_take_the_place_of_the_answers(tmp_path) -> None:
    frame = table()
    onset = frame.assign(event="onset", response="", reaction_time_ms=None)
    both = pd.concat([onset, frame.assign(event="key")]).sort_index(kind="stable")
    read = imported(tmp_path, both).read_as
    assert (read.answers, read.unanswered, read.not_used) == (48, 48, {"event": {"onset": 48, "key": 48}})
    refused("has a trial 1 already", imported, tmp_path, both.assign(trial=[n // 2 % 12 + 1 for n in range(96)]))
    assert imported(tmp_path, both, where=["event=key"]).trials["response"].tolist() == frame["response"].tolist()


def test_words_of_several_models_may_be_both_truth_and_model(tmp_path) -> None:
    frame = table()
    frame["kind"] = frame["kind"].mask(frame.index % 4 == 1, "pix2pix").replace({"real": "photo", "fake": "cyclegan"})
    refused("--map model=COLUMN", imported, tmp_path, frame.replace({"kind": {"photo": "real"}}))
    words = {"kind": {"photo": "real", "pix2pix": "fake", "cyclegan": "fake"}}
    found = imported(tmp_path, frame, words=words, mapping={"kind": "kind", "model": "kind"})
    assert found.trials["model"].value_counts().to_dict() == {"cyclegan": 12, "pix2pix": 12}


def test_the_models_of_tools_are_read(tmp_path) -> None:
    rows = [{**row, "Input.model": f"m{at % 3}"} for at, row in enumerate(mturk())]
    found = import_trials(written(tmp_path, "batch.csv", rows), mapping={})
    assert found.trials.loc[found.trials["kind"] == "fake", "model"].tolist() == ["m1", "m0", "m2"]


def test_practice_loops_leave_all_other_loops(tmp_path) -> None:
    rows = psychopy(["j", "f"] * 3, [1] * 6)[1:]
    blocks = [{**row, f"block{1 + (at >= 3)}.thisN": at} for at, row in enumerate(rows)]
    tried = [{**row, "training.thisN": at} for at, row in enumerate(rows[:2])]
    for row in [*blocks, *tried]:
        row.pop("trials.thisN", None)
    found = import_trials(written(tmp_path, "P1.csv", [*tried, *blocks]), mapping={})
    assert len(found.trials) == len(rows)


def test_sessions_of_jspsych_without_a_participant_are_kept_apart(tmp_path) -> None:
    rows = [{key: cell for key, cell in row.items() if key != "participant"} for name in "ab" for row in jspsych(name)]
    found = import_trials(written(tmp_path, "all.csv", rows), mapping={})
    assert found.trials["participant"].nunique() == 2
    assert lines_with(found, "2 sessions")
    named = [row for name in "aab" for row in jspsych(name)]
    assert import_trials(written(tmp_path, "named.csv", named), mapping={}).trials["participant"].nunique() == 2


def test_lines_above_the_header_are_not_read(tmp_path) -> None:
    text, plain = table().to_csv(index=False), imported(tmp_path, table()).trials
    tabs = text.replace(",", "\t")
    for titled in (
        f"My study\n{text}",
        f"My study,,,,\n\nDate: 2024-05-06,,,,\n{text}",
        f"This file contains edited data.\r\n{tabs}",
        f"My study, 2024\n{text.replace(',', ';')}",
    ):
        found = imported(tmp_path, titled)
        pd.testing.assert_frame_equal(found.trials, plain)
        assert lines_with(found, "not read above the header: ")
    (tmp_path / "pictures.csv").write_text('stimulus,kind\n"a, b, c",real\n"d, e, f",fake\n')
    answers = 'participant,stimulus,response\nP1,"a, b, c",real\nP1,"d, e, f",real\n'
    assert len(imported(tmp_path, answers, pictures=tmp_path / "pictures.csv").trials) == 2


def test_all_sheets_of_an_excel_file_are_read_if_asked(tmp_path) -> None:
    pytest.importorskip("openpyxl")
    with pd.ExcelWriter(tmp_path / "study.xlsx") as book:
        for name, rows in table().groupby("participant"):
            start = 2 * (name == "P2")
            rows.drop(columns="participant").to_excel(book, sheet_name=f"person {name}", index=False, startrow=start)
            book.sheets[f"person {name}"]["A1"] = "My study" if start else "stimulus"
    options = {"mapping": {"participant": "@file"}}
    found = import_trials(tmp_path / "study.xlsx", sheet="*", **options)
    assert sorted(found.trials["participant"].unique()) == [f"person P{n}" for n in range(4)]
    assert len(found.trials) == 48
    (line,) = lines_with(found, "above the header")
    assert "My study" in line
    assert lines_with(import_trials(tmp_path / "study.xlsx", **options), "--sheet '*'")


def wide() -> pd.DataFrame:
    """A column for each picture, by its name."""
    frame = table().assign(stimulus=lambda t: t["kind"] + "/" + t["stimulus"])
    return frame.pivot(index="participant", columns="stimulus", values="response").reset_index()


def test_columns_that_are_called_as_pictures_are_read(tmp_path) -> None:
    for before, after, pattern in (("", "", "*.png"), ("Real? [", "]", "Real? [*]"), ("", "", "*")):
        frame = wide().rename(
            columns=lambda name, b=before, a=after: name if name == "participant" else f"{b}{name}{a}"
        )
        found = imported(tmp_path, frame, mapping={"stimulus": "@name", "response": pattern})
        assert len(found.trials) == 48
        assert (found.trials["response"] == found.trials["kind"]).mean() == 0.75
    refused("any text for", imported, tmp_path, frame, mapping={"response": "Q*"})


def test_numbers_of_wide_tables_belong_together(tmp_path) -> None:
    row = {"id": "P1"} | {f"pic{n}": f"{KINDS[n % 2]}_{n}.png" for n in range(1, 11)}
    row |= {f"model{n}": "m" for n in range(1, 11)}
    mapping = {"participant": "id", "stimulus": "pic#", "response": "ans#"}
    for form in ("{}", "{:02d}"):
        answers = {f"ans{form.format(n)}": KINDS[n % 2] for n in range(1, 11)}
        found = imported(tmp_path, pd.DataFrame([row | answers]), mapping=mapping)
        assert (found.trials["response"] == found.trials["kind"]).tolist() == [True] * 10
        assert found.read_as.not_used == {"model#": {"m": 10}}
        assert not imported(
            tmp_path, pd.DataFrame([row | answers]), mapping=mapping | {"model": "model#"}
        ).rejected.size
    shifted = {f"ans{n - 1}": KINDS[n % 2] for n in range(1, 11)}
    refused("1 to 10, ans# 0 to 9", imported, tmp_path, pd.DataFrame([row | shifted]), mapping=mapping)


def test_refusals_name_what_helps(tmp_path) -> None:
    clicked = table().assign(response=lambda t: "['" + t["response"] + "_button']")
    refused("response:(fake|real)_button=MEANING", imported, tmp_path, clicked.assign(psychopyVersion="2023.2.3"))
    refused("--map rating=response --map response=", imported, tmp_path, table().assign(response=[*range(48)]))
    refused("--pictures FILE.csv with stimulus and kind", imported, tmp_path, table().drop(columns="kind"))
    frame = table()
    frame["participant"] = frame["participant"].where(frame.index % 12 == 0)
    found = imported(tmp_path, frame)
    assert found.rejected["reason"].str.contains("@fill:").all()
    assert len(imported(tmp_path, frame, mapping={"participant": "@fill:participant"}).trials) == 48


def test_times_of_a_person_in_two_units_are_refused(tmp_path) -> None:
    """Before: all were multiplied by 1000, the milliseconds among them, too."""
    frame = table(people=5).rename(columns={"participant": "who"})
    times, is_first = frame["reaction_time_ms"], frame["who"] == "P0"
    seconds = times.mask(is_first, times / 1000)
    found = imported(tmp_path, frame.assign(reaction_time_ms=seconds), {"participant": "who"})
    assert found.trials["reaction_time_ms"].round(6).tolist() == times.tolist()
    mixed = seconds.mask(is_first & (frame.index % 3 == 0), times)
    advice = r"seconds and milliseconds in one column\?.*--where who!=P0"
    refused(advice, imported, tmp_path, frame.assign(reaction_time_ms=mixed), {"participant": "who"})


@pytest.mark.parametrize(("factor", "fix"), [(1e9, ""), (1e-5, ""), (1e-3, r"rt\*1000")])
def test_a_printed_unit_makes_the_times_plausible(tmp_path, factor: float, fix: str) -> None:
    """Before: instants in milliseconds were to be divided by 1000, "fixes that"."""
    frame = table().rename(columns={"reaction_time_ms": "rt"})
    frame["rt"] *= factor
    refused(f'--map "reaction_time_ms={fix}" (fixes|leaves)', imported, tmp_path, frame, {"reaction_time_ms": "rt"})


def test_a_time_with_its_unit_is_refused_with_the_fix(tmp_path) -> None:
    frame = table()
    frame["reaction_time_ms"] = frame["reaction_time_ms"].astype("str") + " ms"
    with pytest.raises(UserError, match=r"found '500\.0 ms', expected a number; write the number alone") as error:
        imported(tmp_path, frame)
    assert "convert it with" not in str(error.value)


def test_practice_without_a_model_is_no_unnamed_model(tmp_path) -> None:
    frame = table().assign(model="gan", phase="main")
    practice = frame[frame.index % 12 < 3].assign(stimulus="p" + frame["stimulus"], model="", phase="practice")
    found = imported(tmp_path, pd.concat([practice, frame]))
    assert not lines_with(found, "model")
    assert found.read_as.other_phases == {"practice": 12}
    assert "48 answers; 12 practice trials" in lines_of(found.read_as)[0]


def test_exposures_in_seconds_may_last_until_the_answer(tmp_path) -> None:
    """Before: "found 'inf', which times 1000 is no finite number", and the row was left out."""
    frame = table().assign(shown_s=[0.5, "inf"] * 24)
    found = imported(tmp_path, frame, {"requested_exposure_ms": "shown_s*1000"})
    assert found.trials["requested_exposure_ms"].tolist() == [500.0, float("inf")] * 24
