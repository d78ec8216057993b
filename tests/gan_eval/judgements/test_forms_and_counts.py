"""Forms whose questions are pictures' titles, tables of pictures, grades from real to fake, joined columns, counts."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from refusals import refused
from tool_files import ANSWERS, EPRIME, PICTURES, eprime, presentation

from gan_eval.__main__ import run
from gan_eval.judgements.convert import Imported, import_trials
from gan_eval.tables import REJECTED
from gan_eval.tables.frames import read_rows
from gan_eval.tables.names import NOT_KNOWN

TITLES = ["Goku", "Crow", "Whale  with spout", "Bull (flat)"]
KINDS = ["real", "fake", "real", "fake"]
NAMED = "name,kind\nGoku,real\nCrow,fake\nWhale with spout,real\nbull (flat),fake\n"
FORM = [
    ["12/6/2025 2:39:11", "No experience", "Real", "AI", "Real", "Not sure", "7"],
    ["12/6/2025 2:40:11", "Some, with models", "AI", "AI", "Real", "Real", "3"],
]
WORDS = {"response": {"AI": "fake", "Not sure": "none"}}


def written(tmp_path: Path, name: str, text: str) -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path / name


def form(tmp_path: Path, above: str = "", *, name: str = "form.csv") -> Path:
    header = ["Timestamp", "How familiar are you?", *TITLES, "How sure are you?"]
    return written(tmp_path, name, above + pd.DataFrame(FORM, columns=header).to_csv(index=False))


def imported(file: Path, meanings: Any = None, **options: Any) -> Imported:
    return import_trials(file, **{"mapping": {}, "words": meanings, **options})


SUMS = '_,14 / 24,59 %,46 %,"79,1 %",55 %,\n'


@pytest.mark.parametrize("above", ["", SUMS, f"Results of the quiz\n{SUMS}"])
def test_questions_that_are_the_titles_of_pictures(tmp_path: Path, above: str) -> None:
    """Before: "nothing says which picture a row is of"; a row of sums above was the header."""
    pictures = written(tmp_path, "pictures.csv", NAMED)
    found = imported(form(tmp_path, above), pictures=pictures, meanings=WORDS)
    trials = found.trials
    assert trials["response"].tolist() == ["real", "fake", "real", "none", "fake", "fake", "real", "real"]
    assert trials["kind"].tolist() == KINDS * 2
    assert trials["stimulus"].tolist() == ["Goku", "Crow", "Whale with spout", "bull (flat)"] * 2
    assert trials["participant"].unique().tolist() == [row[0] for row in FORM]
    assert trials["How familiar are you?"].tolist() == [row[1] for row in FORM for _ in TITLES]
    assert set(found.read_as.not_used) == {"How familiar are you?", "How sure are you?"}
    mapped = imported(
        form(tmp_path, above), pictures=pictures, meanings=WORDS, mapping={"confidence": "How sure are you?"}
    )
    assert mapped.trials["confidence"].tolist() == [7] * 4 + [3] * 4
    assert any("not read above the header" in line for line in found.doubts) == bool(above)


def test_pictures_below_the_columns_of_a_person_keep_these_names(tmp_path: Path) -> None:
    """SurveyMonkey. Before, the code and the address were `unnamed_1` and `unnamed_2`, and the address was kept."""
    above = ["Respondent ID", "IP Address", "Real or fake?", "", "", ""]
    rows = [above, ["", "", *TITLES], ["P1", "1.2.3.4", *FORM[0][2:6]], ["P2", "1.2.3.5", *FORM[1][2:6]]]
    file = written(tmp_path, "form.csv", pd.DataFrame(rows).to_csv(index=False, header=False))
    pictures = written(tmp_path, "pictures.csv", NAMED)
    found = imported(file, pictures=pictures, meanings=WORDS, mapping={"participant": "Respondent ID"})
    assert found.trials["participant"].tolist() == ["P1"] * 4 + ["P2"] * 4
    assert found.trials["kind"].tolist() == KINDS * 2
    assert "1.2.3.4" not in found.trials.to_csv()


def test_pictures_in_the_brackets_of_one_grid_are_found(tmp_path: Path) -> None:
    """LimeSurvey. Before: "nothing says which picture a row is of". Of two grids none is chosen."""
    pictures = written(tmp_path, "pictures.csv", NAMED)
    grid = {f"G1[SQ{at}]. Real? [{name}]": [row[at + 2] for row in FORM] for at, name in enumerate(TITLES)}
    one = written(tmp_path, "form.csv", pd.DataFrame({"participant": ["P1", "P2"], **grid}).to_csv(index=False))
    found = imported(one, pictures=pictures, meanings=WORDS)
    assert found.trials["response"].tolist() == ["real", "fake", "real", "none", "fake", "fake", "real", "real"]
    both = grid | {name.replace("Real", "Sure"): cells for name, cells in grid.items()}
    two = written(tmp_path, "two.csv", pd.DataFrame({"participant": ["P1", "P2"], **both}).to_csv(index=False))
    refused("nothing says which picture a row is of", imported, two, pictures=pictures, meanings=WORDS)


def test_titles_of_pictures_in_a_sheet_with_grades(tmp_path: Path) -> None:
    header = ["Person", *TITLES]
    rows = [["a sum", 3, 4, 5, 6], header, ["P1", 7, 2, 6, 1], ["P2", 5, 4, 4, 2]]
    pd.DataFrame(rows).to_excel(tmp_path / "form.xlsx", index=False, header=False)
    pictures = written(tmp_path, "pictures.csv", NAMED)
    found = imported(tmp_path / "form.xlsx", pictures=pictures, mapping={"participant": "Person", "rating": "@answer"})
    assert found.trials["rating"].tolist() == [7, 2, 6, 1, 5, 4, 4, 2]


def test_a_pair_of_pictures_with_names_is_no_header(tmp_path: Path) -> None:
    text = "participant,left,right,choice\nA,a.png,b.png,left\nB,a.png,b.png,right\n"
    pictures = written(tmp_path, "pictures.csv", "name,kind\na.png,real\nb.png,fake\n")
    mapping = {"left": "left", "right": "right", "real_side": '@"left"', "stimulus": ""}
    refused(
        "nothing says which picture", imported, written(tmp_path, "t.csv", text), pictures=pictures, mapping=mapping
    )


def test_a_picture_without_a_question_is_named(tmp_path: Path) -> None:
    pictures = written(tmp_path, "pictures.csv", NAMED + "Dragon,fake\n")
    refused(r"pictures\.csv: no column is called Dragon", imported, form(tmp_path), pictures=pictures, meanings=WORDS)


LONG = pd.DataFrame(
    {
        "participant": ["A"] * 4 + ["B"] * 4,
        "img": ["im-1", "im-2", "im-3", "im-4"] * 2,
        "likert": ["1", "4", "6", "7", "3", "5", "2", "4"],
    }
)
TABLE = "path,ds,img_id,synthetic\nx/1.png,FFHQ,im-1,0\nx/2.png,FFHQ,im-2,0\ny/3.png,GAN1,im-3,1\ny/4.png,GAN2,im-4,1\n"
GRADED = {"stimulus": "img", "grade": "likert"}
TRUTH = {"kind": {"0": "real", "1": "fake"}}


def long(tmp_path: Path, frame: pd.DataFrame = LONG) -> Path:
    return written(tmp_path, "answers.csv", frame.to_csv(index=False))


def test_columns_of_the_table_of_pictures_are_mapped(tmp_path: Path) -> None:
    """Before: "expected a column number, name or stimulus", and the header of that table had to be edited."""
    pictures = written(tmp_path, "img.csv", TABLE)
    mapping = {**GRADED, "kind": "synthetic", "model": "ds"}
    found = imported(long(tmp_path), pictures=pictures, mapping=mapping, grade="1..7", meanings=TRUTH)
    assert found.trials["kind"].tolist() == ["real", "real", "fake", "fake"] * 2
    assert found.trials["model"].dropna().tolist() == ["GAN1", "GAN2"] * 2
    assert found.trials["stimulus"].tolist() == ["im-1", "im-2", "im-3", "im-4"] * 2
    refused(
        r"img\.csv: column synthetic: found 0, 1, expected real and fake; add --word 'kind:0=MEANING'",
        imported, long(tmp_path), pictures=pictures, mapping=mapping, grade="1..7",
    )  # fmt: skip
    alike = written(tmp_path, "img.csv", TABLE.replace("img_id", "img"))
    refused("add --map stimulus=img", imported, long(tmp_path), pictures=alike)
    pictures = written(tmp_path, "img.csv", TABLE)
    refused(
        r"img\.csv: --map rating=ds: expected one of stimulus, kind",
        imported, long(tmp_path), pictures=pictures, mapping={**mapping, "rating": "ds"}, grade="1..7",
    )  # fmt: skip


def test_a_picture_that_the_table_lacks_can_be_left_out_as_the_message_says(tmp_path: Path) -> None:
    """Before: the message's own `--where '@name!=...'` was refused for a long table."""
    pictures = written(tmp_path, "img.csv", TABLE.replace("im-2", "im-9"))
    options: dict[str, Any] = {"pictures": pictures, "mapping": {**GRADED, "kind": "synthetic"}, "meanings": TRUTH}
    advice = r"no row with the img_id im-2; add it, or leave it out \(--where 'img!=im-2'\)"
    refused(advice, imported, long(tmp_path), **options, grade="1..7")
    found = imported(long(tmp_path), **options, grade="1..7", where=["img!=im-2"])
    assert len(found.trials) == 6


