"""Checks that metrics and judgements are of the same pictures and models."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import pandas as pd

from gan_eval.base.errors import UserError, abbreviated
from gan_eval.judgements.contradictions import are_single, belies_its_name, first_change, other_than_its_name
from gan_eval.judgements.names import PICTURE_FILE
from gan_eval.judgements.trials import judged_pictures

PICTURE = ("kind", "model", "dataset", "item")
"""Columns that are the same in every row of one picture, in metrics and in trials."""
UNNAMED = ""
"""Name of the data set if no table names one."""


class Completed(NamedTuple):
    """Tables that name the models and data sets of their generated pictures."""

    trials: pd.DataFrame
    images: pd.DataFrame | None
    sets: pd.DataFrame | None


def completed(
    trials: pd.DataFrame, image_metrics: pd.DataFrame | None = None, set_metrics: pd.DataFrame | None = None
) -> Completed:
    """Fill in models and data sets that only one of the tables names.

    Trials and metrics of a stimulus complete each other. If all tables together name at most one data set, every row is
    of that one (`UNNAMED` if there is none).
    """
    if image_metrics is not None:
        image_metrics = _named_like(image_metrics, trials[are_single(trials)], ("kind", "model", "dataset"))
        trials = _named_like(trials, image_metrics, ("model", "dataset"))
    tables = [table for table in (trials, image_metrics, set_metrics) if table is not None]
    names = {name for table in tables for name in table["dataset"].dropna().unique()}
    if len(names) <= 1:
        (name,) = names or {UNNAMED}
        tables = [
            table.assign(dataset=table["dataset"].astype("object").fillna(name))
            if table["dataset"].isna().any()
            else table
            for table in tables
        ]
        trials, *others = tables
        image_metrics = None if image_metrics is None else others[0]
    return Completed(trials, image_metrics, set_metrics)


def _named_like(table: pd.DataFrame, other: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Fill empty cells of generated pictures from the other table's rows of the same stimulus."""
    for name in columns:
        empty = table[name].isna() & (table["kind"] != "real").fillna(True) & are_single(table)
        if empty.any():
            stated = other[["stimulus", name]].dropna().drop_duplicates("stimulus")
            names = table["stimulus"].astype("object").map(dict(zip(stated["stimulus"], stated[name], strict=True)))
            table = table.assign(**{name: table[name].astype("object").where(~empty, names)})
    return table


