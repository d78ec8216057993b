"""Which picture did they choose? Verdicts on pairs, their counts, and strengths by the Bradley–Terry model."""

from itertools import pairwise

import pandas as pd

from gan_eval.report.parts.blocks import Charts, Section
from gan_eval.report.parts.chart import MOST_GROUPS, Chart, Span, chart_of, first_of, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, cell, interval_cell, labelled, proportion_cell, table_of
from gan_eval.report.parts.words import (
    BASES_IN_WORDS,
    NARROW,
    WILSON_NOTE,
    Record,
    equals,
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
from gan_eval.report.people.design import exploratory_mark, margin_text
from gan_eval.stats.answers.choices import BRADLEY_TERRY, CHOICES
from gan_eval.stats.compare.comparisons import COMPARISONS, alpha_of
from gan_eval.stats.compare.outcomes import SENSITIVITY
from gan_eval.stats.compare.questions import ANY_FAKE, CHOSEN, PREFERRED
from gan_eval.stats.groups import REAL
from gan_eval.stats.trials import PAIRED

MOST = 8
"""Comparisons that the answer names; the section holds all."""


def choices_section(folder: StudyFolder) -> Section:
    """The counts of every pair of sources; strengths, data set by data set, the strongest first."""
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
            "chosen beside the average": cell(percent, "win_share"),
        },
        text_columns=2,
        notes=[note],
        label="contestant",
        source="bradley_terry",
    )
    charts = Charts(strength_charts(folder))
    return Section("choices", "Which picture did they choose?", [charts, *counts, *strengths])


def strength_charts(folder: StudyFolder) -> list[Chart]:
    """Strengths with their intervals, a chart for each data set."""
    table = folder.table(BRADLEY_TERRY)
    table = table[table["ci_low"].notna() & table["ci_high"].notna()]
    charts = []
    for place, (dataset, part) in enumerate(table.groupby("dataset", dropna=False, sort=True)):
        groups = []
        for row in part.sort_values("strength", ascending=False, kind="stable").head(MOST_GROUPS).to_dict("records"):
            is_real = row["contestant"] == "real"
            span = Span("real" if is_real else "fake", row["strength"], row["ci_low"], row["ci_high"])
            groups.append(("real pictures" if is_real else str(row["contestant"]), [span]))
        charts.append(
            chart_of(
                f"Strength on {dataset}" if isinstance(dataset, str) else "Strength",
                spans_figure(groups, axis="strength, log-odds", reference=0, limits=None),
                name=f"strength-{place}",
                caption="Bars: 95 % intervals. Dashed: the average contestant. Further right: chosen more often."
                + first_of(len(part)),
                alternative="; ".join(f"{name}: {number(span.value)}" for name, (span,) in groups),
            )
        )
    return charts


def choice_sentences(folder: StudyFolder) -> list[str]:
    """For the answer: the verdicts on pairs, from the comparisons; the counts alone where these say nothing of them."""
    choices = folder.table(CHOICES)
    answered = choices[choices["n"] > 0]
    if answered.empty:
        return []
    comparisons = folder.table(COMPARISONS)
    main = comparisons[~comparisons["comparison"].astype("str").str.contains(SENSITIVITY, regex=False)]
    judged = main[(main["measure"] == CHOSEN) & main["difference"].notna()]
    if judged.empty:
        counts = [_count_sentence(row) for row in answered.to_dict("records")]
        return [*counts, "Of choices no verdict is given here."]
    datasets = list(answered["dataset"].dropna().unique())
    only_dataset = str(datasets[0]) if len(datasets) == 1 else ""
    sentences = [_verdict_sentence(row, only_dataset) for row in judged.head(MOST).to_dict("records")]
    if len(judged) > MOST:
        sentences.append(f"{plural(len(judged) - MOST, 'more comparison')} of choices: see the differences below.")
    return [*_orders(folder, judged, only_dataset), *sentences]


