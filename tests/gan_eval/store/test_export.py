"""Exports: every row, its type and meaning, in each format; R reads them where it is installed."""

import csv
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import Command
from fetched_tools import fetched, python_with
from make_trials import partners, simulated, simulated_pairs
from stored_rows import fill, sit, trial

from gan_eval import tables
from gan_eval.judgements.trials import fill_trials
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.analysis import analyze, write_analysis
from gan_eval.store import open_store
from gan_eval.store.bids import events
from gan_eval.store.export import DICTIONARY, FORMATS, export_analysis, export_store
from gan_eval.store.layout import LAYOUTS
from gan_eval.tables import frames as tabular

INSTANT = "2026-01-31T12:00:00.123Z"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one session in each of two studies."""
    path, more = tmp_path / "store.sqlite", {"seed": 2**53 + 1, "started_at": INSTANT}
    fill(path, "P01", study="first_study", done=2, **more)
    return fill(path, "P01", study="second", planned=3, done=3, **more)


def header_of(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def test_tables_come_back_from_csv_and_parquet_and_the_dictionary_has_each_column(store: Path, tmp_path: Path) -> None:
    exported = export_store(store, tmp_path / "out", formats=["csv", "parquet"])
    assert (exported.sessions, exported.trials) == (2, 5)
    with open_store(store) as opened:
        for table in tables.STORED_TABLES:
            rows = opened.rows(table)
            assert tabular.read_rows(tmp_path / "out" / f"{table.name}.csv", table) == rows
            frame = tabular.read_table(tmp_path / "out" / f"{table.name}.parquet", table)
            assert frame.equals(tabular.frame_of(rows, table))
    known = tabular.read_rows(tmp_path / "out" / "data_dictionary.csv", DICTIONARY)
    for table in tables.STORED_TABLES:
        columns = [row["column"] for row in known if row["table"] == table.name]
        assert header_of(tmp_path / "out" / f"{table.name}.csv") == columns
    by_name = {(row["table"], row["column"]): row for row in known}
    assert by_name["trials", "response"]["words"] == "real fake none"
    exposure = by_name["trials", "exposure_ms"]
    assert (exposure["dtype"], exposure["unit"], exposure["key"]) == ("float", "ms", False)


def test_a_psych_ds_dataset_follows_its_rules(store: Path, tmp_path: Path) -> None:
    with open_store(store) as opened, opened.transaction() as connection:  # a table without rows has no file
        connection.execute(LAYOUTS[tables.CHECKS].delete())
    export_store(store, tmp_path / "out", formats=["psych-ds"], study="first_study")
    folder = tmp_path / "out" / "psych-ds"
    described = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
    assert {"name", "description", "variableMeasured"} <= set(described)
    assert (described["@type"], described["@context"]) == ("Dataset", "https://schema.org")
    files = sorted((folder / "data").glob("*.csv"))
    names = ("consents", "marks", "onsets", "participants", "plans", "sessions", "trials")
    assert [file.name for file in files] == [f"study-firstStudy_description-{name}_data.csv" for name in names]
    known = {variable["name"] for variable in described["variableMeasured"]}
    for file in files:
        assert re.fullmatch(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv", file.name)
        header = header_of(file)
        own = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["variableMeasured"]
        assert header == [variable["name"] for variable in own]
        assert set(header) <= known
        assert all(variable["@type"] == "PropertyValue" for variable in own)
    recommended = ("analysis", "results", "materials", "documentation")
    assert all((folder / name / "README.md").is_file() for name in recommended)
    assert (folder / "CHANGES.md").is_file()


def test_bids_events_are_in_seconds_and_follow_its_rules(store: Path, tmp_path: Path) -> None:
    export_store(store, tmp_path / "out", formats=["csv", "bids"])
    folder = tmp_path / "out" / "bids"
    described = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
    assert {"Name", "BIDSVersion", "DatasetType"} <= described.keys()
    people = (folder / "participants.tsv").read_text(encoding="utf-8").splitlines()[1:]
    files = sorted(folder.glob("sub-*/beh/*_events.tsv"))
    assert {file.parts[-3] for file in files} == {line.split("\t")[0] for line in people}
    trials = tabular.read_rows(tmp_path / "out" / "trials.csv", tables.TRIALS)
    times = {row["reaction_time_ms"] for row in trials}
    seen: list[str] = []
    for file in files:
        task = re.fullmatch(r"sub-[A-Za-z0-9]+_(task-[A-Za-z0-9]+)_events\.tsv", file.name)
        assert task
        sidecar = json.loads((folder / f"{task[1]}_events.json").read_text(encoding="utf-8"))
        header, *lines = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
        assert header[:2] == ["onset", "duration"]
        assert set(header) <= sidecar.keys()
        assert all(len(line) == len(header) and all(line) for line in lines), "a missing value is n/a"
        seen += [line[header.index("response_time")] for line in lines]
    assert len(seen) == len(trials)
    assert {None if cell == "n/a" else round(1000 * float(cell), 3) for cell in seen} == {
        None if time is None else round(time, 3) for time in times
    }


@pytest.mark.nightly
def test_the_validators_of_bids_find_no_error(store: Path, tmp_path: Path) -> None:
    export_store(store, tmp_path / "out", formats=["bids"])
    fetched(["npm", "install", "--silent", "--prefix", str(tmp_path), "bids-validator@1.15.0"])
    newest = Path(python_with(tmp_path / "venv", "bids-validator-deno==3.0.2")).with_name("bids-validator-deno")
    for damaged in (False, True):
        if damaged:
            (tmp_path / "out" / "bids" / "dataset_description.json").unlink()
        for validator in (tmp_path / "node_modules" / ".bin" / "bids-validator", newest):
            done = subprocess.run([validator, tmp_path / "out" / "bids"], capture_output=True, text=True, check=False)
            assert bool(done.returncode) is damaged, done.stdout


def test_a_session_that_is_resumed_goes_on_in_its_events(tmp_path: Path) -> None:
    """The clock of a page restarts when the page is opened again; the time of day does not."""
    row = dict.fromkeys(tables.TRIALS.names) | {"session": "s", "kind": "real", "exposure_ms": 100.0}
    trials = [
        {**row, "trial": 1, "onset_ms": 5000.0, "reaction_time_ms": 250.0},
        {**row, "trial": 2, "onset_ms": 6500.0},
        {**row, "trial": 3, "onset_ms": 900.0, "flags": "late resumed"},
        {**row, "trial": 4, "onset_ms": 1900.5},
    ]
    clock = {("s", 1): "2026-01-01T12:00:00Z", ("s", 3): "2026-01-01T12:01:00.500Z"}
    assert [event["onset"] for event in events(trials, clock)] == [0.0, 1.5, 60.5, 61.5005]
    for moment in ("2026-01-01T11:01:00.500Z", "2026-01-01T12:00:01Z"):  # the time of day was set back meanwhile
        found = [event["onset"] for event in events(trials, clock | {("s", 3): moment})]
        assert found == [0.0, 1.5, None, None]
    again = {**row, "trial": 5, "onset_ms": 700.0, "flags": "resumed"}
    late = clock | {("s", 3): "2026-01-01T11:01:00.500Z", ("s", 5): "2026-01-01T12:02:00Z"}
    assert [event["onset"] for event in events([*trials, again], late)] == [0.0, 1.5, None, None, 120.0]


def test_the_script_for_r_names_every_column_with_its_type(store: Path, tmp_path: Path) -> None:
    export_store(store, tmp_path / "out", formats=["r"])
    script = (tmp_path / "out" / "read.R").read_text(encoding="utf-8")
    for table in tables.STORED_TABLES:
        assert (tmp_path / "out" / f"{table.name}.csv").is_file()
        block = script[script.index(f'{table.name} <- read_one("{table.name}"') :]
        block = block[: block.index("\n))")]
        assert re.findall(r"^  (\w+) = ", block, flags=re.MULTILINE) == list(table.names)
    assert 'response = c("factor", "real", "fake", "none")' in script


def test_a_second_export_replaces_the_first(store: Path, tmp_path: Path) -> None:
    for study, trials in ((None, 5), ("second", 3)):
        export_store(store, tmp_path / "out", formats=FORMATS, study=study)
        rows = tabular.read_rows(tmp_path / "out" / "trials.csv", tables.TRIALS)
        assert len(rows) == trials
        for file in ("README.md", "psych-ds/dataset_description.json", "read.R"):
            assert "absolute lag of display and keyboard" in (tmp_path / "out" / file).read_text(encoding="utf-8")
        text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
        assert f"| trials | {trials} | session, trial |" in text
        assert "- `analysis.R`: fits " in text
    for readme in (tmp_path / "out" / "README.md", tmp_path / "out" / "psych-ds" / "README.md"):
        text = readme.read_text(encoding="utf-8")
        inside = [path.relative_to(readme.parent) for path in readme.parent.rglob("[!.]*") if path.is_file()]
        datasets = ("psych-ds", "bids")
        top = {f"{path.parts[0]}/" if path.parts[0] in datasets else path.as_posix() for path in inside}
        listed = set(re.findall(r"^- `(.*?)`", text, flags=re.MULTILINE))
        assert listed == {name for name in top if not name.startswith(".")} - {"README.md"}


ENDS = ("low", "high")
NAMES = ('P 01, "Zoë"', "NA", "=P03")
"""Names that a reader of CSV can misread."""


def r(folder: Path, code: str, **environment: str) -> str:
    """Run R code in a folder and return what it prints."""
    found = shutil.which("Rscript")
    assert found
    done = subprocess.run(
        [found, "-e", code],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=600,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")


@pytest.fixture
def lme4(tmp_path: Path) -> None:
    """Skip a test where R or its package lme4 is not installed."""
    if shutil.which("Rscript") is None or r(tmp_path, 'cat(nzchar(system.file(package = "lme4")))') != "TRUE":
        pytest.skip("R's package lme4 is not installed")


@needs_r
@pytest.mark.parametrize("locale", ["C", pytest.param("C.UTF-8", marks=pytest.mark.nightly)])
def test_r_reads_every_table_with_its_types(tmp_path: Path, locale: str) -> None:
    answers = (("real", False, 312.25), ("fake", True, 400.0), ("none", None, None))
    with open_store(tmp_path / "store.sqlite") as opened:
        for name, (response, correct, ms) in zip(NAMES, answers, strict=True):
            session = sit(opened, name, done=0, started_at="2026-01-31T12:00:00.125Z")
            answer = {"response": response, "correct": correct, "reaction_time_ms": ms, "model": None}
            opened.add(tables.TRIALS, [trial(1, session, participant=name, **answer)])
    export_store(tmp_path / "store.sqlite", tmp_path / "out", formats=["r"])
    code = """
        source("read.R")
        stopifnot(nrow(trials) == 3, is.factor(trials$response), levels(trials$response) == c("real", "fake", "none"))
        stopifnot(sum(trials$reaction_time_ms, na.rm = TRUE) == 712.25, is.logical(trials$correct))
        stopifnot(!anyNA(trials$participant), sum(is.na(trials$reaction_time_ms)) == 1, all(is.na(trials$model)))
        stopifnot("P 01, \\"Zo\\u00eb\\"" %in% trials$participant, "NA" %in% trials$participant)
        stopifnot(consents$text[[2]] == "NA, \\"yes\\"\\nGr\\u00fc\\u00dfe, \\u4e16\\u754c")
        stopifnot(nrow(onsets) == 0, ncol(onsets) > 3)
        stopifnot(abs(as.numeric(sessions$started_at) - 1769860800.125) < 1e-3)
        cat("read")
    """
    assert r(tmp_path / "out", code, LC_ALL=locale) == "read"


def single_answers(*, named: bool) -> pd.DataFrame:
    """Two models on two data sets, or one on one, neither of which is named; some trials do not count."""
    parts = [simulated(participants=10, stimuli=18, each=18, models=("a", "b"), seed=seed) for seed in (4, 5)]
    parts[1] = parts[1].assign(dataset="maps", stimulus=parts[1]["stimulus"].str.replace("faces", "maps"))
    trials = pd.concat(parts if named else parts[:1], ignore_index=True).drop(columns=["trial", "correct"])
    trials = trials.assign(rating=np.nan) if named else trials.assign(rating=np.nan, model=None, dataset=None)
    trials.loc[::17, "response"] = "none"
    trials.loc[3::19, "phase"] = "practice"
    trials.loc[5::23, "rating"] = 3.0
    trials.loc[7::29, "protocol"] = "paired"
    return fill_trials(trials)


def pair_answers() -> pd.DataFrame:
    """Two models on one data set and one on another, with Holm's family of data sets and models."""
    parts = [simulated_pairs(people=12, dataset="faces", models=("a", "b"), effect=0.4, seed=2)]
    parts += [simulated_pairs(people=12, items=12, dataset="maps", models=("a",), effect=1.0, seed=3)]
    return fill_trials(pd.concat(parts, ignore_index=True).drop(columns=["trial"]))


