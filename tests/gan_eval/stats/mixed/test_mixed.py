"""The table `mixed_models`: its formulas, covariates, grades and confidence, and what has no estimate."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lme4_designs import DESIGNS, REFERENCES, answers
from make_trials import from_counts, simulated
from scipy.stats import t

from gan_eval.base.errors import UserError
from gan_eval.judgements.trials import fill_trials, typed
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.mixed import CrossedFit, fit_crossed, models
from gan_eval.stats.mixed.fit import Spread
from gan_eval.stats.mixed.models import Formula, mixed_models, planned_formulas, with_covariates
from gan_eval.stats.tables.comparisons import compare

INTERCEPTS = ["correct ~ 1 + (1|participant) + (1|stimulus)", "correct ~ kind + (1|participant) + (1|stimulus)"]
SLOPES = [f"{outcome} ~ kind + (1 + kind|participant) + (1|stimulus)" for outcome in ("correct", "called_fake")]
CALLED_FAKE = "called_fake ~ kind + (1|participant) + (1|stimulus)"
TESTS = ["z", "p", "ci_low", "ci_high"]


def answers_about(trials: pd.DataFrame, question: str, answers: list[str | None]) -> pd.DataFrame:
    """The table `participants`: each session's answer to one question."""
    sessions = sorted(trials["session"].unique())
    return pd.DataFrame({"session": sessions, "participant": sessions, "question": question, "answer": answers})


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    """300 answers of 15 people to 20 pictures."""
    return simulated(participants=15, stimuli=20, each=20, seed=11)


@pytest.fixture(scope="module")
def table(trials) -> pd.DataFrame:
    return mixed_models(trials)


def test_the_formulas_stand_in_the_table(trials, table):
    assert list(table["formula"].unique()) == INTERCEPTS + SLOPES
    assert list(table["term"]) == ["intercept", *["intercept", "kind[real]"] * 2, "intercept", "kind[fake]"]
    assert (table["link"] == "logit").all()
    assert (table[["n_trials", "n_participants", "n_stimuli"]] == [300, 15, 20]).all().all()
    no_slope = [False, True, True, False, False, False, False]
    assert (table["untested"] == "no slope").fillna(False).tolist() == no_slope
    assert table[TESTS].isna().all(axis=1).tolist() == no_slope
    tested = table[table["untested"].isna()]
    z = tested["estimate"] / tested["std_error"]
    assert tested["z"].to_numpy() == pytest.approx(z.to_numpy())
    of_kinds = tested["term"].str.startswith("kind")  # 10 pictures behind either kind; 15 people and 20 pictures in all
    df = np.where(of_kinds, 9, 14)
    assert tested["p"].to_numpy() == pytest.approx(2 * t.sf(np.abs(z), df))
    half_width = t.ppf(0.975, df) * tested["std_error"]
    assert tested["ci_high"].to_numpy() == pytest.approx((tested["estimate"] + half_width).to_numpy())
    assert table["estimate"].iloc[2] < 0
    # answers `correct` and `called_fake` are one model where both of a participant's effects are free
    assert table["log_likelihood"].iloc[3] == pytest.approx(table["log_likelihood"].iloc[5], abs=1e-3)
    fake, real_minus_fake, says_fake, discrimination = table["estimate"].iloc[3:]
    assert says_fake == pytest.approx(-fake - real_minus_fake, abs=1e-3)
    assert discrimination == pytest.approx(2 * fake + real_minus_fake, abs=1e-3)
    assert table["sd_slope"].notna().tolist() == [False] * 4 + [True, False, True]


def test_models_by_kind_start_from_the_fit_of_detection(trials, table, monkeypatch):
    starts = []
    monkeypatch.setattr(
        models, "fit_crossed", lambda *arrays, **given: starts.append(given) or fit_crossed(*arrays, **given)
    )
    from_detection = mixed_models(trials, detection=compare(trials).fit)
    numbers = ["estimate", "std_error", "log_likelihood", "sd_participant", "sd_slope", "slope_correlation"]
    pd.testing.assert_frame_equal(from_detection[numbers], table[numbers], rtol=1e-3)
    assert [given["start"] is not None for given in starts] == [False, False, True, True]
    begun = [given["start"].beta for given in starts[2:]]
    assert np.concatenate(begun) == pytest.approx(table["estimate"].iloc[3:].to_numpy(), rel=1e-3)
    sds = [given["start"].first.sd_slope for given in starts[2:]]
    assert sds == pytest.approx(table["sd_slope"].iloc[[4, 6]].to_numpy(), rel=1e-2)


