import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, simulated
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.judgements.doubts import doubts_of_covariates
from gan_eval.judgements.trials import fill_trials, text_coded
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.stats.analysis import analyze, write_analysis
from gan_eval.stats.exclusions import Rules, apply_rules
from gan_eval.stats.mixed.models import mixed_models
from gan_eval.stats.tables.agreement import agreement
from gan_eval.stats.tables.comparisons import comparisons
from gan_eval.stats.tables.grades import ratings
from gan_eval.stats.tables.psychometric import psychometric
from gan_eval.stats.tables.rates import rates
from gan_eval.tables.frames import read_table


@pytest.mark.slow
def test_every_table_survives_its_file_and_every_column_has_its_meaning(tmp_path):
    trials = simulated(participants=6, each=12, models=("a", "b"))
    trials = trials.assign(fraction=0.5, simulated=True, requested_exposure_ms=np.inf)
    frames = analyze(trials.assign(confidence=np.arange(len(trials)) % 3 + 1.0))
    assert set(frames) == {
        "rates", "reaction_times", "mixed_models", "comparisons", "correlations",
        "participation", "robustness", "agreement", "hype",
        "paper", "roc", "roc_points",
    }  # fmt: skip
    for path in write_analysis(frames, tmp_path):
        again = read_table(path, ALL_TABLES[path.stem])
        pd.testing.assert_frame_equal(again.assign(run=None), frames[path.stem].assign(run=None), check_dtype=False)
    for name in ("comparisons", "mixed_models"):
        assert frames[name]["exploratory"].isna().all(), "without a plan"
    for name, frame in frames.items():
        assert set(frame) <= {*ALL_TABLES[name].names}, name
        assert frame["simulated"].all(), name
        if "fraction" in frame:
            assert (frame["fraction"] == 0.5).all(), name


@pytest.mark.slow
def test_a_plan_excludes_and_what_goes_beyond_it_is_said_apart():
    trials = simulated(participants=6, each=12)
    trials.loc[:4, "reaction_time_ms"] = 100.0
    trials.loc[3:9, "flags"] = "late"
    plan = AnalysisSettings(exclude=("reaction_time_ms<200",))
    frames = analyze(trials, plan=plan, exclude=["flags~late"])
    row = frames["rates"].iloc[0]
    assert row[["n_real", "n_fake"]].sum() == len(trials) - 10
    assert "(reaction_time_ms<200: 5)" in row["note"]
    assert "(flags~late: 7)" in row["note"]
    for name in ("comparisons", "mixed_models"):
        assert frames[name]["exploratory"].all()
        notes = frames[name]["note"]
        assert notes.str.contains("(5 trials)", regex=False).all()


@pytest.mark.parametrize("rule", ["correct!=true", "response=real", "choice=a", "confidence<2"])
def test_trials_are_not_left_out_by_their_outcome(rule):
    trials = simulated(participants=4, each=12)
    refused(f"rule {rule}:", analyze, trials, exclude=[rule])
    refused(f"rule {rule}:", analyze, trials, plan=AnalysisSettings(exclude=(rule,)))


@pytest.mark.slow
def test_people_chosen_by_their_outcome_are_a_sensitivity_row():
    trials = simulated(participants=8, each=16)
    accuracy = apply_rules(trials, None, Rules(), Rules()).participation.set_index("participant")["accuracy"]
    planned, beyond = (f"accuracy<{accuracy.astype(float).quantile(share)}" for share in (0.5, 0.8))
    plan = AnalysisSettings(exclude_participants=(planned,))
    frames = analyze(trials, plan=plan, exclude_participants=[beyond])
    assert not frames["participation"]["excluded"].any()
    *others, first, second = frames["comparisons"].to_dict("records")
    assert [row["p"] for row in others] == comparisons(trials)["p"].tolist()
    for rule, row in ((planned, first), (beyond, second)):
        named = accuracy.index[accuracy < float(rule.removeprefix("accuracy<"))]
        rest = comparisons(trials[~trials["participant"].isin(named)].reset_index(drop=True)).iloc[0]
        assert f"{len(named)} of 8 participants fulfil {rule}, a rule on the outcome" in frames["rates"]["note"][0]
        assert row["comparison"] == f"told apart, sensitivity: without {rule}"
        assert row["difference"] == pytest.approx(rest["difference"])
        assert row["exploratory"]
        assert pd.isna(row["verdict"])
        assert pd.isna(row["p_holm"])
        assert f"without {len(named)} of 8 participants" in row["note"]


