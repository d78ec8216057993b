"""Statistics of small made-up tables of answers, grades and pairs."""

from collections.abc import Sequence
from typing import Any

import choix
import evalica
import krippendorff
import numpy as np
import pandas as pd
import pingouin
from irrCAC.raw import CAC
from nltk.metrics.agreement import AnnotationTask
from psignifit import psignifit
from scipy import stats
from statsmodels.stats import inter_rater, proportion
from statsmodels.stats.weightstats import DescrStatsW
from sureal.pc_subjective_model import BradleyTerryMlePairedCompSubjectiveModel as Sureal

from gan_eval.base.inference import binomial_p, wilson
from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.mixed.psychometric import Judgements, pooled
from gan_eval.stats.tables.agreement import alpha
from gan_eval.stats.tables.choices import bradley_terry
from gan_eval.stats.tables.rates import dprime_and_criterion
from other_programs.rows import Found, Table, module_of, named


def judgements() -> Table:
    """All statistics but those of mixed models."""
    return {
        "d′, 24 of 25 and 0 of 25": dprime(),
        "33 of 50: lower end, 95 %": interval(),
        **binomial_tests(),
        **equivalence(),
        **agreement(),
        **pairs(),
        "Kendall's tau: lower end, 95 %": kendall(),
        "level of 75 % correct, pairs": psychometric(),
    }


def dprime() -> list[Found]:
    """d′ where a rate is 0."""
    metadpy = module_of("metadpy", "metadpy/sdt.py")
    hits, false_alarms = metadpy.rates(hits=24, misses=1, fas=0, crs=25)
    edges = "moves rates of 0 and 1 alone, by 1/(2N); gan_eval adds half an answer to every count"
    return [
        ("gan_eval `rates`", [float(dprime_and_criterion(24, 1, 0, 25)[0])], ""),
        (named("metadpy", "rates"), [float(metadpy.dprime(hit_rate=hits, fa_rate=false_alarms))], edges),
    ]


def interval() -> list[Found]:
    """Intervals of a share."""
    reasons = {
        "wilson": "",
        "beta": "Clopper and Pearson's exact interval, wider",
        "": "its default: mean ± 1.96 standard errors",
        "agresti_coull": "",
    }
    rows: list[Found] = [("gan_eval (Wilson)", [float(wilson(33, 50)[0])], "")]
    for method, why in reasons.items():
        low, _ = proportion.proportion_confint(33, 50, **({"method": method} if method else {}))
        rows.append((named("statsmodels", method and f"method='{method}'"), [float(low)], why))
    return rows


def binomial_tests() -> Table:
    """Exact tests against a half, and against another share."""
    likelier = "all outcomes that are no likelier, as R's binom.test"
    return {
        "3 of 20 against 0.5: p": [
            ("gan_eval", [float(binomial_p(3, 20))], ""),
            (named("scipy", "binomtest"), [float(stats.binomtest(3, 20).pvalue)], ""),
        ],
        "3 of 20 against 0.3: p": [
            (named("scipy", "binomtest"), [float(stats.binomtest(3, 20, 0.3).pvalue)], likelier),
            ("twice the smaller tail", [float(2 * stats.binom.cdf(3, 20, 0.3))], ""),
        ],
    }


def equivalence() -> Table:
    """Two one-sided tests."""
    x = np.array([0.41, 0.62, 0.55, 0.47, 0.58, 0.51, 0.66, 0.44, 0.53, 0.49, 0.60, 0.52])
    exact, normal = (test(50, 100, 0.4, 0.6)[0] for test in (proportion.binom_tost, proportion.proportions_ztost))
    return {
        "50 of 100 within 50 ± 10 %: p": [
            (named("statsmodels", "binom_tost"), [float(exact)], "exact"),
            (named("statsmodels", "proportions_ztost"), [float(normal)], "normal, with the sample's variance"),
        ],
        "12 people's accuracy within 50 ± 10 %: p": [
            (named("statsmodels", "DescrStatsW.ttost_mean"), [float(DescrStatsW(x).ttost_mean(0.4, 0.6)[0])], ""),
            (
                named("pingouin", "tost(x, 0.5, bound=0.1)"),
                [float(pingouin.tost(x, 0.5, bound=0.1)["pval"].iloc[0])],
                "the bound is half the width, from the second argument",
            ),
        ],
    }


def agreement() -> Table:
    """Agreement of 4 people on grades of 40 pictures; half of the pictures are graded alike."""
    random = np.random.default_rng(1)
    grades = random.integers(1, 6, (40, 4))
    for row in grades[::2]:
        row[1:] = (row[0] + random.integers(-1, 2, 3)).clip(1, 5)
    counts = np.stack([(grades == grade).sum(axis=1) for grade in range(1, 6)], axis=1)
    table = pd.DataFrame(grades.astype(float))
    task = AnnotationTask([(str(rater), str(picture), int(x)) for (picture, rater), x in np.ndenumerate(grades)])

    def irrcac(name: str, weights: str = "identity") -> list[float]:
        return [float(getattr(CAC(table, weights=weights), name)()["est"]["coefficient_value"])]

    def reference(level: str) -> list[float]:
        return [float(krippendorff.alpha(reliability_data=grades.T, level_of_measurement=level))]

    gwet = "Gwet's weights know the number of grades, Krippendorff's how often each was given"
    return {
        "alpha, nominal": [
            ("gan_eval `agreement`", [alpha(counts, "nominal")], ""),
            (named("krippendorff"), reference("nominal"), ""),
            (named("irrCAC"), irrcac("krippendorff"), "rounded to 5 digits"),
            (named("nltk", "alpha"), [float(task.alpha())], ""),
        ],
        "alpha, ordinal": [
            ("gan_eval `agreement`", [alpha(counts, "ordinal")], ""),
            (named("krippendorff"), reference("ordinal"), ""),
            (named("irrCAC", "weights='ordinal'"), irrcac("krippendorff", "ordinal"), gwet),
        ],
        "Fleiss' kappa": [
            (named("statsmodels"), [float(inter_rater.fleiss_kappa(counts))], ""),
            (named("irrCAC", "fleiss"), irrcac("fleiss"), ""),
            (named("nltk", "pi"), [float(task.pi())], "called Scott's pi there"),
            (named("nltk", "multi_kappa"), [float(task.multi_kappa())], "this is Conger's kappa"),
        ],
    }