def _orders(folder: StudyFolder, judged: pd.DataFrame, only_dataset: str) -> list[str]:
    """The order of three models or more on each data set, by their strengths, and which steps of it are not shown."""
    strengths = folder.table(BRADLEY_TERRY)
    strengths = strengths[strengths["strength"].notna()].sort_values("strength", ascending=False, kind="stable")
    preferred = judged[judged["comparison"].astype("str").str.startswith(PREFERRED)].to_dict("records")
    sentences = []
    for dataset, part in strengths.groupby("dataset", dropna=False, sort=True):
        names = ["real pictures" if name == REAL else str(name) for name in part["contestant"]]
        verdicts = {
            frozenset((row["a"], row["b"])): row["verdict"]
            for row in preferred
            if (str(row["comparison"]).partition(" on ")[2] or only_dataset) == ("" if missing(dataset) else dataset)
        }
        steps = list(pairwise(part["contestant"]))
        if len(names) < 3 or not all(frozenset(step) in verdicts for step in steps):
            continue
        where = "" if missing(dataset) else f" on {dataset}"
        unshown = [f"{a} and {b}" for a, b in steps if verdicts[frozenset((a, b))] != "different"]
        how_sure = f"not shown: a difference between {listed(unshown)}" if unshown else "every step of this is shown"
        sentences.append(f"{names[0]} looked most real{where}, then {', then '.join(names[1:])}; {how_sure}.")
    return sentences


def choice_bases(folder: StudyFolder) -> list[str]:
    """What the verdicts on pairs rest on."""
    comparisons = folder.table(COMPARISONS)
    bases = comparisons.loc[(comparisons["measure"] == CHOSEN) & comparisons["difference"].notna(), "basis"]
    known = [BASES_IN_WORDS[basis] for basis in bases.dropna().unique()]
    return [f"Verdicts on choices rest on {listed(known)}."] if known and len(folder.table(CHOICES)) else []


def _count_sentence(row: Record) -> str:
    """How often the real picture, or the first model's, was chosen."""
    count = plural(int(row["n"]), "answer")
    where = "" if missing(row["dataset"]) else f" on {row['dataset']}"
    if row["protocol"] == PAIRED:
        beside = "" if missing(row["model"]) else f" beside one of {row['model']}"
        return f"The real picture of a pair{where}{beside} was found in {percent(row['right'])} of {count}."
    first, _, second = text(row["model"]).partition("|")
    return f"Of {first} and {second}{where}, {first} was chosen in {percent(row['right'])} of {count}."


def _verdict_sentence(row: Record, only_dataset: str) -> str:
    """A comparison of choices: how often, how sure, and what that shows."""
    dataset = str(row["comparison"]).partition(" on ")[2] or only_dataset
    where = f" on {dataset}" if dataset else ""
    n_a, n_b = int(row["n_a"]), int(row["n_b"])
    ends = (0.5 + row["ci_low"], 0.5 + row["ci_high"])
    counted, share = percent(n_a / (n_a + n_b)), percent(0.5 + row["difference"])
    interval = "no interval" if missing(row["ci_low"]) else f"95 % interval {percent_interval(*ends)}"
    p = row["p"] if missing(row["p_holm"]) else row["p_holm"]
    numbers = f"{interval}; guessing gives 50{NARROW}%" + ("" if missing(p) else f"; p {equals(p)}")
    often = f"{counted} of {plural(n_a + n_b, 'answer')}"
    if share == counted:
        often += f" ({numbers})"
    else:  # the interval is of the verdict's share, and may lack that of the answers
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
    beside = "" if row["b"] == ANY_FAKE else f" beside one of {row['b']}"
    if row["verdict"] == "different" and row["difference"] > 0:
        verdict = f"real and generated pictures were told apart better than by guessing{small}"
    elif row["verdict"] == "different":
        verdict = f"the generated picture was called the real one more often than by guessing{small}"
    elif is_equivalent:
        verdict = f"they cannot be told apart by more than {points_text(row['margin'])}"
    else:
        verdict = "the answers do not show that real and generated pictures can be told apart"
    return f"The real picture of a pair{where}{beside} was found in {often}: {verdict}{exploratory_mark(row)}."
