"""Pairs, grades and staircases in the report: an answer, its tables, and who gave it."""

import pandas as pd
import pytest
from synthetic_tables import folder_of

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.agreement import agreement_charts
from gan_eval.report.people.answer import answer
from gan_eval.report.people.caveats import notes_section
from gan_eval.report.people.first_page import metrics_sentence
from gan_eval.report.people.pairs_and_grades import choice_sentences, grade_sentences
from gan_eval.report.people.paper import paper_methods
from gan_eval.report.people.thresholds import threshold_sentences
from gan_eval.report.sections import study_report
from gan_eval.stats.analysis import analyze
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import frame_of


def folder(rows: list[dict[str, object]], *, analysed: slice = slice(None)) -> StudyFolder:
    """The tables of an analysis of these trials, or of a part of them."""
    trials = fill_trials(pd.DataFrame(rows))
    return folder_of(**analyze(trials[analysed]), trials=trials)


def said(of: StudyFolder) -> str:
    return " ".join(answer(of)).replace("\u202f", " ")


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
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_the_answer_is_told_with_its_table(name: str) -> None:
    rows, sentence, section = STUDIES[name]
    report = study_report(folder(rows(name == "rating")))
    words = " ".join(report.sections[0].blocks[0].sentences).replace("\u202f", " ")
    sections = [section.id for section in report.sections]
    assert sentence in words
    assert section in sections
    assert report.simulated == ("No person answered" in words) == (name == "rating")
    assert ("Exposures that follow the answers hold this share near 75" in words) == (name == "staircase")


def test_thresholds_of_quest_plus_are_told_as_such() -> None:
    blocks = [
        {"session": person, "participant": person, "block": 1, "dataset": "d", "protocol": "quest_plus", "answers": 50}
        | {"threshold_ms": threshold}
        for person, threshold in (("P1", 180.0), ("P2", 220.0), ("P3", None))
    ]
    (sentence,) = threshold_sentences(folder_of(thresholds=blocks))
    assert sentence.replace("\u202f", " ").startswith(
        "By QUEST+ the exposure at which 75 % are right on d is 200 ms on"
    )
    assert sentence.endswith("1 block had too few answers for a threshold.")


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
    folder = folder_of(comparisons=rows)
    assert [sentence.replace("\u2212", "-").replace("\u202f", " ") for sentence in grade_sentences(folder)] == [
        "Generated pictures were graded lower than real ones on d, by 1.60 (95 % interval 1.20 to 2.00; p = 0.002 "
        "after Holm).",
        "Between m and n no difference of mean grades is shown on d: 0.10 (95 % interval -0.40 to 0.60; p = 0.002 "
        "after Holm).",
        "m's pictures were graded higher than o's on d, by 1.60 (95 % interval 1.20 to 2.00; p = 0.002 after Holm).",
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
        return choice_sentences(folder_of(comparisons=[row | cells], choices=counts))[-1].replace("\u202f", " ")

    within = "95 % interval 34.7 to 75.0 %; chance gives 50 %; p = 0.598"
    assert sentence(difference=0.0487, basis="crossed_model").startswith(
        f"{said}; the verdict rests on 54.9 % ({within}), the crossed model's, for people and pictures in general: "
    )
    assert sentence(difference=118 / 154 - 0.5, basis="two_way_cluster").startswith(f"{said} ({within}): ")


@pytest.mark.parametrize(("right", "shown"), [(8, True), (5, False)])
def test_the_verdict_on_pairs_is_that_of_the_comparisons(right: int, shown: bool) -> None:
    """Twelve people judge the same ten pairs."""
    rows = [
        row | {"participant": f"P{person}", "item": row["stimulus"]}
        for person in range(12)
        for row in pairs("paired", "gan", "".join("ab"[(k + person) % 10 >= right] for k in range(10)), simulated=False)
    ]
    of = folder(rows)
    judged = of.tables["comparisons"].iloc[0]
    assert judged["comparison"] == "told apart in pairs"
    assert (judged["verdict"] == "different") == shown
    assert ("told apart better than by chance" in said(of)) == shown
    ends = " to ".join(f"{50 + 100 * judged[name]:.1f}" for name in ("ci_low", "ci_high"))
    assert f"{10 * right}.0 % of 120 answers (95 % interval {ends} %; chance gives 50 %" in said(of)


def test_without_comparisons_pairs_get_no_verdict() -> None:
    counts = [{"protocol": "paired", "dataset": "d", "model": "m", "n": 40, "n_none": 0, "right": 0.95}]
    assert choice_sentences(folder_of(choices=counts)) == ["There is no verdict on choices."]


def test_unanswered_pairs_are_no_answer() -> None:
    assert "There is no answer yet" in said(folder(pairs("paired", "gan", ["none"] * 4, simulated=False)))


def test_rehearsals_are_left_out_beside_people() -> None:
    people = pairs("paired", "gan", "ab" * 5, simulated=False)
    rows = [*people, *pairs("paired", "gan", "a" * 6, simulated=True, person="simulated")]
    of = folder(rows, analysed=slice(0, 10))
    assert not of.simulated
    (caveats,) = [block for block in notes_section(of).blocks if block.style == "warnings"]
    assert "6 trials of simulated participants left out, since people have answered." in caveats.lines
    mixed = folder(rows)
    assert "Simulated participants gave some of the answers" in said(mixed)
    assert "No person answered" not in said(mixed)


@pytest.mark.slow
def test_metrics_stand_beside_mean_grades_with_a_chart() -> None:
    shared = {"dataset": "d", "kind": "fake", "model": "gan"}
    rows = [
        {**shared, "participant": f"P{person}", "stimulus": f"d/gan/{number}", "response": None, "protocol": "rating"}
        | {"rating": 1 + (number + person) // 3}
        for person in range(4)
        for number in range(10)
    ]
    values = [{**shared, "stimulus": f"d/gan/{number}", "metric": "ssim", "value": number / 10} for number in range(10)]
    images = frame_of(values, IMAGE_METRICS)
    of = folder_of(**analyze(fill_trials(pd.DataFrame(rows)), image_metrics=images), image_metrics=images)
    assert metrics_sentence(of).startswith(
        "Do metrics follow people's grades, picture by picture of a model? On d it does (SSIM: Spearman"
    )
    (chart,) = agreement_charts(of)
    assert chart.alternative == "SSIM on d, pictures, graded: n = 10"
    assert "Metrics were held against mean grades by Spearman's correlation" in paper_methods(of)
