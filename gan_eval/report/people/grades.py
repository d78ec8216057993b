"""How real did it look? Mean grades, opinion scores of pictures, and the agreement of participants."""

import pandas as pd

from gan_eval.report.parts.blocks import Section, Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, cell, interval_cell, labelled, table_of
from gan_eval.report.parts.words import (
    NOTHING,
    Record,
    equals,
    interval,
    missing,
    number,
    plural,
    text,
    whole,
)
from gan_eval.report.people.design import exploratory_mark
from gan_eval.stats.answers.agreement import AGREEMENT
from gan_eval.stats.answers.grades import OPINION_SCORES, RATINGS
from gan_eval.stats.compare.comparisons import COMPARISONS
from gan_eval.stats.compare.grades import MEAN

MOST_PICTURES = 20
"""Pictures at each end of the scores that the page lists."""
_LEAST_GRADES = 5
"""Of a picture that has an interval on the page."""


def grades_section(folder: StudyFolder) -> Section:
    """Mean grades and mean opinion scores."""
    grades = table_of(
        "Grades: how real the pictures look",
        folder.table(RATINGS),
        {
            "data set": cell(text, "dataset"),
            "pictures": labelled({"fake": "generated"}, "kind"),
            "model": lambda row: NOTHING if row["kind"] == "real" else labelled({}, "model", "all")(row),
            "grades": cell(whole, "n"),
            "none": cell(whole, "n_none"),
            "participants": cell(whole, "n_participants"),
            "mean": cell(number, "mean"),
            "SD of grades": cell(number, "sd"),
            "95\u202f% interval of the mean": interval_cell(),
        },
        text_columns=3,
        label="model",
        source="ratings",
    )
    return Section("grades", "How real did it look?", [*grades, *_opinion_tables(folder)])


def _opinion_tables(folder: StudyFolder) -> list[Table]:
    """Mean opinion scores, the highest and lowest where there are many."""
    frame = folder.table(OPINION_SCORES)
    scored = frame[frame["mos"].notna()].sort_values("mos", ascending=False, kind="stable")
    notes: list[str] = []
    if len(scored) > 2 * MOST_PICTURES:
        notes.insert(0, f"The {MOST_PICTURES} highest and lowest of {whole(len(scored))} pictures; the file holds all.")
        scored = pd.concat([scored.head(MOST_PICTURES), scored.tail(MOST_PICTURES)])
    columns = {
        "picture": cell(text, "stimulus"),
        "truth": labelled({"fake": "generated"}, "kind"),
        "model": cell(text, "model"),
        "grades": cell(whole, "n"),
        "mean opinion score": cell(number, "mos"),
        "SD": cell(number, "sd"),
        INTERVAL: lambda row: NOTHING if row["n"] < _LEAST_GRADES else interval(row["ci_low"], row["ci_high"]),
    }
    if scored["ci_low"].notna().any():
        notes.append(
            f"Intervals are Student's t over a picture's grades and may leave the scale; of fewer than {_LEAST_GRADES} "
            "grades they say little, and stand in the file alone."
        )
    caption = "Mean opinion scores of pictures"
    return table_of(caption, scored, columns, text_columns=3, notes=notes, label="stimulus", source="opinion_scores")


def alpha_tables(folder: StudyFolder) -> list[Table]:
    """Krippendorff's alpha."""
    columns = {
        "answer": labelled({"response": "real or fake", "rating": "grade", "choice": "choice of two"}, "answer"),
        "data set": labelled({}, "dataset", "all"),
        "pictures": labelled({"fake": "generated"}, "kind", "all"),
        "level": cell(text, "level"),
        "pictures judged": cell(whole, "n_stimuli"),
        "participants": cell(whole, "n_participants"),
        "answers": cell(whole, "n_answers"),
        "alpha": cell(number, "alpha"),
        INTERVAL: interval_cell(),
    }
    return table_of(
        "Do participants agree with each other?",
        folder.table(AGREEMENT),
        columns,
        text_columns=4,
        notes=["Krippendorff's alpha: 1 is agreement, 0 what chance gives; intervals: bootstrap over pictures."],
        label="answer",
        source="agreement",
    )


def grade_sentences(folder: StudyFolder) -> list[str]:
    """For the answer: the mean grades of each data set, and how sure their differences are."""
    ratings = folder.table(RATINGS)
    answered = ratings[(ratings["n"] > 0) & ratings["model"].isna()]
    sentences = []
    for dataset, part in answered.groupby("dataset", dropna=False, sort=False):
        means = []
        for _, row in part.iterrows():
            ends = f" (95 % interval {interval(row['ci_low'], row['ci_high'])} between participants)"
            means.append(
                f"{number(row['mean'])}{'' if missing(row['ci_low']) else ends} for "
                f"{'real' if row['kind'] == 'real' else 'generated'} pictures, from {plural(int(row['n']), 'grade')}"
            )
        where = "" if missing(dataset) else f" on {dataset}"
        sentences.append(f"The mean grade{where} was {'; '.join(means)}. Higher looks more real.")
    compared = folder.table(COMPARISONS)
    compared = compared[(compared["measure"] == MEAN) & compared["ci_low"].notna()]
    return sentences + [_difference_sentence(row) for row in compared.to_dict("records")]


def _difference_sentence(row: Record) -> str:
    """Which of two groups of pictures got higher grades, as the comparison says.

    Args:
        row: of the table `comparisons`, with an interval.
    """
    names = {"fake": "generated pictures", "real": "real ones"}
    a, b = (names.get(str(row[end]), str(row[end])) for end in ("a", "b"))
    dataset = str(row["comparison"]).partition(" on ")[2]
    where = f" on {dataset}" if dataset else ""
    sign = -1 if row["difference"] < 0 else 1
    low, high = sorted(sign * float(row[end]) for end in ("ci_low", "ci_high"))
    model = "crossed model, " * (row["basis"] == "crossed_model")
    by = f"{number(abs(row['difference']))} ({model}95 % interval {interval(low, high)}"
    adjusted = not missing(row["p_holm"]) and row["p_holm"] > row["p"]
    by += ")" if missing(row["p_holm"]) else f"{', unadjusted' * adjusted}; p {equals(row['p_holm'])} after Holm)"
    by += exploratory_mark(row)
    if row["verdict"] == "equivalent":
        return f"The mean grades of {a} and {b} are equal{where}, to within the margin: they differ by {by}."
    if row["verdict"] != "different":
        return f"Between {a} and {b} no difference of mean grades is shown{where}: {by}."
    first = f"{a[0].upper()}{a[1:]}" if row["a"] in names else f"{a}'s pictures"
    second = b if row["b"] in names else f"{b}'s"
    return f"{first} were graded {'lower' if sign < 0 else 'higher'} than {second}{where}, by {by}."
