"""The table to cite: its numbers are those of the tables that it is made of, and its LaTeX compiles unchanged."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cited_tables import cited_tables
from latex_pages import require_fits
from make_grades import simulated_grades
from make_trials import from_counts, judged, simulated, simulated_pairs
from scipy.stats import norm

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.analysis import analyze, write_analysis
from gan_eval.stats.cited import printed, skill_note
from gan_eval.stats.latex import TexCell, booktabs, escape_latex, latex
from gan_eval.stats.paper import PAPER
from gan_eval.stats.results import results_of
from gan_eval.tables.frames import frame_of, read_table

ENDS = ("accuracy", "accuracy_low", "accuracy_high")


def renamed(trials: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """The same answers to another data set's pictures."""
    stimulus = trials["stimulus"].str.replace("faces", dataset, regex=False)
    return trials.assign(dataset=dataset, stimulus=stimulus, session=trials["session"] + dataset)


def test_a_model_and_all_are_the_comparisons_rows_and_printed_once() -> None:
    frames = cited_tables(simulated(participants=15, each=30, intercept=1.2), AnalysisSettings(margin=0.05))
    row, total = frames["paper"].to_dict("records")
    assert (row["protocol"], row["model"], row["dataset"]) == ("single", "gan", "faces")
    assert (total["model"], total["dataset"]) == ("all", "faces")
    assert (row["n_participants"], row["n_fake"], row["n_real"], row["n_answers"]) == (15, 25, 25, 15 * 30)
    told_apart = frames["comparisons"].set_index("comparison").loc["told apart"]
    for each in (row, total):
        assert [each[name] for name in ENDS] == pytest.approx(
            [(1 + told_apart[name]) / 2 for name in ("difference", "ci_low", "ci_high")]
        )
        assert [each["accuracy90_low"], each["accuracy90_high"]] == pytest.approx(
            [(1 + told_apart[name]) / 2 for name in ("ci90_low", "ci90_high")]
        )
        assert (each["p"], each["p_holm"]) == (told_apart["p"], told_apart["p_holm"])
        assert each["verdict"] == "told apart"
        assert each["basis"] == "crossed_model"
    assert len(printed(results_of(frames["paper"]))[1]) == 1, "the row for all repeats that of the only model"


def test_models_on_data_sets_have_rows_of_their_own() -> None:
    faces = simulated(participants=7, each=20, models=("a", "b"))
    trials = pd.concat([faces, renamed(faces.replace({"model": {"b": "c"}}), "cats")], ignore_index=True)
    frames = cited_tables(trials)
    table = frames["paper"]
    expected = [["a", "cats"], ["c", "cats"], ["a", "faces"], ["b", "faces"], ["all", "all"]]
    assert table[["model", "dataset"]].astype(object).to_numpy().tolist() == expected
    b = table[table["model"] == "b"].iloc[0]
    tested = frames["comparisons"].set_index("comparison").loc["b told apart on faces"]
    assert (b["p"], b["p_holm"]) == (tested["p"], tested["p_holm"])
    assert b["accuracy"] == pytest.approx((1 + tested["difference"]) / 2)
    assert b["n_answers"] == ((faces["kind"] == "real") | (faces["model"] == "b")).sum()
    assert table["n_answers"].iloc[-1] == len(trials)


@pytest.mark.parametrize("missing", [["dataset"], ["model"], ["dataset", "model"]])
def test_answers_without_a_data_set_or_a_model_have_a_verdict(missing: list[str]) -> None:
    """The README's own example has no column `dataset`: no model had a verdict."""
    trials = simulated(participants=12, each=40, intercept=1.5).drop(columns=missing)
    table = cited_tables(trials)["paper"]
    assert table["verdict"].tolist() == ["told apart", "told apart"]
    assert table["dataset"].isna().all() == ("dataset" in missing)