def answers_without_a_model() -> pd.DataFrame:
    """All alike on one data set, and all correct on the other."""
    alike = simulated(participants=6, each=20).assign(response="fake").drop(columns="correct")
    perfect = simulated(participants=6, each=20, intercept=30.0).assign(dataset="b")
    perfect["stimulus"] = perfect["stimulus"].str.replace("faces", "b")
    return fill_trials(pd.concat([alike, perfect], ignore_index=True).drop(columns=["trial", "session"]))


@pytest.mark.nightly
@pytest.mark.usefixtures("lme4")
def test_the_table_to_cite_of_an_analysed_folder_is_that_of_lme4(tmp_path: Path) -> None:
    """R starts once; it stopped at answers that are all alike, and marked what has no estimate."""
    given = {"named": single_answers(named=True), "unnamed": single_answers(named=False), "pairs": pair_answers()}
    given |= {"without": answers_without_a_model(), "reals": given["named"][given["named"]["kind"] == "real"]}
    given["versions"] = fill_trials(partners(10, 8, seed=1).drop(columns=["trial", "correct"]))
    frames = {}
    for name, trials in given.items():
        frames[name] = analyze(trials, plan=None if name == "without" else AnalysisSettings(margin=0.1))
        write_analysis(frames[name], tmp_path / "analysed" / name, given={tables.TRIALS: trials})
        export_analysis(tmp_path / "analysed" / name, tmp_path / "r" / name)
    code = """
        for (name in list.dirs(recursive = FALSE)) sys.source(file.path(name, "analysis.R"), new.env(), chdir = TRUE)
    """
    assert "Fixed effects:" in r(tmp_path / "r", code)
    for name in ("named", "unnamed", "reals"):
        compare(frames[name]["mixed_models"], pd.read_csv(tmp_path / "r" / name / "mixed_models_R.csv"))
    assert not (tmp_path / "r" / "reals" / "paper_R.csv").exists(), "one kind of picture: nothing to cite"
    theirs = {
        name: pd.read_csv(tmp_path / "r" / name / "paper_R.csv", keep_default_na=False)
        for name in given
        if name != "reals"
    }
    for name in ("named", "unnamed", "versions", "pairs"):
        agree(frames[name]["paper"], theirs[name])
    modes = pd.read_csv(tmp_path / "r" / "versions" / "effects_R.csv")
    assert {*modes["scope"]} == {"participant", "item"}, "a photograph and its generated version share an item"
    for name in ("named", "unnamed", "versions"):
        assert (frames[name]["paper"]["basis"] == "crossed_model").all()
    for name in ("named", "pairs"):
        modes = pd.read_csv(tmp_path / "r" / name / "effects_R.csv")
        modes = modes[(modes["scope"] == "participant") & (modes["term"] == "(Intercept)")]
        people = given[name]["participant"].nunique()
        assert modes.groupby(["model", "dataset"])["id"].nunique().max() == people
        assert abs(modes["effect"].mean()) < modes["effect"].std()
    assert theirs["pairs"]["p_holm"].gt(theirs["pairs"]["p"]).any()
    without = theirs["without"]
    assert without["dataset"].tolist() == ["b", "faces", "all"]
    assert without["verdict"].tolist() == ["", "no verdict", "no verdict"]
    assert (without[["accuracy", "p", "p_holm", "basis"]] == "").all(axis=None)
    assert (without["note"] != "").all()


