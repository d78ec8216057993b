"""Identifiers as pandas reads them: whole numbers, as floats in a column with gaps, are text without decimals."""

import subprocess
import sys
from importlib import import_module
from pkgutil import walk_packages

import numpy as np
import pandas as pd
import pytest
from make_trials import simulated
from refusals import refused

import gan_eval.stats
from gan_eval.stats.all_tables import ALL_TABLES, OF_ANALYSIS
from gan_eval.stats.analysis import analyze, write_analysis
from gan_eval.tables import ANALYSIS_RUN, IMAGE_METRICS, SESSIONS, SET_METRICS, TABLES, Table
from gan_eval.tables.frames import conform, frame_of

NAMES = {
    *("participant", "session", "study", "station", "stimulus", "stimulus_b", "item", "model", "dataset"),
    *("a", "b"),
}
"""Columns of identifiers in the tables that a user may give."""


def numbered() -> pd.DataFrame:
    """Trials of one model whose every identifier is a number, as `pandas.read_csv` gives it."""
    trials = simulated(participants=6, each=6, models=("7",))[["participant", "stimulus", "item", "kind", "response"]]
    codes = {name: pd.factorize(trials[name])[0].astype(float) for name in ("participant", "stimulus", "item")}
    model = np.where(trials["kind"] == "fake", 7.0, np.nan)
    return trials.assign(**codes, session=codes["participant"], model=model, dataset=3.0, study=12.0)


@pytest.mark.parametrize("dtype", ["float64", "Int64", "object"])
def test_a_model_that_is_a_number_is_named_without_decimals(dtype):
    trials = numbered()
    frames = analyze(trials.assign(model=trials["model"].astype("Int64").astype(dtype)))
    assert frames["paper"]["model"].tolist() == ["7", "all"]
    assert set(frames["paper"]["dataset"]) == {"3"}
    of_people = frames["rates"].query("scope == 'participant'")["id"]
    assert set(of_people) == {"0", "1", "2", "3", "4", "5"}


def test_every_table_that_a_user_gives_takes_numbers_as_identifiers():
    for table in TABLES.values():
        named = [column.name for column in table.columns if column.name in NAMES and not column.words]
        assert all(table.by_name[name].is_name for name in named), table.name


def test_metrics_and_sessions_of_numbered_models_and_people_are_found():
    trials = numbered()
    fakes = trials[trials["kind"] == "fake"].drop_duplicates("stimulus")
    images = fakes[["stimulus", "item", "kind", "model", "dataset"]].assign(
        metric="mine", value=np.arange(len(fakes), dtype=float), reason=None, run=None
    )
    sets = frame_of([{"model": "m", "dataset": "d", "metric": "fid", "value": 1.0, "n_fake": 6}], SET_METRICS)
    sets = sets.assign(model=7.0, dataset=3.0)
    sessions = pd.DataFrame({"session": [0.0, 1.0, 2.0], "participant": [0.0, 1.0, 2.0], "status": "aborted"})
    sessions = sessions.assign(protocol="single", simulated=False)
    sessions = sessions.reindex(columns=[*SESSIONS.names])
    frames = analyze(trials, image_metrics=images, set_metrics=sets, sessions=sessions)
    counted = trials[(trials["participant"] > 2) & (trials["kind"] == "fake")]["stimulus"].nunique()
    assert frames["correlations"].query("level == 'stimulus'")["n"].tolist() == [counted]
    assert (frames["participation"]["counted"] == "yes").sum() == 3
    assert conform(images, IMAGE_METRICS, where="images")["model"].unique().tolist() == ["7"]


def test_a_model_that_is_no_whole_number_is_refused():
    trials = numbered()
    refused("row 2, column model: found 7.5, expected text", analyze, trials.assign(model=trials["model"] + 0.5))


FRESH = """
import sys
from pathlib import Path
import pandas as pd
from gan_eval.stats.writing import write_analysis
frames = {name: pd.read_pickle(f"{sys.argv[1]}/{name}.pkl") for name in sys.argv[2:]}
print(*sorted(path.name for path in write_analysis(frames, Path(sys.argv[1]) / "out")))
"""


def test_tables_are_written_by_a_process_that_has_not_made_them(tmp_path):
    names = ("choices", "psychometric", "roc", "mark_agreement", "ratings")
    for name in names:
        frame_of([], OF_ANALYSIS[name]).to_pickle(tmp_path / f"{name}.pkl")
    command = [sys.executable, "-c", FRESH, str(tmp_path), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == sorted(f"{name}.csv" for name in names), done.stderr


@pytest.mark.parametrize(
    ("name", "frame", "why"),
    [
        ("mine", pd.DataFrame(), "no table 'mine' of an analysis"),
        ("trials", pd.DataFrame(), "no table 'trials' of an analysis"),
        ("choices", pd.DataFrame({"a": [1]}), "table choices: no column a;"),
        ("choices", pd.DataFrame({"note": ["x"]}), r"choices\.csv: column .*protocol.* is missing"),
        ("choices", frame_of([], OF_ANALYSIS["choices"]).assign(mine=1), "table choices: no column mine;"),
    ],
)
def test_a_frame_that_is_not_its_table_is_not_written(name, frame, why, tmp_path):
    refused(why, write_analysis, {name: frame}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_list_of_tables_has_every_table_of_an_analysis():
    modules = [import_module(found.name) for found in walk_packages(gan_eval.stats.__path__, "gan_eval.stats.")]
    declared = {value.name for module in modules for value in vars(module).values() if isinstance(value, Table)}
    assert ALL_TABLES.keys() == declared | TABLES.keys()
    assert {name for name, table in ALL_TABLES.items() if ANALYSIS_RUN in table.columns} == OF_ANALYSIS.keys()
