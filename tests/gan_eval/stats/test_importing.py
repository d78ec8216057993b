import os
from pathlib import Path

import pytest

from gan_eval.errors import UserError
from gan_eval.stats import analyze, import_trials
from gan_eval.tables import TRIALS
from gan_eval.tabular import read_table, write_table

MAPPING = {"participant": "subject", "kind": "truth", "reaction_time_ms": "rt_s*1000"}
FOREIGN = """subject,stimulus,truth,response,rt_s,passed_check
B,p1,Real,real,0.5,True
A,p2,fake,real,1.25,True
B,p2,fake,,2,True
C,p1,real,fake,0.7,False
"""


def human_trials() -> Path:
    data = os.environ.get("GAN_EVAL_DATA")
    shared = Path(data).parent if data else Path(__file__).parents[4] / "shared"
    path = shared / "human" / "gengap_trials.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    return path


def foreign(tmp_path: Path, text: str = FOREIGN) -> Path:
    path = tmp_path / "foreign.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_mapped_filled_and_kept(tmp_path):
    trials = import_trials(foreign(tmp_path), mapping=MAPPING, where=["passed_check=True"])
    assert list(trials["participant"]) == ["B", "A", "B"]
    assert list(trials["session"]) == ["B", "A", "B"]
    assert list(trials["trial"]) == [1, 1, 2]
    assert list(trials["kind"]) == ["real", "fake", "fake"]
    assert list(trials["response"]) == ["real", "real", "none"]
    assert list(trials["reaction_time_ms"]) == [500.0, 1250.0, 2000.0]
    assert trials["correct"].tolist()[:2] == [True, False]
    assert trials["correct"].isna().iloc[2]
    assert (trials["phase"] == "main").all()
    assert not trials["simulated"].any()
    assert list(trials["passed_check"]) == ["True"] * 3
    assert "subject" not in trials


def test_the_table_survives_its_file(tmp_path):
    trials = import_trials(foreign(tmp_path), mapping=MAPPING)
    write_table(trials, tmp_path / "trials.csv", TRIALS)
    again = read_table(tmp_path / "trials.csv", TRIALS)
    assert list(again["reaction_time_ms"]) == [500.0, 1250.0, 2000.0, 700.0]


@pytest.mark.parametrize(
    ("mapping", "where", "word"),
    [
        ({"participant": "subjekt"}, (), "did you mean subject"),
        ({"particpant": "subject"}, (), "did you mean participant"),
        ({"participant": "subject"}, (), "kind is missing"),
        (MAPPING | {"reaction_time_ms": "truth*1000"}, (), "row 1: found 'Real', wanted a number"),
        (MAPPING | {"reaction_time_ms": "rt_s/0"}, (), "not a number"),
        (MAPPING | {"kind": "rt_s*2"}, (), "kind is no column of numbers"),
        (MAPPING | {"kind": "subject"}, (), "wanted one of real, fake"),
        (MAPPING, ("passed=True",), "did you mean passed_check"),
        (MAPPING, ("passed_check=maybe",), "no row is left"),
    ],
)
def test_mistakes_are_named(tmp_path, mapping, where, word):
    with pytest.raises(UserError, match=word):
        import_trials(foreign(tmp_path), mapping=mapping, where=where)


@pytest.mark.parametrize("text", ["", "a,b\n1,2,3\n1\n\n1,2,3,4,5,6\n"])
def test_files_that_are_no_table(tmp_path, text):
    with pytest.raises(UserError, match=r"foreign\.csv"):
        import_trials(foreign(tmp_path, text), mapping=MAPPING)


def test_no_such_file(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        import_trials(tmp_path / "nowhere.csv", mapping=MAPPING)


def test_the_published_human_data_give_the_published_accuracy():
    trials = import_trials(human_trials(), mapping=MAPPING, where=["passed_check=True"])
    frames = analyze(trials)
    row = frames["rates"].iloc[0]
    assert (row["n_real"], row["n_fake"]) == (3360, 3360)
    assert round(100 * row["accuracy"], 1) == 87.0
    models = frames["mixed_models"]
    assert models["note"].isna().all()
    assert models["estimate"].iloc[0] == pytest.approx(2.393, abs=0.01)