def answers_and_grades(*, shared: bool, models: str) -> pd.DataFrame:
    """One model's pictures are called real or fake next to real ones; those of several models are graded."""
    rng = np.random.default_rng(4)
    parts = []
    for task, names in (("called", ("real", "a")), ("graded", tuple(models))):
        person, item, side = (place.ravel() for place in np.indices((8, 6, len(names))))
        eta = rng.normal(0, 0.8, (8, len(names)))[person, side] + rng.normal(0, 0.6, 6)[item]
        eta += rng.normal(0, 0.6, (6, len(names)))[item, side] + rng.logistic(size=len(eta))
        name = np.array(names)[side]
        columns = {
            "session": [f"{task}{number}" for number in person],
            "participant": [f"P{number}" for number in person],
            "stimulus": [f"{own}{number}" for own, number in zip(name, item, strict=True)],
            "item": item if shared else None,
            "kind": np.where(name == "real", "real", "fake"),
            "model": np.where(name == "real", None, name),
            "response": np.where(eta > 0, "fake", "real") if task == "called" else None,
            "rating": np.nan if task == "called" else np.digitize(eta, (-1, 0.5)) + 1.0,
        }
        parts.append(pd.DataFrame(columns))
    return fill_trials(pd.concat(parts, ignore_index=True))


