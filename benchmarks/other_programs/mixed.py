"""Mixed models of people and pictures, in Python and in R."""

import math
from typing import Any

import mixedlm
import numpy as np
import pandas as pd
from scipy.special import expit
from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

from gan_eval.stats.mixed import fit_crossed
from other_programs.installed import Machine, ModelFit
from other_programs.rows import Table, called, named

ASKED = {
    "logit": ("mixed model: effect, log-odds", "its standard error, mixed model", "SD of pictures, mixed model"),
    "probit": ("mixed model, probit: effect", "its standard error, probit", "SD of pictures, probit"),
    "singular": (None, "standard error of a singular fit", None),
}
"""Names of the three values of each model; a value without a name is not shown."""

KNOWN = "as if the spreads were known"
PARTS = "posterior by independent parts"
EARLY = "its usual optimiser stops early"
PRIOR = "a prior on the spreads, which keeps them from 0"
TMB = "Laplace's approximation with the observed information, nearer to exact quadrature; gan_eval and lme4: expected"
SINGULAR = "lme4 since 1.1-38: as if the spreads were known, where one of them is 0"


def mixed_models(machines: list[Machine]) -> Table:
    """The effect, its standard error, and the spread of pictures."""
    table, singular = answers(2, 20, 30, person_sd=0.5), answers(46, 8, 24, person_sd=0.0)
    fits = [*ours(table, singular), *in_python(table)]
    fits += [fit for machine in machines for fit in machine.mixed_models(table, singular)]
    found: Table = {name: [] for names in ASKED.values() for name in names if name}
    for program, call, model, values in fits:
        for name, value, why in zip(ASKED[model], values, causes(program, call, model), strict=True):
            if name and value is not None:
                is_ours = not found[name] or math.isclose(value, found[name][0][1][0] or 0, abs_tol=1e-4)
                found[name].append((called(program, call), [value], "" if is_ours else why))
    return found


def answers(seed: int, people: int, pictures: int, *, person_sd: float) -> pd.DataFrame:
    """Each person sees each picture; real and generated pictures take turns."""
    random = np.random.default_rng(seed)
    person, picture = (side.ravel() for side in np.mgrid[:people, :pictures])
    kind = (picture % 2).astype(float)
    eta = 0.4 - 0.6 * kind + 0.8 * random.normal(size=pictures)[picture]
    eta += person_sd * random.normal(size=people)[person]
    y = random.random(len(eta)) < expit(eta)
    names = {"person": [f"p{n}" for n in person], "picture": [f"s{n}" for n in picture]}
    return pd.DataFrame({"y": y.astype(float), "kind": kind, **names})


def ours(table: pd.DataFrame, singular: pd.DataFrame) -> list[ModelFit]:
    """gan_eval's fits."""
    fits: list[ModelFit] = []
    for model, data in (("logit", table), ("probit", table), ("singular", singular)):
        person, picture = (pd.factorize(data[name])[0] for name in ("person", "picture"))
        design = np.stack([np.ones(len(data)), data["kind"]], axis=1)
        link = "probit" if model == "probit" else "logit"
        fit = fit_crossed(data["y"].to_numpy() > 0, design, person, picture, link=link)
        values: list[float | None] = [float(fit.beta[1]), float(np.sqrt(fit.covariance[1, 1])), float(fit.second.sd)]
        fits.append(("gan_eval", "mixed_models", model, values))
    return fits


def in_python(table: pd.DataFrame) -> list[ModelFit]:
    """Packages that need no R."""
    theirs = mixedlm.glmer("y ~ kind + (1 | person) + (1 | picture)", table, family=mixedlm.families.Binomial())
    np.random.seed(0)  # noqa: NPY002 statsmodels starts from numpy's global numbers
    groups = {"person": "0 + C(person)", "picture": "0 + C(picture)"}
    bayes = BinomialBayesMixedGLM.from_formula("y ~ kind", groups, table).fit_vb()
    return [
        (
            named("mixedlm"),
            "",
            "logit",
            numbers(theirs.beta[1], np.asarray(theirs.vcov())[1, 1] ** 0.5, theirs.theta[1]),
        ),
        (
            named("statsmodels"),
            "BinomialBayesMixedGLM.fit_vb",
            "logit",
            numbers(bayes.fe_mean[1], bayes.fe_sd[1], np.exp(bayes.vcp_mean[1])),
        ),
    ]


def numbers(*values: Any) -> list[float | None]:
    """Return the values as floats."""
    return [float(value) for value in values]


def causes(program: str, call: str, model: str) -> tuple[str, str, str]:
    """Why each of the three values is not gan_eval's, if it is not."""
    package, version = program.split()[0], program.split()[-1]
    if call == "use.hessian = FALSE" or package == "mixedlm":
        return KNOWN, KNOWN, KNOWN
    if package == "statsmodels":
        return PARTS, f"{PARTS}: far too small", PARTS
    if model == "singular" and (package == "pymer4" or (package == "lme4" and version > "1.1-38")):
        return SINGULAR, SINGULAR, SINGULAR
    why = {"blme": PRIOR, "glmmTMB": TMB, "ordinal": TMB}.get(package, EARLY)
    return why, why, why