@pytest.mark.parametrize("scale", ["1..7", "7..1", "0..8"])
def test_grades_from_real_to_fake_are_answers_with_a_confidence(tmp_path: Path, scale: str) -> None:
    """Before: the column had to be mapped twice, with 16 --word."""
    frame = LONG.assign(kind=["real", "real", "fake", "fake"] * 2)
    found = imported(long(tmp_path, frame), mapping=GRADED, grade=scale)
    answers = ["real", "none", "fake", "fake", "real", "fake", "real", "none"]
    exchanged = {"real": "fake", "fake": "real", "none": "none"}
    assert found.trials["response"].tolist() == [exchanged[one] if scale == "7..1" else one for one in answers]
    assert found.trials["confidence"].dropna().tolist() == [3, 2, 3, 1, 1, 2]
    assert found.trials["grade"].tolist() == LONG["likert"].tolist()
    assert any("2 in the middle are no answer" in line for line in found.doubts)
    assert found.read_as.mapped["response"] == f"likert ({scale})"


def test_a_scale_without_a_middle_and_codes_of_no_answer(tmp_path: Path) -> None:
    frame = LONG.assign(kind=["real", "real", "fake", "fake"] * 2, likert=["1", "6", "3", "4", "-1", "2", "5", ""])
    refused(
        r"grade: found -1 \(1\), expected numbers from 1 to 6; add --word 'grade:-1=NUMBER', or 'grade:-1=none'",
        imported, long(tmp_path, frame), mapping=GRADED, grade="1..6",
    )  # fmt: skip
    found = imported(long(tmp_path, frame), mapping=GRADED, grade="1..6", meanings={"grade": {"-1": "none"}})
    assert found.trials["confidence"].fillna(0).tolist() == [3, 3, 1, 1, 0, 2, 2, 0]
    refused(r"--map grade: expected --grade 1\.\.7", imported, long(tmp_path, frame), mapping=GRADED)
    refused("add --map grade=COLUMN", imported, long(tmp_path, frame), grade="1..6", mapping={"stimulus": "img"})
    drops = r"--where likert>0: drops 1 judgements by their outcome \(grade\).*--word 'grade:-1='"
    refused(drops, imported, long(tmp_path, frame), mapping=GRADED, grade="1..6", where=["likert>0"])


