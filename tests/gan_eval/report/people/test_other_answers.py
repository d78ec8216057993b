"""Pairs, grades and staircases in the report: an answer, its tables, and who gave it."""

from pathlib import Path

import pandas as pd
import pytest
from page_reader import Page

from gan_eval.report import build
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.pairs_and_grades import choice_sentences, grade_sentences
from gan_eval.stats.analysis import analyze, write_analysis
from gan_eval.stats.answers.choices import CHOICES
from gan_eval.stats.compare.comparisons import COMPARISONS
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import IMAGE_METRICS, TRIALS
from gan_eval.tables.frames import frame_of, write_table


def page_of(rows: list[dict[str, object]], folder: Path, *, analysed: slice = slice(None)) -> Page:
    trials = fill_trials(pd.DataFrame(rows))
    write_table(trials, folder / "tables" / "trials.csv", TRIALS)
    write_analysis(analyze(trials[analysed]), folder / "tables")
    return Page(build(folder, folder / "report.html"))


def pairs(protocol: str, model: str, answers: str, *, simulated: bool, person: str = "P") -> list[dict[str, object]]:
    shared = {"kind": None, "response": None, "dataset": "d", "protocol": protocol, "model": model}
    return [
        {**shared, "participant": f"{person}{number % 2}", "stimulus": f"d/{model}/{number}", "choice": answer}
        | {"simulated": simulated}
        for number, answer in enumerate(answers)
    ]


def grades(*, simulated: bool) -> list[dict[str, object]]:
    shared = {"response": None, "dataset": "d", "protocol": "rating", "simulated": simulated}
    return [
        {**shared, "participant": person, "kind": kind, "stimulus": f"d/{kind}/{number}", "rating": grade}
        | {"model": "gan" if kind == "fake" else None}
        for person, extra in (("P1", 0), ("P2", 1))
        for kind, given in (("real", [3, 4]), ("fake", [1, 2]))
        for number, grade in enumerate(grade + extra for grade in given)
    ]


def stairs(*, simulated: bool) -> list[dict[str, object]]:
    shared = {"dataset": "d", "protocol": "staircase", "block": 1, "simulated": simulated}
    return [
        {**shared, "participant": person, "stimulus": f"d/{kind}/{number}", "kind": kind}
        | {"model": "gan" if kind == "fake" else None}
        | {"response": kind if number % 2 else ("real" if kind == "fake" else "fake")}
        | {"requested_exposure_ms": 500.0 + extra + 30 * (number % 2)}
        for person, extra in (("P1", 0), ("P2", 20))
        for number in range(12)
        for kind in ["real" if number % 4 < 2 else "fake"]
    ]


def quest(*, simulated: bool) -> list[dict[str, object]]:
    shared = {"dataset": "d", "protocol": "quest_plus", "block": 1, "simulated": simulated}
    return [
        {**shared, "participant": person, "stimulus": f"d/{kind}/{number}", "kind": kind}
        | {"model": "gan" if kind == "fake" else None}
        | {"response": kind if number % wrong else ("real" if kind == "fake" else "fake")}
        | {"requested_exposure_ms": 300.0 + 10 * number}
        for person, wrong in (("P1", 4), ("P2", 5))
        for number in range(20)
        for kind in ("real", "fake")
    ]


