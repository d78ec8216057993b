import re
from pathlib import Path

import pandas as pd
import pytest
from lme4_designs import GENGAP
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.judgements.convert import import_trials
from gan_eval.judgements.readers import read_trials
from gan_eval.stats.analysis import analyze

MAPPING = {"participant": "subject", "kind": "truth", "reaction_time_ms": "rt_s*1000"}
FOREIGN = """subject,stimulus,truth,response,rt_s,passed_check
B,p1,Real,real,0.5,True
A,p2,fake,real,1.25,True
B,p2,fake,,2,True
C,p1,real,fake,0.7,False
"""


def foreign(tmp_path: Path, text: str = FOREIGN) -> Path:
    path = tmp_path / "foreign.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_mapped_filled_and_kept(tmp_path):
    trials = import_trials(foreign(tmp_path), mapping=MAPPING, where=["passed_check=True"]).trials
    columns = ["participant", "session", "trial", "kind", "response", "reaction_time_ms", "phase", "passed_check"]
    assert trials[columns].to_numpy().tolist() == [
        ["B", "B", 1, "real", "real", 500.0, "main", "True"],
        ["A", "A", 1, "fake", "real", 1250.0, "main", "True"],
        ["B", "B", 2, "fake", "none", 2000.0, "main", "True"],
    ]
    assert trials["correct"].fillna(False).tolist() == [True, False, False]
    assert trials["correct"].isna().tolist() == [False, False, True]
    assert not trials["simulated"].any()
    assert "subject" not in trials


def test_rows_that_stand_twice_are_counted(tmp_path):
    twice = import_trials(foreign(tmp_path, FOREIGN + FOREIGN.partition("\n")[2]), mapping=MAPPING)
    assert len(twice.trials) == 8
    people = twice.read_as.participants
    assert (twice.read_as.repeated, import_trials(foreign(tmp_path), mapping=MAPPING).read_as.repeated) == (people, 0)


def test_a_name_that_stands_for_several_pictures_becomes_one_for_each(tmp_path):
    head = "participant,stimulus,kind,model,response\n"
    rows = "A,1,real,m,real\nA,1,fake,m,real\nA,1,fake,n,fake\nA,2,fake,m,fake\nA,2,fake,m,fake\n"
    found = import_trials(foreign(tmp_path, head + rows), mapping={})
    assert found.renamed == ("1",)
    assert list(found.trials["stimulus"]) == ["real/1", "m/1", "n/1", "2", "2"]
    assert list(found.trials["item"]) == ["1", "1", "1", "2", "2"]

    rows = "dataset,participant,stimulus,kind,response\nd,A,1,real,real\ne,A,1,real,fake\ne,A,3,fake,fake\n"
    found = import_trials(foreign(tmp_path, rows), mapping={})
    assert list(found.trials["stimulus"]) == ["d/real/1", "e/real/1", "3"]
    of_files = "participant,stimulus,kind,response,model\nA,1.png,real,real,\nA,1.png,fake,real,m\n"
    found = import_trials(foreign(tmp_path, of_files), mapping={})
    assert list(found.trials["stimulus"]) == ["real/1", "m/1"], "as a stimulus set names them"
    found = import_trials(foreign(tmp_path, of_files + "A,1.jpg,real,real,\n"), mapping={})
    assert list(found.trials["stimulus"]) == ["real/1.png", "m/1.png", "1.jpg"], "two files of one stem"
    assert import_trials(foreign(tmp_path), mapping=MAPPING).renamed == ()


@pytest.mark.parametrize(
    ("mapping", "where", "word"),
    [
        ({"participant": "subjekt"}, (), "did you mean subject"),
        ({"participant": "subject"}, (), "kind is missing"),
        (MAPPING | {"reaction_time_ms": "truth*1000"}, (), r"row 1: column reaction_time_ms:.*'Real'"),
        (MAPPING | {"kind": "subject"}, (), "expected one of real, fake"),
        (MAPPING, ("passed=True",), "passed_check"),
        (MAPPING, ("passed_check=maybe",), "no row is left"),
    ],
)
def test_mistakes_are_named(tmp_path, mapping, where, word):
    refused(word, import_trials, foreign(tmp_path), mapping=mapping, where=where)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (FOREIGN.encode().splitlines()[0], "no row below the header"),
        (b"SQLite format 3\0\xff", "not a readable database"),
    ],
)
def test_files_without_rows_to_import(tmp_path, content, line):
    file = tmp_path / "theirs.csv"
    file.write_bytes(content)
    refused(f"theirs.csv: {line}", import_trials, file, mapping=MAPPING)