def test_columns_are_joined(tmp_path: Path) -> None:
    """Before: two columns of a model had to be joined in another program."""
    text = "who,scene,type1,level1,type2,level2,choice\nA,s1,JPEG,10,GAUSS,2,left\nA,s2,JPEG,20,Reference,,right\n"
    mapping = {"participant": "who", "left": "scene", "right": "scene", "choice": "choice"}
    mapping |= {"left_model": "type1 + level1", "right_model": "type2 + level2"}
    found = imported(written(tmp_path, "votes.csv", text), mapping=mapping)
    assert found.trials["model"].tolist() == ["GAUSS_2|JPEG_10", "JPEG_20|Reference"]
    assert found.read_as.not_used == {}
    refused(
        "no column 'type1 [+] nothing'",
        imported,
        tmp_path / "votes.csv",
        mapping=mapping | {"left_model": "type1 + nothing"},
    )


COUNTS = "picture,kind,n_right,n\na.png,real,3,4\nb.png,fake,1,2\nc.png,real,2,2\nd.png,fake,0,3\n"


def test_counts_are_answers_of_people_who_are_not_known(tmp_path: Path) -> None:
    """Before: "a row must be one judgement: write a row for each answer"."""
    file = written(tmp_path, "counts.csv", COUNTS)
    mapping = {"stimulus": "picture", "count": "n", "count_correct": "n_right"}
    found = imported(file, mapping=mapping)
    table = found.trials.groupby("stimulus")["correct"].agg(["sum", "size"])
    assert table.to_numpy().tolist() == [[3, 4], [1, 2], [2, 2], [0, 3]]
    assert found.trials["participant"].unique().tolist() == [NOT_KNOWN]
    assert found.read_as.participants == 0
    assert any("who gave them is not known, so intervals are over pictures only" in line for line in found.doubts)
    refused(
        "row 2: column n: found 'x'",
        imported,
        written(tmp_path, "x.csv", COUNTS.replace("1,2", "1,x")),
        mapping=mapping,
    )
    refused(
        "row 2: more answers are correct",
        imported,
        written(tmp_path, "y.csv", COUNTS.replace("1,2", "3,2")),
        mapping=mapping,
    )
    refused("add --map count=COLUMN", imported, file, mapping={"stimulus": "picture", "count_correct": "n_right"})
    refused("--map count=COLUMN", imported, file, mapping={"stimulus": "picture"})


