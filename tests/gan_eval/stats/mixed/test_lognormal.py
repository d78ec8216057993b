"""Log-normal crossed models, against lme4's lmer, a dense criterion and statsmodels."""

import warnings

import numpy as np
import pandas as pd
import pytest
from make_times import timed_trials

from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.mixed.linear import LinearFit, fit_linear

CASES: dict[str, tuple[int, dict[str, float]]] = {
    "complete": (1, {"each": 30}),
    "incomplete": (2, {"participants": 40, "stimuli": 100, "each": 25}),
    "no spread of stimuli": (3, {"sd_stimulus": 0.0}),
    "few participants": (4, {"participants": 5, "stimuli": 40, "each": 40}),
    "strong": (5, {"sd_participant": 1.2, "sd_stimulus": 0.8, "sd_residual": 0.1}),
    "noisy": (6, {"participants": 60, "stimuli": 12, "each": 10, "sd_participant": 0.05, "sd_residual": 0.9}),
}
LMER: dict[tuple[str, str], list[float]] = {
    ("complete", "1"): [6.5766769199, 0.0777888837, 0.3037855512, 0.1897182340, 0.3771422265, -323.8428732903],
    ("complete", "real + yes"): [
        6.6408865274, 0.1053569687, -0.1497416036, 0.0846633742, 0.0789666014, 0.0333669634,
        0.3026200916, 0.1862311218, 0.3708384254, -317.0416312959,
    ],
    ("incomplete", "1"): [6.5097799572, 0.0455568107, 0.2559656781, 0.1737324774, 0.3595057466, -507.7992463445],
    ("incomplete", "real + yes"): [
        6.5543181265, 0.1822547525, -0.1456417618, 0.0503234480, 0.0414561367, 0.0263069178,
        0.2530250920, 0.1575012888, 0.3531240971, -488.8300449594,
    ],
    ("no spread of stimuli", "1"): [6.5116522400, 0.0720731505, 0.3128386541, 0.0, 0.3470664733, -173.9689183818],
    ("no spread of stimuli", "real + yes"): [
        6.5593861117, 0.0234835870, -0.0773288577, 0.0775496610, 0.0370980041, 0.0394617279,
        0.3102179874, 0.0, 0.3462578883, -176.6207263853,
    ],
    ("few participants", "1"): [6.475404572, 0.114220017, 0.242423655, 0.157050497, 0.367626166, -104.348995326],
    ("few participants", "real + yes"): [
        6.5565010458, 0.1792601158, -0.2437923963, 0.1261108494, 0.0677250279, 0.0547180621,
        0.2581874344, 0.1302161305, 0.3513303307, -96.0514541796,
    ],
    ("strong", "1"): [7.096463132, 0.315416894, 1.298284124, 0.674756423, 0.115956955, 127.862802797],
    ("strong", "real + yes"): [
        7.0805490883, 0.3559196966, -0.1427295435, 0.3257891332, 0.2573546806, 0.0111256785,
        1.2961752664, 0.6639270423, 0.0957883213, 192.4244742527,
    ],
    ("noisy", "1"): [6.5980548910, 0.0643114293, 0.0, 0.1808603946, 0.9187771101, -808.3220301890],
    ("noisy", "real + yes"): [
        6.71812735, -0.00680671298, -0.164336579, 0.100048542, 0.138254764, 0.0834999523,
        0.0, 0.185571075, 0.917037483, -809.012507,
    ],
}  # fmt: skip
"""Fixed effects, their standard errors, SDs of participants, stimuli and residual, and the log-likelihood, from R 4.2.2
with lme4 1.1-31, `timed_trials(seed, **more)` being written as CSV:

    d$real <- as.numeric(d$kind == "real"); d$yes <- as.numeric(d$kind == d$response)
    m <- lmer(log(reaction_time_ms) ~ FORMULA + (1|participant) + (1|stimulus), d,
              control = lmerControl(optCtrl = list(xtol_abs = 1e-10, ftol_abs = 1e-12)))
    v <- as.data.frame(VarCorr(m)); c(fixef(m), sqrt(diag(vcov(m))), v$sdcor, sigma(m), logLik(m))
"""


def arrays(trials: pd.DataFrame, formula: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    columns = [np.ones(len(trials))]
    if formula != "1":
        columns += [
            (trials["kind"] == "real").to_numpy(float),
            (trials["kind"] == trials["response"]).to_numpy(float),
        ]
    y = np.log(trials["reaction_time_ms"].to_numpy(float))
    factors = [pd.factorize(trials[name])[0] for name in ("participant", "stimulus")]
    return y, np.column_stack(columns), factors[0], factors[1]


def fitted(name: str, formula: str) -> LinearFit:
    seed, more = CASES[name]
    return fit_linear(*arrays(timed_trials(seed, **more), formula))  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "formula"), LMER)
