"""Metrics of other pictures or models than the judged ones are refused; a part that matches is counted."""

from pathlib import Path

import pandas as pd
import pytest
from make_metrics import correlations
from refusals import refused

from gan_eval import analyze
from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.metrics_and_people.matching import require_metrics_of
from gan_eval.stats.metrics_and_people.points import why_none
from gan_eval.tables import IMAGE_METRICS, SET_METRICS
from gan_eval.tables.frames import frame_of

PICTURES = [
    {"stimulus": f"photos/{model}/{number}", "kind": "real" if model == "real" else "fake",
     "model": None if model == "real" else model, "dataset": "photos", "item": f"photos/{number}"}
    for model in ("real", "blur", "noise")
    for number in range(3)
]  # fmt: skip
TRIALS = fill_trials(pd.DataFrame([row | {"participant": "P1", "response": "real"} for row in PICTURES]))
FAKES = frame_of(
    [row | {"metric": "psnr", "value": float(number)} for number, row in enumerate(PICTURES[3:])], IMAGE_METRICS
)
SETS = frame_of(
    [
        {"model": name, "dataset": "photos", "metric": "fid", "value": 1.0, "n_real": 3, "n_fake": 3}
        for name in ("blur", "noise")
    ],
    SET_METRICS,
)


def test_metrics_of_the_judged_pictures_pass_and_a_part_is_counted() -> None:
    assert require_metrics_of(TRIALS, FAKES, where="m.csv") == []
    assert require_metrics_of(TRIALS, SETS, where="s.csv") == []
    more = FAKES.assign(stimulus=[*FAKES["stimulus"][:5], "photos/noise/9"], item=[*FAKES["item"][:5], "photos/9"])
    (line,) = require_metrics_of(TRIALS, more, where="m.csv")
    assert line.startswith("m.csv: 5 of 6 ")
    (line,) = require_metrics_of(TRIALS, SETS.assign(model=["blur", "gan"]), where="s.csv")
    assert line.startswith("s.csv: 1 of 2 ")
    reals = TRIALS[TRIALS["kind"] == "real"]
    assert require_metrics_of(reals, FAKES, where="m.csv") == [], "the first fake is still to be judged"
    assert require_metrics_of(reals, SETS, where="s.csv") == []
    elsewhere = TRIALS.assign(item=TRIALS["item"].str.removeprefix("photos/"))
    assert require_metrics_of(elsewhere, FAKES, where="m.csv") == [], "items may be named in another way"


def swapped(name: str, value: object, row: int = 1) -> pd.DataFrame:
    return FAKES.assign(**{name: [value if index == row else cell for index, cell in enumerate(FAKES[name])]})


