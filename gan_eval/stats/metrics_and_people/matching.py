"""Metrics and judgements must be of the same pictures and models: what cannot be meant is refused."""

import pandas as pd

from gan_eval.errors import UserError, abbreviated
from gan_eval.stats.contradictions import are_single, belies_its_name, first_change, other_than_its_name

PICTURE = ("kind", "model", "dataset", "item")
"""Columns that are the same in every row of one picture, in metrics and in trials."""


def require_metrics_of(trials: pd.DataFrame, metrics: pd.DataFrame, *, where: str) -> list[str]:
    """Refuse metrics of other pictures or models than those that were judged, or that contradict the trials.

    Args:
        trials: the table `trials`, filled.
        metrics: the table `image_metrics`, or `set_metrics`.
        where: the metrics' file or table, for messages.

    Returns:
        A line where only a part of the rows is of judged pictures or models; else nothing.

    Raises:
        UserError: no row of generated pictures matches, rows of one picture differ among themselves or from the trials
            in kind, model, data set or item, or the trials name no data set.
    """
    main = trials[trials["phase"] == "main"]
    if metrics.empty or main.empty:
        return []
    return (_of_pictures if "stimulus" in metrics else _of_sets)(main, metrics, where)


def _of_pictures(main: pd.DataFrame, metrics: pd.DataFrame, where: str) -> list[str]:
    single = main[are_single(main)]
    for name in PICTURE:
        _refuse_differences(single, metrics, name, where)
    if (wrong := belies_its_name(metrics)).any():
        row = int(wrong.argmax())
        raise UserError(f"{where}: row {row + 1}: {other_than_its_name(metrics.iloc[row])}")
    judged = {*main["stimulus"].dropna(), *main["stimulus_b"].dropna()}
    fakes = metrics["kind"] == "fake"
    named = {*single["stimulus"][(single["kind"] == "fake").fillna(False)], *main["stimulus_b"].dropna()}
    if fakes.any() and not named:  # only real pictures have been judged so far
        return []
    matching = metrics["stimulus"].isin(judged)
    if not matching[fakes if fakes.any() else metrics.index].any():
        rows, of = (metrics[fakes], "metric rows of generated pictures") if matching.any() else (metrics, "metric rows")
        raise UserError(
            f"{where}: 0 of {len(rows)} {of} match a judged picture: {abbreviated(rows['stimulus'].iat[0])} against "
            f"{abbreviated(min(named or judged))}; give the metrics of the pictures that were judged, under the same "
            "names (metrics --dataset, --model)"
        )
    _require_data_sets(main, metrics, where)
    return _some_match(matching, "a judged picture", where)


def _of_sets(main: pd.DataFrame, metrics: pd.DataFrame, where: str) -> list[str]:
    known = main[main["model"].notna()]
    judged = {
        (dataset, model)
        for dataset, models in known[["dataset", "model"]].drop_duplicates().itertuples(index=False)
        for model in str(models).split("|")
    }
    if not judged:
        return []
    models = {model for _, model in judged}
    if not metrics["model"].isin(models).any():
        raise _no_model(metrics, sorted(models), metrics["model"], where)
    _require_data_sets(main, metrics, where)
    matching = pd.Series([*zip(metrics["dataset"], metrics["model"], strict=True)], metrics.index).isin(judged)
    if not matching.any():
        names = sorted("/".join(map(str, pair)) for pair in judged)
        raise _no_model(metrics, names, metrics["dataset"] + "/" + metrics["model"], where)
    return _some_match(matching, "a judged model", where)


def _no_model(metrics: pd.DataFrame, judged: list[str], own: pd.Series, where: str) -> UserError:
    return UserError(
        f"{where}: 0 of {len(metrics)} metric rows match a judged model: {abbreviated(own.iat[0])} against "
        f"{abbreviated(judged[0])}; give the metrics of the models that were judged, under the same names "
        "(metrics --dataset, --model)"
    )


def _require_data_sets(main: pd.DataFrame, metrics: pd.DataFrame, where: str) -> None:
    """Refuse trials that name no data set at all: nothing could be compared with the metrics."""
    if main["dataset"].isna().all() and metrics["dataset"].notna().any():
        raise UserError(
            f"{where}: the metrics are of the data set {abbreviated(metrics['dataset'].dropna().iat[0])}, the trials "
            "name none; add the column dataset to the trials (trials import --map dataset=COLUMN), and model"
        )


def _some_match(matching: pd.Series, what: str, where: str) -> list[str]:
    if matching.all():
        return []
    return [f"{where}: {matching.sum()} of {len(matching)} metric rows match {what}; the others are not used"]


def _refuse_differences(single: pd.DataFrame, metrics: pd.DataFrame, name: str, where: str) -> None:
    """Refuse a column that differs between the rows of one picture: within the metrics, or from the trials."""
    told = single[["stimulus", name]].dropna().drop_duplicates("stimulus")
    if name == "item" and {*told[name]}.isdisjoint(metrics[name]):
        return  # the trials name items in another way
    both = pd.concat([table[["stimulus", name]].astype("str") for table in (told, metrics)], ignore_index=True)
    both = both.mask(pd.concat([table[["stimulus", name]].isna() for table in (told, metrics)], ignore_index=True))
    if (found := first_change(both["stimulus"], both[name])) is None:
        return
    row, first = found
    place = "in the trials" if first < len(told) else f"in row {first - len(told) + 1}"
    one, other = (abbreviated(both[name].iat[position]) for position in (row, first))
    raise UserError(
        f"{where}: row {row - len(told) + 1}: stimulus {abbreviated(both['stimulus'].iat[row])} has {name} {one}, "
        f"{place} {name} {other}; give the metrics of the pictures that were judged, or correct the row"
    )
