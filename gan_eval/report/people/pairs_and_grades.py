"""Choices between two pictures and grades: verdicts in words, counts and Bradley–Terry strengths."""

from gan_eval.report.parts.blocks import Section
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, cell, interval_cell, labelled, proportion_cell, table_of
from gan_eval.report.parts.words import (
    BASES_IN_WORDS,
    NARROW,
    NOTHING,
    WILSON_NOTE,
    Record,
    equals,
    interval,
    listed,
    missing,
    number,
    percent,
    percent_interval,
    plural,
    points_text,
    text,
    whole,
)
from gan_eval.report.people.caveats import exploratory_mark, margin_text
from gan_eval.report.people.comparisons import size_text
from gan_eval.stats.answers.choices import BRADLEY_TERRY, CHOICES
from gan_eval.stats.answers.grades import RATINGS
from gan_eval.stats.compare.comparisons import COMPARISONS, alpha_of
from gan_eval.stats.compare.grades import MEAN
from gan_eval.stats.compare.questions import ANY_FAKE, CHOSEN, PREFERRED
from gan_eval.stats.compare.robustness import SENSITIVITY
from gan_eval.stats.trials import PAIRED

MOST = 8
"""Comparisons that the answer names; the section has all."""


def choices_section(folder: StudyFolder) -> Section:
    """Return the counts of every pair of sources, and the strengths of each data set, the strongest first."""
    counts = table_of(
        "Choices between two pictures",
        folder.table(CHOICES),
        {
            "question": lambda row: "which is real" if row["protocol"] == PAIRED else "which looks more real",
            "data set": cell(text, "dataset"),
            "model": lambda row: "all" if missing(row["model"]) else str(row["model"]).replace("|", " or "),
            "answers": cell(whole, "n"),
            "none": cell(whole, "n_none"),
            "real (or first model) chosen (95\u202f%)": proportion_cell("right", "ci_low", "ci_high"),
            "d′": cell(number, "dprime"),
        },
        text_columns=3,
        notes=[WILSON_NOTE],
        label="model",
        source="choices",
    )
    note = (
        "Bradley & Terry (1952); the strengths of a data set sum to 0; standard errors clustered by participant and "
        "item."
    )
    strengths = table_of(
        "Strengths from choices between two",
        folder.table(BRADLEY_TERRY).sort_values(["dataset", "strength"], ascending=[True, False], kind="stable"),
        {
            "data set": cell(text, "dataset"),
            "contestant": labelled({"real": "real pictures"}, "contestant"),
            "pairs": cell(whole, "n"),
            "chosen": cell(whole, "wins"),
            "strength (log-odds)": cell(number, "strength"),
            "standard error": cell(number, "std_error"),
            INTERVAL: interval_cell(),
            "chosen against the average": cell(percent, "win_share"),
        },
        text_columns=2,
        notes=[note],
        label="contestant",
        source="bradley_terry",
    )
    return Section("choices", "Which picture did they choose?", [*counts, *strengths])


def choice_sentences(folder: StudyFolder) -> list[str]:
    """Return for the answer the verdicts on pairs."""
    choices = folder.table(CHOICES)
    answered = choices[choices["n"] > 0]
    if answered.empty:
        return []
    comparisons = folder.table(COMPARISONS)
    main = comparisons[~comparisons["comparison"].astype("str").str.contains(SENSITIVITY, regex=False)]
    judged = main[(main["measure"] == CHOSEN) & main["difference"].notna()]
    if judged.empty:
        return ["There is no verdict on choices."]
    datasets = list(answered["dataset"].dropna().unique())
    only_dataset = str(datasets[0]) if len(datasets) == 1 else ""
    sentences = [_verdict_sentence(row, only_dataset) for row in judged.head(MOST).to_dict("records")]
    if len(judged) > MOST:
        sentences.append(f"{plural(len(judged) - MOST, 'more comparison')} of choices: see the differences below.")
    return sentences


def choice_bases(folder: StudyFolder) -> list[str]:
    """Return the basis of the verdicts on pairs."""
    comparisons = folder.table(COMPARISONS)
    bases = comparisons.loc[(comparisons["measure"] == CHOSEN) & comparisons["difference"].notna(), "basis"]
    known = [BASES_IN_WORDS[basis] for basis in bases.dropna().unique()]
    return [f"Verdicts on choices rest on {listed(known)}."] if known and len(folder.table(CHOICES)) else []