def test_a_start_has_no_negative_variance_where_effects_are_one_dimensional():
    turn, found = np.eye(2), detection_fit()
    for sd in np.linspace(0.05, 3, 200):  # the correlation is -1, and `turn` maps the slope to 0 but for rounding
        fit = replace(found, first=Spread(sd, sd / 0.3, -1.0))
        start = fit.turned(turn, np.array([[1.0, 0.0], [1.0, 0.3]]))
        assert np.isfinite([start.first.sd, start.first.sd_slope, start.first.correlation]).all()


def detection_fit() -> CrossedFit:
    """A fit of detection."""
    fit = compare(simulated(participants=15, stimuli=20, each=20, seed=11)).fit
    assert fit is not None
    return fit


def test_several_data_sets_enter_the_detection_model_by_their_sum():
    parts = []
    for number, name in enumerate(("edges", "maps", "zoo")):
        part = simulated(seed=20 + number, participants=12, stimuli=16, each=16, intercept=0.2 + 0.3 * number)
        parts.append(part.assign(dataset=name, stimulus=name + part["stimulus"]))
    trials = pd.concat(parts, ignore_index=True)
    trials["trial"] = trials.groupby("session").cumcount() + 1
    table = mixed_models(trials, plan=AnalysisSettings(slope=False))
    own = table[table["formula"] == "called_fake ~ kind + dataset + (1|participant) + (1|stimulus)"]
    assert list(own["term"]) == ["intercept", "kind[fake]", "dataset[edges]", "dataset[maps]"]
    names = {"edges": "zoo", "zoo": "edges", "maps": "maps"}
    renamed = mixed_models(trials.assign(dataset=trials["dataset"].map(names)), plan=AnalysisSettings(slope=False))
    other = renamed[renamed["formula"] == own["formula"].iloc[0]]
    assert other["estimate"].iloc[:2].to_numpy() == pytest.approx(own["estimate"].iloc[:2].to_numpy(), abs=1e-4)
    assert other["estimate"].iloc[2] == pytest.approx(-own["estimate"].iloc[2:].sum(), abs=1e-4)


def test_the_plan_adds_its_link_and_marks_what_it_did_not_ask_for(trials):
    table = mixed_models(trials, plan=AnalysisSettings(link="probit", slope=False))
    assert list(table["link"]) == ["logit"] * 3 + ["probit"] * 5
    assert list(table["formula"].unique()) == [*INTERCEPTS, CALLED_FAKE]
    assert list(table["exploratory"]) == [True] * 3 + [False] * 5
    assert table["untested"].notna().tolist() == [False, True, True, False, True, True, True, True]
    ratio = (table["estimate"].iloc[:3].to_numpy() / table["estimate"].iloc[3:6].to_numpy()).astype(float)
    assert ((ratio > 1.5) & (ratio < 1.8)).all()


def of_covariate(trials: pd.DataFrame, name: str, answers: list[str | None]) -> pd.DataFrame:
    """The rows of the model with a question as a covariate; `answers` are in the order of the participants."""
    plan = AnalysisSettings(covariates=(name,))
    table = mixed_models(trials, plan=plan, participants=answers_about(trials, name, answers))
    assert np.isfinite(table["estimate"].iloc[:7]).all()
    return table[table["formula"].str.startswith(f"correct ~ kind + {name} + ")]