STUDIES = {
    "paired": (
        lambda simulated: pairs("paired", "gan", "a" * 30 + "b" * 10, simulated=simulated),
        "The real picture of a pair on d was found in 75.0 % of 40 answers",
        "choices",
    ),
    "model_vs_model": (
        lambda simulated: pairs("model_vs_model", "one|two", "a" * 3 + "b" * 17, simulated=simulated),
        "Of one and two on d, one was chosen in 15.0 % of 20 answers (95 % interval",
        "choices",
    ),
    "rating": (
        lambda simulated: grades(simulated=simulated),
        "The mean grade on d was 4.00",
        "grades",
    ),
    "staircase": (
        lambda simulated: stairs(simulated=simulated),
        "The staircase on d settled at a mean exposure of 527 ms",
        "thresholds",
    ),
    "quest_plus": (
        lambda simulated: quest(simulated=simulated),
        "By QUEST+ the exposure at which 75 % are right on d is",
        "thresholds",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("simulated", [pytest.param(True, marks=pytest.mark.nightly), False])
@pytest.mark.parametrize("name", STUDIES)
def test_the_answer_is_told_with_its_table(name: str, simulated: bool, tmp_path: Path) -> None:
    rows, said, section = STUDIES[name]
    page = page_of(rows(simulated), tmp_path)
    assert said in page.words
    assert section in page.sections()
    assert "There is no answer yet" not in page.words
    assert "no answered trials" not in page.words
    assert ("Simulated participants" in page.title) == simulated
    assert ("No person answered" in page.words) == simulated
    assert "left out, since people have answered" not in page.words
    assert ("rates" in page.sections()) == (name in ("staircase", "quest_plus"))
    assert ("Exposures that follow the answers hold this share near 75" in page.words) == (
        name in ("staircase", "quest_plus")
    )


def test_the_answer_says_how_sure_differences_of_grades_are():
    shared = {"comparison": "grades on d", "measure": "mean_grade", "ci_low": -2.0, "ci_high": -1.2, "p_holm": 0.002}
    rows = [
        {**shared, "a": "fake", "b": "real", "difference": -1.6, "verdict": "different"},
        {**shared, "a": "m", "b": "n", "difference": 0.1, "ci_low": -0.4, "ci_high": 0.6, "verdict": "undecided"},
        {**shared, "a": "fake", "b": "real", "difference": -0.6, "verdict": "different", "measure": "higher_grade"},
        {**shared, "a": "m", "b": "o", "difference": 1.6, "ci_low": 1.2, "ci_high": 2.0, "basis": "crossed_model"}
        | {"verdict": "different"},
        *(
            {**shared, "a": "m", "b": b, "difference": -1.6, "verdict": verdict, "exploratory": True}
            for b, verdict in (("p", "different"), ("q", "equivalent"), ("r", "undecided"))
        ),
    ]
    folder = StudyFolder(
        Path(), None, {}, {"comparisons": frame_of(rows, COMPARISONS)}, stimuli={}, training={}, published={}
    )
    assert [sentence.replace("\u2212", "-") for sentence in grade_sentences(folder)] == [
        "Generated pictures were graded lower than real ones on d, by 1.60 (95 % interval 1.20 to 2.00; p = 0.002 "
        "after Holm).",
        "Between m and n no difference of mean grades is shown on d: 0.10 (95 % interval -0.40 to 0.60; p = 0.002 "
        "after Holm).",
        "m's pictures were graded higher than o's on d, by 1.60 (crossed model, 95 % interval 1.20 to 2.00; p = 0.002 "
        "after Holm).",
        "m's pictures were graded lower than p's on d, by 1.60 (95 % interval 1.20 to 2.00; p = 0.002 after Holm) "
        "(exploratory).",
        "The mean grades of m and q are equal on d, to within the margin: they differ by 1.60 (95 % interval 1.20 to "
        "2.00; p = 0.002 after Holm) (exploratory).",
        "Between m and r no difference of mean grades is shown on d: 1.60 (95 % interval 1.20 to 2.00; p = 0.002 after "
        "Holm) (exploratory).",
    ]


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("real", "fake", "The real picture of a pair on d was found in 76.6 % of 154 answers"),
        ("one", "two", "Of one and two on d, one was chosen in 76.6 % of 154 answers"),
    ],
)
def test_the_share_beside_the_interval_of_a_verdict_on_pairs_is_its_own(a: str, b: str, said: str) -> None:
    """One person gave most answers: the share of them all lies beyond the interval of the crossed model's."""
    row = {"a": a, "b": b, "measure": "chosen", "ci_low": -0.153, "ci_high": 0.25, "p": 0.598, "n_a": 118, "n_b": 36}
    row |= {"verdict": "undecided", "comparison": "told apart in pairs" if a == "real" else "preferred"}
    counts = [{"protocol": "paired", "dataset": "d", "model": "m", "n": 154, "n_none": 0, "right": 118 / 154}]

    def sentence(**cells: object) -> str:
        tables = {"comparisons": frame_of([row | cells], COMPARISONS), "choices": frame_of(counts, CHOICES)}
        return choice_sentences(StudyFolder(Path(), None, {}, tables, {}, {}, {}))[-1].replace("\u202f", " ")

    within = "95 % interval 34.7 to 75.0 %; chance gives 50 %; p = 0.598"
    assert sentence(difference=0.0487, basis="crossed_model").startswith(
        f"{said}; the verdict rests on 54.9 % ({within}), the crossed model's, for people and pictures in general: "
    )
    assert sentence(difference=118 / 154 - 0.5, basis="two_way_cluster").startswith(f"{said} ({within}): ")


def test_what_cannot_be_shown_is_not_claimed(tmp_path: Path) -> None:
    page = page_of(pairs("paired", "gan", "ab" * 10, simulated=False), tmp_path)
    assert "do not show that real and generated pictures can be told apart" in page.words