def pairs() -> Table:
    """Bradley-Terry strengths of four models, and the error of one difference."""
    wins = np.array([[0, 30, 20, 35], [10, 0, 25, 30], [20, 15, 0, 20], [5, 10, 20, 0]])
    votes = [(winner, loser) for (winner, loser), count in np.ndenumerate(wins) for _ in range(count)]
    winners, losers = zip(*votes, strict=True)
    rated = evalica.bradley_terry(winners, losers, [evalica.Winner.X] * len(votes)).scores
    scores, *_, covariance = Sureal.resolve_model(wins.astype(float), display=False)
    strengths = bradley_terry(pair_answers(votes))["strength"].to_numpy()
    chosen = choix.ilsr_pairwise(4, votes)
    logarithms = "scores are strengths: take logarithms"
    return {
        "Bradley-Terry, first minus second": [
            ("gan_eval `bradley_terry`", [float(strengths[0] - strengths[1])], ""),
            (named("choix", "ilsr_pairwise"), [float(chosen[0] - chosen[1])], ""),
            (named("evalica"), [float(np.log(rated[0] / rated[1]))], logarithms),
            (named("sureal"), [float(scores[0] - scores[1])], ""),
        ],
        "its standard error": [
            ("inverse information", [information_error(wins, chosen)], ""),
            (named("sureal"), [error_of_difference(covariance)], "from its covariance: too small"),
        ],
    }


def information_error(wins: Any, strengths: Any) -> float:
    """The standard error of the first difference by the information of independent votes."""
    chance = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    weight = (wins + wins.T) * chance * (1 - chance)
    return error_of_difference(np.linalg.pinv(np.diag(weight.sum(axis=1)) - weight))


def error_of_difference(covariance: Any) -> float:
    """The standard error of the first strength minus the second."""
    return float(np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]))


def pair_answers(votes: Sequence[tuple[int, int]]) -> Any:
    """Trials of two models' pictures (winner, loser), by 5 people."""
    number, both = np.arange(len(votes)), np.sort(votes, axis=1)
    return fill_trials(
        pd.DataFrame(
            {
                "participant": [f"P{n % 5}" for n in number],
                "stimulus": [f"d/{a}/{n % 7}" for n, (a, _) in enumerate(both)],
                "item": [f"d/{n % 7}" for n in number],
                "kind": None,
                "response": None,
                "dataset": "d",
                "protocol": "model_vs_model",
                "model": [f"{a}|{b}" for a, b in both],
                "choice": np.where(both[:, 0] == np.asarray(votes)[:, 0], "a", "b"),
            }
        )
    )


def kendall() -> list[Found]:
    """The interval of a rank correlation of 30 pictures."""
    random = np.random.default_rng(1)
    x = random.normal(size=30)
    found = pingouin.corr(x, x + random.normal(size=30), method="kendall").iloc[0]
    fieller = float(np.tanh(np.arctanh(found["r"]) - 1.96 * np.sqrt(0.437 / 26)))
    return [
        (named("pingouin"), [float(found["CI95"][0])], "Pearson's standard error, 1/sqrt(n - 3)"),
        ("Fieller: 0.437/(n - 4)", [fieller], ""),
    ]


def psychometric() -> list[Found]:
    """The level with 75 % correct of two, 40 answers at each of six levels; no lapses."""
    levels, right, answers = np.arange(1, 7), np.array([21, 24, 27, 33, 36, 38]), 40
    nothing = np.zeros(6 * answers, int)
    judged = Judgements(
        np.concatenate([np.arange(answers) < count for count in right]),
        np.repeat(levels.astype(float), answers),
        *(np.tile(np.arange(answers) % 8, 6), np.arange(6 * answers) % 12),
        *(nothing, False),
    )
    intercept, slope = pooled(judged, 0.0)[0].beta
    fixed = {"lambda": 0.0, "gamma": 0.5}
    table = np.column_stack([levels, right, np.full(6, answers)])
    fit = psignifit(table, experiment_type="2AFC", sigmoid="logistic", fixed_parameters=fixed, verbose=False)
    scaled, unscaled = (float(fit.threshold(0.75, unscaled=whether, return_ci=False)) for whether in (False, True))
    return [
        ("gan_eval `psychometric`, logit, no lapses", [float(-intercept / slope)], "maximum likelihood"),
        (
            named("psignifit", "threshold(0.75)"),
            [scaled],
            "mode of the posterior: priors on threshold and width",
        ),
        (
            named("psignifit", "threshold(0.75, unscaled=True)"),
            [unscaled],
            "75 % of the way from guessing to 100 %: this is 87.5 % correct",
        ),
    ]