def test_a_covariate_of_numbers_is_centred_and_told_per_unit():
    trials = simulated(seed=3, participants=20, stimuli=20, each=20)
    rng = np.random.default_rng(0)
    ages = rng.integers(18, 70, 20)
    years = trials["session"].map(dict(zip(sorted(trials["session"].unique()), ages, strict=True))).to_numpy()
    turned = rng.random(len(trials)) < 1 - 1 / (1 + np.exp(0.05 * (years - years.mean())))
    trials.loc[turned, "response"] = trials.loc[turned, "kind"]
    own, other = (of_covariate(trials, "age", [str(unit * age) for age in ages]).set_index("term") for unit in (1, 12))
    assert (own["formula"] == "correct ~ kind + age + (1 + kind|participant) + (1 + age|stimulus)").all()
    assert own["note"].str.contains(f"age: centred at {years.mean():.6g}", regex=False).all()
    assert own.loc["age", "estimate"] > 0
    assert other.loc["age", "estimate"] * 12 == pytest.approx(own.loc["age", "estimate"], rel=1e-6)
    assert own.loc["age", "p"] < 0.05
    assert not own["exploratory"].any()


def test_a_covariate_of_words_is_held_against_its_commonest_answer():
    trials = simulated(seed=3, stimuli=20, each=10)
    bands = ["50-59"] * 12 + ["20-29"] * 18 + ["30-39", "40-49"] + ["60-69"] * 4 + ["80-89"] + [None, " "] + ["20-29"]
    own = of_covariate(trials, "age_band", bands)
    assert list(own["term"]) == [
        "intercept", "kind[real]", "age_band[50-59]", "age_band[60-69]", "age_band[other]",
    ]  # fmt: skip
    assert (own["n_participants"] == 38).all()
    for word in ("20 trials without age_band", "(30-39, 40-49, 80-89)", "against 20-29"):
        assert own["note"].str.contains(word, regex=False).all()


def test_a_further_column_may_be_a_covariate_and_an_unknown_one_is_told(trials):
    table = mixed_models(trials, plan=AnalysisSettings(covariates=("reaction_time_ms",), slope=False))
    assert np.isfinite(table["estimate"]).all()
    with pytest.raises(UserError, match=r"analysis\.covariates: gender:.*reaction_time_ms"):
        mixed_models(
            trials,
            plan=AnalysisSettings(covariates=("gender",)),
            participants=answers_about(trials, "age", ["30"] * 15),
        )


def test_a_column_of_one_category_has_no_estimate(trials):
    same = trials.assign(sex=pd.Categorical(["f"] * len(trials)))  # as a text column of a file is read
    table = mixed_models(same, plan=AnalysisSettings(covariates=("sex",)))
    assert table.loc[table["term"] == "sex", "note"].str.contains("the same in all trials").all()


@pytest.mark.parametrize(
    ("answer", "word"), [("yes", "glasses is the same in all"), (None, "no answered trial has all"), ("3", "the same")]
)
def test_a_covariate_without_a_difference_has_no_estimate(trials, answer, word):
    own = of_covariate(trials, "glasses", [answer] * 15)
    assert own["note"].str.contains(word).all()
    assert own["estimate"].isna().all()


@pytest.mark.parametrize(
    ("trials", "word"),
    [
        (from_counts(15, 10, 7, 18), "one participant"),
        (from_counts(0, 0, 0, 0), "no answered"),
        (simulated(intercept=50.0), "separation"),
    ],
)
def test_without_an_estimate_there_is_a_word_and_no_number(trials, word):
    table = mixed_models(trials)
    numbers = ["estimate", "std_error", "z", "p", "ci_low", "ci_high", "sd_participant", "sd_stimulus"]
    assert len(table) == 5 + 2 * word.startswith("sep")
    assert table[numbers].isna().all().all()
    assert (table["untested"] == "no fit").all()
    assert table["note"].str.contains(word).all()


def test_few_groups_are_named_and_marks_travel():
    trials = simulated(participants=3, stimuli=20, each=20, seed=5).assign(simulated=True, fraction=0.25)
    table = mixed_models(trials)
    assert table["note"].str.contains(r"few participants \(3\)").all()
    assert table["simulated"].all()
    assert (table["fraction"] == 0.25).all()


