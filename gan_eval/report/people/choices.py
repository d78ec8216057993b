"""Choices between two pictures: what they say, and their table.

Strengths of models and real pictures from choices between two.
"""

from gan_eval.report.parts.chart import Picture, Span, picture, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, between, known_as, of, share, view_of
from gan_eval.report.parts.words import (
    BASES_TOLD,
    NARROW,
    ONLY_THESE,
    Record,
    View,
    equals,
    listed,
    missing,
    number,
    percent,
    percent_interval,
    plural,
    points_of,
    text,
    whole,
)
from gan_eval.report.people.design import exploratory, the_margin
from gan_eval.report.people.rates import MOST_GROUPS
from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.stats.compare.outcomes import SENSITIVITY
from gan_eval.stats.compare.questions import ANY_FAKE, CHOSEN, PREFERRED
from gan_eval.stats.trials import PAIRED
from gan_eval.tables import BRADLEY_TERRY, CHOICES, COMPARISONS

MOST = 8
"""Comparisons that the answer tells; the section holds all."""


def choices_told(folder: StudyFolder) -> list[str]:
    """The verdicts on pairs, from the comparisons; the shares alone where these say nothing of them."""
    choices = folder.table(CHOICES)
    answered = choices[choices["n"] > 0]
    if answered.empty:
        return []
    comparisons = folder.table(COMPARISONS)
    answers = comparisons[~comparisons["comparison"].astype("str").str.contains(SENSITIVITY, regex=False)]
    judged = answers[(answers["measure"] == CHOSEN) & answers["difference"].notna()]
    if judged.empty:
        return [*(_share(row) for row in answered.to_dict("records")), "Of choices no verdict is given here."]
    datasets = list(answered["dataset"].dropna().unique())
    only = str(datasets[0]) if len(datasets) == 1 else ""
    sentences = [_verdict(row, only) for row in judged.head(MOST).to_dict("records")]
    if len(judged) > MOST:
        sentences.append(f"{plural(len(judged) - MOST, 'more comparison')} of choices: see the differences below.")
    bases = [BASES_TOLD[basis] for basis in judged["basis"].dropna().unique()]
    return [*sentences, *([f"Verdicts on choices rest on {listed(bases)}."] if bases else [])]


def _share(row: Record) -> str:
    count = plural(int(row["n"]), "answer")
    where = "" if missing(row["dataset"]) else f" on {row['dataset']}"
    if row["protocol"] == PAIRED:
        beside = "" if missing(row["model"]) else f" beside one of {row['model']}"
        return f"The real picture of a pair{where}{beside} was found in {percent(row['right'])} of {count}."
    one, _, other = text(row["model"]).partition("|")
    return f"Of {one} and {other}{where}, {one} was chosen in {percent(row['right'])} of {count}."


def _verdict(row: Record, only_dataset: str) -> str:
    dataset = str(row["comparison"]).partition(" on ")[2] or only_dataset
    where = f" on {dataset}" if dataset else ""
    n_a, n_b = int(row["n_a"]), int(row["n_b"])
    of_all = f"{percent(n_a / (n_a + n_b))} of {plural(n_a + n_b, 'answer')} ({_numbers(row)})"
    if str(row["comparison"]).startswith(PREFERRED):
        a, b = row["a"], row["b"]
        return f"Of {a} and {b}{where}, {a} was chosen in {of_all}: {_preferred(row)}{exploratory(row)}."
    beside = "" if row["b"] == ANY_FAKE else f" beside one of {row['b']}"
    return f"The real picture of a pair{where}{beside} was found in {of_all}: {_found(row)}{exploratory(row)}."


def _numbers(row: Record) -> str:
    interval = (
        "no interval"
        if missing(row["ci_low"])
        else f"95 % interval {percent_interval(0.5 + row['ci_low'], 0.5 + row['ci_high'])}"
    )
    p = row["p"] if missing(row["p_holm"]) else row["p_holm"]
    return f"{interval}; guessing gives 50{NARROW}%" + ("" if missing(p) else f"; p {equals(p)}")