@pytest.mark.nightly
@pytest.mark.skipif(not GENGAP.is_file(), reason="the published answers are not here")
def test_the_published_human_data_give_the_published_accuracy():
    trials = import_trials(GENGAP, mapping=MAPPING, where=["passed_check=True"]).trials
    frames = analyze(trials)
    row = frames["rates"].iloc[0]
    assert (row["n_real"], row["n_fake"]) == (3360, 3360)
    assert round(100 * row["accuracy"], 1) == 87.0
    models = frames["mixed_models"]
    assert not models["note"].str.contains("no estimate|singular|converge", na=False).any()
    assert models["estimate"].iloc[0] == pytest.approx(2.393, abs=0.01)


SPOILT = """subject,stimulus,truth,response,rt_s,block
A,p1,real,real,0.5,1
A,p2,fakke,fake,0.5,1
A,p3,fake,maybe,0.5,1
,p4,fake,fake,0.5,1
A,p5,fake,fake,quick,1
A,p6,fake,fake
A,p7,fake,fake,0.7,1.5
A,,fake,fake,0.7,1
B,p1,real,,0.9,2
"""


def test_each_row_that_does_not_fit_is_named_and_the_others_are_taken(tmp_path):
    found = import_trials(foreign(tmp_path, SPOILT), mapping=MAPPING)
    assert list(zip(found.trials["participant"], found.trials["stimulus"], strict=True)) == [("A", "p1"), ("B", "p1")]
    named = {(row["row"], row["column"]): row for row in found.rejected.to_dict("records")}
    assert list(named) == [
        (2, "kind"), (3, "response"), (4, "participant"), (5, "reaction_time_ms"), (6, "(whole row)"), (7, "block"),
        (8, "stimulus"),
    ]  # fmt: skip
    assert named[2, "kind"]["found"] == "fakke"
    assert named[2, "kind"]["reason"].endswith("add --word kind:fakke=MEANING")
    assert "4 cells" in named[6, "(whole row)"]["reason"]
    assert "number" in named[5, "reaction_time_ms"]["reason"]


