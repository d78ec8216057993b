"""Would it hold for other people and pictures? Crossed mixed models, their tests, and the checks that assume less."""

import pandas as pd

from gan_eval.report.parts.blocks import Lines, Section, Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, cell, if_filled, interval_cell, labelled, table_of
from gan_eval.report.parts.words import (
    NOTHING,
    Record,
    equals,
    interval,
    listed,
    missing,
    number,
    p_value,
    text,
    whole,
)
from gan_eval.report.people.design import exploratory_mark, is_interim
from gan_eval.stats.mixed.checks import MODEL_CHECKS
from gan_eval.stats.mixed.models import MIXED_MODELS

SLOPE = "(1 + kind|participant)"
_NO_ANSWERS = "no answered trials"
"""Note of a model of answers that nobody was asked for."""
_METHODS = {"two_way_cluster": "cluster-robust", "two_way_bootstrap": "bootstrap"}


def models_section(folder: StudyFolder) -> Section:
    """The models, those in which participants differ in skill first; then their checks."""
    blocks = [Lines(model_sentences(folder)), *_model_tables(folder)]
    return Section("models", "Would it hold for other people and pictures?", blocks)


def model_sentences(folder: StudyFolder) -> list[str]:
    """What models without a slope cannot say, whether checks and likelihood-ratio tests agree, and what is singular."""
    models, checks = folder.table(MIXED_MODELS), folder.table(MODEL_CHECKS)
    sentences = []
    of_kind = models["formula"].astype(str).str.startswith("correct ~") & (models["term"] == "kind[real]")
    if (of_kind & ~_has_slope(models) & models["estimate"].notna()).any():
        instead = "read the rows with the slope first" if _has_slope(models).any() else "no model here has the slope"
        sentences.append(
            "kind[real] of “correct ~ kind + (1|participant) …” finds too much where people differ in leaning to one "
            f"answer: 15 to 37 % false alarms in simulation, against 6 % with (1 + kind|participant); {instead}."
        )
    judged = checks[checks["agrees"].notna()]
    if is_interim(folder):
        judged = judged.iloc[:0]
        sentences.insert(
            0, "Interim: p values and intervals are of the answers so far, and nothing is decided by them."
        )
    against = judged[~judged["agrees"].astype(bool)]
    if len(judged) and against.empty:
        who = "The one check that assumes less agrees"
        if len(judged) > 1:
            who = f"All {len(judged)} checks that assume less agree"
        sentences.append(f"{who} with the mixed models on which effects differ from 0.")
    sentences += [
        f"The {_METHODS[row['method']]} check disagrees with the mixed model on {row['term']} of {row['formula']} "
        f"({row['link']}): it gives {number(row['estimate'])} ({interval(row['ci_low'], row['ci_high'])}). "
        "What the two do not share is not settled."
        for row in against.to_dict("records")
    ]
    # of more than one degree of freedom the ratio tests all levels of a factor, Wald's test one of them
    both = models[models["p"].notna() & models["lrt_p"].notna() & (models["lrt_df"] == 1)]
    sentences += [
        f"Of {row['term']} in {row['formula']} the likelihood-ratio test says otherwise than the Wald test "
        f"(p {p_value(row['lrt_p'])} and {p_value(row['p'])}); the likelihood-ratio test is the better one."
        for row in both[(both["p"] < 0.05) != (both["lrt_p"] < 0.05)].to_dict("records")
    ]
    singular = list(dict.fromkeys(models.loc[models["singular"].fillna(False).astype(bool), "formula"]))
    if singular:
        sentences.append(f"Singular, an SD being estimated at 0 or a correlation at ±1: {listed(singular)}.")
    return sentences


def _has_slope(models: pd.DataFrame) -> pd.Series:
    return models["formula"].astype(str).str.contains(SLOPE, regex=False)


def _model_tables(folder: StudyFolder) -> list[Table]:
    # models of answers that were not asked for are no models of this study
    frame, checked = (
        table[~table["note"].eq(_NO_ANSWERS).fillna(False).to_numpy(bool)]
        for table in (folder.table(MIXED_MODELS), folder.table(MODEL_CHECKS))
    )
    if not frame["n_trials"].fillna(0).any():
        return []

    def likelihood_ratio(row: Record) -> str:
        if missing(row["lrt_chi2"]):
            return NOTHING
        return f"χ²({whole(row['lrt_df'])}) = {number(row['lrt_chi2'])}, p {equals(row['lrt_p'])}"

    scale = "Estimates on the probit scale" if (frame["link"] == "probit").all() else "Estimates on the log-odds scale"
    cut_points = [
        "Cut-point: where on the model's scale an ordered answer passes from one grade to the next; no threshold of "
        "what must be seen."
    ] * bool(frame["term"].astype(str).str.startswith("threshold[").any())
    models = table_of(
        "Crossed mixed models of single answers",
        pd.concat([frame[_has_slope(frame)], frame[~_has_slope(frame)]]),
        {
            "model": lambda row: (
                f"{row['formula']}{' (probit)' if row['link'] == 'probit' else ''}{exploratory_mark(row)}"
            ),
            "term": lambda row: f"{row['term']}{' (cut-point)' * str(row['term']).startswith('threshold[')}",
            "estimate": cell(number, "estimate"),
            "standard error": cell(number, "std_error"),
            INTERVAL: interval_cell(),
            "p (Wald)": cell(p_value, "p"),
            "likelihood ratio": likelihood_ratio,
            "SD participants": cell(number, "sd_participant"),
            "SD stimuli": cell(number, "sd_stimulus"),
            "SD slope": if_filled(frame, "sd_slope", cell(number, "sd_slope")),
            "answers": cell(whole, "n_trials"),
        },
        text_columns=2,
        notes=[f"{scale}; Laplace approximation, Wald intervals from the Hessian.", *cut_points],
        label="formula",
        source="mixed_models",
        grouped=True,
    )
    note = (
        "Averages over people and pictures: by nature nearer 0 than the mixed model's estimates. They are held "
        "against whether it finds an effect, not against its size."
    )
    checks = table_of(
        "The same effects, assuming less",
        checked,
        {
            "model": cell(text, "formula"),
            "term": cell(text, "term"),
            "check": labelled(_METHODS, "method"),
            "estimate": cell(number, "estimate"),
            "standard error": cell(number, "std_error"),
            INTERVAL: interval_cell(),
            "p": cell(p_value, "p"),
            "agrees with the model": labelled({True: "yes", False: "no"}, "agrees"),
        },
        text_columns=3,
        notes=[note],
        last_is_text=True,
        label="formula",
        source="model_checks",
        grouped=True,
    )
    return [*models, *checks]
