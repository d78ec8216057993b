import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, simulated
from scipy.stats import chi2, t

from gan_eval.errors import UserError
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.mixed.models import mixed_models

FORMULAS = [
    "correct ~ 1 + (1|participant) + (1|stimulus)",
    "correct ~ kind + (1|participant) + (1|stimulus)",
    "called_fake ~ kind + (1|participant) + (1|stimulus)",
]
SLOPES = [formula.replace("(1|part", "(1 + kind|part") for formula in FORMULAS[1:]]


def answers_about(trials: pd.DataFrame, question: str, answers: list[str | None]) -> pd.DataFrame:
    """The table `participants`: each session's answer to one question."""
    sessions = sorted(trials["session"].unique())
    return pd.DataFrame({"session": sessions, "participant": sessions, "question": question, "answer": answers})


def test_the_formulas_stand_in_the_table():
    trials = simulated(seed=11)
    table = mixed_models(trials)
    assert list(table["formula"].unique()) == FORMULAS + SLOPES
    assert list(table["term"]) == ["intercept", *["intercept", "kind[real]", "intercept", "kind[fake]"] * 2]
    assert (table["link"] == "logit").all()
    assert (table["n_trials"] == len(trials)).all()
    assert (table["n_participants"] == 40).all()
    assert (table["n_stimuli"] == 50).all()
    assert table["exploratory"].isna().all()
    plain = table[table["formula"].isin(FORMULAS)]
    assert not plain["singular"].any()
    assert plain["note"][plain["term"] == "intercept"].isna().all()
    assert plain["note"].iloc[4] == "participants differ in skill: see the model with slopes"
    assert table["note"].iloc[5:].dropna().str.startswith("singular").all()
    z = table["estimate"] / table["std_error"]
    assert table["z"].to_numpy() == pytest.approx(z.to_numpy())
    of_kinds = table["term"].str.startswith("kind")  # 25 pictures behind either kind; 40 people and 50 pictures in all
    df = np.where(of_kinds, 24, 39)
    assert table["p"].to_numpy() == pytest.approx(2 * t.sf(np.abs(z), df))
    half_width = t.ppf(0.975, df) * table["std_error"]
    assert table["ci_high"].to_numpy() == pytest.approx((table["estimate"] + half_width).to_numpy())
    assert table["log_likelihood"].iloc[1] >= table["log_likelihood"].iloc[0]
    assert table["estimate"].iloc[2] < 0


def test_the_likelihood_ratio_is_against_the_model_without_the_term():
    table = mixed_models(simulated(seed=11), plan=AnalysisSettings(slope=False))
    plain, kind = table.iloc[0], table.iloc[2]
    assert kind["lrt_chi2"] == pytest.approx(2 * (kind["log_likelihood"] - plain["log_likelihood"]))
    assert (table["lrt_df"] == 1).all()
    assert table["lrt_p"].to_numpy(float) == pytest.approx(chi2.sf(table["lrt_chi2"].to_numpy(float), 1))
    # both tests are asymptotically the same; here within a seventh of each other
    assert table["lrt_chi2"].to_numpy(float) == pytest.approx(table["z"].to_numpy(float) ** 2, rel=0.15)


@pytest.mark.nightly
def test_the_detection_model_tells_discrimination_from_leaning():
    trials = simulated(seed=5, stimuli=200, each=40, intercept=0.9, real=0.0, sd_participant=0.0)
    table = mixed_models(trials).set_index(["formula", "term"])["estimate"]
    assert table[FORMULAS[2], "kind[fake]"] == pytest.approx(1.8, abs=0.4)  # 0.9 on either side
    assert table[FORMULAS[2], "intercept"] == pytest.approx(-0.9, abs=0.3)
    leaning = trials.assign(response="fake", correct=trials["kind"] == "fake")
    leaning.loc[::3, "response"] = "real"
    biased = mixed_models(leaning).set_index(["formula", "term"])
    assert biased.loc[(FORMULAS[1], "kind[real]"), "estimate"] < -1
    assert biased.loc[(FORMULAS[2], "kind[fake]"), "p"] > 0.05


