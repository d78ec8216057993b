"""One simulated study, and the plan that many of them make."""

import numpy as np
import pandas as pd
import pytest
from refusals import refused
from scipy.stats import norm

from gan_eval.base.inference import wilson
from gan_eval.judgements.trials import fill_trials
from gan_eval.quiz.draw import Dealer
from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study
from gan_eval.stats.estimate.differences import Difference, wald
from gan_eval.stats.power import planning
from gan_eval.stats.power.design import StudyDesign
from gan_eval.stats.power.planning import NO_DIFFERENCE, make_world, printed, sentences
from gan_eval.stats.power.simulate import (
    Verdict,
    World,
    analysed,
    answers_that_count,
    one_study,
    questions_of,
    simulate,
    verdicts,
)
from gan_eval.stats.tables.comparisons import comparisons
from gan_eval.study.power import deal_design, plan_power, planned_stimuli

POOL = planned_stimuli([("d", "one"), ("d", "two")], 60)


ALL = {"sd_participant": 0.5, "sd_slope": 0.0, "sd_stimulus": 0.8, "unanswered": 0.0, "dropout": 0.0, "excluded": 0.0}
"""Nobody differs in skill, and everybody answers everything."""


def study(**sections: object) -> Study:
    return Study.model_validate(
        {
            "study": {"name": "planned"},
            "data": {"d": {}},
            "models": {"one": {"data": "d"}, "two": {"data": "d"}},
            "quiz": {"real": 8, "fake": 8},
            "power": {"participants": [3, 6], "simulations": 10, "fooling_rate": 0.4, "false_alarm_rate": 0.2, **ALL},
            **sections,
        }
    )


PICTURES = ["told apart", "one told apart", "two told apart", "one against two"]
GRADES = [
    f"{name}: {measure}"
    for measure in ("higher_grade", "mean_grade")
    for name in ("fakes against reals", "one against two")
]
SINGLE = {"real": 12, "fake": 12}
JUDGED = {
    "pictures": (SINGLE, {"sd_slope": 1.2}, PICTURES),
    "pictures, people alike": (SINGLE, {"sd_slope": 0.0}, PICTURES),
    "paired": ({"protocol": "paired", "pairs": 16}, {}, PICTURES[:3]),
    "model_vs_model": ({"protocol": "model_vs_model", "pairs": 16}, {}, PICTURES[3:]),
    "rating": ({"protocol": "rating", "real": 8, "fake": 8}, {}, GRADES),
}
"""Quiz, assumptions and the names of the questions."""


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.nightly] * case.endswith("alike")) for case in JUDGED]
)
def test_a_study_is_judged_as_the_analysis_judges_its_trials(case: str) -> None:
    quiz, assumed, names = JUDGED[case]
    protocol, has_slope = str(quiz.get("protocol", "single")), case != "pictures, people alike"
    design = deal_design(POOL, QuizSettings.model_validate(quiz), seed=0, participants=14)
    analysis = AnalysisSettings(margin=0.1, slope=has_slope)
    world = make_world(design, PowerSettings.model_validate({"fooling_rates": {"two": 0.4}, **assumed}), analysis)
    answers = simulate(design, world.truths["assumed"], np.random.default_rng(4))
    group = [design.groups[number] for number in design.group]
    trials = pd.DataFrame(
        {
            "participant": [f"P{number}" for number in design.participant],
            "stimulus": [f"S{number}" for number in design.stimulus],
            "item": [f"I{design.item[number]}" for number in design.stimulus],
            "dataset": "d",
            "kind": [None if each.is_pair else "real" if each.is_real else "fake" for each in group],
            "model": [each.role or None for each in group],
            "protocol": protocol,
        }
    )
    if protocol == "rating":
        assert set(answers) == {1, 2, 3, 4, 5}
        trials["rating"] = answers
    elif protocol == "single":
        trials["response"] = np.where(answers, "fake", "real")
    else:
        trials["choice"] = np.where(answers, "a", "b")
    rows = comparisons(fill_trials(trials), plan=analysis).to_dict("records")
    found = analysed(design, answers, world.questions, analysis)
    assert list(found) == [*names, *(f"equivalence: {name}" for name in names)]
    for question in world.questions:
        (row,) = (row for row in rows if (row["comparison"], {row["a"], row["b"]}, row["measure"]) == question.asked)
        test, expected = found[question.name], [row[name] for name in ("ci_low", "ci_high", "p", "p_equivalent")]
        np.testing.assert_allclose([*test.interval(0.95), test.p, test.p_equivalent], expected, rtol=1e-6)


