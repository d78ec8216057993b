"""Exports read in R, if R is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gan_eval import tables
from gan_eval.stats.mixed.models import mixed_models
from gan_eval.stats.trials import fill_trials
from gan_eval.store import open_store
from gan_eval.store.export import export_store

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
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def has_lme4() -> bool:
    found = shutil.which("Rscript")
    asked = 'quit(status = !requireNamespace("lme4", quietly = TRUE))'
    return found is not None and subprocess.run([found, "-e", asked], capture_output=True, check=False).returncode == 0


needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
needs_lme4 = pytest.mark.skipif(not has_lme4(), reason="R's package lme4 is not installed")


def answers(*, datasets: tuple[str, ...], participants: int, seed: int) -> pd.DataFrame:
    """Answers of people who lean, from the crossed logistic model; some trials that do not count."""
    rng = np.random.default_rng(seed)
    parts = []
    for dataset in datasets:
        person, picture = (part.ravel() for part in np.indices((participants, 24)))
        skill, leaning = 0.4 * rng.normal(size=participants), 0.7 * rng.normal(size=participants)
        fake = picture % 2 == 1
        eta = np.where(fake, 1, -1) * (0.4 + skill[person]) + leaning[person] + 0.8 * rng.normal(size=24)[picture]
        says_fake = rng.random(len(eta)) < 1 / (1 + np.exp(-eta))
        parts.append(
            pd.DataFrame(
                {
                    "participant": [f"P{number:02d}" for number in person],
                    "stimulus": [f"{dataset}/{number}" for number in picture],
                    "kind": np.where(fake, "fake", "real"),
                    "response": np.where(says_fake, "fake", "real"),
                    "dataset": dataset,
                }
            )
        )
    trials = pd.concat(parts, ignore_index=True).assign(phase="main", protocol="quick_response", rating=np.nan)
    trials.loc[::17, "response"] = "none"
    trials.loc[3::19, "phase"] = "practice"
    trials.loc[5::23, "rating"] = 3.0
    trials.loc[7::29, "protocol"] = "paired"
    return trials


def exported(trials: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """An export for R of a store of these trials; the trials as they came back from the store."""
    trials = fill_trials(trials).astype(object)
    with open_store(folder / "store.sqlite") as store:
        for number, (session, own) in enumerate(trials.groupby("session")):
            identity = {"session": session, "participant": session, "study": "s"}
            begun = {**identity, "protocol": "quick_response", "status": "open", "simulated": False, "seed": number}
            consent = {"session": session, "participant": session, "given": True, "text": 'a, "b"\nü', "version": "1"}
            store.begin({**begun, "started_at": "2026-01-31T12:00:00.125Z"}, [], consent)
            rows = own.assign(study="s").to_dict("records")
            store.add(tables.TRIALS, [{k: None if pd.isna(v) else v for k, v in row.items()} for row in rows])
        frame = store.frame(tables.TRIALS)
    export_store(folder / "store.sqlite", folder / "out", formats=["r"])
    return frame


@needs_r
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_r_reads_every_table_with_its_types(tmp_path: Path, locale: str) -> None:
    trials = pd.DataFrame(
        {"participant": NAMES, "stimulus": "d/1", "kind": "fake", "response": ["real", "fake", "none"]}
    ).assign(reaction_time_ms=[312.25, 400.0, np.nan])
    exported(trials, tmp_path)
    code = """
        source("read.R")
        stopifnot(nrow(trials) == 3, is.factor(trials$response), levels(trials$response) == c("real", "fake", "none"))
        stopifnot(sum(trials$reaction_time_ms, na.rm = TRUE) == 712.25, is.logical(trials$correct))
        stopifnot(!anyNA(trials$participant), sum(is.na(trials$reaction_time_ms)) == 1, all(is.na(trials$model)))
        stopifnot("P 01, \\"Zo\\u00eb\\"" %in% trials$participant, "NA" %in% trials$participant)
        stopifnot(consents$text == "a, \\"b\\"\\n\\u00fc", nrow(checks) == 0, ncol(checks) > 5)
        stopifnot(abs(as.numeric(sessions$started_at) - 1769860800.125) < 1e-3)
        cat("read")
    """
    assert r(tmp_path / "out", code, LC_ALL=locale) == "read"


@needs_lme4
def test_lme4_agrees(tmp_path: Path) -> None:
    """One data set, several, and reals alone, of which only the plain model is left; R starts once."""
    one, several = ("faces",), ("faces", "Zebras", "maps")
    reals = answers(datasets=one, participants=20, seed=2)
    given = {
        "one": answers(datasets=one, participants=20, seed=1),
        "several": answers(datasets=several, participants=12, seed=1),
        "reals": reals[reals["kind"] == "real"],
    }
    trials = {}
    for name, made in given.items():
        (tmp_path / name).mkdir()
        trials[name] = exported(made, tmp_path / name)
    code = """
        for (name in c("one", "several", "reals")) {
          own <- new.env()
          sys.source(file.path(name, "out", "analysis.R"), own, chdir = TRUE)
          write.csv(own$results, file.path(name, "lme4.csv"), row.names = FALSE)
        }
    """
    text = r(tmp_path, code)
    assert "Fixed effects:" in text
    assert "without dataset" in text
    for name, own in trials.items():
        compare(mixed_models(own), pd.read_csv(tmp_path / name / "lme4.csv"))
    reals_alone = pd.read_csv(tmp_path / "reals" / "lme4.csv")
    assert list(reals_alone["formula"]) == ["correct ~ 1 + (1|participant) + (1|stimulus)"]


def compare(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """The same rows, and numbers as near as lme4's search comes."""
    ours = ours[ours["estimate"].notna()]
    assert list(zip(theirs["formula"], theirs["term"], strict=True)) == list(
        zip(ours["formula"], ours["term"], strict=True)
    )
    for name in ("n_trials", "lrt_df"):
        assert list(theirs[name]) == list(ours[name]), name
    slopes = theirs["formula"].str.contains("1 + kind", regex=False).to_numpy()
    for name in ("estimate", "sd_participant", "sd_stimulus", "sd_slope", "slope_correlation", "log_likelihood"):
        mine, other = ours[name].to_numpy(), theirs[name].to_numpy()
        assert mine[~slopes] == pytest.approx(other[~slopes], abs=1e-3, nan_ok=True), name
        assert mine[slopes] == pytest.approx(other[slopes], abs=5e-3), name
    for name in ("lrt_chi2", "lrt_p"):
        assert ours[name].to_numpy() == pytest.approx(theirs[name].to_numpy(), abs=5e-3), name
    assert ours["std_error"].to_numpy() == pytest.approx(theirs["std_error"].to_numpy(), rel=0.02)