@pytest.mark.slow
def test_several_data_sets_enter_the_detection_model_by_their_sum():
    parts = []
    for number, name in enumerate(("edges", "maps", "zoo")):
        part = simulated(seed=20 + number, participants=20, each=20, intercept=0.2 + 0.3 * number)
        parts.append(part.assign(dataset=name, stimulus=name + part["stimulus"]))
    trials = pd.concat(parts, ignore_index=True)
    trials["trial"] = trials.groupby("session").cumcount() + 1
    table = mixed_models(trials)
    own = table[table["formula"] == "called_fake ~ kind + dataset + (1|participant) + (1|stimulus)"]
    assert list(own["term"]) == ["intercept", "kind[fake]", "dataset[edges]", "dataset[maps]"]
    assert list(own["lrt_df"]) == [1, 1, 2, 2]
    assert own["lrt_p"].iloc[2] == own["lrt_p"].iloc[3]
    names = {"edges": "zoo", "zoo": "edges", "maps": "maps"}
    renamed = mixed_models(trials.assign(dataset=trials["dataset"].map(names)))
    other = renamed[renamed["formula"] == own["formula"].iloc[0]]
    assert other["estimate"].iloc[:2].to_numpy() == pytest.approx(own["estimate"].iloc[:2].to_numpy(), abs=1e-4)
    assert other["estimate"].iloc[2] == pytest.approx(-own["estimate"].iloc[2:].sum(), abs=1e-4)


def test_the_plan_adds_its_link_and_marks_what_it_did_not_ask_for():
    table = mixed_models(simulated(seed=11), plan=AnalysisSettings(link="probit", slope=False))
    assert list(table["link"]) == ["logit"] * 5 + ["probit"] * 5
    assert list(table["formula"].unique()) == FORMULAS
    assert list(table["exploratory"]) == [True] * 5 + [False] * 5
    ratio = (table["estimate"].iloc[:3].to_numpy() / table["estimate"].iloc[5:8].to_numpy()).astype(float)
    assert ((ratio > 1.5) & (ratio < 1.8)).all()


def test_a_planned_slope_varies_from_participant_to_participant():
    table = mixed_models(simulated(seed=11), plan=AnalysisSettings(slope=True))
    sloped = table[table["formula"].str.contains("(1 + kind|participant)", regex=False)]
    assert list(sloped["term"]) == ["intercept", "kind[real]", "intercept", "kind[fake]"]
    assert not table["exploratory"].any()
    assert (sloped["sd_slope"] >= 0).all()
    assert table["sd_slope"].isna().sum() == len(table) - 4
    plain = table[table["formula"].isin(FORMULAS[1:])]
    assert (sloped["log_likelihood"].to_numpy() >= plain["log_likelihood"].to_numpy() - 1e-6).all()
    # answers `correct` and `called_fake` are one model where both of a participant's effects are free
    assert sloped["log_likelihood"].iloc[0] == pytest.approx(sloped["log_likelihood"].iloc[2], abs=1e-3)


@pytest.mark.slow
def test_a_covariate_of_numbers_is_centred_and_told_per_unit():
    trials = simulated(seed=3, participants=40, each=25)
    rng = np.random.default_rng(0)
    ages = rng.integers(18, 70, 40)
    lucky = dict(zip(sorted(trials["session"].unique()), ages, strict=True))
    years = trials["session"].map(lucky).to_numpy()
    turned = rng.random(len(trials)) < 1 - 1 / (1 + np.exp(0.05 * (years - years.mean())))
    trials.loc[turned, "response"] = trials.loc[turned, "kind"]
    people = answers_about(trials, "age", [str(age) for age in ages])
    table = mixed_models(trials, plan=AnalysisSettings(covariates=("age",)), participants=people)
    own = table[table["formula"] == "correct ~ kind + age + (1 + kind|participant) + (1|stimulus)"].set_index("term")
    assert own["note"].str.contains(f"age: centred at {years.mean():.6g}", regex=False).all()
    months = answers_about(trials, "age", [str(12 * age) for age in ages])
    again = mixed_models(trials, plan=AnalysisSettings(covariates=("age",)), participants=months)
    other = again[again["formula"] == own["formula"].iloc[0]].set_index("term")
    assert own.loc["age", "estimate"] > 0
    assert other.loc["age", "estimate"] * 12 == pytest.approx(own.loc["age", "estimate"], rel=1e-6)
    assert other.loc["age", "lrt_p"] == pytest.approx(own.loc["age", "lrt_p"], rel=1e-4)
    assert own.loc["age", "p"] < 0.05
    assert not own["exploratory"].any()


def test_a_covariate_of_words_is_held_against_its_commonest_answer():
    trials = simulated(seed=3, each=20)
    bands = ["50-59"] * 12 + ["20-29"] * 18 + ["30-39", "40-49"] + ["60-69"] * 4 + ["80-89"] + [None, " "] + ["20-29"]
    people = answers_about(trials, "age_band", bands)
    table = mixed_models(trials, plan=AnalysisSettings(covariates=("age_band",)), participants=people)
    own = table[table["formula"].str.contains("age_band")]
    assert list(own["term"]) == [
        "intercept", "kind[real]", "age_band[50-59]", "age_band[60-69]", "age_band[other]",
    ]  # fmt: skip
    assert (own["n_participants"] == 38).all()
    assert list(own["lrt_df"]) == [1, 1, 3, 3, 3]
    for word in ("40 trials without age_band", "(30-39, 40-49, 80-89)", "against 20-29"):
        assert own["note"].str.contains(word, regex=False).all()


