"""After the verdict: which model fools more, and which metric follows people best, in a sentence each."""

from collections.abc import Mapping

import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.shares import shares
from gan_eval.report.parts.words import NARROW, Record, equals, listed, missing, number, plural, whole
from gan_eval.report.people.standing import exploratory, the_margin
from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.tables import COMPARISONS, CORRELATION_DIFFERENCES

MOST_PAIRS = 3
_MOST_DATASETS = 2


def models_compared(folder: StudyFolder) -> list[str]:
    """A sentence for each pair of models; of many pairs those with a verdict come first."""
    table = folder.table(COMPARISONS)
    known = table[(table["measure"] == "fooling_rate") & table["difference"].notna()]
    if known.empty:
        return []
    settled = known["verdict"].isin(["different", "equivalent"])
    shown = pd.concat([known[settled], known[~settled]]).head(MOST_PAIRS) if len(known) > MOST_PAIRS else known
    rates = _fooling_rates(folder)
    sentences = [_pair(row, rates) for row in shown.to_dict("records")]
    if len(known) > len(shown):
        sentences.append(f"{plural(len(known) - len(shown), 'more pair')} of models: see the comparisons below.")
    return sentences


def _fooling_rates(folder: StudyFolder) -> dict[str, float]:
    models = shares(folder, "model")
    return dict(zip(models["id"].astype(str), models["fooling_rate"].astype(float), strict=True))


def _nothing_to_compare(row: Record, rates: Mapping[str, float]) -> bool:
    """Both models always fooled, or both never."""
    both = {rates.get(str(row[name]), 0.5) for name in ("a", "b")}
    return both in ({0.0}, {1.0})


def _pair(row: Record, rates: Mapping[str, float]) -> str:
    a, b = str(row["a"]), str(row["b"])
    difference = 100 * float(row["difference"])
    dataset = str(row["comparison"]).partition(" on ")[2]
    where = f" on {dataset}" if dataset else ""
    if _nothing_to_compare(row, rates):
        often = "every" if rates[a] else "no"
        return f"Between {a} and {b}{where} there is nothing to compare: {often} picture of either passed as real."
    first, second = (a, b) if difference >= 0 else (b, a)
    by = f"{number(abs(difference), digits=1)}{NARROW}points"
    if _different(row):
        said = f"{first} fools people more often than {second}{where}, by {by} {_told(row, difference < 0)}"
        if row["verdict"] == "equivalent" or (not missing(row["p_equivalent"]) and float(row["p_equivalent"]) < ALPHA):
            said += f", which lies within {the_margin(row)}"
    elif row["verdict"] == "equivalent":
        said = (
            f"{a} and {b} fool people equally often{where}, to within {the_margin(row)}: they "
            f"differ by {by} {_told(row, difference < 0)}"
        )
    else:
        said = f"Between {a} and {b} no difference is shown{where}: {by} {_told(row, difference < 0)}"
    return f"{said}{_not_inferior(row)}{exploratory(row)}."


def _different(row: Record) -> bool:
    """By Holm's p, which the verdict `equivalent` may stand beside."""
    p = row["p"] if missing(row["p_holm"]) else row["p_holm"]
    return row["verdict"] == "different" or (not missing(p) and float(p) < ALPHA)


def _told(row: Record, turned: bool) -> str:
    """Interval and corrected p of the difference, signs as the sentence has it."""
    ends = [row["ci_low"], row["ci_high"]]
    if missing(ends[0]):
        return "(no interval)"
    low, high = sorted((-1 if turned else 1) * 100 * float(end) for end in ends)
    p = row["p"] if missing(row["p_holm"]) else row["p_holm"]
    after = "" if missing(row["p_holm"]) else " after Holm"
    tested = "" if missing(p) else f"; p {equals(p)}{after}"
    return f"(95{NARROW}% interval {number(low, digits=1)} to {number(high, digits=1)}{tested})"


def _not_inferior(row: Record) -> str:
    if missing(row["noninferior"]):
        return ""
    if row["noninferior"]:
        return f"; {row['a']} is not inferior to {row['b']} by {the_margin(row)}"
    return f"; that {row['a']} is not inferior to {row['b']} by {the_margin(row)} is not shown"


def metrics_compared(folder: StudyFolder) -> list[str]:
    """Which metric follows people best over single pictures and over models, and how far that can be said."""
    table = folder.table(CORRELATION_DIFFERENCES)
    known = table[table["agreement_a"].notna() & table["agreement_b"].notna()]
    found = []
    for level in ("stimulus", "model"):
        at_level = known[known["level"] == level]
        pooled = at_level[at_level["dataset"].isna()]
        parts = at_level if pooled.empty else pooled
        groups = list(parts.groupby("dataset", dropna=False, sort=True))
        found += [_best(level, dataset, part) for dataset, part in groups[:_MOST_DATASETS]]
    return found


def _best(level: str, dataset: object, part: pd.DataFrame) -> str:
    agreement: dict[str, float] = {}
    for row in part.to_dict("records"):
        agreement |= {row["metric_a"]: float(row["agreement_a"]), row["metric_b"]: float(row["agreement_b"])}
    best = max(sorted(agreement), key=agreement.__getitem__)
    beaten = [
        row["metric_b"] if row["metric_a"] == best else row["metric_a"]
        for row in part.to_dict("records")
        if row["follows_better"] == best
    ]
    over = "single pictures" if level == "stimulus" else "models"
    where = "" if missing(dataset) else f" of {dataset}" if level == "stimulus" else f" on {dataset}"
    strength = f"|Spearman| {number(agreement[best])}"
    rivals = len(agreement) - 1
    if not beaten:
        return (
            f"Over {over}{where} no metric is shown to follow people best: {best} has the highest agreement "
            f"({strength}) of {whole(rivals + 1)}, and its lead over none of the others survives Holm's correction."
        )
    others = "each of the others" if len(beaten) == rivals else f"{listed(sorted(beaten))}, not over the rest"
    return (
        f"Over {over}{where} {best} follows people best ({strength}, of {plural(rivals + 1, 'metric')}); its lead "
        f"survives Holm's correction over {others}."
    )