def named_as_judged(trials: pd.DataFrame, metrics: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return picture metrics under the names of the judged pictures, and a line if these were found by file name.

    Where no name is in both tables, a picture is the judged one with the same last folders and stem: as many of them
    as name one picture in each table, if need be with the kind and the model.
    """
    judged = judged_pictures(trials)
    measured = metrics[["stimulus", "kind", "model"]].drop_duplicates("stimulus").astype("object")
    if measured["stimulus"].isin(judged["stimulus"]).any():
        return metrics, []
    for columns, depth in product(([], ["kind"], ["kind", "model"]), (3, 2, 1)):
        ours, theirs = (_ends(pictures, columns, depth) for pictures in (judged, measured))
        if ours.is_unique and theirs.is_unique and (shared := set(ours) & set(theirs)):
            stimulus_of = dict(zip(ours, judged["stimulus"], strict=True))
            names = {
                name: stimulus_of[end] for name, end in zip(measured["stimulus"], theirs, strict=True) if end in shared
            }
            renamed = metrics["stimulus"].astype("object").map(names).fillna(metrics["stimulus"])
            theirs_first, own_first = next(iter(names.items()))
            example = f"{abbreviated(theirs_first)} is {abbreviated(own_first)}"
            return metrics.assign(stimulus=renamed), [f"{len(names)} measured pictures found by file name: {example}"]
    return metrics, []


def _ends(pictures: pd.DataFrame, columns: list[str], depth: int) -> pd.Series:
    """Return the last parts of each picture's path without its ending, and the cells of the columns."""
    stems = pictures["stimulus"].astype("str").str.replace("\\", "/").str.replace(PICTURE_FILE, "", regex=True)
    ends = stems.str.split("/").str[-depth:].str.join("/")
    for name in columns:
        ends += "|" + pictures[name].fillna("")
    return ends


def require_metrics_of(trials: pd.DataFrame, metrics: pd.DataFrame, *, where: str) -> list[str]:
    """Refuse metrics of other pictures or models than those that were judged, or that contradict the trials.

    Args:
        trials: the table `trials`, filled; for `set_metrics` as `completed` returns it.

    Returns:
        A line where only a part of the rows is of judged pictures or models; else nothing.

    Raises:
        UserError: no row of generated pictures matches, rows of one picture differ among themselves or from the trials
            in kind, model, data set or item, or the trials do not name the models or data sets of `set_metrics`.
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
    return _some_match(matching, "pictures", where)


def _of_sets(main: pd.DataFrame, metrics: pd.DataFrame, where: str) -> list[str]:
    of_models = main[main["model"].notna()]
    if of_models.empty:
        if not (main["kind"] == "fake").any():  # only real pictures have been judged so far
            return []
        raise UserError(
            f"{where}: the metrics are of the model {abbreviated(metrics['model'].iat[0])}, the trials name none; add "
            "the column model to the trials (trials import --map model=COLUMN)"
        )
    judged = {
        (dataset, model)
        for dataset, models in of_models[["dataset", "model"]].drop_duplicates().itertuples(index=False)
        for model in str(models).split("|")
    }
    models = {model for _, model in judged}
    if not metrics["model"].isin(models).any():
        raise _no_model(metrics, sorted(models), metrics["model"], where)
    unnamed = of_models["dataset"].isna()
    fix = "add the column dataset to the trials (trials import --map dataset=COLUMN)"
    if unnamed.all():
        of = " and ".join(abbreviated(name) for name in metrics["dataset"].unique()[:2])
        raise UserError(f"{where}: the metrics are of the data sets {of}, the trials of models name none; {fix}")
    matching = pd.Series([*zip(metrics["dataset"], metrics["model"], strict=True)], metrics.index).isin(judged)
    if not matching.any():
        names = sorted("/".join(map(str, pair)) for pair in judged)
        raise _no_model(metrics, names, metrics["dataset"] + "/" + metrics["model"], where)
    lines = _some_match(matching, "models", where)
    if unnamed.any():
        lines.append(f"{where}: {unnamed.sum()} trials of models name no data set and are compared with nothing; {fix}")
    return lines


def _no_model(metrics: pd.DataFrame, judged: list[str], models: pd.Series, where: str) -> UserError:
    return UserError(
        f"{where}: 0 of {len(metrics)} metric rows match a judged model: {abbreviated(models.iat[0])} against "
        f"{abbreviated(judged[0])}; give the metrics of the models that were judged, under the same names "
        "(metrics --dataset, --model)"
    )


def _some_match(matching: pd.Series, what: str, where: str) -> list[str]:
    if matching.all():
        return []
    used = int(matching.sum())
    return [
        f"{where}: {used} of {len(matching)} metric rows are of {what} that were judged; the other "
        f"{len(matching) - used} are not needed (it is normal that more {what} were measured than judged)"
    ]


def _refuse_differences(single: pd.DataFrame, metrics: pd.DataFrame, name: str, where: str) -> None:
    """Refuse a column that differs between the rows of one picture: within the metrics, or from the trials."""
    stated = single[["stimulus", name]].dropna().drop_duplicates("stimulus")
    if name == "item" and {*stated[name]}.isdisjoint(metrics[name]):
        return  # the trials name items in another way
    both = pd.concat([table[["stimulus", name]].astype("str") for table in (stated, metrics)], ignore_index=True)
    both = both.mask(pd.concat([table[["stimulus", name]].isna() for table in (stated, metrics)], ignore_index=True))
    if (change := first_change(both["stimulus"], both[name])) is None:
        return
    row, first = change
    source = "in the trials" if first < len(stated) else f"in row {first - len(stated) + 1}"
    one, other = (abbreviated(both[name].iat[position]) for position in (row, first))
    raise UserError(
        f"{where}: row {row - len(stated) + 1}: stimulus {abbreviated(both['stimulus'].iat[row])} has {name} {one}, "
        f"{source} {name} {other}; give the metrics of the pictures that were judged, or correct the row"
    )