@pytest.mark.slow
@pytest.mark.parametrize(("right", "said"), [(8, True), (5, False)])
def test_the_verdict_on_pairs_is_that_of_the_comparisons(right: int, said: bool, tmp_path: Path) -> None:
    """Twelve people judge the same ten pairs."""
    rows = [
        row | {"participant": f"P{person}", "item": row["stimulus"]}
        for person in range(12)
        for row in pairs("paired", "gan", "".join("ab"[(k + person) % 10 >= right] for k in range(10)), simulated=False)
    ]
    page = page_of(rows, tmp_path)
    judged = pd.read_csv(tmp_path / "tables" / "comparisons.csv").iloc[0]
    assert judged["comparison"] == "told apart in pairs"
    assert (judged["verdict"] == "different") == said
    assert ("told apart better than by chance" in page.words) == said
    ends = " to ".join(f"{50 + 100 * judged[name]:.1f}" for name in ("ci_low", "ci_high"))
    assert f"{10 * right}.0 % of 120 answers (95 % interval {ends} %; chance gives 50 %" in page.words


@pytest.mark.slow
def test_without_comparisons_pairs_get_no_verdict(tmp_path: Path) -> None:
    trials = fill_trials(pd.DataFrame(pairs("paired", "gan", "a" * 38 + "b" * 2, simulated=False)))
    write_analysis({name: analyze(trials)[name] for name in ("rates", "choices")}, tmp_path)
    words = Page(build(tmp_path, tmp_path / "report.html")).words
    assert "was found in 95.0 % of 40 answers. There is no verdict on choices." in words.replace(" .", ".")
    assert "better than by chance" not in words


def test_unanswered_pairs_are_no_answer(tmp_path: Path) -> None:
    page = page_of(pairs("paired", "gan", ["none"] * 4, simulated=False), tmp_path)
    assert "There is no answer yet" in page.words


@pytest.mark.slow
def test_rehearsals_are_left_out_beside_people(tmp_path: Path) -> None:
    rows = [
        *pairs("paired", "gan", "ab" * 5, simulated=False),
        *pairs("paired", "gan", "a" * 6, simulated=True, person="simulated"),
    ]
    page = page_of(rows, tmp_path, analysed=slice(0, 10))
    assert "Simulated" not in page.title
    assert "6 trials of simulated participants left out, since people have answered" in page.words


def test_mixed_answers_do_not_say_that_nobody_answered(tmp_path: Path) -> None:
    rows = [
        *pairs("paired", "gan", "ab" * 5, simulated=False),
        *pairs("paired", "gan", "a" * 6, simulated=True, person="simulated"),
    ]
    page = page_of(rows, tmp_path)
    assert "Simulated participants gave some of the answers" in page.words
    assert "No person answered" not in page.words


def test_the_mark_survives_tables_that_lack_it(tmp_path: Path) -> None:
    """A row of rates that rests on no trial says nothing of who answered."""
    trials = fill_trials(pd.DataFrame(pairs("paired", "gan", "ab", simulated=True)))
    frames = analyze(trials)
    write_analysis({"rates": frames["rates"].assign(simulated=False)}, tmp_path)
    write_table(trials, tmp_path / "trials.csv", TRIALS)
    page = Page(build(tmp_path, tmp_path / "report.html"))
    assert "There are answers, and no tables of them yet" in page.words
    assert "Simulated" in page.title
    assert "left out, since people have answered" not in page.words


def test_nothing_is_left_out_where_no_person_answered(tmp_path: Path) -> None:
    """Combine tables marked as not simulated with trials of simulated participants alone."""
    trials = fill_trials(pd.DataFrame(pairs("paired", "gan", "ab", simulated=True)))
    write_analysis({name: frame.assign(simulated=False) for name, frame in analyze(trials).items()}, tmp_path)
    write_table(trials, tmp_path / "trials.csv", TRIALS)
    assert "left out, since people have answered" not in Page(build(tmp_path, tmp_path / "report.html")).words


@pytest.mark.slow
def test_metrics_stand_beside_mean_grades_with_a_chart(tmp_path: Path) -> None:
    shared = {"dataset": "d", "kind": "fake", "model": "gan"}
    rows = [
        {**shared, "participant": f"P{person}", "stimulus": f"d/gan/{number}", "response": None, "protocol": "rating"}
        | {"rating": 1 + (number + person) // 3}
        for person in range(4)
        for number in range(10)
    ]
    trials = fill_trials(pd.DataFrame(rows))
    values = [{**shared, "stimulus": f"d/gan/{number}", "metric": "ssim", "value": number / 10} for number in range(10)]
    images = frame_of(values, IMAGE_METRICS)
    write_table(trials, tmp_path / "tables" / "trials.csv", TRIALS)
    write_table(images, tmp_path / "metrics" / "image_metrics.csv", IMAGE_METRICS)
    write_analysis(analyze(trials, image_metrics=images), tmp_path / "tables")
    page = Page(build(tmp_path, tmp_path / "report.html"))
    assert (
        "Do metrics follow people's grades, picture by picture of a model? On d it does (SSIM: Spearman" in page.words
    )
    assert "SSIM on d, pictures, graded" in page.words
    assert "Metrics were held against mean grades by Spearman's correlation" in page.words