def _verdict_sentence(row: Record, only_dataset: str) -> str:
    """Return a comparison of choices: the share, its interval and the verdict."""
    dataset = str(row["comparison"]).partition(" on ")[2] or only_dataset
    where = f" on {dataset}" if dataset else ""
    n_a, n_b = int(row["n_a"]), int(row["n_b"])
    ends = (0.5 + row["ci_low"], 0.5 + row["ci_high"])
    counted, share = percent(n_a / (n_a + n_b)), percent(0.5 + row["difference"])
    within = "no interval" if missing(row["ci_low"]) else f"95 % interval {percent_interval(*ends)}"
    p = row["p"] if missing(row["p_holm"]) else row["p_holm"]
    numbers = f"{within}; chance gives 50{NARROW}%" + ("" if missing(p) else f"; p {equals(p)}")
    often = f"{counted} of {plural(n_a + n_b, 'answer')}"
    if share == counted:
        often += f" ({numbers})"
    else:  # the interval is of the verdict's share, and may exclude that of the answers
        whose = ", the crossed model's, for people and pictures in general" * (row["basis"] == "crossed_model")
        often += f"; the verdict rests on {share} ({numbers}){whose}"
    is_equivalent = not missing(row["p_equivalent"]) and float(row["p_equivalent"]) < alpha_of(row)
    small = f", though by less than {margin_text(row)}" if is_equivalent else ""
    if str(row["comparison"]).startswith(PREFERRED):
        a, b = row["a"], row["b"]
        if row["verdict"] == "different":
            verdict = f"{a if row['difference'] > 0 else b} looked more real{small}"
        else:
            verdict = f"equally often, to within {margin_text(row)}" if is_equivalent else "no difference is shown"
        return f"Of {a} and {b}{where}, {a} was chosen in {often}: {verdict}{exploratory_mark(row)}."
    against = "" if row["b"] == ANY_FAKE else f" with one of {row['b']}"
    if row["verdict"] == "different" and row["difference"] > 0:
        verdict = f"real and generated pictures were told apart better than by chance{small}"
    elif row["verdict"] == "different":
        verdict = f"the generated picture was called the real one more often than by chance{small}"
    elif is_equivalent:
        verdict = f"they cannot be told apart by more than {points_text(row['margin'])}"
    else:
        verdict = "the answers do not show that real and generated pictures can be told apart"
    return f"The real picture of a pair{where}{against} was found in {often}: {verdict}{exploratory_mark(row)}."


def grades_section(folder: StudyFolder) -> Section:
    """Return the mean grades; the table `opinion_scores` has those of single pictures."""
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
    return Section("grades", "How real did it look?", grades)


def grade_sentences(folder: StudyFolder) -> list[str]:
    """Return for the answer the mean grades of each data set, and their differences."""
    ratings = folder.table(RATINGS)
    answered = ratings[(ratings["n"] > 0) & ratings["model"].isna()]
    sentences = []
    for dataset, part in answered.groupby("dataset", dropna=False, sort=False):
        means = []
        for row in part.to_dict("records"):
            ends = f" (95 % interval {interval(row['ci_low'], row['ci_high'])} between participants)"
            means.append(
                f"{number(row['mean'])}{'' if missing(row['ci_low']) else ends} for "
                f"{'real' if row['kind'] == 'real' else 'generated'} pictures, from {plural(int(row['n']), 'grade')}"
            )
        where = "" if missing(dataset) else f" on {dataset}"
        sentences.append(f"The mean grade{where} was {'; '.join(means)}. Higher looks more real.")
    compared = folder.table(COMPARISONS)
    compared = compared[(compared["measure"] == MEAN) & compared["ci_low"].notna()]
    return sentences + [_grade_difference(row) for row in compared.to_dict("records")]


def _grade_difference(row: Record) -> str:
    """Return which of two groups of pictures got higher grades."""
    names = {"fake": "generated pictures", "real": "real ones"}
    a, b = (names.get(str(row[end]), str(row[end])) for end in ("a", "b"))
    dataset = str(row["comparison"]).partition(" on ")[2]
    where = f" on {dataset}" if dataset else ""
    by = f"{size_text(row, percent=False)}{exploratory_mark(row)}"
    if row["verdict"] == "equivalent":
        return f"The mean grades of {a} and {b} are equal{where}, to within the margin: they differ by {by}."
    if row["verdict"] != "different":
        return f"Between {a} and {b} no difference of mean grades is shown{where}: {by}."
    first = f"{a[0].upper()}{a[1:]}" if row["a"] in names else f"{a}'s pictures"
    second = b if row["b"] in names else f"{b}'s"
    return f"{first} were graded {'lower' if row['difference'] < 0 else 'higher'} than {second}{where}, by {by}."
