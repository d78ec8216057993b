"""Would it hold for other people and pictures? Crossed mixed models and their tests."""

import pandas as pd

from gan_eval.report.parts.blocks import Lines, Section, Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, cell, if_filled, interval_cell, table_of
from gan_eval.report.parts.words import (
    NOTHING,
    Record,
    equals,
    listed,
    missing,
    number,
    p_value,
    whole,
)
from gan_eval.report.people.design import exploratory_mark, is_interim
from gan_eval.stats.mixed.models import MIXED_MODELS

SLOPE = "(1 + kind|participant)"
_NO_ANSWERS = "no answered trials"
"""Note of a model of answers that nobody was asked for."""


def models_section(folder: StudyFolder) -> Section:
    """Return the models, those in which participants differ in skill first."""
    blocks = [Lines(model_sentences(folder)), *_model_tables(folder)]
    return Section("models", "Would it hold for other people and pictures?", blocks)


def model_sentences(folder: StudyFolder) -> list[str]:
    """Return what models without a slope cannot say, where the two tests disagree, and what is singular."""
    models = folder.table(MIXED_MODELS)
    sentences = []
    of_kind = models["formula"].astype(str).str.startswith("correct ~") & (models["term"] == "kind[real]")
    if (of_kind & ~_has_slope(models) & models["estimate"].notna()).any():
        instead = "read the rows with the slope first" if _has_slope(models).any() else "no model here has the slope"
        sentences.append(
            "kind[real] of “correct ~ kind + (1|participant) …” finds too much where people differ in leaning to one "
            f"answer: 15 to 37 % false alarms in simulation, against 6 % with (1 + kind|participant); {instead}."
        )
    if is_interim(folder):
        sentences.insert(
            0, "Interim: p values and intervals are of the answers so far, and nothing is decided by them."
        )
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
    table = folder.table(MIXED_MODELS)
    frame = table[~table["note"].eq(_NO_ANSWERS).fillna(False).to_numpy(bool)]
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
    return table_of(
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