TRIAL_HEAD = "participant,session,trial,stimulus,kind,response\n"
ROWS = {
    "the same trial again": (
        TRIAL_HEAD + "A,s,1,p,real,real\nA,s,1,q,real,fake\nA,s,2,q,real,fake\n",
        ["p", "q"], [2], "has a trial 1 already; --map trial= numbers the rows",
    ),
    "the same trial without sessions": (
        "participant,trial,stimulus,kind,response\nA,1,p,real,real\nA,1,p,real,real\nB,1,p,real,real\n",
        ["p", "p"], [2], "has a trial 1 already",
    ),
    "one person in two studies": (
        "participant,study,trial,stimulus,kind,response\nA,s,1,p,real,real\nA,t,1,p,real,real\n", ["p", "p"], [], "",
    ),
    "trials that are no numbers": (
        "participant,stimulus,kind,response,trial\nA,p,real,real,NA\nA,q,fake,fake,NA\nA,r,real,real,1\n",
        ["r"], [1, 2], "empty",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ROWS)
def test_rows_that_are_taken_and_rejected(tmp_path, case):
    text, stimuli, rows, reason = ROWS[case]
    found = import_trials(foreign(tmp_path, text), mapping={})
    assert found.trials["stimulus"].tolist() == stimuli
    assert found.rejected["row"].tolist() == rows
    assert all(reason in each for each in found.rejected["reason"])


def test_the_file_s_words(tmp_path):
    text = "participant,stimulus,is_fake,said\nA,p,1,Synthetic\nA,q,0,Photo\nA,r,0,\nA,s,2,Photo\n"
    found = import_trials(
        foreign(tmp_path, text),
        mapping={"kind": "is_fake", "response": "said"},
        words={"kind": {"1": "fake", "0": "real"}, "response": {"synthetic": "fake", "PHOTO": "real"}},
    )
    assert found.trials["kind"].tolist() == ["fake", "real", "real"]
    assert found.trials["response"].tolist() == ["fake", "real", "none"]
    assert found.rejected["row"].tolist() == [4]


def test_a_doubt_names_the_row_of_the_file_after_rejected_rows(tmp_path):
    text = (
        "participant,stimulus,kind,response,reaction_time_ms\nA,p,real,maybe,700\nA,q,fake,fake,700\nA,r,fake,real,-1\n"
    )
    found = import_trials(foreign(tmp_path, text), mapping={})
    assert "1 of 2 answers have no reaction time above 0 (the first is -1 ms in row 3)" in found.doubts[0]


def test_pairs_and_grades_need_neither_kind_nor_response(tmp_path):
    pairs = "participant,stimulus,stimulus_b,protocol,choice\nA,d/real/1,d/m/1,paired,a\n"
    found = import_trials(foreign(tmp_path, pairs), mapping={})
    assert found.trials["choice"].tolist() == ["a"]
    refused("stimulus is missing", import_trials, foreign(tmp_path, "participant,rating\nA,3\n"), mapping={})


def test_a_model_that_looks_like_two_is_left_out_and_refused(tmp_path):
    path = tmp_path / "t.csv"
    lines = "participant,stimulus,kind,response,model\nP1,a,fake,real,m|n\nP1,b,fake,real,m\n"
    path.write_text(lines)
    found = import_trials(path, mapping={})
    assert found.rejected[["row", "column"]].to_numpy().tolist() == [[1, "model"]]
    assert len(found.trials) == 1
    refused(r"trials: row 1, column model:.*'\|'", analyze, pd.read_csv(path))
    pairs = "participant,stimulus,choice,model\nP1,a,a,m|n\nP1,b,b,m|n\n"
    path.write_text(pairs)
    assert len(import_trials(path, mapping={}).trials) == 2


def test_rows_are_not_chosen_by_their_outcome(tmp_path):
    """Fillers and rows without an answer may be dropped, judgements by what was answered or true may not."""
    file = tmp_path / "theirs.csv"
    file.write_text(FOREIGN + "C,p3,filler,,0.7,False\n")
    for rule, outcome in (("response=real", "response"), ("truth=fake", "kind"), ("truth!=Real", "kind")):
        refused(rf"--where {rule}:.*\d.*\({outcome}\)", import_trials, file, mapping=MAPPING, where=[rule])
    kept = import_trials(file, mapping=MAPPING, where=["truth!=filler", "passed_check=True"]).trials
    assert len(kept) == 3
    with_score = tmp_path / "scored.csv"
    with_score.write_text("participant,stimulus,kind,response,acc\nA,p,real,real,1\nA,q,fake,real,0\n")
    with pytest.raises(UserError, match=r"--where acc=1: drops 1 judgements.*\(correct\)"):
        import_trials(with_score, mapping={"correct": "acc"}, where=["acc=1"])
    for grade in ("acc", "acc*20"):
        with pytest.raises(UserError, match=r"--where acc=1: drops 1 judgements.*\(rating\)"):
            import_trials(with_score, mapping={"rating": grade}, where=["acc=1"])


def timed(tmp_path: Path, times: list[str], *, mark: str = ";", name: str = "rt") -> Path:
    """A foreign table with these reaction times."""
    lines = [f"P{n % 2}{mark}s{n}{mark}{'real' if n % 2 else 'fake'}{mark}real{mark}{time}"
             for n, time in enumerate(times)]  # fmt: skip
    path = tmp_path / "timed.csv"
    path.write_text("\n".join([mark.join(["participant", "stimulus", "kind", "response", name]), *lines]))
    return path


AMBIGUOUS = {
    "a point in thousands": (";", ["1.240", "982", "NA"], "'1.240' in row 1"),
    "a comma in thousands": (";", ["871", "1,240", "-5"], "'1,240' in row 2"),
    "commas, a point": (",", ["982", "2.310"], "'2.310' in row 2"),
    "a space": (",", ["1 240", "982"], "'1 240' in row 1"),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_a_mark_that_may_be_one_of_thousands_is_refused(tmp_path, case):
    mark, times, line = AMBIGUOUS[case]
    with pytest.raises(UserError, match=rf"timed\.csv: column rt: {re.escape(line)}.*without one"):
        import_trials(timed(tmp_path, times, mark=mark), mapping={"reaction_time_ms": "rt"})
    with pytest.raises(UserError, match=rf"timed\.csv: column reaction_time_ms: {re.escape(line)}.*without one"):
        analyze(timed(tmp_path, times, mark=mark, name="reaction_time_ms"))


@pytest.mark.parametrize(
    ("times", "expected"), [(["0,982", "1,240", "2"], [982.0, 1240.0, 2000.0]), (["1.240", "1.131"], [1240.0, 1131.0])]
)
def test_a_decimal_mark_that_is_clear_is_read(tmp_path, times, expected):
    found = import_trials(timed(tmp_path, times), mapping={"reaction_time_ms": "rt*1000"}).trials
    assert found["reaction_time_ms"].tolist() == pytest.approx(expected)


def test_text_that_looks_like_numbers_is_read_as_it_is_written(tmp_path):
    lines = ["participant;stimulus;kind;response;reaction_time_ms;group;score",
             "1,5;1.001;real;real;812,5;2.001;0,5", "1.5;982;fake;real;640;12;1,25"]  # fmt: skip
    (tmp_path / "t.csv").write_text("\n".join(lines))
    for trials in (import_trials(tmp_path / "t.csv", mapping={}).trials, read_trials(tmp_path / "t.csv")):
        found = trials[["participant", "stimulus", "reaction_time_ms", "group", "score"]].to_numpy().tolist()
        assert found == [["1,5", "1.001", 812.5, "2.001", "0.5"], ["1.5", "982", 640.0, "12", "1.25"]]
    line = "column group: '2.001' in row 1 may have a thousands separator"
    refused(line, analyze, tmp_path / "t.csv", exclude=["group>3"])
    refused(line, import_trials, tmp_path / "t.csv", mapping={}, where=["group<=3000"])
    refused(line, import_trials, tmp_path / "t.csv", mapping={"confidence": "group"})


@pytest.mark.parametrize(
    ("expression", "times", "line"),
    [
        ("rt", ["0.89", "1.2"], r'median is 1\.045 ms, below 100 ms: .* --map "reaction_time_ms=rt\*1000"'),
        ("rt*1000", ["890", "1200"], r'above 180 s: were milliseconds .* --map "reaction_time_ms=rt"'),
        ("rt", ["890000", "1200000"], r'above 180 s: were milliseconds .* --map "reaction_time_ms=rt/1000"'),
    ],
)
def test_times_of_another_unit_are_refused_with_the_map_that_fixes_them(tmp_path, expression, times, line):
    file = timed(tmp_path, times)
    refused(line, import_trials, file, mapping={"reaction_time_ms": expression})
    fixed = re.search(r'--map "reaction_time_ms=(.*)"', line.replace("\\", ""))
    assert fixed
    found = import_trials(file, mapping={"reaction_time_ms": fixed[1]}).trials
    assert 500 < found["reaction_time_ms"].median() < 12000


def test_the_map_that_fixes_a_column_named_like_arithmetic_names_that_column(tmp_path):
    file = timed(tmp_path, ["0.89", "1.2"], name="rt/2-1")
    refused(r'--map "reaction_time_ms=rt/2-1\*1000"', import_trials, file, mapping={"reaction_time_ms": "rt/2-1"})
    found = import_trials(file, mapping={"reaction_time_ms": "rt/2-1*1000"}).trials
    assert found["reaction_time_ms"].tolist() == [890.0, 1200.0]


@pytest.mark.parametrize(
    ("target", "expression", "line"),
    [
        ("reaction_time_ms", "rt*2-1", "rt*2-1: 2-1 is not a number"),
        ("reaction_time_ms", "rt/0", "rt/0: 0 is not a number"),
        ("kind", "rt*2", "rt*2: kind is not a column of numbers"),
    ],
)
def test_arithmetic_that_cannot_be_done(tmp_path, target, expression, line):
    with pytest.raises(UserError, match=re.escape(f"timed.csv: --map {target}={line}")):
        import_trials(timed(tmp_path, ["1"]), mapping={target: expression})


def test_exposures_and_tables_that_are_analysed_have_milliseconds(tmp_path):
    with pytest.raises(UserError, match=r'0\.5.*below 4 ms.*--map "requested_exposure_ms=seconds\*1000"'):
        import_trials(timed(tmp_path, ["0.5", "0.5"], name="seconds"), mapping={"requested_exposure_ms": "seconds"})
    file = timed(tmp_path, ["0.89", "1.2"], name="reaction_time_ms")
    for source in (file, pd.read_csv(file, sep=";")):
        refused(r'--map "reaction_time_ms=reaction_time_ms\*1000"', analyze, source)
    simulated = pd.read_csv(file, sep=";").assign(simulated=True)
    assert len(read_trials(simulated)) == 2, "the machine answers as fast as it likes"


@pytest.mark.parametrize(
    ("table", "mapping", "named"),
    [
        (
            "a,b,m,won\nx/1.png,y/1.png,x|y,first one\n",
            "stimulus=a stimulus_b=b model=m choice=won",
            "choice:first one",
        ),
        ("a,grade\nx.png,good\ny.png,bad\n", "stimulus=a rating=grade", "--word rating:good=NUMBER"),
        ("prompt,model_a,model_b,won\np1,x,y,tie\n", "", "--map left_model=model_a --map right_model=model_b"),
        (
            "l,r,x,y,won\nf/1.png,g/1.png,f,g,tie\n",
            "left=l right=r left_model=x right_model=y choice=won",
            "none: a tie",
        ),
    ],
)
def test_foreign_words_of_choices_and_ratings_and_logs_of_arenas_have_their_options_named(
    tmp_path: Path, table: str, mapping: str, named: str
) -> None:
    rows = table.splitlines()
    (tmp_path / "theirs.csv").write_text("\n".join([f"{rows[0]},participant", *(f"{row},P1" for row in rows[1:])]))
    with pytest.raises(UserError) as error:
        import_trials(tmp_path / "theirs.csv", mapping=dict(part.split("=") for part in mapping.split()))
    assert named in str(error.value)
