"""Can they tell? Which model fools more? Do they know reals better than fakes? Differences, with Holm's correction."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from gan_eval.stats.differences import difference_of_shares
from gan_eval.stats.groups import groups, provenance
from gan_eval.stats.intervals import newcombe
from gan_eval.stats.trials import answered_trials
from gan_eval.tables import COMPARISONS
from gan_eval.tabular import conform

TOLD_APART = "told apart"
REAL_VS_FAKE = "real vs fake"
MODELS = "models"
PUBLISHED = "published"
ALPHA = 0.05


def comparisons(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `comparisons` of a trials table.

    `told apart`: the share of fakes called fake minus the share of reals called fake, over all answers. It is twice the
    balanced accuracy less one, is 0 for whoever answers without regard to the picture, whatever their leaning and
    however unequal the numbers of reals and fakes, and so says whether people can tell. Data sets count by their
    answers; those with one kind of picture do not count.
    `real vs fake`: accuracy on reals minus accuracy on fakes, for each data set and over all.
    `models on DATASET`: fooling rate of one model minus that of another on the same data set.
    p_holm corrects over all rows of one of these kinds.
    """
    answered = answered_trials(trials)
    rows = [*_told_apart(answered), *_real_vs_fake(answered), *_model_vs_model(answered)]
    table = pd.DataFrame(rows, columns=[*COMPARISONS.names, "family"])
    table["p_holm"] = table.groupby("family")["p"].transform(holm) if len(table) else table["p"]
    table["verdict"] = np.where(table["p_holm"].astype("float64") < ALPHA, "different", "undecided")
    return conform(table.drop(columns="family"), COMPARISONS, where="comparisons")


def against_published(rates: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """The run's share of correct answers minus a published one, for each data set and group that both have.

    Both sides are counts, so the answers are taken as independent: Newcombe's interval and Fisher's exact test.

    Args:
        rates: the table `rates` of the run.
        published: the table `published_quiz`.

    Returns:
        A frame of the table `comparisons`, `comparison` being `published`.
    """
    run = rates[rates["scope"] == "dataset"].set_index("id")
    rows = []
    for theirs in published.to_dict("records"):
        if theirs["dataset"] not in run.index:
            continue
        own = run.loc[theirs["dataset"]]
        k, n = (
            (int(own["correct_rejections"]), int(own["n_real"]))
            if theirs["group"] == "real"
            else (int(own["hits"]), int(own["n_fake"]))
        )
        if n == 0 or theirs["trials"] < 1:
            continue
        k_theirs = round(theirs["percent_correct"] / 100 * theirs["trials"])
        low, high = newcombe(k, n, k_theirs, theirs["trials"])
        rows.append(
            {
                "comparison": PUBLISHED,
                "a": f"{theirs['dataset']} {theirs['group']}",
                "b": theirs["study"],
                "measure": "accuracy",
                "difference": k / n - k_theirs / theirs["trials"],
                "ci_low": low,
                "ci_high": high,
                "p": fisher_exact(np.array([[k, n - k], [k_theirs, theirs["trials"] - k_theirs]])).pvalue,
                "n_a": n,
                "n_b": theirs["trials"],
                "simulated": own["simulated"],
                "fraction": own["fraction"],
                "note": "answers taken as independent",
            }
        )
    table = pd.DataFrame(rows, columns=list(COMPARISONS.names))
    table["p_holm"] = holm(table["p"].astype("float64"))
    table["verdict"] = np.where(table["p_holm"] < ALPHA, "different", "undecided")
    return conform(table, COMPARISONS, where="comparisons")


def holm(p: pd.Series) -> pd.Series:
    """Holm's step-down adjusted p values (Holm 1979); missing ones stay missing and do not count.

    >>> holm(pd.Series([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    known = p.dropna().astype("float64").sort_values()
    factor = np.arange(len(known), 0, -1)
    adjusted = np.minimum(1.0, np.maximum.accumulate(known.to_numpy() * factor))
    return pd.Series(adjusted, index=known.index).reindex(p.index)


def _told_apart(answered: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Each data set counts among the fakes as much as among the reals: else people who lean to `fake` on the data set
    with many fakes, and to `real` on that with many reals, would look as if they could tell."""
    named = answered.assign(dataset=answered["dataset"].fillna(""))
    both = named[named.groupby("dataset")["is_fake"].transform("nunique") == 2]
    if both.empty:
        return
    of_dataset, of_kind, of_cell = (
        both.groupby(by)["stimulus"].transform("size") for by in ("dataset", "is_fake", ["dataset", "is_fake"])
    )
    weight = (of_dataset * of_kind / (len(both) * of_cell)).to_numpy(float)
    is_fake, says_fake = both["is_fake"].to_numpy(bool), both["says_fake"].to_numpy(bool)
    row = _row(TOLD_APART, TOLD_APART, "fake", "real", "called_fake", both, says_fake, is_fake, weight=weight)
    if len(both) < len(answered):
        row["note"] = "; ".join(filter(None, ["data sets with one kind of picture left out", str(row["note"] or "")]))
    yield row


def _real_vs_fake(answered: pd.DataFrame) -> Iterator[dict[str, object]]:
    parts = [("", answered)]
    named = answered["dataset"].dropna().unique()
    if len(named) > 1 or (len(named) == 1 and answered["dataset"].isna().any()):
        parts += [(f"{name} ", answered[answered["dataset"] == name]) for name in sorted(named)]
    elif len(named) == 1:
        parts = [(f"{named[0]} ", answered)]
    for prefix, part in parts:
        is_a = ~part["is_fake"].to_numpy()
        if is_a.any() and not is_a.all():
            success = part["correct"].to_numpy(bool)
            yield _row(REAL_VS_FAKE, REAL_VS_FAKE, f"{prefix}real", f"{prefix}fake", "accuracy", part, success, is_a)


def _model_vs_model(answered: pd.DataFrame) -> Iterator[dict[str, object]]:
    fakes = answered[answered["is_fake"] & answered["model"].notna()]
    for dataset, part in fakes.groupby("dataset", dropna=False, sort=True):
        name = MODELS if pd.isna(dataset) else f"{MODELS} on {dataset!s}"
        for a, b in combinations(sorted(part["model"].unique()), 2):
            pair = part[part["model"].isin([a, b])]
            fooled = ~pair["says_fake"].to_numpy(bool)
            yield _row(MODELS, name, a, b, "fooling_rate", pair, fooled, (pair["model"] == a).to_numpy(bool))


def _row(
    family: str,
    comparison: str,
    a: str,
    b: str,
    measure: str,
    part: pd.DataFrame,
    success: np.ndarray,
    in_a: np.ndarray,
    *,
    weight: np.ndarray | None = None,
) -> dict[str, object]:
    part = part.reset_index(drop=True)
    participant, stimulus = (pd.factorize(part[name])[0] for name in ("participant", "stimulus"))
    found = difference_of_shares(success, in_a, participant, stimulus, weight=weight)
    carried = provenance(part, groups(part, "all")).iloc[0]
    return {
        "family": family,
        "comparison": comparison,
        "a": a,
        "b": b,
        "measure": measure,
        "difference": found.difference,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "p": found.p,
        "n_a": int(in_a.sum()),
        "n_b": int((~in_a).sum()),
        "note": "; ".join(filter(None, [found.note, carried["note"]])) or None,
        "simulated": bool(carried["simulated"]),
        "fraction": carried["fraction"],
    }