def test_votes_of_pairs_are_counted_by_column(tmp_path: Path) -> None:
    text = "image,ref,base,ours,num_vote_base,num_vote_ours\n1,r1,b1,o1,12,35\n2,r2,b2,o2,26,21\n"
    mapping = {"left": "base", "right": "ours", "left_model": '@"base"', "right_model": '@"ours"'}
    mapping |= {"count": "num_vote_*", "choice": "@name"}
    found = imported(written(tmp_path, "votes.csv", text), mapping=mapping)
    votes = found.trials.groupby("stimulus")["choice"].value_counts().unstack()
    assert votes.loc["b1"].to_dict() == {"a": 12, "b": 35}
    assert votes.loc["b2"].to_dict() == {"a": 26, "b": 21}
    assert found.trials["stimulus_b"].unique().tolist() == ["o1", "o2"]


def test_counts_of_known_people_keep_them(tmp_path: Path) -> None:
    text = "participant,stimulus,kind,response,times\nA,a.png,real,real,2\nA,b.png,fake,real,1\nB,a.png,real,fake,3\n"
    found = imported(written(tmp_path, "times.csv", text), mapping={"count": "times"})
    assert found.trials["participant"].value_counts().to_dict() == {"A": 3, "B": 3}


KEYS_OF_LOGS = {"response": {"j": "real", "f": "fake"}}


def test_logs_of_eprime_are_read(tmp_path: Path) -> None:
    """Before: "the file's columns are *** Header Start ***"."""
    for person in ("07", "08"):
        eprime(tmp_path / f"Faces-{person}-1.txt", person)
    mapping = {"participant": "Subject", "stimulus": "Picture", "response": "Show.RESP", "reaction_time_ms": "Show.RT"}
    trials = import_trials(sorted(tmp_path.glob("*.txt")), mapping=mapping, words=KEYS_OF_LOGS).trials
    assert trials["participant"].tolist() == ["07"] * 6 + ["08"] * 6
    assert trials["response"].tolist() == [answer or "none" for answer in ANSWERS] * 2
    assert trials["reaction_time_ms"].dropna().tolist() == [512] * 10
    refused("a log without a trial", imported, written(tmp_path, "cut.txt", EPRIME[:90]))