def _within(row: Record) -> bool:
    return not missing(row["p_equivalent"]) and float(row["p_equivalent"]) < ALPHA


def _found(row: Record) -> str:
    small = f", though by less than {the_margin(row)}" if _within(row) else ""
    if row["verdict"] == "different" and row["difference"] > 0:
        return f"real and generated pictures were told apart better than by guessing{small}"
    if row["verdict"] == "different":
        return f"the generated picture was taken for the real one more often than by guessing{small}"
    if _within(row):
        return f"they cannot be told apart by more than {points_of(row['margin'])}"
    return "the answers do not show that real and generated pictures can be told apart"


def _preferred(row: Record) -> str:
    if row["verdict"] == "different":
        small = f", though by less than {the_margin(row)}" if _within(row) else ""
        return f"{row['a'] if row['difference'] > 0 else row['b']} looked more real{small}"
    return f"equally often, to within {the_margin(row)}" if _within(row) else "no difference is shown"


def choices_views(folder: StudyFolder) -> list[View]:
    """The counts of every pair of sources."""
    columns = {
        "question": lambda row: "which is real" if row["protocol"] == PAIRED else "which looks more real",
        "data set": of(text, "dataset"),
        "model": lambda row: "all" if missing(row["model"]) else str(row["model"]).replace("|", " or "),
        "answers": of(whole, "n"),
        "none": of(whole, "n_none"),
        "real (or first model) chosen (95\u202f%)": share("right", "ci_low", "ci_high"),
        "d′": of(number, "dprime"),
    }
    return view_of(
        "Choices between two pictures",
        folder.table(CHOICES),
        columns,
        text_columns=3,
        notes=[ONLY_THESE],
        label="model",
        source="choices",
    )


def strength_views(folder: StudyFolder) -> list[View]:
    """The Bradley–Terry model, data set by data set, the strongest first."""
    table = folder.table(BRADLEY_TERRY).sort_values(["dataset", "strength"], ascending=[True, False], kind="stable")
    columns = {
        "data set": of(text, "dataset"),
        "contestant": known_as({"real": "real pictures"}, "contestant"),
        "pairs": of(whole, "n"),
        "chosen": of(whole, "wins"),
        "strength (log-odds)": of(number, "strength"),
        "standard error": of(number, "std_error"),
        INTERVAL: between(),
        "chosen beside the average": of(percent, "win_share"),
    }
    told = (
        "Bradley & Terry (1952); the strengths of a data set sum to 0; standard errors clustered by participant and "
        "item."
    )
    caption = "Strengths from choices between two"
    return view_of(caption, table, columns, text_columns=2, notes=[told], label="contestant", source="bradley_terry")


def strength_figures(folder: StudyFolder) -> list[Picture]:
    """Strengths with their intervals, a figure for each data set."""
    table = folder.table(BRADLEY_TERRY)
    table = table[table["ci_low"].notna() & table["ci_high"].notna()]
    found = []
    for place, (dataset, part) in enumerate(table.groupby("dataset", dropna=False, sort=True)):
        shown = part.sort_values("strength", ascending=False, kind="stable").head(MOST_GROUPS)
        groups = [
            (
                "real pictures" if row["contestant"] == "real" else str(row["contestant"]),
                [Span(_series(row), row["strength"], row["ci_low"], row["ci_high"])],
            )
            for row in shown.to_dict("records")
        ]
        found.append(
            picture(
                f"Strength on {dataset}" if isinstance(dataset, str) else "Strength",
                spans_figure(groups, axis="strength, log-odds", reference=0, limits=None),
                name=f"strength-{place}",
                caption="Bars: 95 % intervals. Dashed: the average contestant. Further right: chosen more often.",
                alternative="; ".join(f"{name}: {number(span.value)}" for name, (span,) in groups),
            )
        )
    return found


def _series(row: Record) -> str:
    return "real" if row["contestant"] == "real" else "fake"
