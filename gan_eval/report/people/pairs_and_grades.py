"""Choices between two pictures, grades and classes: verdicts in words, counts and Bradley–Terry strengths."""

from typing import TYPE_CHECKING

from gan_eval.base.inference import t_critical
from gan_eval.judgements.trials import TWO_MODELS, high_grade
from gan_eval.report.parts.blocks import ShownTable
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, cell, interval_cell, labelled, table_of
from gan_eval.report.parts.words import (
    NOTHING,
    Record,
    apa_interval,
    apa_p,
    capital,
    listed,
    missing,
    number,
    on_dataset,
    percent,
    plural,
    rows_with,
    text,
    whole,
)
from gan_eval.report.people.comparisons import size_text, within_margin
from gan_eval.report.people.verdicts import exploratory_mark, is_adjusted, margin_text, reported_p
from gan_eval.stats.estimate.grades import MEAN
from gan_eval.stats.paper import PAPER, RATING
from gan_eval.stats.tables.agreement import AGREEMENT
from gan_eval.stats.tables.choices import BRADLEY_TERRY
from gan_eval.stats.tables.classes import CLASSES
from gan_eval.stats.tables.comparisons import COMPARISONS
from gan_eval.stats.tables.grades import RATINGS
from gan_eval.tables import TRIALS

if TYPE_CHECKING:
    import pandas as pd

FITS_BETTER = "fits the text better"
"""Name of what the preferred one of two models did, if the study asked which picture fits the text better."""
MAX_FEW_PICTURES = 10
"""Number of pictures up to which Student's t widens intervals by more than a tenth."""
MIN_OF_PICTURES = 0.5
"""Minimum share of the variance that comes from pictures for calling their number the reason for no verdict."""
MAX_SENTENCES = 8
"""Maximum number of comparisons in the answer; the section has all."""


def choices_tables(folder: StudyFolder) -> list[ShownTable]:
    """Return the strengths of each data set's contestants, the strongest first; `choices` has every pair's counts."""
    note = "Bradley & Terry (1952); the strengths of a data set sum to 0; intervals clustered by participant and item."
    asked = better_than_other(folder)
    return table_of(
        "Strengths from choices between two" + f": which one {asked}" * (asked == FITS_BETTER),
        folder.table(BRADLEY_TERRY).sort_values(["dataset", "strength"], ascending=[True, False], kind="stable"),
        {
            "data set": cell(text, "dataset"),
            "contestant": labelled({"real": "real pictures"}, "contestant"),
            "pairs": cell(whole, "n"),
            "chosen": cell(whole, "wins"),
            "strength (log-odds)": cell(number, "strength"),
            INTERVAL: interval_cell(),
            "chosen against the average": cell(percent, "win_share"),
        },
        text_columns=2,
        notes=[note],
        label="contestant",
        source="bradley_terry",
    )


def classes_table(folder: StudyFolder) -> list[ShownTable]:
    """Return what each class of pictures was called, if answers name several classes of generated ones."""
    return table_of(
        "What was each class called?",
        folder.table(CLASSES),
        {
            "class": cell(text, "class"),
            "called": cell(text, "called"),
            "answers": cell(whole, "n"),
            "so called": cell(whole, "n_called"),
            "share": cell(percent, "share"),
            INTERVAL: interval_cell("share_low", "share_high"),
        },
        text_columns=2,
        notes=["Elsewhere in this report these answers are one, fake: a class called another generated one is a hit."],
        source="classes",
    )


def preference_sentences(folder: StudyFolder) -> list[str]:
    """Return sentences on which of two models was preferred."""
    table = folder.table(COMPARISONS)
    preferences = table[(table["question"] == "preference") & table["difference"].notna()]
    preferences = preferences.iloc[(preferences["verdict"] != "different").to_numpy(bool).argsort(kind="stable")]
    paper = folder.table(PAPER)
    of_models = paper[(paper["protocol"] == TWO_MODELS) & paper["preference"].notna()]
    is_long = len(preferences) > MAX_SENTENCES
    sentences = [
        *(_few_pictures(preferences) or [_counted_verdicts(preferences, of_models)] * is_long),
        *(_preference(row, better_than_other(folder)) for row in preferences.head(MAX_SENTENCES).to_dict("records")),
    ]
    if is_long:
        sentences.append(
            f"{plural(len(preferences) - MAX_SENTENCES, 'more comparison')} of choices: see the differences below."
        )
    if len(of_models):
        both = "chosen" in of_models and of_models["chosen"].notna().all()
        shown = "Table 1 also shows" if both else "Table 1 and Figure 1 show"
        sentences.append(
            f"{shown} another number, each model's chance to be chosen over the average model (Bradley–Terry)."
        )
    return sentences