def test_logs_of_presentation_are_read(tmp_path: Path) -> None:
    """Before: "the file's columns are Scenario - faces"."""
    presentation(tmp_path / "S1-faces.log", "S1")
    mapping = {"participant": "Subject", "stimulus": "Code", "response": "Response", "reaction_time_ms": "RT"}
    trials = imported(tmp_path / "S1-faces.log", mapping=mapping, words=KEYS_OF_LOGS).trials
    assert trials["stimulus"].tolist() == [f"{name}.png" for name in PICTURES]
    assert trials["response"].tolist() == [answer or "none" for answer in ANSWERS]
    assert trials["reaction_time_ms"].dropna().tolist() == [512] * 5


def table(**columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame({"participant": ["A"] * 4, "stimulus": [f"x{n}.png" for n in range(4)], "kind": KINDS})
    return frame.assign(response=["real", "fake", "real", "real"], **columns)


def test_a_decimal_comma_in_all_numbers_of_a_column(tmp_path: Path) -> None:
    """Before: "expected a number with a decimal point"; a CSV split by commas quotes such cells."""
    frame = table(reaction_time_ms=["775,7", "512,25", "640,5", "701,0"], note=["1,5", "a, b", "", "x"])
    found = imported(written(tmp_path, "t.csv", frame.to_csv(index=False)))
    assert found.trials["reaction_time_ms"].tolist() == [775.7, 512.25, 640.5, 701]
    assert found.trials["note"].dropna().tolist() == ["1,5", "a, b", "x"]


def test_pictures_that_a_spreadsheet_turned_into_dates(tmp_path: Path) -> None:
    """Before: pictures `2025-04-01 00:00:00`, silently."""
    names = [pd.Timestamp("2025-04-01"), "4-31.png", "4-32.png", "4-33.png"]
    table().assign(stimulus=names).to_excel(tmp_path / "t.xlsx", index=False)
    refused("column stimulus: 2025-04-01 00:00:00 is a date", imported, tmp_path / "t.xlsx")
    as_text = table().assign(stimulus=["1-Apr", "4-31", "4-32", "4-33"]).to_csv(index=False)
    found = imported(written(tmp_path, "t.csv", as_text))
    assert any("look like dates (1-Apr)" in line for line in found.doubts)


def test_hidden_rows_of_a_worksheet_are_counted(tmp_path: Path) -> None:
    """Before: rows that a filter hid counted silently."""
    from openpyxl import load_workbook

    table().to_excel(tmp_path / "t.xlsx", index=False)
    book = load_workbook(tmp_path / "t.xlsx")
    book.active.row_dimensions[3].hidden = True
    book.active.row_dimensions[4].hidden = True
    book.save(tmp_path / "t.xlsx")
    assert any("2 rows are hidden in the file" in line for line in imported(tmp_path / "t.xlsx").doubts)


def test_a_row_of_counts_that_does_not_fit_is_rejected_once(tmp_path: Path) -> None:
    """Before: a row of sums was rejected once for each answer, and the command ended on these equal rows."""
    file, out = written(tmp_path, "counts.csv", COUNTS + "Total,,6,11\n"), tmp_path / "t.csv"
    options = ["--map", "stimulus=picture", "--map", "count=n", "--map", "count_correct=n_right", "--out", str(out)]
    assert run(["trials", "import", str(file), *options]) == 3
    (row,) = read_rows(tmp_path / "t.rejected.csv", REJECTED)
    assert (row["row"], row["column"]) == (5, "kind")
    assert len(pd.read_csv(out)) == 11


def test_grades_with_fractions_keep_their_distance_from_the_middle(tmp_path: Path) -> None:
    """Before: of a slider from 0 to 1 each confidence was 1."""
    cells = ["0", "0.25", "0.5", "0.875", "1", "0.125", "0.75", ""]
    frame = LONG.assign(kind=["real", "real", "fake", "fake"] * 2, likert=cells)
    found = imported(long(tmp_path, frame), mapping=GRADED, grade="0..1")
    assert found.trials["confidence"].fillna(0).tolist() == [0.5, 0.25, 0, 0.375, 0.5, 0.375, 0.25, 0]
    assert any("the distance from the middle as their confidence" in line for line in found.doubts)