@pytest.mark.usefixtures("lme4")
@pytest.mark.parametrize(("shared", "models"), [(True, "abc"), pytest.param(False, "ab", marks=pytest.mark.nightly)])
def test_the_mixed_models_of_grades_and_items_are_those_of_r(tmp_path: Path, shared: bool, models: str) -> None:
    trials = answers_and_grades(shared=shared, models=models)
    frames = analyze(trials)
    write_analysis(frames, tmp_path / "analysed", given={tables.TRIALS: trials})
    export_analysis(tmp_path / "analysed", tmp_path / "r")
    r(tmp_path / "r", 'source("analysis.R")')
    ours = frames["mixed_models"]
    has_ordinal = r(tmp_path, 'cat(nzchar(system.file(package = "ordinal")))') == "TRUE"
    compare(ours if has_ordinal else ours[ours["link"] == "logit"], pd.read_csv(tmp_path / "r" / "mixed_models_R.csv"))
    assert ours["formula"].str.contains("(1 + kind|item)", regex=False).any() == shared
    assert ours["formula"].str.contains("(1|item:model)", regex=False).any() == shared


def agree(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """Two tables to cite have the same columns and rows, and numbers as near as lme4's search comes."""
    assert list(theirs) == list(ours)
    for name in ("protocol", "model", "dataset", "n_participants", "n_fake", "n_real", "n_answers", "verdict", "basis"):
        assert theirs[name].tolist() == ours[name].astype(object).fillna("").tolist(), name
    for name in ("fooling_rate", "real_called_real", "shared_real", "accuracy", "dprime"):
        mine, other = ours[name].to_numpy(float), pd.to_numeric(theirs[name]).to_numpy(float)
        assert other == pytest.approx(mine, abs=1e-3, nan_ok=True), name
    columns = (
        f"{name}_{end}"
        for name in ("fooling", "real", "shared_real", "accuracy", "accuracy90", "dprime")
        for end in ENDS
    )
    for name in (*columns, "p", "p_holm"):
        mine, other = ours[name].to_numpy(float), pd.to_numeric(theirs[name]).to_numpy(float)
        assert other == pytest.approx(mine, abs=4e-3, nan_ok=True), name


@pytest.mark.usefixtures("lme4")
@pytest.mark.parametrize("people", [("P1",), pytest.param((), marks=pytest.mark.nightly)])
def test_r_counts_simulated_participants_only_without_people(tmp_path: Path, people: tuple[str, ...]) -> None:
    with open_store(tmp_path / "store.sqlite") as opened:
        for name, simulated in (("S1", True), *((name, False) for name in people)):
            session = sit(opened, name, done=0, simulated=simulated, status="complete")
            for number in (1, 2):
                opened.add(tables.TRIALS, [trial(number, session, participant=name, simulated=simulated)])
    export_store(tmp_path / "store.sqlite", tmp_path / "out", formats=["r"])
    code = 'invisible(capture.output(source("analysis.R"))); cat(unique(answered$participant))'
    assert r(tmp_path / "out", code) == (people or ("S1",))[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "either a folder"),
        ("{folder} --format csv", "--format r alone"),
        ("{folder} --format r", "no trials.csv and comparisons.csv"),
        ("--store {store} --format xlsx", "--format xlsx: expected one or several of csv,parquet,psych-ds,bids,r"),
        ("--store {store} --format ,", "--format"),
        ("{store} --study third", "store.sqlite: no session of the study third"),
        ("--store {store}.absent", "no such store"),
        ("tables --store {store}.absent", "no such store"),
    ],
)
def test_what_cannot_be_exported_is_reported_and_nothing_written(
    store: Path, tmp_path: Path, command: Command, options: str, words: str
) -> None:
    given = options.format(folder=tmp_path, store=store).split()
    status, _, said = command("export", *given, "--out", tmp_path / "out")
    assert (status, words in said) == (2, True)
    assert not (tmp_path / "out").exists()


