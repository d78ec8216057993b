import numpy as np
import pandas as pd
import pytest
from make_trials import simulated

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.mixed.formulas import planned_formulas, with_covariates
from gan_eval.stats.trials import answered_trials

RANDOM = "(1|participant) + (1|stimulus)"
SLOPES = "(1 + kind|participant) + (1|stimulus)"


def small() -> pd.DataFrame:
    """Four answers of two data sets, as the formulas take them."""
    frame = pd.DataFrame(
        {
            "participant": ["b", "a", "a", "b"],
            "stimulus": ["y", "x", "y", "x"],
            "kind": ["real", "fake", "real", "fake"],
            "response": ["real", "real", "fake", "fake"],
            "dataset": ["maps", "edges", "maps", "edges"],
        }
    )
    return frame.assign(
        correct=frame["kind"] == frame["response"],
        called_fake=frame["response"] == "fake",
        session=frame["participant"],
    )


ALWAYS = [f"{formula} + {RANDOM}" for formula in ("correct ~ 1", "correct ~ kind", "called_fake ~ kind")]
SLOPED = [f"{outcome} ~ kind + {SLOPES}" for outcome in ("correct", "called_fake")]


@pytest.mark.parametrize(
    ("plan", "formulas", "exploratory"),
    [
        (
            AnalysisSettings(slope=False, covariates=("age", "age", "sex")),
            [*ALWAYS, f"correct ~ kind + age + sex + {RANDOM}"],
            [False] * 4,
        ),
        (AnalysisSettings(covariates=("age",)), [*ALWAYS, *SLOPED, f"correct ~ kind + age + {SLOPES}"], [False] * 6),
    ],
)
def test_what_is_planned(plan, formulas, exploratory):
    found = planned_formulas(answered_trials(simulated(participants=4, stimuli=8, each=8)), plan)
    assert [str(one.formula) for one in found] == formulas
    assert [one.exploratory for one in found] == exploratory


def test_a_data_set_of_one_kind_does_not_make_several():
    trials = simulated(seed=1)
    reals = trials["kind"] == "real"
    trials.loc[reals & (np.arange(len(trials)) % 2 == 0), "dataset"] = "photographs"
    assert [str(one.formula) for one in planned_formulas(answered_trials(trials), None)][2] == (
        f"called_fake ~ kind + {RANDOM}"
    )


def test_a_question_goes_before_a_column_and_the_last_answer_counts():
    frame = small().assign(age=1)
    asked = pd.DataFrame({"session": ["a", "a", "b"], "question": "age", "answer": ["20", "30", "40"]})
    assert list(with_covariates(frame, ["age"], asked)["covariate:age"]) == ["40", "30", "30", "40"]
    assert list(with_covariates(frame, ["age"], None)["covariate:age"]) == [1, 1, 1, 1]
