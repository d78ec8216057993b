"""The table to cite: its numbers are those of the tables that it is made of, and its LaTeX compiles unchanged."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, simulated, simulated_pairs
from scipy.stats import norm

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.analysis import analyze, write_analysis
from gan_eval.stats.answers.detection import signal_detection
from gan_eval.stats.paper import PAPER, escape_latex, latex, printed, verdict_text
from gan_eval.stats.trials import fill_trials
from gan_eval.tables.frames import frame_of, read_table

ENDS = ("", "_low", "_high")


def renamed(trials: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """The same answers to another data set's pictures."""
    stimulus = trials["stimulus"].str.replace("faces", dataset, regex=False)
    return trials.assign(dataset=dataset, stimulus=stimulus, session=trials["session"] + dataset)


@pytest.mark.slow
def test_one_model_has_one_row_whose_accuracy_and_verdict_are_the_comparisons() -> None:
    frames = analyze(simulated(participants=15, each=30, intercept=1.2), plan=AnalysisSettings(margin=0.05))
    (row,) = frames["paper"].to_dict("records")
    assert (row["protocol"], row["model"], row["dataset"]) == ("single", "gan", "faces")
    assert (row["n_participants"], row["n_fake_stimuli"], row["n_real_stimuli"]) == (15, 25, 25)
    assert row["n_trials"] == 15 * 30
    told_apart = frames["comparisons"].set_index("comparison").loc["told apart"]
    assert [row[f"balanced_accuracy{end}"] for end in ENDS] == pytest.approx(
        [(1 + told_apart[name]) / 2 for name in ("difference", "ci_low", "ci_high")]
    )
    assert row["verdict"] == told_apart["verdict"] == "different"
    assert verdict_text(row) == "told apart"
    detected = frames["detection"].set_index("scope").loc["all"]
    for name in ("fooling_rate", "dprime"):
        assert [row[f"{name}{end}"] for end in ENDS] == pytest.approx([detected[f"{name}{end}"] for end in ENDS])


@pytest.mark.slow
def test_models_on_data_sets_have_rows_of_their_own_and_all_together_one() -> None:
    faces = simulated(participants=7, each=20, models=("a", "b"))
    trials = pd.concat([faces, renamed(faces.replace({"model": {"b": "c"}}), "cats")], ignore_index=True)
    frames = analyze(trials)
    table = frames["paper"]
    names = table[["model", "dataset"]].astype(object).where(table[["model", "dataset"]].notna(), None)
    expected = [["a", "cats"], ["c", "cats"], ["a", "faces"], ["b", "faces"], [None, None]]
    assert names.to_numpy().tolist() == expected
    b = table[table["model"] == "b"].iloc[0]
    alone = analyze(faces[(faces["kind"] == "real") | (faces["model"] == "b")])
    detected = alone["detection"].set_index("scope").loc["all"]
    for name in ("fooling_rate", "dprime"):
        assert [b[f"{name}{end}"] for end in ENDS] == pytest.approx([detected[f"{name}{end}"] for end in ENDS])
    told_apart = alone["comparisons"].set_index("comparison").loc["told apart"]
    assert [b[f"balanced_accuracy{end}"] for end in ENDS] == pytest.approx(
        [(1 + told_apart[name]) / 2 for name in ("difference", "ci_low", "ci_high")]
    )
    tested = frames["comparisons"].set_index("comparison").loc["b told apart on faces"]
    assert tested["p"] == pytest.approx(told_apart["p"])
    assert b["verdict"] == tested["verdict"]
    total = table.iloc[-1]
    assert total["n_trials"] == len(trials)
    assert total["verdict"] == frames["comparisons"].set_index("comparison").loc["told apart", "verdict"]


def pairs(**more: Any) -> pd.DataFrame:
    """Pairs of named pictures."""
    trials = simulated_pairs(people=12, items=24, dataset="d", seed=5, **more)
    return trials.assign(stimulus_b="d/b/" + trials["item"].str[2:])


@pytest.mark.slow
def test_pairs_with_the_real_picture_are_shares_about_one_half() -> None:
    frames = analyze(pairs(effect=2.0, models=("x", "y")))
    table = frames["paper"]
    assert table["model"].fillna("all").tolist() == ["x", "y", "all"]
    assert table["n_fake_stimuli"].tolist() == [12, 12, 24]
    told_apart = frames["comparisons"].set_index("b")
    for row, b in zip(table.to_dict("records"), ("x", "y", "fake"), strict=True):
        right = 0.5 + told_apart.loc[b, "difference"]
        assert row["balanced_accuracy"] == pytest.approx(right)
        assert row["fooling_rate_low"] == pytest.approx(0.5 - told_apart.loc[b, "ci_high"])
        assert row["dprime"] == pytest.approx(np.sqrt(2) * norm.ppf(right))
        assert row["verdict"] == "different"


@pytest.mark.slow
def test_two_models_have_preferences_between_0_and_1() -> None:
    frames = analyze(pairs(effect=0.6, models=("x|y",), protocol="model_vs_model"))
    table = frames["paper"].set_index("model")
    assert table.index.tolist() == ["x", "y"]
    assert table.loc["x", "preference"] + table.loc["y", "preference"] == pytest.approx(1)
    assert table.loc["x", "preference_low"] == pytest.approx(1 - table.loc["y", "preference_high"])
    assert set(table["verdict"]) == {frames["comparisons"].loc[0, "verdict"]}
    assert table["n_fake_stimuli"].tolist() == [24, 24]


