"""Fits by pymer4, which runs R's lme4: pymer4_fit.py TABLE.csv SINGULAR.csv; prints lines as `mixed_models.R`."""

import sys
from importlib.metadata import version

from pymer4 import models

FORMULA = "y ~ kind + (1 | person) + (1 | picture)"


def older(file: str) -> tuple[float, float, float]:
    """The effect, its error and the SD of pictures by pymer4 0.8, which has no probit link."""
    import pandas as pd

    fit = models.Lmer(FORMULA, data=pd.read_csv(file), family="binomial")
    fit.fit(summarize=False)
    return fit.coefs.loc["kind", "Estimate"], fit.coefs.loc["kind", "SE"], fit.ranef_var["Std"]["picture"]


def newer(file: str, link: str) -> tuple[float, float, float]:
    """The same by pymer4 0.9."""
    import polars as pl

    fit = models.glmer(FORMULA, data=pl.read_csv(file), family="binomial", link=link)
    fit.fit()
    (spread,) = fit.ranef_var.filter(pl.col("group") == "picture")["estimate"]
    (row,) = fit.result_fit.filter(pl.col("term") == "kind").to_dicts()
    return row["estimate"], row["std_error"], spread


table, singular = sys.argv[1:]
if hasattr(models, "Lmer"):
    fits = {("Lmer", "logit"): older(table)}
else:
    fits = {("glmer", "logit"): newer(table, "default"), ("glmer", "probit"): newer(table, "probit")}
    fits["glmer", "singular"] = newer(singular, "default")
for (call, model), values in fits.items():
    print("pymer4", version("pymer4"), call, model, *values, sep="\t")