def test_a_folder_may_have_the_name_of_the_subcommand(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tables").mkdir()
    monkeypatch.chdir(tmp_path)
    status, _, said = command("export", "tables", "--format", "r", "--out", "out")
    assert (status, "tables: no trials.csv" in said) == (2, True)


@pytest.mark.parametrize(
    ("comparisons", "models", "words"),
    [
        ("a,b\n1,2\n", "link\nlogit\n", "comparisons.csv: column margin is missing"),
        ("margin\nsmall\n", "link\nlogit\n", "comparisons.csv: row 1, column margin: found 'small'"),
        ("margin\n0.05\n", "model\nx\n", "mixed_models.csv: column link is missing"),
    ],
)
def test_a_table_of_another_program_in_an_analysed_folder_is_named(
    tmp_path: Path, command: Command, comparisons: str, models: str, words: str
) -> None:
    tabular.write_table(single_answers(named=False), tmp_path / "trials.csv", tables.TRIALS)
    (tmp_path / "comparisons.csv").write_text(comparisons)
    (tmp_path / "mixed_models.csv").write_text(models)
    status, _, said = command("export", tmp_path, "--format", "r", "--out", tmp_path / "out")
    assert (status, words in said) == (2, True)
    assert not (tmp_path / "out").exists()


def compare(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """The mixed models have the same rows with an estimate, tests and reasons for none, and close numbers."""
    ours = ours[ours["estimate"].notna()]
    for name in ("formula", "link", "term", "n_trials", "n_participants", "n_stimuli"):
        assert theirs[name].tolist() == ours[name].tolist(), name
    reasons, own = (table["untested"].astype(object).fillna("").tolist() for table in (theirs, ours))
    assert reasons == own
    slopes = theirs["sd_slope"].notna().to_numpy()
    sds = ("sd_participant", "sd_stimulus", "sd_slope", "sd_slope_stimulus", "slope_correlation")
    for name in ("estimate", *sds, "log_likelihood"):
        mine, other = (table[name].to_numpy(float) for table in (ours, theirs))
        assert mine[~slopes] == pytest.approx(other[~slopes], abs=1e-3, nan_ok=True), name
        assert mine[slopes] == pytest.approx(other[slopes], abs=5e-3, nan_ok=True), name
    # by the script's own Hessian: lme4's errors of singular fits are other ones from 1.1-38 on
    assert ours["std_error"].to_numpy() == pytest.approx(theirs["std_error"].to_numpy(), rel=2e-3)
    for name in ("z", "p", "ci_low", "ci_high"):
        mine, other = (table[name].to_numpy(float) for table in (ours, theirs))
        assert mine == pytest.approx(other, rel=5e-3, abs=5e-3, nan_ok=True), name


def test_a_recruiters_numbers_and_addresses_among_the_answers_are_in_no_export(
    store: Path, tmp_path: Path, command: Command
) -> None:
    with open_store(store) as opened:
        row = opened.rows(tables.PARTICIPANTS)[0]
    secrets = {"SESSION_ID": "5f1e2d3c4b5a69788796a5b4", "mail": "ann@lab.example", "glasses": "yes"}
    with open_store(store) as opened, opened.transaction() as connection:
        for question, answer in secrets.items():
            connection.execute(LAYOUTS[tables.PARTICIPANTS].insert(), {**row, "question": question, "answer": answer})
    out, forms = tmp_path / "out", ",".join(FORMATS)
    status, _, errors = command("export", "--store", str(store), "--format", forms, "--out", str(out))
    assert (status, "may say who people are: SESSION_ID, mail" in " ".join(errors.split())) == (0, True)
    with_glasses = set()
    for path in (path for path in out.rglob("*") if path.is_file()):
        content = pd.read_parquet(path).to_csv().encode() if path.suffix == ".parquet" else path.read_bytes()
        assert (b"lab.example" in content, b"5f1e2d3c4b5a69788796a5b4" in content) == (False, False), path
        if b"glasses" in content:
            with_glasses.add(path.relative_to(out).as_posix())
    of_psych_ds = "psych-ds/data/description-participants_data.csv"
    assert with_glasses == {"participants.csv", "participants.parquet", of_psych_ds}
    with open_store(store) as opened:  # the store keeps all
        assert {row["question"] for row in opened.rows(tables.PARTICIPANTS)} >= secrets.keys()
