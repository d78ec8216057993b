"""A fit by pymer4, which runs R's lme4: python3 pymer4_fit.py TABLE.csv; prints a line as `mixed_models.R`."""

import sys

import pandas as pd
import pymer4
from pymer4.models import Lmer

fit = Lmer("y ~ kind + (1 | person) + (1 | picture)", data=pd.read_csv(sys.argv[1]), family="binomial")
fit.fit(summarize=False)
row = fit.coefs.loc["kind"]
print(
    "pymer4", pymer4.__version__, "Lmer", "logit", row["Estimate"], row["SE"], fit.ranef_var["Std"]["picture"], sep="\t"
)