def test_a_pool_of_no_models_is_refused() -> None:
    refused("no models are known", planned_stimuli, [], 200)


@pytest.mark.parametrize(
    "settings",
    [
        QuizSettings(real=4, fake=5),
        QuizSettings(real=9, fake=9),
        QuizSettings(protocol="paired", pairs=7, keys={"left": "f", "right": "j"}),
    ],
    ids=["pool", "nearly one list", "pairs"],
)
def test_every_list_is_the_one_that_the_quiz_deals(settings: QuizSettings) -> None:
    rows = planned_stimuli([("maps", "one"), ("maps", "two"), ("shoes", "one")], 20)
    design = deal_design(rows, settings, seed=5, participants=9)
    dealer, names = Dealer(rows, settings, seed=5), []
    for group in design.groups:
        of_set = [row for row in rows if row["dataset"] == group.dataset]
        real, shown = (
            {row["item"]: row["stimulus"] for row in of_set if (row["model"] or "") == role}
            for role in ("", group.role)
        )
        names += [(real[item], shown[item]) if group.is_pair else (shown[item], "") for item in sorted(shown)]
    for number in range(9):
        planned = design.stimulus[design.participant == number]
        dealt = dealer.deal(number + 1).plan
        wanted = sorted((row["stimulus"], row["stimulus_b"] or "") for row in dealt)
        assert sorted(names[stimulus] for stimulus in planned) == wanted
        assert len(set(design.item[planned])) == design.trials, "nobody sees two versions of an item"


def test_answers_are_lost_as_assumed_and_the_rest_is_judged() -> None:
    design = deal_design(POOL, QuizSettings(real=8, fake=8), seed=0, participants=400)
    lost = PowerSettings(unanswered=0.1, dropout=0.3, excluded=0.2)
    seen = answers_that_count(design, lost, np.random.default_rng(0))
    of_people = np.bincount(design.participant, seen) / design.trials
    assert (of_people == 0).mean() == pytest.approx(1 - 0.8 * 0.7, abs=0.07)  # none of those who broke off
    assert (of_people > 0.6).mean() == pytest.approx(0.8 * 0.7, abs=0.07)
    assert seen.mean() == pytest.approx(0.8 * 0.7 * 0.9, abs=0.03)
    assert answers_that_count(design, PowerSettings.model_validate(ALL), np.random.default_rng(0)).all()
    world = make_world(design.first(3), PowerSettings(excluded=0.99), AnalysisSettings())
    assert all(np.isnan(verdict.width) and not verdict.positive for verdict in one_study(world, (3, 0)))


def test_simulation_ends_where_the_target_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "LOOKS", (40,))
    monkeypatch.setattr(planning, "one_study", found_by_question)
    done: list[tuple[int, int]] = []
    planned = study(power={"participants": [4, 6], "simulations": 60, **ALL}, analysis={"margin": 0.2})
    table = plan_power(planned, POOL, on_progress=lambda *now: done.append(now[:2])).table
    rows = table[table["participants"] == 4].set_index("question")
    assert rows["simulations"].to_dict() == {
        "told apart": 40,
        **dict.fromkeys(["one told apart", "two told apart"], 60),
        "one against two": 40,
        **{f"equivalence: {name}": 40 for name in ("told apart", "one told apart", "two told apart")},
        "equivalence: one against two": 40,
    }
    assert done[0] == (1, 80), "the second check may not be needed"
    assert done[-1] == (120, 120)
    low, _ = wilson(40, 40, z=norm.ppf(1 - 0.05 / 4))
    assert rows.loc["told apart", "ci_low"] == pytest.approx(float(low))