def test_a_further_column_may_be_a_covariate_and_an_unknown_one_is_told():
    trials = simulated(seed=3)
    table = mixed_models(trials, plan=AnalysisSettings(covariates=("reaction_time_ms",)))
    assert np.isfinite(table["estimate"]).all()
    with pytest.raises(UserError, match=r"analysis\.covariates: gender: .*questions: age; columns: .*reaction_time_ms"):
        mixed_models(
            trials,
            plan=AnalysisSettings(covariates=("gender",)),
            participants=answers_about(trials, "age", ["30"] * 40),
        )


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        (["yes"] * 40, "glasses: the same in all"),
        ([None] * 40, "no answered trial has all"),
        (["3"] * 40, "the same in all"),
    ],
)
def test_a_covariate_without_a_difference_has_no_estimate(answers, word):
    trials = simulated(seed=3)
    table = mixed_models(
        trials,
        plan=AnalysisSettings(covariates=("glasses",)),
        participants=answers_about(trials, "glasses", answers),
    )
    own = table[table["formula"].str.contains("glasses")]
    assert own["note"].str.contains(word).all()
    assert own["estimate"].isna().all()
    assert np.isfinite(table["estimate"].iloc[:5]).all()


def test_trials_without_a_picture_are_left_out_and_said():
    trials = simulated(seed=3)
    trials.loc[:9, "stimulus"] = None
    table = mixed_models(trials)
    assert (table["n_trials"] == len(trials) - 10).all()
    assert table["note"].str.contains("10 trials without stimulus left out").all()


@pytest.mark.parametrize(
    ("trials", "word"),
    [
        (from_counts(15, 10, 7, 18), "one participant"),
        (from_counts(0, 0, 0, 0), "no answered"),
        (from_counts(1, 0, 0, 1), "one participant"),
        (simulated(intercept=50.0), "separated"),
        (simulated(stimuli=1, each=1), "one stimulus|no participant has more than one answer"),
        (simulated(stimuli=20_000, each=2, participants=8), "no stimulus has more than one answer"),
    ],
)
def test_without_an_estimate_there_is_a_word_and_no_number(trials, word):
    table = mixed_models(trials)
    numbers = ["estimate", "std_error", "z", "p", "ci_low", "ci_high", "sd_participant", "sd_stimulus"]
    assert len(table) == 9
    assert table[numbers].isna().all().all()
    assert table["note"].str.contains(word).all()


def leaning(*, seed: int, sd: float = 0.9) -> pd.DataFrame:
    """Answers of people who differ in leaning alone: 40 people, 40 of 120 pictures each."""
    rng = np.random.default_rng(seed)
    trials = simulated(seed=seed, participants=40, stimuli=120, each=40)
    people, pictures = pd.factorize(trials["participant"])[0], pd.factorize(trials["stimulus"])[0]
    fake = (trials["kind"] == "fake").to_numpy()
    eta = np.where(fake, 0.6, -0.6) + sd * rng.normal(size=40)[people] + 0.6 * rng.normal(size=120)[pictures]
    response = np.where(rng.random(len(trials)) < 1 / (1 + np.exp(-eta)), "fake", "real")
    return trials.assign(response=response, correct=response == trials["kind"])


@pytest.mark.slow
def test_people_who_lean_are_told_where_the_test_takes_them_for_a_difference_of_kinds():
    table = mixed_models(leaning(seed=1)).set_index(["formula", "term"])
    word = "participants differ in leaning: see the model with slopes"
    noted = table["note"].fillna("").str.contains(word)
    assert list(noted[noted].index) == [(FORMULAS[1], "kind[real]")]
    assert table.loc[(FORMULAS[1], "kind[real]"), "std_error"] < 0.8 * table.loc[(SLOPES[0], "kind[real]"), "std_error"]
    assert table["estimate"].notna().all()
    alike = mixed_models(leaning(seed=1, sd=0.0))
    assert not alike["note"].fillna("").str.contains("differ").any()
    assert not mixed_models(leaning(seed=1), plan=AnalysisSettings(slope=False))["note"].notna().any()


def test_few_groups_are_named_and_marks_travel():
    trials = simulated(participants=3, seed=5).assign(simulated=True, fraction=0.25)
    table = mixed_models(trials)
    assert table["note"].str.contains(r"few participants \(3\)").all()
    assert table["simulated"].all()
    assert (table["fraction"] == 0.25).all()