def from_rates(rows: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Answers of 12 people to data sets with these shares of fakes and of reals called fake."""
    share = np.repeat(np.array([*rows.values()]).ravel(), 240)
    index = np.arange(len(share))
    is_fake, says_fake = index // 240 % 2 == 0, np.random.default_rng(3).random(len(share)) < share
    dataset = np.repeat([*rows], 480)
    return judged(index // 20 % 12, index // 240 * 20 + index % 20, is_fake, says_fake, model="gan", dataset=dataset)


@pytest.mark.parametrize(
    ("rows", "outside"),
    [
        ({"a": (0.7, 0.5), "b": (0.6, 0.3), "c": (0.5, 0.55)}, False),
        ({"a": (0.97, 0.5), "b": (0.5, 0.03)}, True),  # opposite leanings: d′ of both is 1.9, of the mean rates 1.3
        ({"a": (1.0, 0.02), "b": (0.99, 0.01)}, None),
    ],
)
def test_all_is_the_mean_of_its_rows_and_its_dprime_that_of_its_rates(
    rows: dict[str, tuple[float, float]], outside: bool | None
) -> None:
    """d′ of `all` may lie outside those of the rows, but it never contradicts accuracy."""
    table = cited_tables(from_rates(rows))["paper"]
    own, whole = table[table["model"] != "all"], table[table["model"] == "all"].iloc[0]
    for name in ("fooling_rate", "real_called_real", "accuracy"):
        assert own[name].min() - 1e-9 <= whole[name] <= own[name].max() + 1e-9
        assert whole[name] == pytest.approx(own[name].mean(), abs=1e-9)
    assert whole["dprime"] == pytest.approx(
        norm.ppf(1 - whole["fooling_rate"]) - norm.ppf(1 - whole["real_called_real"])
    )
    for row in table.to_dict("records"):
        assert (row["dprime"] > 0) == (row["accuracy"] > 0.5)
    is_outside = not own["dprime"].min() <= whole["dprime"] <= own["dprime"].max()
    assert is_outside == ("need not lie between" in str(whole["note"]))
    assert outside in (None, is_outside)


def pairs(**more: Any) -> pd.DataFrame:
    """Pairs of named pictures."""
    trials = simulated_pairs(people=12, items=24, dataset="d", seed=5, **more)
    return trials.assign(stimulus_b="d/b/" + trials["item"].str[2:])


def test_pairs_with_the_real_picture_are_shares_about_one_half() -> None:
    frames = cited_tables(pairs(effect=2.0, models=("x", "y")))
    table = frames["paper"]
    assert table["model"].tolist() == ["x", "y", "all"]
    assert table["n_fake"].tolist() == [12, 12, 24]
    told_apart = frames["comparisons"].set_index("b")
    for row, b in zip(table.to_dict("records"), ("x", "y", "fake"), strict=True):
        right = 0.5 + told_apart.loc[b, "difference"]
        assert row["accuracy"] == pytest.approx(right)
        assert row["fooling_low"] == pytest.approx(0.5 - told_apart.loc[b, "ci_high"])
        assert row["dprime"] == pytest.approx(np.sqrt(2) * norm.ppf(right))
        assert row["verdict"] == "told apart"


def test_two_models_have_preferences_between_0_and_1() -> None:
    frames = cited_tables(pairs(effect=0.6, models=("x|y",), protocol="model_vs_model"))
    table = frames["paper"].set_index("model")
    assert table.index.tolist() == ["x", "y"]
    assert table.loc["x", "preference"] + table.loc["y", "preference"] == pytest.approx(1)
    assert table.loc["x", "preference_low"] == pytest.approx(1 - table.loc["y", "preference_high"])
    assert table["verdict"].isna().all(), "that is in comparisons"
    assert table["n_fake"].tolist() == [24, 24]


def test_grades_are_next_to_those_of_the_reals() -> None:
    frames = cited_tables(simulated_grades(people=5, items=12, with_reals=True))
    table = frames["paper"].set_index("model")
    assert set(table.index) == {"real", "A", "B"}
    means = frames["ratings"].set_index(frames["ratings"]["model"].fillna(frames["ratings"]["kind"]))
    for name in table.index:
        assert table.loc[name, ["grade", "grade_low", "grade_high"]].tolist() == pytest.approx(
            means.loc[name, ["mean", "ci_low", "ci_high"]].tolist()
        )
    assert table["accuracy"].isna().all()
    heads, _ = printed(results_of(frames["paper"]))
    assert heads == ["Model", "Data set", "People", "Pictures, fake + real", "Answers", "Grade"]


def test_staircases_have_no_part_in_a_verdict_on_single_pictures() -> None:
    """A staircase at long exposures made pictures at 50 ms look as if people recognised them."""
    first = simulated(participants=10, each=40, intercept=0.0).assign(protocol="single", requested_exposure_ms=50.0)
    second = simulated(participants=10, each=40, intercept=3.0).assign(protocol="staircase", block=2)
    second = second.assign(trial=second["trial"] + 40, requested_exposure_ms=second["trial"] * 10.0)
    table = cited_tables(pd.concat([first, second], ignore_index=True))["paper"]
    row, other = (table[table["protocol"] == protocol].iloc[0] for protocol in ("single", "staircase"))
    alone = cited_tables(first)["paper"].iloc[0]
    assert [row[name] for name in ENDS] == pytest.approx([alone[name] for name in ENDS])
    assert row["verdict"] == alone["verdict"]
    assert other["verdict"] == "no verdict"
    assert pd.isna(other["accuracy"])
    assert "exposures follow the answers" in other["note"]


NAMES = [
    *("a_b", "50% & more", "{x}", r"\input{/etc/passwd}", "[b]", "*", "a--b"),
    *("$x^2$", "~#", "<|>", 'it\'s "q"', "```", "a\nb"),
]


def compiled(text: str) -> list[list[str]]:
    """The cells of a LaTeX table, whose braces and mathematics are balanced and whose special letters are commands."""
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    plain = re.sub(r"\\(?:[A-Za-z]+|.)", "", body)  # without commands
    assert not re.search(r"[#~^%]", plain)
    assert plain.count("{") == plain.count("}")
    assert not re.search(r'[_<>|"]', re.sub(r"\$[^$]*\$", "", plain))
    inner = body[body.index(r"\toprule") : body.index(r"\end{tabular}")]
    rows = re.sub(r"\\(top|mid|bottom)rule|\\addlinespace\[2pt\]", "", inner).split(r" \\")
    rows = [row for row in rows if row.strip()]
    for row in rows:  # an option or a star of the \\ or the rule before it
        assert row.strip()[0] not in "[*"
    cells = [re.split(r"(?<!\\)&", row) for row in rows]
    assert len({len(row) for row in cells}) == 1
    return cells


def test_any_name_is_a_name_in_latex() -> None:
    row = {"protocol": "single", "n_participants": 3, "n_fake": 4, "n_real": 5, "n_answers": 9}
    cells = {"fooling_rate": 0.4, "dprime": -0.25, "dprime_low": -1.0, "dprime_high": 0.5, "verdict": "undecided"}
    table = frame_of([row | cells | {"model": name, "dataset": name} for name in NAMES], PAPER)
    rows = compiled(latex(table))
    assert "between participants and between pictures" in latex(table.assign(n_participants=2))
    assert "between participants" not in latex(table.assign(n_participants=1))
    assert len(rows) == 2 * (len(NAMES) + 1), "each in two lines"
    assert [[cell.strip() for cell in row] for row in rows[:4]] == [
        ["Model,", "Fooling", "d$'$", "Verdict"],
        ["data set", r"rate, \%", "", ""],
        [r"a\_b", "40.0", "$-$0.25", "undecided"],
        [r"a\_b", "", "{}[$-$1.00, 0.50]", ""],
    ]
    assert "Each row: 3 participants, 4 generated pictures, 5 real pictures, 9 answers." in latex(table)


def cited_rows(models: list[str | None], datasets: list[str | None]) -> pd.DataFrame:
    """Rows with all numbers of single pictures."""
    counts = {"protocol": "single", "n_participants": 24, "n_fake": 40, "n_real": 40, "n_answers": 1800}
    shares = ("fooling_rate", "fooling", "real_called_real", "real", "accuracy", "accuracy90")
    numbers: dict[str, object] = {f"{name}_{end}": 0.1234 for name in shares for end in ("low", "high")}
    numbers |= dict.fromkeys(("fooling_rate", "real_called_real", "accuracy", "p", "p_holm"), 0.1234)
    numbers |= {"dprime": -0.251, "dprime_low": -0.512, "dprime_high": -0.1, "verdict": "equivalent to chance"}
    rows = [{"model": model, "dataset": dataset} for dataset in datasets for model in models]
    return frame_of(
        [{**counts, **{n: v for n, v in numbers.items() if n in PAPER.names}, **row} for row in rows], PAPER
    )


@pytest.mark.parametrize(
    ("count", "name"), [(1, None), (1, "gan_{}"), (8, "gan_{}"), (8, "stable_diffusion_inpainting_{}")]
)
@pytest.mark.parametrize("datasets", [[None], ["facades"], ["facades", "cityscapes_validation"]])
def test_the_table_is_not_wider_than_a_page(
    count: int, name: str | None, datasets: list[str | None], tmp_path: Path
) -> None:
    """It was up to 375 points too wide; a constant or empty column is in the caption or nowhere."""
    models = [name and name.format(number) for number in range(1, count + 1)]
    text = latex(cited_rows(models[: None if name else 1], datasets))
    require_fits(text, tmp_path)
    assert ("Data set: facades." in text) == (datasets == ["facades"])
    assert "--" not in text
    assert text.count(r"\begin{tabular}") == 1 + (len(datasets) > 1 and name == "stable_diffusion_inpainting_{}")


def test_a_table_too_wide_for_a_page_is_continued_below(tmp_path: Path) -> None:
    cell = TexCell("1.5", "[1.0, 2.0]", r"\textbf{%s}")
    heads = ["model", *(f"metric {number}" for number in range(20))]
    text = booktabs(heads, [[TexCell("gan"), *[cell] * 20]], words=heads[:1], caption="Metrics.", label="m")
    require_fits(text, tmp_path)
    assert text.count("gan &") == text.count(r"\begin{tabular}") == 3
    assert text.count(r"\textbf{1.5}") == 20


def test_letters_that_latex_would_join_stay_apart() -> None:
    assert escape_latex("a--b ''c'' ---") == "a-{}-b '{}'c'{}' -{}-{}-"
    assert escape_latex("a [1] *") == "a [1] *"
    assert escape_latex("[1]") == "{}[1]"


def test_latex_says_what_a_reader_must_know() -> None:
    row = {"protocol": "single", "model": "m", "n_participants": 3, "n_real": 5, "n_answers": 9, "fraction": 0.02}
    text = latex(frame_of([row | {"accuracy": 0.5, "simulated": True}], PAPER))
    assert "Simulated participants" in text
    assert r"trained for 2\% of the planned steps" in text
    compiled(text)
    plain = latex(frame_of([row | {"fraction": 1.0, "simulated": False}], PAPER))
    assert "Simulated" not in plain
    assert "trained" not in plain
    assert "UTF-8" in latex(frame_of([row | {"model": "顔"}], PAPER))
    assert escape_latex("a\x00b\tc") == "a b c"


def test_no_caption_speaks_of_intervals_that_no_row_has() -> None:
    row = {"protocol": "single", "model": "m", "n_participants": 3, "n_real": 5, "n_answers": 9, "accuracy": 0.5}
    assert "interval" not in latex(frame_of([row], PAPER))
    assert "interval" in latex(frame_of([row | {"accuracy_low": 0.4, "accuracy_high": 0.6}], PAPER))


@pytest.mark.parametrize("datasets", [["faces"], ["faces", "maps"]])
def test_pictures_of_one_kind_have_a_row_of_their_data_set(datasets: list[str]) -> None:
    trials = pd.concat([from_counts(0, 0, 7, 18, dataset=name, session=name) for name in datasets])
    (row,) = cited_tables(trials)["paper"].to_dict("records")
    assert (row["model"], row["dataset"]) == ("all", "faces" if len(datasets) == 1 else "all")
    assert "only real pictures" in row["note"]


@pytest.mark.slow
def test_the_file_for_latex_goes_with_its_table(tmp_path) -> None:
    frames = analyze(from_counts(6, 4, 3, 7))
    write_analysis(frames, tmp_path)
    table = read_table(tmp_path / "paper.csv", PAPER)
    assert set(table["verdict"]) == {"no verdict"}
    assert set(table["untested"]) == {"one participant"}
    assert skill_note(results_of(table)) == "", "its rates are no averages over people"
    assert (tmp_path / "paper.tex").read_text(encoding="utf-8") == latex(table)
    write_analysis({"rates": frames["rates"]}, tmp_path)
    assert not (tmp_path / "paper.csv").exists()
    assert not (tmp_path / "paper.tex").exists()