def _counted_verdicts(preferences: "pd.DataFrame", of_models: "pd.DataFrame") -> str:
    """Return the sentence on many pairs of models: how many have each verdict, and the model that is preferred most."""
    counts = [f"{whole(count)} {verdict}" for verdict, count in preferences["verdict"].value_counts().items()]
    said = f"Of {plural(len(preferences), 'pair')} of models by share of choices: {listed(counts)}"
    if of_models.empty:
        return f"{said}."
    first = max(of_models.to_dict("records"), key=lambda row: float(row["preference"]))
    ends = apa_interval(100 * first["preference_low"], 100 * first["preference_high"], digits=1)
    return (
        f"{said}; preferred most is {first['model']}{on_dataset(first['dataset'])}, with a chance of "
        f"{percent(first['preference'])} to be chosen over the average model, {ends}."
    )


def _few_pictures(preferences: "pd.DataFrame") -> list[str]:
    """Return a sentence if nothing is decided and the pictures are the reason: few, or with most of the variance."""
    if preferences.empty or "picture_variance" not in preferences or set(preferences["verdict"]) != {"undecided"}:
        return []
    share, pictures = preferences["picture_variance"].median(), int(preferences["n_pictures"].max())
    if missing(share) or pictures >= preferences["n_participants"].max() or pictures < 2:
        return []
    several = len(preferences) > 1
    reasons = []
    if share > MIN_OF_PICTURES:
        of = f"of the variance of a share{' (median)' * several}"
        reasons.append(f"the differences between them are {percent(share, digits=0)} {of}")
    if pictures <= MAX_FEW_PICTURES:
        errors = number(float(t_critical(pictures - 1)), digits=1)
        reasons.append(
            f"Student's t with {plural(pictures - 1, 'degree')} of freedom makes an interval {errors} standard errors "
            "wide to each side, not 2.0"
        )
    if not reasons:
        return []
    what = (
        f"None of the {len(preferences)} pairs of models is decided" if several else "The pair of models is undecided"
    )
    return [
        f"{what}, because there are only {plural(pictures, 'picture')} of each: {', and '.join(reasons)}; more "
        "pictures would help more than more participants."
    ]


def better_than_other(folder: StudyFolder) -> str:
    """Return what the preferred one of two models did, by the study's question, which is not known of other answers."""
    if folder.study is None:
        return "was chosen more often"
    return FITS_BETTER if folder.study.quiz.question == "fits" else "looked more real"


def _preference(row: Record, better: str) -> str:
    where, is_equivalent = on_dataset(row["dataset"]), within_margin(row)
    a, b = row["a"], row["b"]
    if row["verdict"] == "different":
        small = f", though by less than {margin_text(row)}" if is_equivalent else ""
        verdict = f"{a if row['difference'] > 0 else b} {better}{small}"
    else:
        verdict = f"equally often, to within {margin_text(row)}" if is_equivalent else "no difference is shown"
        verdict = "no verdict" if missing(row["verdict"]) else verdict
    share = [f"{percent(0.5 + row['difference'])} of their pairs"]
    if not missing(row["ci_low"]):
        share.append(apa_interval(50 + 100 * row["ci_low"], 50 + 100 * row["ci_high"], digits=1))
    p = reported_p(row)
    share += [] if missing(p) else [apa_p(p)]
    return f"Of {a} and {b}{where}, {a} was chosen in {', '.join(share)}: {verdict}{exploratory_mark(row)}."


def grades_tables(folder: StudyFolder) -> list[ShownTable]:
    """Return the mean grades; the table `opinion_scores` has those of single pictures."""
    return table_of(
        "Grades" + ": how real the pictures look" * bool(folder.table(RATINGS)["kind"].notna().any()),
        folder.table(RATINGS),
        {
            "data set": cell(text, "dataset"),
            "pictures": labelled({"fake": "generated"}, "kind", "kind not known"),
            "model": lambda row: NOTHING if row["kind"] == "real" else labelled({}, "model", "all")(row),
            "grades": cell(whole, "n"),
            "participants": cell(whole, "n_participants"),
            "mean": cell(number, "mean"),
            "95% interval of the mean": interval_cell(),
        },
        text_columns=3,
        label="model",
        source="ratings",
    )