@pytest.mark.slow
def test_grades_stand_beside_those_of_the_reals() -> None:
    rng = np.random.default_rng(2)
    kinds = np.array(["real", "fake", "fake"])
    rows = [
        {
            "participant": f"P{person}",
            "stimulus": f"d/{number}",
            "kind": kinds[number % 3],
            "model": (None, "x", "y")[number % 3],
            "dataset": "d",
            "protocol": "rating",
            "rating": int(rng.integers(1, 6)),
        }
        for person in range(5)
        for number in range(12)
    ]
    frames = analyze(fill_trials(pd.DataFrame(rows)))
    table = frames["paper"].set_index("model")
    assert set(table.index) == {"real", "x", "y"}
    means = frames["ratings"].set_index(frames["ratings"]["model"].fillna(frames["ratings"]["kind"]))
    for name in table.index:
        assert table.loc[name, ["grade", "grade_low", "grade_high"]].tolist() == pytest.approx(
            means.loc[name, ["mean", "ci_low", "ci_high"]].tolist()
        )
    assert table["balanced_accuracy"].isna().all()
    assert printed(frames["paper"])[0] == ["Model", "Data set", "People", "Pictures, fake + real", "Answers", "Grade"]


def test_a_verdict_on_several_protocols_is_none_of_a_single_one() -> None:
    """A staircase at long exposures made pictures at 50 ms look as if people recognised them."""
    first = simulated(participants=10, each=40, intercept=0.0).assign(protocol="single", requested_exposure_ms=50.0)
    second = simulated(participants=10, each=40, intercept=3.0).assign(protocol="staircase", block=2)
    second = second.assign(trial=second["trial"] + 40, requested_exposure_ms=second["trial"] * 10.0)
    row, other = analyze(pd.concat([first, second], ignore_index=True))["paper"].to_dict("records")
    alone = signal_detection(first, scopes=("all",)).iloc[0]
    assert (row["protocol"], other["protocol"]) == ("single", "staircase")
    assert [row[f"balanced_accuracy{end}"] for end in ENDS] == pytest.approx(
        [alone[f"balanced_accuracy{end}"] for end in ENDS]
    )
    assert pd.isna(row["verdict"])
    assert pd.isna(other["verdict"])
    assert "no row of comparisons tests just this" in row["note"]


NAMES = [
    "a_b",
    "50 % & more",
    "{x}",
    r"\input{/etc/passwd}",
    "[b]",
    "*",
    "a--b",
    "$x^2$",
    "~#",
    "<|>",
    'it\'s "q"',
    "```",
    "a\nb",
]


def compiled(text: str) -> list[list[str]]:
    """The cells of a LaTeX table, whose braces and mathematics are balanced and whose special letters are commands."""
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    plain = re.sub(r"\\(?:[A-Za-z]+|.)", "", body)  # without commands
    assert not re.search(r"[#~^%]", plain)
    assert plain.count("{") == plain.count("}")
    assert not re.search(r'[_<>|"]', re.sub(r"\$[^$]*\$", "", plain))
    inner = body[body.index(r"\toprule") : body.index(r"\end{tabular}")]
    rows = [row for row in re.sub(r"\\(top|mid|bottom)rule", "", inner).split(r" \\") if row.strip()]
    for row in rows:  # an option or a star of the \\ or the rule before it
        assert row.strip()[0] not in "[*"
    cells = [re.split(r"(?<!\\)&", row) for row in rows]
    assert len({len(row) for row in cells}) == 1
    return cells


def test_any_name_is_a_name_in_latex() -> None:
    row = {"protocol": "single", "n_participants": 3, "n_fake_stimuli": 4, "n_real_stimuli": 5, "n_trials": 9}
    cells = {"fooling_rate": 0.4, "dprime": -0.25, "dprime_low": -1.0, "dprime_high": 0.5, "verdict": "undecided"}
    table = frame_of([row | cells | {"model": name, "dataset": name} for name in NAMES], PAPER)
    rows = compiled(latex(table))
    assert len(rows) == len(NAMES) + 1
    assert rows[1][4].strip() == "9"
    assert rows[1][5].strip() == "40.0"
    assert rows[1][6].strip() == "$-$0.25 [$-$1.00, 0.50]"


def test_letters_that_latex_would_join_stay_apart() -> None:
    assert escape_latex("a--b ''c'' ---") == "a-{}-b '{}'c'{}' -{}-{}-"
    assert escape_latex("a [1] *") == "a [1] *"
    assert escape_latex("[1]") == "{}[1]"


def test_latex_says_what_a_reader_must_know() -> None:
    row = {
        "protocol": "single",
        "model": "m",
        "n_participants": 3,
        "n_real_stimuli": 5,
        "n_trials": 9,
        "fraction": 0.02,
    }
    text = latex(frame_of([row | {"balanced_accuracy": 0.5, "simulated": True}], PAPER))
    assert "Simulated participants" in text
    assert r"trained for 2 \% of the planned steps" in text
    compiled(text)
    plain = latex(frame_of([row | {"fraction": 1.0, "simulated": False}], PAPER))
    assert "Simulated" not in plain
    assert "trained" not in plain
    assert "UTF-8" in latex(frame_of([row | {"model": "顔"}], PAPER))
    assert escape_latex("a\x00b\tc") == "a b c"


@pytest.mark.slow
def test_the_file_for_latex_goes_with_its_table(tmp_path) -> None:
    frames = analyze(from_counts(6, 4, 3, 7))
    write_analysis(frames, tmp_path)
    table = read_table(tmp_path / "paper.csv", PAPER)
    assert (tmp_path / "paper.tex").read_text(encoding="utf-8") == latex(table)
    write_analysis({name: frame for name, frame in frames.items() if name != "paper"}, tmp_path)
    assert not (tmp_path / "paper.csv").exists()
    assert not (tmp_path / "paper.tex").exists()