@pytest.mark.parametrize(
    ("plan", "formulas"),
    [
        (
            AnalysisSettings(slope=False, covariates=("age", "age", "sex")),
            [
                *(Formula("correct", effects) for effects in ((), ("kind",))),
                Formula("called_fake", ("kind",)),
                Formula("correct", ("kind", "age", "sex")),
            ],
        ),
        (
            AnalysisSettings(covariates=("age",)),
            [
                *(Formula("correct", effects, slope) for effects in ((), ("kind",)) for slope in (False, True)),
                Formula("called_fake", ("kind",), slope=True),
                Formula("correct", ("kind", "age"), slope=True),
            ],
        ),
    ],
)
def test_what_is_planned(trials, plan, formulas):
    assert planned_formulas(typed(trials).answered, plan) == formulas


def test_a_data_set_of_one_kind_does_not_make_several():
    trials = simulated(seed=1)
    reals = trials["kind"] == "real"
    trials.loc[reals & (np.arange(len(trials)) % 2 == 0), "dataset"] = "photographs"
    assert planned_formulas(typed(trials).answered, AnalysisSettings())[-1].effects == ("kind",)


def test_a_question_goes_before_a_column_and_the_last_answer_counts():
    frame = pd.DataFrame({"session": ["b", "a", "a", "b"], "age": 1})
    asked = pd.DataFrame({"session": ["a", "a", "b"], "question": "age", "answer": ["20", "30", "40"]})
    assert list(with_covariates(frame, ["age"], asked)["covariate:age"]) == ["40", "30", "30", "40"]
    assert list(with_covariates(frame, ["age"], None)["covariate:age"]) == [1, 1, 1, 1]


def graded(**columns):
    """The design `grades` as trials: its second kind of picture is model B."""
    data = answers(DESIGNS["grades"])
    frame = {
        "participant": [f"P{person:03d}" for person in data.first],
        "stimulus": [f"S{picture:03d}" for picture in data.second],
        "dataset": "d",
        "kind": "fake",
        "model": np.where(data.X[:, 0] > 0, "B", "A"),
        "rating": data.y + 1.0,
    }
    return fill_trials(pd.DataFrame(frame | columns))


def rows_of(table, outcome):
    return table[table["formula"].str.startswith(f"{outcome} ~")]


def test_the_table_says_what_ordinal_says():
    table, reference = rows_of(mixed_models(graded()), "rating"), REFERENCES["grades"]
    slopes = "rating ~ model + (1 + model|participant) + (1|stimulus)"
    assert table["formula"].unique().tolist() == ["rating ~ model + (1|participant) + (1|stimulus)", slopes]
    table = table[table["formula"] != slopes]
    assert (table["untested"] == "no slope").all()
    assert table[TESTS].isna().all(axis=None)
    assert table["term"].tolist() == [*(f"threshold[{low}|{low + 1}]" for low in range(1, 5)), "model[B]"]
    assert table["estimate"].to_numpy() == pytest.approx(reference["beta"], abs=1e-3)
    assert table["std_error"].to_numpy() == pytest.approx(reference["std_error"], rel=0.01)
    assert table["log_likelihood"].to_numpy() == pytest.approx(reference["log_likelihood"], abs=1e-3)
    assert table["sd_stimulus"].to_numpy() == pytest.approx(reference["second"][0], abs=1e-3)


def test_grades_that_are_never_given_are_no_thresholds():
    trials = graded()
    trials["rating"] = trials["rating"].replace({3.0: 4.0})
    terms = rows_of(mixed_models(trials), "rating")["term"].tolist()
    assert terms == ["threshold[1|2]", "threshold[2|4]", "threshold[4|5]", "model[B]"] * 2


def test_kinds_are_compared_where_both_were_graded():
    trials = graded()
    is_real = trials["model"] == "B"
    trials = trials.assign(kind=np.where(is_real, "real", "fake"), model=trials["model"].mask(is_real))
    table = rows_of(mixed_models(trials), "rating")
    assert table["formula"].unique().tolist() == [
        f"rating ~ kind + {people} + (1|stimulus)" for people in ("(1|participant)", "(1 + kind|participant)")
    ]
    assert table["term"].iloc[4] == "kind[real]"
    assert table["estimate"].iloc[4] == pytest.approx(REFERENCES["grades"]["beta"][-1], abs=1e-3)