def test_equals_lmer(name: str, formula: str) -> None:
    fit, expected = fitted(name, formula), np.array(LMER[name, formula])
    k = len(fit.beta)
    np.testing.assert_allclose(fit.beta, expected[:k], atol=1e-5)
    np.testing.assert_allclose(fit.std_error, expected[k : 2 * k], rtol=1e-4)
    np.testing.assert_allclose([fit.sd_first, fit.sd_second, fit.sd_residual], expected[2 * k : -1], atol=1e-4)
    assert fit.log_likelihood == pytest.approx(expected[-1], abs=1e-5)
    assert fit.singular == (expected[2 * k : -2].min() == 0)


def test_is_a_maximum_of_the_dense_restricted_likelihood() -> None:
    y, X, first, second = arrays(timed_trials(11, participants=8, stimuli=12, each=9), "real + yes")
    fit = fit_linear(y, X, first, second)
    Z = [np.eye(level.max() + 1)[level] for level in (first, second)]

    def log_likelihood(sds: np.ndarray) -> float:
        V = sds[0] ** 2 * Z[0] @ Z[0].T + sds[1] ** 2 * Z[1] @ Z[1].T + sds[2] ** 2 * np.eye(len(y))
        inverse = np.linalg.inv(V)
        information = X.T @ inverse @ X
        rest = y - X @ np.linalg.solve(information, X.T @ inverse @ y)
        constant = (len(y) - X.shape[1]) * np.log(2 * np.pi)
        parts = np.linalg.slogdet(V)[1] + np.linalg.slogdet(information)[1] + rest @ inverse @ rest + constant
        return float(-parts / 2)

    best = np.array([fit.sd_first, fit.sd_second, fit.sd_residual])
    assert log_likelihood(best) == pytest.approx(fit.log_likelihood, abs=1e-9)
    for step in np.vstack([np.eye(3), -np.eye(3)]) * 3e-3:
        assert log_likelihood(best + step) < fit.log_likelihood


def test_equals_statsmodels_with_variance_components() -> None:
    statsmodels = pytest.importorskip("statsmodels.formula.api")
    trials = timed_trials(12, participants=10, stimuli=8, each=8)
    y, X, first, second = arrays(trials, "real + yes")
    frame = pd.DataFrame({"y": y, "real": X[:, 1], "yes": X[:, 2], "p": first, "s": second, "one": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = {"p": "0 + C(p)", "s": "0 + C(s)"}
        other = statsmodels.mixedlm("y ~ real + yes", frame, groups="one", vc_formula=parts).fit(reml=True)
    fit = fit_linear(y, X, first, second)
    np.testing.assert_allclose(fit.beta, other.fe_params, atol=1e-3)
    # those of statsmodels come from the Hessian over the variances too, lme4's and ours do not
    np.testing.assert_allclose(fit.std_error, other.bse_fe, rtol=2e-2)
    np.testing.assert_allclose([fit.sd_first**2, fit.sd_second**2], other.vcomp, atol=1e-3)


def test_swapping_the_factors_and_scaling_the_outcome_change_nothing_else() -> None:
    y, X, first, second = arrays(timed_trials(13), "real + yes")
    fit, swapped = fit_linear(y, X, first, second), fit_linear(y, X, second, first)
    assert (fit.sd_first, fit.sd_second) == pytest.approx((swapped.sd_second, swapped.sd_first), rel=1e-5)
    assert fit.beta == pytest.approx(swapped.beta, rel=1e-6)
    scaled = fit_linear(1e6 * y + 1e9, X, first, second)
    assert scaled.sd_residual == pytest.approx(1e6 * fit.sd_residual, rel=1e-5)
    assert scaled.beta[1:] == pytest.approx(1e6 * fit.beta[1:], rel=1e-5)


@pytest.mark.parametrize(
    ("y", "first", "second", "reason"),
    [
        ([], [], [], "no trials"),
        ([1, 2, 3, 4], [0, 0, 0, 0], [0, 1, 0, 1], "one participant"),
        ([1, 2, 3, 4], [0, 1, 0, 1], [0, 0, 0, 0], "one stimulus"),
        ([1, 2, 3, 4], [0, 1, 2, 3], [0, 1, 0, 1], "no participant has more than one trial"),
        ([5, 5, 5, 5, 5, 5], [0, 1, 2, 0, 1, 2], [0, 1, 0, 1, 0, 1], "no spread"),
        ([1, 2, 1, 2, 1, 2, 1, 2], [0, 1] * 4, [0, 0, 1, 1, 2, 2, 3, 3], "did not converge"),
    ],
)
def test_no_number_where_there_is_none(y: list[float], first: list[int], second: list[int], reason: str) -> None:
    with pytest.raises(NoFitError, match=reason):
        fit_linear(np.array(y, float), np.ones((len(y), 1)), np.array(first, int), np.array(second, int))


def test_fixed_effects_that_cannot_be_told_apart() -> None:
    y, X, first, second = arrays(timed_trials(14), "1")
    with pytest.raises(NoFitError, match="told apart"):
        fit_linear(y, np.hstack([X, X]), first, second)