def grade_sentences(folder: StudyFolder) -> list[str]:
    """Return sentences on the mean grades of each data set, and on their differences."""
    table = folder.table(PAPER)
    graded = table[(table["protocol"] == RATING) & table["grade"].notna()]
    sentences = []
    direction = _DIRECTIONS.get(high_grade(folder.table(TRIALS)) or "", "")
    for dataset, part in graded.groupby("dataset", dropna=False, sort=False):
        means = []
        for row in part.head(MAX_SENTENCES).to_dict("records"):
            ends = "" if missing(row["grade_low"]) else f", {apa_interval(row['grade_low'], row['grade_high'])}"
            of = _PICTURES.get(text(row["model"]), f"{row['model']}'s")
            if missing(row["model"]) and not missing(row.get("n_unknown")):
                of = "all pictures"
            means.append(f"M = {number(row['grade'])}{ends} for {of} ({plural(row['n_answers'], 'grade')})")
        where = on_dataset(dataset)
        more = (
            f" For {plural(len(part) - MAX_SENTENCES, 'more model')} see Table 1." if len(part) > MAX_SENTENCES else ""
        )
        sentences.append(f"Mean grades{where}: {'; '.join(means)}.{direction}{more}")
        sentences += _agreement(folder, dataset)
    compared = folder.table(COMPARISONS)
    compared = compared[(compared["measure"] == MEAN) & compared["ci_low"].notna()]
    of_models = compared[~compared["a"].isin(["real", "fake"])]
    of_kinds = compared.drop(of_models.index)
    for together, shown in ((of_kinds, of_kinds), (of_models, of_models.head(MAX_SENTENCES))):
        sentences += [
            _grade_difference(row, adjusted=is_adjusted(rows_with(together, "dataset", row["dataset"])))
            for row in shown.to_dict("records")
        ]
    if len(of_models) > MAX_SENTENCES:
        sentences.append(
            f"For {plural(len(of_models) - MAX_SENTENCES, 'more pair')} of models see the differences below."
        )
    return sentences


def _agreement(folder: StudyFolder, dataset: object) -> list[str]:
    """Return a sentence on how far participants agree in their grades of a data set; empty without an alpha."""
    table = folder.table(AGREEMENT)
    table = table[(table["answer"] == "rating") & (table["kind"] == "all") & table["alpha"].notna()]
    rows = rows_with(table, "dataset", dataset).to_dict("records")
    ends = ["" if missing(row["ci_low"]) else f", {apa_interval(row['ci_low'], row['ci_high'])}" for row in rows]
    return [
        f"Agreement of participants{on_dataset(row['dataset'])}: Krippendorff's α = {number(row['alpha'])}{end} "
        "(1: full agreement, 0: by chance)."
        for row, end in zip(rows, ends, strict=True)
    ]


_DIRECTIONS = {"real": " Higher looks more real.", "fake": " Lower looks more real."}
_PICTURES = {"real": "real pictures", NOTHING: "generated pictures"}


def _grade_difference(row: Record, *, adjusted: bool) -> str:
    names = {"fake": "generated pictures", "real": "real ones"}
    a, b = (names.get(str(row[end]), str(row[end])) for end in ("a", "b"))
    where = on_dataset(row["dataset"])
    by = f"difference = {size_text(row, adjusted=adjusted)}{exploratory_mark(row)}"
    if row["verdict"] == "equivalent":
        return f"The mean grades of {a} and {b} were equivalent{where}, within the margin, {by}."
    if missing(row["verdict"]):
        return f"No verdict on the mean grades of {a} and {b}{where}: {by}."
    if row["verdict"] != "different":
        return f"The mean grades of {a} and {b}{where} did not differ significantly, {by}."
    first = capital(a) if row["a"] in names else f"{a}'s pictures"
    second = b if row["b"] in names else f"{b}'s"
    return f"{first} were graded {'lower' if row['difference'] < 0 else 'higher'} than {second}{where}, {by}."
