"""Opinion scores of single pictures, the participants as raters, and their agreement."""

import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, between, known_as, of, view_of
from gan_eval.report.parts.words import (
    NOTHING,
    View,
    interval,
    listed,
    missing,
    number,
    percent,
    plural,
    text,
    whole,
)
from gan_eval.tables import AGREEMENT, OPINION_SCORES, RATERS, RATINGS

MOST_PICTURES = 20
"""Pictures at each end of the scores that the page lists."""
_SCREENED = {
    "none": "No participant was screened out.",
    "bt500": "Participants were screened by ITU-R BT.500: outlying ones are left out.",
    "p910": "Scores are maximum-likelihood estimates by ITU-T P.910: biased and inconsistent participants weigh less.",
}


def opinion_views(folder: StudyFolder) -> list[View]:
    """Mean opinion scores, the highest and lowest where there are many, then the raters."""
    table = folder.table(OPINION_SCORES)
    scored = table[table["mos"].notna()].sort_values("mos", ascending=False, kind="stable")
    notes = [_SCREENED[word] for word in dict.fromkeys(scored["screening"])]
    if len(scored) > 2 * MOST_PICTURES:
        notes.insert(0, f"The {MOST_PICTURES} highest and lowest of {whole(len(scored))} pictures; the file holds all.")
        scored = pd.concat([scored.head(MOST_PICTURES), scored.tail(MOST_PICTURES)])
    columns = {
        "picture": of(text, "stimulus"),
        "truth": known_as({"fake": "generated"}, "kind"),
        "model": of(text, "model"),
        "grades": of(whole, "n"),
        "mean opinion score": of(number, "mos"),
        "SD": of(number, "sd"),
        INTERVAL: between(),
    }
    caption = "Mean opinion scores of pictures"
    scores = view_of(caption, scored, columns, text_columns=3, notes=notes, label="stimulus", source="opinion_scores")
    return [*scores, *_raters(folder.table(RATERS))]


def _raters(table: pd.DataFrame) -> list[View]:
    columns = {
        "participant": of(text, "participant"),
        "grades": of(whole, "n"),
        "bias": of(number, "bias"),
        "inconsistency": of(number, "inconsistency"),
        "outlying grades": of(percent, "outlier_share"),
        "their skew": of(number, "outlier_skew"),
        "screening": known_as({True: "left out", False: "counts"}, "rejected", "counts"),
    }
    caption = "Participants as raters"
    return view_of(caption, table, columns, last_is_text=True, label="participant", source="raters")


def alpha_views(folder: StudyFolder) -> list[View]:
    """Krippendorff's alpha."""
    columns = {
        "answer": known_as({"response": "real or fake", "rating": "grade", "choice": "choice of two"}, "answer"),
        "data set": known_as({}, "dataset", "all"),
        "pictures": known_as({"fake": "generated"}, "kind", "all"),
        "level": of(text, "level"),
        "pictures judged": of(whole, "n_stimuli"),
        "participants": of(whole, "n_participants"),
        "answers": of(whole, "n_answers"),
        "alpha": of(number, "alpha"),
        INTERVAL: between(),
    }
    return view_of(
        "Do participants agree with each other?",
        folder.table(AGREEMENT),
        columns,
        text_columns=4,
        notes=["Krippendorff's alpha: 1 is agreement, 0 what chance gives; intervals: bootstrap over pictures."],
        label="answer",
        source="agreement",
    )


def grade_sentences(table: pd.DataFrame) -> list[str]:
    answered = table[(table["n"] > 0) & table["model"].isna()]
    sentences = []
    for dataset, part in answered.groupby("dataset", dropna=False, sort=False):
        means = [
            f"{'real' if row['kind'] == 'real' else 'generated'} pictures {number(row['mean'])}"
            + (
                ""
                if missing(row["ci_low"])
                else f" (95 % interval {interval(row['ci_low'], row['ci_high'])} between participants)"
            )
            + f" from {plural(int(row['n']), 'grade')}"
            for _, row in part.iterrows()
        ]
        where = "" if missing(dataset) else f" on {dataset}"
        sentences.append(f"The mean grade{where} was, for {listed(means)}; higher looks more real.")
    return sentences


def ratings_views(folder: StudyFolder) -> list[View]:
    """Mean grades."""
    columns = {
        "data set": of(text, "dataset"),
        "pictures": known_as({"fake": "generated"}, "kind"),
        "model": lambda row: NOTHING if row["kind"] == "real" else known_as({}, "model", "all")(row),
        "grades": of(whole, "n"),
        "none": of(whole, "n_none"),
        "participants": of(whole, "n_participants"),
        "mean": of(number, "mean"),
        "SD of grades": of(number, "sd"),
        "95\u202f% interval of the mean": between(),
    }
    caption = "Grades: how real the pictures look"
    return view_of(caption, folder.table(RATINGS), columns, text_columns=3, label="model", source="ratings")
