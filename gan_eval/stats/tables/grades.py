"""Mean grades by kind and model, and the mean opinion score of each picture."""

import numpy as np
import pandas as pd

from gan_eval.base.inference import cells, mean_of_people, n_levels, proportion, t_critical
from gan_eval.judgements.trials import AnyTrials, pictures, typed
from gan_eval.stats.groups import groups, n_known, notes_on_one, one_participant, provenance, provenance_cells
from gan_eval.stats.results import RATING, Result, estimate_in, own_result
from gan_eval.tables.frames import Row, conform, frame_of
from gan_eval.tables.schema import (
    DATASET,
    ITEM,
    KIND,
    MODEL,
    PROVENANCE,
    STIMULUS,
    Table,
    integer,
    interval_columns,
    number,
    text,
)

RATINGS = Table(
    "ratings",
    "Grades of single pictures: the reals and the fakes of each data set, and the fakes of each model; pictures whose "
    "kind is not known are rows like fakes. Practice and catch trials and trials without a grade are in no mean.",
    (
        DATASET,
        KIND,
        text("model", "the generator's name; empty: real pictures, or all models of the data set together"),
        integer("n", "graded trials", filled=True),
        integer("n_none", "trials without a grade", filled=True),
        integer("n_participants", "participants who gave them; 0: not known whose they are", filled=True),
        number("mean", "mean grade; the mean of the participants' means, each counting alike"),
        number("sd", "standard deviation of the single grades"),
        *interval_columns(
            "ci",
            "the mean's 95% interval over participants and pictures: two-way clustered, Student's t; of one "
            "participant over pictures",
        ),
        *PROVENANCE,
    ),
    key=("dataset", "kind", "model"),
)

OPINION_SCORES = Table(
    "opinion_scores",
    "Mean opinion score of each graded picture.",
    (
        STIMULUS,
        ITEM,
        KIND,
        MODEL,
        DATASET,
        integer("n", "grades", filled=True),
        number("mos", "their mean"),
        number("sd", "standard deviation of the grades"),
        *interval_columns("ci", "its 95% interval over participants, for this picture: Student's t"),
        *PROVENANCE,
    ),
    key=("stimulus",),
)


def ratings(trials: AnyTrials) -> pd.DataFrame:
    """Return the table `ratings` of a trials table; no rows where nothing was to be graded.

    Each data set has rows for its reals, its fakes of all models together (without a model), and the fakes of each
    model; pictures without a kind have such rows, too. Grades are taken as numbers with equal steps, as in mean opinion
    scores (ITU-T P.910). The interval is that of `mean_of_people`; models' pictures of one item are one cluster.
    """
    rows: list[Row] = []
    for dataset, of_dataset in typed(trials).graded.groupby("dataset", dropna=False, sort=True):
        for kind in ("real", "fake", None):
            part = of_dataset[(of_dataset["kind"].isna() if kind is None else of_dataset["kind"] == kind).fillna(False)]
            named = {"dataset": dataset, "kind": kind}
            if len(part):
                rows.append(named | _mean_grade(part))
            if kind != "real":
                for model, of_model in part.groupby("model", sort=True):
                    rows.append(named | {"model": model} | _mean_grade(of_model))
    return frame_of(rows, RATINGS)


def grade_results(table: pd.DataFrame) -> list[Result]:
    """Return the mean grades of the table `ratings`; of all models of a data set together without a model."""
    rows = table.to_dict("records")
    return [own_result(row, RATING, estimate_in(row, "mean", "ci_low", "ci_high")) for row in rows]


def _mean_grade(part: pd.DataFrame) -> Row:
    answered = part[part["answered"]]
    grades = answered["rating"].to_numpy("float64")
    participant, picture = (pd.factorize(of)[0] for of in (answered["participant"], pictures(answered)))
    mean, low, high = mean_of_people(grades, participant, picture)
    people = n_levels(participant)
    notes = [
        (people == 0, "no graded trials"),
        (people == 1, one_participant(answered["participant"])),
        (n_levels(picture) == 1, "one picture: no interval"),
    ]
    reasons = [reason for applies, reason in notes if applies]
    if not reasons and np.isnan(low):
        reasons = ["all participants gave the same mean grade, and all pictures got it: no interval"]
    return {
        "n": len(grades),
        "n_none": len(part) - len(grades),
        "n_participants": n_known(answered["participant"]),
        "mean": mean,
        "sd": grades.std(ddof=1) if len(grades) > 1 else None,
        "ci_low": low,
        "ci_high": high,
        **provenance_cells(part, *reasons),
    }


def opinion_scores(trials: AnyTrials) -> pd.DataFrame:
    """Return the table `opinion_scores`: each picture that was to be graded, in the order of the stimuli's names."""
    graded = typed(trials).graded
    if graded.empty:
        return frame_of([], OPINION_SCORES)
    grouped = groups(graded, "stimulus")
    picture = grouped.group
    grade = graded["rating"].to_numpy("float64", na_value=np.nan)
    is_known, size = ~np.isnan(grade), len(grouped.ids)
    grade, of = grade[is_known], picture[is_known]
    n = np.bincount(of, minlength=size)
    mean = proportion(np.bincount(of, grade, size), n)
    sd = np.sqrt(proportion(np.bincount(of, (grade - mean[of]) ** 2, size), n - 1))
    # a participant's grades of a picture are one cluster
    cell = cells(of, pd.factorize(graded["participant"])[0][is_known])
    _, first, of_cell = np.unique(cell, return_index=True, return_inverse=True)
    deviation = np.bincount(of_cell, grade - mean[of], len(first))
    people = np.bincount(of[first], minlength=size)
    squares = np.bincount(of[first], deviation**2, size)
    error = np.sqrt(proportion(squares * people, people - 1)) / np.maximum(n, 1)
    has_interval = (people > 1) & (error > 1e-9)
    half_width = np.where(has_interval, t_critical(people - 1) * error, np.nan)
    notes = [
        (n == 0, "no grades"),
        (n == 1, "one grade: no interval"),
        *notes_on_one(graded["participant"], grouped, (n > 1) & (people == 1), "no interval"),
        ((people > 1) & ~has_interval, "all grades agree: no interval"),
    ]
    facts = graded.groupby(picture)[["item", "kind", "model", "dataset"]].first()
    table = pd.DataFrame(
        {
            "stimulus": grouped.ids,
            **facts.reindex(range(size)).to_dict("list"),
            "n": n,
            "mos": mean,
            "sd": sd,
            "ci_low": mean - half_width,
            "ci_high": mean + half_width,
        }
    )
    return conform(table.join(provenance(graded, grouped, notes=notes)), OPINION_SCORES, where="opinion_scores")