@pytest.mark.slow
def test_a_verdict_that_rests_on_a_margin_beyond_the_plan_is_exploratory():
    trials = simulated(participants=14, stimuli=40, each=40, intercept=0.05, real=-0.1, sd_stimulus=0.3)
    table = analyze(trials, plan=AnalysisSettings(), margin=0.2)["comparisons"].set_index("comparison")
    told_apart = table.loc["told apart"]
    assert told_apart["verdict"] == "equivalent"
    assert told_apart["exploratory"]
    assert "the margin is exploratory" in told_apart["note"]
    assert not table.loc["real vs fake", "exploratory"]


def test_trials_without_a_participant_or_a_stimulus_are_left_out_and_counted():
    trials = simulated(participants=6, each=12)
    given = trials[["participant", "stimulus", "kind", "response"]].astype("object")
    expected = rates(fill_trials(given.drop([3, 20, 21]).reset_index(drop=True)))
    given.loc[3, "participant"] = None
    given.loc[[20, 21], "stimulus"] = ""
    found = analyze(given)["rates"]
    assert found["note"][0] == "1 trials without participant and 2 without stimulus left out"
    assert found["accuracy"].tolist() == expected["accuracy"].tolist()


def test_a_column_without_any_participant_is_an_error():
    refused("column participant", analyze, simulated(participants=2).assign(participant=None))


@pytest.mark.slow
def test_a_covariate_beyond_the_plan_is_an_exploratory_formula():
    trials = simulated(participants=8, each=16)
    trials["age"] = trials["participant"].str[1:].astype(float) ** 2
    models = analyze(trials, plan=AnalysisSettings(), covariates=["age"])["mixed_models"]
    with_age = models["formula"].str.contains("age")
    assert (models["exploratory"] == with_age).all()
    assert set(with_age) == {True, False}


def test_a_number_next_to_real_or_fake_is_not_a_grade():
    """Foreign tables call it rating how sure somebody was; such answers were in no rate."""
    trials = from_counts(15, 10, 7, 18)
    trials["rating"] = [float(number % 5) if number % 2 == 0 else None for number in range(len(trials))]
    assert rates(trials).set_index("scope").loc["all", ["n_fake", "n_real"]].tolist() == [25, 25]
    assert ratings(trials).empty


def test_two_trials_of_one_number_are_an_error_that_names_the_first():
    trials = from_counts(2, 2, 2, 2)
    again = trials.tail(1).assign(trial=2)
    refused(r"row 10:.*session=P01, trial=2.*row 2", analyze, pd.concat([trials, trials.head(1), again]))


def test_mixed_studies_are_the_first_word():
    trials = from_counts(8, 2, 2, 8, study=["a", "b"] * 10)
    note = analyze(trials, exclude=["stimulus=facades/fake/0"])["rates"].iloc[0]["note"]
    assert note.startswith("trials of several studies; ")
    assert note.count("several studies") == 1


POOR = {
    "no rows": from_counts(0, 0, 0, 0),
    "one participant": from_counts(15, 10, 7, 18),
    "no reals": from_counts(5, 5, 0, 0),
    "all answers fake": simulated(participants=6, each=12).assign(response="fake", correct=None),
    "no data set, no model": simulated(participants=4, each=12).assign(dataset=None, model=None),
}
POOR_AT_NIGHT = {
    "two trials": from_counts(1, 0, 0, 1),
    "one stimulus": simulated(stimuli=1, each=1),
    "all right": simulated(participants=6, each=12, intercept=60.0, sd_participant=0, sd_stimulus=0, real=0),
    "all answers missing": from_counts(3, 3, 3, 3, response="none"),
    "impossible times": from_counts(3, 3, 3, 3, reaction_time_ms=-5.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*POOR, *(pytest.param(name, marks=pytest.mark.nightly) for name in POOR_AT_NIGHT)])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_poor_data_give_words_instead_of_crashes(name):
    frames = analyze((POOR | POOR_AT_NIGHT)[name])
    everything = frames["rates"].iloc[0]
    assert everything["scope"] == "all"
    for name_of, frame in frames.items():
        numbers = frame.select_dtypes("float64").to_numpy()
        assert not np.isinf(numbers).any(), name_of
    models = frames["mixed_models"]
    assert (models["estimate"].notna() | models["note"].notna()).all()
    assert (models["estimate"].notna() == models["std_error"].notna()).all()
    different = frames["comparisons"][frames["comparisons"]["verdict"] == "different"]
    assert different["p"].notna().all()