CASES: dict[str, tuple[pd.DataFrame, str]] = {
    "other pictures": (
        FAKES.assign(stimulus="real/fake/" + FAKES["item"].str[-1], dataset="real", model="fake", item=None),
        "0 of 6 metric rows match a judged picture: 'real/fake/0' against 'photos/blur/0'",
    ),
    "real pictures alone": (
        pd.concat(
            [
                FAKES.assign(stimulus="photos/gan/" + FAKES["item"].str[-1], model="gan"),
                FAKES[:1].assign(stimulus="photos/real/0", kind="real", model=None),
            ],
            ignore_index=True,
        ),
        "0 of 6 metric rows of generated pictures match a judged picture: 'photos/gan/0'",
    ),
    "model": (swapped("model", "noise"), "row 2: stimulus 'photos/blur/1' has model 'noise', in the trials .*'blur'"),
    "kind": (swapped("kind", "real"), "row 2: .* has kind 'real', in the trials kind 'fake'"),
    "data set": (swapped("dataset", "other"), "row 2: .* has dataset 'other', in the trials dataset 'photos'"),
    "item": (swapped("item", "photos/2"), "row 2: .* has item 'photos/2', in the trials item 'photos/1'"),
    "a picture that was not judged": (
        swapped("stimulus", "photos/noise/7").assign(item=None),
        "row 2: stimulus 'photos/noise/7' has kind fake, model 'blur'; pictures named",
    ),
    "two rows of one picture": (
        pd.concat([FAKES, FAKES[:1].assign(stimulus="photos/gan/9", model=["gan"], item=["photos/9"], metric="ssim"),
                   FAKES[:1].assign(stimulus="photos/gan/9", model=["gan"], item=["photos/8"])], ignore_index=True),
        "row 8: stimulus 'photos/gan/9' has item 'photos/8', in row 7 item 'photos/9'",
    ),
    "other models": (
        SETS.assign(model=["vae", "gan"]),
        "0 of 2 metric rows match a judged model: 'vae' against 'blur'",
    ),
    "another data set": (
        SETS.assign(dataset="paintings"),
        "0 of 2 metric rows match a judged model: 'paintings/blur' against 'photos/blur'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_metrics_that_contradict_the_trials_are_refused(case: str) -> None:
    metrics, line = CASES[case]
    refused(rf"m\.csv: {line}", require_metrics_of, TRIALS, metrics, where="m.csv")


def answers(**more: object) -> pd.DataFrame:
    """Several people's answers, of whom some call generated pictures real."""
    rows = [
        row | {"participant": f"P{person}", "response": "real" if (number * 7 + person * 5) % 3 else "fake"}
        for person in range(4)
        for number, row in enumerate(PICTURES)
    ]
    return pd.DataFrame(rows).assign(**more)


REALS_ALONE = answers()["dataset"].where(answers()["kind"] == "real")
UNNAMED: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {
    "trials": (answers().drop(columns=["dataset", "model"]), FAKES),
    "trials of generated pictures": (answers(dataset=REALS_ALONE), FAKES),
    "metrics": (answers(), FAKES.assign(dataset=None, model=None, kind=None)),
    "both": (answers(dataset=None), FAKES.assign(dataset=None)),
}


@pytest.mark.parametrize("case", UNNAMED)
def test_names_that_one_table_leaves_out_come_from_the_other(case: str) -> None:
    trials, images = UNNAMED[case]
    sets = None if case == "both" else SETS
    found, expected = (
        correlations(fill_trials(frame), image_metrics=metrics, set_metrics=sets)
        for frame, metrics in ((trials, images), (answers(), FAKES))
    )
    pd.testing.assert_frame_equal(found.drop(columns="dataset"), expected.drop(columns="dataset"))
    assert len(found) >= 2
    assert found["dataset"].fillna("").unique().tolist() == ["" if case == "both" else "photos"]


def test_sets_of_several_data_sets_need_the_trials_data_set(tmp_path: Path) -> None:
    several = pd.concat([SETS, SETS.assign(dataset="paintings")], ignore_index=True)
    trials = answers()
    cases = {
        "the metrics are of the data sets 'photos' and 'paintings', the trials of models name none": (
            trials.drop(columns=["dataset", "item"]), several
        ),
        "the metrics are of the model 'blur', the trials name none; add the column model": (
            trials.drop(columns="model"), SETS
        ),
    }  # fmt: skip
    for line, (known, metrics) in cases.items():
        metrics.to_csv(tmp_path / "m.csv", index=False)
        refused(f"m.csv: {line}", analyze, known, set_metrics=tmp_path / "m.csv")
    part = trials.assign(dataset=trials["dataset"].where(trials["model"] != "noise"))
    (line, *_) = require_metrics_of(fill_trials(part), several, where="m.csv")[1:]
    assert line.startswith("m.csv: 12 trials ")


PAIRED = [
    {"participant": f"P{person}", "protocol": "paired", "stimulus": f"photos/real/{number}", "choice": "ab"[person],
     "stimulus_b": f"photos/blur/{number}", "model": "blur", "dataset": "photos"}
    for number in range(3)
    for person in range(2)
]  # fmt: skip
WITHOUT: dict[str, tuple[pd.DataFrame, dict[str, pd.DataFrame], str]] = {
    "one model": (answers()[lambda rows: rows["model"] != "noise"], {"set_metrics": SETS}, "need two or more"),
    "no values": (answers(), {"image_metrics": FAKES.assign(value=None, reason="too small")}, "no metric has a value"),
    "pairs": (pd.DataFrame(PAIRED), {"image_metrics": FAKES}, "answers to single generated pictures"),
    "real pictures": (answers()[lambda rows: rows["kind"] == "real"], {"image_metrics": FAKES}, "there are none"),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_no_correlations_have_a_reason(case: str) -> None:
    trials, metrics, line = WITHOUT[case]
    filled = fill_trials(trials.reset_index(drop=True))
    assert correlations(filled, **metrics).empty
    assert line in why_none(filled, **metrics)
