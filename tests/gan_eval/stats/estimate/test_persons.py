"""People who stop early: each participant counts once where the number of answers goes together with the answers."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from cited_tables import cited_tables
from make_trials import judged
from scipy.special import expit

from gan_eval.judgements.doubts import doubts
from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.estimate.persons import person_weights
from gan_eval.stats.tables.comparisons import comparisons
from gan_eval.stats.tables.rates import rates

PEOPLE, PICTURES = 24, 40
Rows = tuple[pd.DataFrame, np.ndarray]


def answered(seed: int, *, by_skill: bool = True, low: int = 6, mean: float = 0.9, sd: float = 1.5) -> Rows:
    """Return participant, picture and log-odds of each answer, and whether the picture is of the first kind.

    Half of the pictures are of each kind. Persons answer `low` to 40: the more, the more skilled (or by chance).
    """
    rng = np.random.default_rng(seed)
    skill, bias, own = rng.normal(mean, sd, PEOPLE), rng.normal(0, 0.5, PEOPLE), rng.normal(0, 0.5, PICTURES)
    order = skill.argsort().argsort() if by_skill else rng.permutation(PEOPLE)
    number = np.round(low + (PICTURES - low) * order / (PEOPLE - 1)).astype(int)
    person = np.repeat(np.arange(PEOPLE), number)
    picture = np.concatenate([rng.permutation(PICTURES)[:n] for n in number])
    is_first = picture % 2 == 0
    eta = bias[person] + skill[person] * np.where(is_first, 0.5, -0.5) + own[picture]
    frame = pd.DataFrame({"participant": [f"P{p:02d}" for p in person], "stimulus": [f"s{p}" for p in picture]})
    return frame.assign(eta=eta, noise=rng.random(len(eta))), is_first


def single(rows: Rows) -> pd.DataFrame:
    frame, is_fake = rows
    codes = (pd.factorize(frame[name])[0] for name in ("participant", "stimulus"))
    return judged(*codes, is_fake, (frame["noise"] < expit(frame["eta"])).to_numpy(), dataset="d", model="m")


def of_models(rows: Rows) -> pd.DataFrame:
    frame, is_a = rows
    response = np.where(frame["noise"] < expit(frame["eta"]), "real", "fake")
    return fill_trials(frame.assign(kind="fake", model=np.where(is_a, "a", "b"), response=response, dataset="d"))


def pairs(rows: Rows) -> pd.DataFrame:
    frame, is_first = rows
    skill = np.where(is_first, frame["eta"], -frame["eta"])
    frame = frame.assign(choice=np.where(frame["noise"] < expit(skill), "a", "b"), item=frame["stimulus"])
    return fill_trials(frame.assign(protocol="paired", stimulus_b=frame["stimulus"] + "f", model="m", dataset="d"))


def grades(rows: Rows) -> pd.DataFrame:
    frame, is_real = rows
    latent = frame["eta"] + np.log(frame["noise"] / (1 - frame["noise"]))
    rating = 1.0 + np.searchsorted([-1.5, -0.5, 0.5, 1.5], latent)
    kind = np.where(is_real, "real", "fake")
    return fill_trials(frame.assign(kind=kind, rating=rating, protocol="rating", dataset="d", model="m"))


def row_of(trials: pd.DataFrame, measure: str) -> pd.Series:
    """Return the first comparison of a measure."""
    return comparisons(trials).query("measure == @measure").iloc[0]


def own_means(trials: pd.DataFrame, value: pd.Series, by: str) -> pd.Series:
    """Return the mean over the participants of their own means, for each group."""
    return value.groupby([trials[by], trials["participant"]]).mean().groupby(level=0).mean()


def test_weights_count_each_participant_once_and_are_1_for_equal_numbers() -> None:
    person, cell = np.array([0, 0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 0, 1, 1, 1])
    weights = person_weights(person, cell)
    assert np.bincount(cell, weights).tolist() == pytest.approx([4, 3])
    of_people = {(p, c): weights[(person == p) & (cell == c)].sum() for p, c in zip(person, cell, strict=True)}
    assert of_people == pytest.approx({(0, 0): 2, (1, 0): 2, (1, 1): 1.5, (2, 1): 1.5})
    assert (person_weights(np.repeat(np.arange(7), 3), np.zeros(21, int)) == 1).all()


def test_rates_are_the_mean_of_people_if_the_less_skilled_stopped_early() -> None:
    trials = single(answered(0))
    row = cited_tables(trials.drop(columns="correct"))["paper"].iloc[0]
    real = own_means(trials, (trials["response"] == "real").astype(float), "kind")
    assert [row["fooling_rate"], row["real_called_real"]] == pytest.approx([real["fake"], real["real"]])
    assert row["basis"] == "two_way_cluster"
    assert "each participant counts once" in row["note"]
    assert row["accuracy"] < trials["correct"].mean() - 0.02


@pytest.mark.parametrize(
    ("make", "measure", "value"),
    [
        (single, "called_fake", lambda trials: own_means(trials, 1.0 * (trials["response"] == "fake"), "kind")),
        (of_models, "fooling_rate", lambda trials: own_means(trials, 1.0 * (trials["response"] == "real"), "model")),
        (grades, "mean_grade", lambda trials: own_means(trials, trials["rating"], "kind")),
        (pairs, "chosen", lambda trials: own_means(trials, 1.0 * (trials["choice"] == "a"), "model") - 0.5),
    ],
)
def test_differences_are_those_of_the_mean_of_people(
    make: Callable[[Rows], pd.DataFrame], measure: str, value: Callable[[pd.DataFrame], pd.Series]
) -> None:
    trials = make(answered(0))
    row = row_of(trials, measure)
    means = value(trials).to_numpy()
    assert row["difference"] == pytest.approx(means[0] - means[1:].sum())
    assert row["basis"] == "two_way_cluster"
    assert "each participant counts once" in row["note"]
    same = row_of(make(answered(0, low=PICTURES)), measure)
    assert same["basis"] == "crossed_model"
    assert "once" not in str(same["note"])


@pytest.mark.parametrize("rows", [answered(0, low=PICTURES), answered(2, by_skill=False)])
@pytest.mark.parametrize("make", [single, of_models, pairs, grades])
def test_the_model_stays_and_no_line_comes_if_numbers_are_equal_or_unrelated(
    make: Callable[[Rows], pd.DataFrame], rows: Rows
) -> None:
    trials = make(rows)
    assert set(comparisons(trials)["basis"].dropna()) <= {"crossed_model", "crossed_model_clustered_error"}
    assert not any("more answers" in line for line in doubts(trials))


def test_a_warning_and_the_pooled_rates_name_people_with_more_answers() -> None:
    trials = single(answered(0))
    (line,) = [line for line in doubts(trials) if "more answers" in line]
    kinds = trials["correct"].astype(float).groupby([trials["participant"], trials["kind"]]).mean()
    own, number = kinds.groupby(level=0).mean(), trials["participant"].value_counts()
    r = np.corrcoef(own, number[own.index])[0, 1]
    assert f"participants with more answers were more often correct (r = {r:.2f}, 24 people)" in line
    notes = rates(trials).set_index("scope")["note"]
    assert f"r = {r:.2f}" in notes["all"]
    assert not notes["participant"].str.contains("more answers", na=False).any()
    for make, how in ((pairs, "were more often correct"), (grades, "graded real pictures higher")):
        assert [line for line in doubts(make(answered(0))) if f"with more answers {how} (r = 0." in line], make


def test_a_model_far_from_the_mean_of_people_is_not_cited_if_their_numbers_differ() -> None:
    trials = single(answered(5, by_skill=False, sd=0.8)).drop(columns="correct")
    row = cited_tables(trials)["paper"].iloc[0]
    real = own_means(trials, (trials["response"] == "real").astype(float), "kind")
    assert [row["fooling_rate"], row["real_called_real"]] == pytest.approx([real["fake"], real["real"]])
    assert row["basis"] == "two_way_cluster"
    assert "far from the means of participants" in row["note"]