def found_by_question(world: World, task: tuple[int, ...]) -> list[Verdict]:
    """Find every effect, but that of one model in only four of five studies: on the target."""
    _, number, *asked = task
    names = [world.questions[index].name for index in asked]
    return [Verdict(name != "one told apart" or number % 5 > 0, 0.1) for name in names]


def design_of(models: str) -> StudyDesign:
    """Return the design of a study of models of one data set, each named by one letter."""
    rows = planned_stimuli([("d", name) for name in models], 30)
    return deal_design(rows, QuizSettings(real=8, fake=10), seed=0, participants=2)


def test_differences_of_one_family_are_corrected_together() -> None:
    questions = questions_of(design_of("abc"), AnalysisSettings())
    assert [question.name for question in questions] == [
        "told apart",
        *(f"{name} told apart" for name in "abc"),
        *("a against b", "a against c", "b against c"),
    ]
    tests = [wald(0.05, 0.025, 30)._replace(p=p) for p in (0.04, 0.02, 0.02, 0.04, 0.01, 0.03, 0.04)]
    assert [each.positive for each in verdicts(questions, tests)] == [True, False, False, False, True, False, False]
    failed = [bool(np.isnan(each.width)) for each in verdicts(questions, [*tests[:6], Difference(np.nan)])]
    assert failed == [False] * 6 + [True]


def test_planned_pairs_are_asked_and_no_others() -> None:
    design, alone = design_of("abcde"), [f"{name} told apart" for name in "abcde"]
    assert [each.name for each in questions_of(design, AnalysisSettings())] == ["told apart", *alone], "ten pairs"
    planned = AnalysisSettings(comparisons=(("b", "d"),))
    assert [each.name for each in questions_of(design, planned)] == ["told apart", *alone, "b against d"]
    refused(r"analysis\.comparisons: b and x", questions_of, design, AnalysisSettings(comparisons=(("b", "x"),)))


@pytest.mark.slow
def test_a_plan_has_every_question_at_every_number() -> None:
    plan = plan_power(study(analysis={"margin": 0.2}), POOL)
    own = plan.table
    assert len(own) == 8 * 2
    assert set(own["participants"]) == {3, 6}
    reported = own[own["question"] == "told apart"].set_index("participants")
    assert reported["effect"].iloc[0] == pytest.approx(0.34, abs=0.03)
    assert reported["interval_width"].is_monotonic_decreasing
    assert (reported["ci_low"] <= reported["power"]).all()
    idle = own[own["question"] == "one against two"]
    assert (idle["note"] == NO_DIFFERENCE).all()
    assert "one against two" not in plan.recommended
    assert [row[1] for row in printed(plan)[2] if row[0] == "told apart"] == ["3", "6"]
    assert "power.fooling_rates" in "\n".join(sentences(plan))


@pytest.mark.nightly
def test_the_number_recommended_is_the_smallest_that_surely_reaches_the_target_and_a_short_pool_is_reported() -> None:
    short = planned_stimuli([("d", "one"), ("d", "two")], 17)
    plan = plan_power(study(power={"participants": [2, 8], "simulations": 30, "fooling_rate": 0.1, **ALL}), short)
    assert any("only 17 items" in line for line in plan.warnings)
    number = plan.recommended["told apart"]
    rows = plan.table[plan.table["question"] == "told apart"]
    assert set(rows["stimuli"]) == {51}
    sure = rows[rows["ci_low"] >= 0.8]
    assert number == sure["participants"].min()
    assert rows.loc[rows["recommended"].astype(bool), "participants"].tolist() == [number]
    assert f"Invite {number} people" in sentences(plan)[0]


@pytest.mark.parametrize("protocol", ["staircase", "quest_plus"])
def test_power_of_exposures_that_follow_answers_is_refused(protocol: str) -> None:
    refused(protocol, plan_power, study(quiz={"protocol": protocol}), POOL)