def test_confidence_has_its_own_rows():
    trials = graded()
    trials = trials.assign(
        confidence=trials["rating"],
        rating=np.nan,
        protocol="quick_response",
        response=np.where(trials["rating"] > 2, "real", "fake"),
    )
    table = rows_of(mixed_models(trials), "confidence")
    assert table["estimate"].iloc[:5].to_numpy() == pytest.approx(REFERENCES["grades"]["beta"], abs=1e-3)


def test_without_spread_the_rows_say_why():
    table = rows_of(mixed_models(graded(rating=2.0)), "rating")
    assert (table["note"] == "all answers are the same").all()
    assert table["estimate"].isna().all()
    assert (table["untested"] == "no fit").all()


def opinions(rng: np.random.Generator, models: str = "AB", *, people: int = 12, items: int = 12, **columns: object):
    """Grades of equally good models by people who prefer one or the other; each has its own pictures."""
    person, item, model = (codes.ravel() for codes in np.indices((people, items, len(models))))
    eta = (
        rng.normal(0, 1.0, (people, len(models)))[person, model] + rng.normal(0, 0.5, (items, len(models)))[item, model]
    )
    name = np.array(list(models))[model]
    frame = {
        "participant": [f"P{number:03d}" for number in person],
        "stimulus": [f"{own}{number:03d}" for own, number in zip(name, item, strict=True)],
        "item": [f"{number:03d}" for number in item],
        "kind": "fake",
        "model": name,
        "rating": np.digitize(eta + rng.logistic(size=len(eta)), (-1.5, -0.4, 0.5, 1.8)) + 1.0,
    }
    return fill_trials(pd.DataFrame(frame | columns))


@pytest.mark.slow
def test_equal_models_that_people_see_differently_are_rarely_called_different():
    """With random intercepts alone they are different in 7 of these 12 studies."""
    false_alarms = 0
    for seed in range(12):
        trials = opinions(np.random.default_rng(seed), people=8, items=30).assign(item=None)
        table = rows_of(mixed_models(trials), "rating")
        false_alarms += (table.loc[table["term"] == "model[B]", "p"] < 0.05).any()
    assert false_alarms <= 2


def test_models_on_the_same_items_have_slopes_by_item():
    table = rows_of(mixed_models(opinions(np.random.default_rng(1))), "rating")
    by_item = "rating ~ model + (1 + model|participant) + (1 + model|item)"
    assert table["formula"].unique().tolist() == ["rating ~ model + (1|participant) + (1|stimulus)", by_item]
    assert (table["untested"] == "no slope").fillna(False).tolist() == [True] * 5 + [False] * 5
    assert (table["n_stimuli"] == 24).all()
    (model,) = table[table["p"].notna() & (table["term"] == "model[B]")].to_dict("records")
    assert model["p"] == pytest.approx(2 * t.sf(abs(model["z"]), 11))  # 12 items and 12 people
    assert min(model["sd_slope"], model["sd_slope_stimulus"]) > 0


