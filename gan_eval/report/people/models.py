"""The crossed mixed models of right answers, their likelihood-ratio tests, and the checks that assume less."""

import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, between, filled, known_as, of, view_of
from gan_eval.report.parts.words import (
    NOTHING,
    Record,
    View,
    equals,
    interval,
    listed,
    missing,
    number,
    p_value,
    plural,
    text,
    whole,
)
from gan_eval.report.people.design import exploratory
from gan_eval.tables import MIXED_MODELS, MODEL_CHECKS

SLOPE = "(1 + kind|participant)"
_METHODS = {"two_way_cluster": "cluster-robust", "two_way_bootstrap": "bootstrap"}


def model_sentences(folder: StudyFolder) -> list[str]:
    """Whether the checks agree with the models, and what was not planned or not estimable."""
    models = folder.table(MIXED_MODELS)
    sentences = [*_leaning(models), *_checked(folder.table(MODEL_CHECKS)), *_lrt(models)]
    singular = list(dict.fromkeys(models.loc[models["singular"].fillna(False).astype(bool), "formula"]))
    if singular:
        sentences.append(f"Singular, an SD being estimated at 0 or a correlation at ±1: {listed(singular)}.")
    return sentences


def _checked(checks: pd.DataFrame) -> list[str]:
    judged = checks[checks["agrees"].notna()]
    if judged.empty:
        return []
    against = judged[~judged["agrees"].astype(bool)]
    if against.empty:
        return [f"All {plural(len(judged), 'check')} that assume less agree with the mixed models' verdicts."]
    return [
        f"The {_METHODS[row['method']]} check disagrees with the mixed model on {row['term']} of {row['formula']} "
        f"({row['link']}): it gives {number(row['estimate'])} ({interval(row['ci_low'], row['ci_high'])}). "
        "What the two do not share is not settled."
        for row in against.to_dict("records")
    ]


def _lrt(models: pd.DataFrame) -> list[str]:
    """Where Wald and likelihood-ratio tests fall on different sides of 0.05."""
    both = models[models["p"].notna() & models["lrt_p"].notna()]
    split = both[(both["p"] < 0.05) != (both["lrt_p"] < 0.05)]
    return [
        f"Of {row['term']} in {row['formula']} the likelihood-ratio test says otherwise than the Wald test "
        f"(p {p_value(row['lrt_p'])} and {p_value(row['p'])}); the likelihood-ratio test is the better one."
        for row in split.to_dict("records")
    ]


def model_views(folder: StudyFolder) -> list[View]:
    """The crossed mixed models, those in which participants differ in skill first; then their checks."""
    table = folder.table(MIXED_MODELS)
    if not table["n_trials"].fillna(0).any():
        return []
    columns = {
        "model": lambda row: f"{row['formula']}{' (probit)' if row['link'] == 'probit' else ''}{exploratory(row)}",
        "term": of(text, "term"),
        "estimate": of(number, "estimate"),
        "standard error": of(number, "std_error"),
        INTERVAL: between(),
        "p (Wald)": of(p_value, "p"),
        "likelihood ratio": _likelihood_ratio,
        "SD participants": of(number, "sd_participant"),
        "SD stimuli": of(number, "sd_stimulus"),
        "SD slope": filled(table, "sd_slope", of(number, "sd_slope")),
        "answers": of(whole, "n_trials"),
    }
    scale = "Estimates on the log-odds scale" if "logit" in set(table["link"]) else "Estimates on the probit scale"
    models = view_of(
        "Crossed mixed models of single answers",
        pd.concat([table[_has_slope(table)], table[~_has_slope(table)]]),
        columns,
        text_columns=2,
        notes=[f"{scale}; Laplace approximation, Wald intervals from the Hessian."],
        label="formula",
        source="mixed_models",
        grouped=True,
    )
    return [*models, *_checks(folder.table(MODEL_CHECKS))]


def _has_slope(models: pd.DataFrame) -> pd.Series:
    return models["formula"].astype(str).str.contains(SLOPE, regex=False)


def _leaning(models: pd.DataFrame) -> list[str]:
    """What the models without a slope cannot say."""
    of_right = models["formula"].astype(str).str.startswith("correct ~") & (models["term"] == "kind[real]")
    if not (of_right & ~_has_slope(models) & models["estimate"].notna()).any():
        return []
    instead = "read the rows with the slope first" if _has_slope(models).any() else "no model here has the slope"
    return [
        "kind[real] of “correct ~ kind + (1|participant) …” finds too much where people differ in leaning to one "
        f"answer: 15 to 37 % false alarms in simulation, against 6 % with (1 + kind|participant); {instead}."
    ]


def _likelihood_ratio(row: Record) -> str:
    if missing(row["lrt_chi2"]):
        return NOTHING
    return f"χ²({whole(row['lrt_df'])}) = {number(row['lrt_chi2'])}, p {equals(row['lrt_p'])}"


def _checks(table: pd.DataFrame) -> list[View]:
    columns = {
        "model": of(text, "formula"),
        "term": of(text, "term"),
        "check": known_as(_METHODS, "method"),
        "estimate": of(number, "estimate"),
        "standard error": of(number, "std_error"),
        INTERVAL: between(),
        "p": of(p_value, "p"),
        "agrees with the model": known_as({True: "yes", False: "no"}, "agrees"),
    }
    told = (
        "Averages over people and pictures: by nature nearer 0 than the mixed model's estimates. They are held "
        "against its verdict, not its size."
    )
    return view_of(
        "The same effects, assuming less",
        table,
        columns,
        text_columns=3,
        notes=[told],
        last_is_text=True,
        label="formula",
        source="model_checks",
        grouped=True,
    )