def test_of_too_large_a_table_no_crossed_model_is_fitted(monkeypatch):
    trials = simulated(participants=8, stimuli=30, each=30, seed=4)
    assert set(comparisons(trials)["basis"]) == {"crossed_model"}
    assert mixed_models(trials)["estimate"].notna().any()
    monkeypatch.setattr("gan_eval.stats.mixed.fit.MAX_FITTED_TRIALS", len(trials) - 1)
    assert set(comparisons(trials)["basis"]) == {"two_way_cluster"}
    models = mixed_models(trials)
    assert models["estimate"].isna().all()
    assert models["note"].str.contains(f"more than {len(trials) - 1} trials").all()


def test_text_as_codes_changes_no_table_even_with_holes():
    trials = simulated(participants=4, stimuli=16, each=16, models=("gan", "vae"))
    number = np.arange(len(trials))
    trials = trials.assign(
        dataset=trials["dataset"].mask(number % 3 == 0), item=trials["stimulus"].mask(number % 7 == 0)
    )
    trials["requested_exposure_ms"] = 100.0 * 2.0 ** (number % 4)
    coded = text_coded(trials)
    assert agreement(coded)["dataset"].isna().any()
    for table_of in (agreement, comparisons, lambda frame: psychometric(frame)["psychometric"]):
        expected = table_of(trials)
        assert len(expected)
        pd.testing.assert_frame_equal(table_of(coded), expected)


def ages(answers: list[str], sessions: str = "s{0}") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trials of people, and their answers to the question age."""
    trials = pd.DataFrame(
        [
            {"session": f"s{who}", "participant": f"P{who}", "stimulus": f"{kind}{n}", "kind": kind, "response": said}
            for who in range(len(answers))
            for kind in ("real", "fake")
            for n, said in enumerate(("real", "fake", kind))
        ]
    )
    asked = [
        {
            "session": sessions.format(who),
            "participant": f"P{who}",
            "question": "age",
            "answer": answer,
            "answered_at": None,
        }
        for who, answer in enumerate(answers)
    ]
    return trials, pd.DataFrame(asked)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (["20", "23", "31", "45", "28", "33"], ""),
        (["20", "23", "31", "77", "28", "33"], ""),
        (["f", "m", "f", "f", "m", "m"], ""),
        (["1", "2", "3", "4", "5", "9+"], "5 of 6 answers are numbers, that of 'P5' is '9+'"),
        (["20", "23", "31", "45", "28", "CONSENT_REVOKED"], "that of 'P5' is 'CONSENT_REVOKED': all count as words"),
        (["20,5", "23", "31,5", "45", "28", "33"], "4 of 6 answers are numbers, that of 'P0' is '20,5'"),
        (["20", "23", "31", "-99", "28", "-99"], "2 answers are -99, the others 20 to 31: a code for no answer?"),
        (["20", "23", "31", "999", "28", "33"], "1 answers are 999, the others 20 to 33"),
        (["Male", "female", "male", "female", "male", "female"], "'Male' and 'male' differ only in case"),
    ],
)
def test_answers_that_a_covariate_may_misread_are_one_line(answers: list[str], said: str) -> None:
    trials, asked = ages(answers)
    found = doubts_of_covariates(["age"], fill_trials(trials), asked)
    assert len(found) == bool(said)
    assert said in " ".join(found)


def test_answers_of_other_sessions_are_named() -> None:
    trials, asked = ages(["20", "23", "31", "45", "28", "33"], sessions="S{0}")
    found: list[str] = []
    with pytest.raises(UserError, match="no such question or column"):
        analyze(trials, participants=asked, covariates=("age",), on_message=found.append)
    assert any("6 of 6 sessions have no answer, the first is 's0'" in line and "'S0'" in line for line in found)