def test_a_real_picture_and_its_fake_are_not_taken_for_unrelated(trials):
    paired = trials.assign(item=trials["stimulus"].str[-4:].astype(int) // 2)
    table = mixed_models(fill_trials(paired))
    intercepts, slopes = "(1|participant) + (1|stimulus)", "(1 + kind|participant) + (1 + kind|item)"
    assert table["formula"].unique().tolist() == [
        f"correct ~ 1 + {intercepts}",
        "correct ~ 1 + (1|participant) + (1|item)",
        f"correct ~ kind + {intercepts}",
        *(f"{outcome} ~ kind + {slopes}" for outcome in ("correct", "called_fake")),
    ]
    assert table["untested"].fillna("").tolist() == ["shared items", "", "no slope", "no slope", *[""] * 4]
    assert (table["p"].isna() == table["untested"].notna()).all()


def test_models_that_each_person_sees_one_of_need_no_slope():
    trials = opinions(np.random.default_rng(2)).assign(item=None)
    sees = np.where(trials["participant"].str[1:].astype(int) % 2 == 0, "A", "B")
    table = rows_of(mixed_models(trials[trials["model"] == sees]), "rating")
    assert table["formula"].unique().tolist() == ["rating ~ model + (1|participant) + (1|stimulus)"]
    assert table["untested"].isna().all()
    assert table["p"].notna().all()


def test_a_covariate_of_the_person_has_slopes_where_pictures_are_seen_by_several(trials):
    """The pictures of a large pool have too few answers for a slope, and need none."""
    pool = simulated(participants=15, stimuli=400, each=30, seed=3)
    expected = {"(1 + glasses|stimulus)": trials, "(1|stimulus)": pool}
    for pictures, frame in expected.items():
        own = of_covariate(frame, "glasses", ["yes", "no", "no"] * 5)
        assert own["formula"].unique().tolist() == [f"correct ~ kind + glasses + (1 + kind|participant) + {pictures}"]
        assert own["p"].notna().all()


def test_answers_too_few_for_slopes_leave_no_test():
    """Each person judged each model once: a slope for each person is not separable from chance."""
    trials = opinions(np.random.default_rng(3), people=40, items=8).assign(item=None)
    person, picture = (trials[name].str[1:].astype(int) for name in ("participant", "stimulus"))
    table = rows_of(mixed_models(trials[picture == person % 8]), "rating")
    assert table["formula"].unique().tolist() == ["rating ~ model + (1|participant) + (1|stimulus)"]
    assert (table["untested"] == "no slope").all()
    assert table[TESTS].isna().all(axis=None)
    assert table["estimate"].notna().all()


def test_three_models_have_an_effect_for_each_participant_and_model():
    table = rows_of(mixed_models(opinions(np.random.default_rng(5), "ABC")), "rating")
    by_item = "(1|participant) + (1|participant:model) + (1|item) + (1|item:model)"
    assert table["formula"].iloc[-1] == f"rating ~ model + {by_item}"
    own = table[table["formula"] == table["formula"].iloc[-1]].set_index("term")
    assert own.index.tolist()[4:] == ["model[B]", "model[C]"]
    models = own.loc[["model[B]", "model[C]"]]
    assert (models[["p", "sd_slope", "sd_slope_stimulus"]] > 0).all(axis=None)
    assert own["sd_slope"].isna().tolist() == [True] * 4 + [False] * 2
    assert own["slope_correlation"].isna().all()
    without = table[table["formula"] != table["formula"].iloc[-1]].set_index("term")
    assert (models["std_error"] > without.loc[models.index, "std_error"]).all()


def test_kinds_data_sets_and_covariates_have_slopes_of_their_own():
    parts = []
    for number, name in enumerate(("edges", "maps")):
        part = simulated(seed=30 + number, participants=12, stimuli=20, each=20)
        parts.append(part.assign(dataset=name, stimulus=name + part["stimulus"]))
    trials = pd.concat(parts, ignore_index=True)
    trials["trial"] = trials.groupby("session").cumcount() + 1
    trials["layout"] = np.where(np.random.default_rng(6).random(len(trials)) < 0.5, "wide", "tall")
    table = mixed_models(trials, plan=AnalysisSettings(covariates=("layout",)))
    slopes = "(1|participant) + (0 + centred(kind)|participant) + (0 + centred({})|participant)"
    of_sets = table[table["formula"] == f"called_fake ~ kind + dataset + {slopes.format('dataset')} + (1|stimulus)"]
    of_layout = table[
        table["formula"] == f"correct ~ kind + layout + {slopes.format('layout')} + (1 + layout|stimulus)"
    ]
    assert of_sets["term"].tolist() == ["intercept", "kind[fake]", "dataset[edges]"]
    assert of_layout["term"].str.partition("[")[0].tolist() == ["intercept", "kind", "layout"]
    for own in (of_sets, of_layout):
        assert own["p"].notna().all()
        assert own["sd_slope"].isna().tolist() == [True, False, False]
    assert of_layout["sd_slope_stimulus"].isna().tolist() == [True, True, False]
