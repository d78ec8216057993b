"""The row of everything: there where no single data set holds all trials, left out where it says the same again."""

import pandas as pd
import pytest
from synthetic_tables import folder_of

from gan_eval.report.parts.blocks import Table
from gan_eval.report.people.participants import times_section
from gan_eval.report.people.rates import rate_tables
from gan_eval.stats.answers.rates import rates, reaction_times
from gan_eval.stats.trials import fill_trials


def folder(datasets: tuple[str | None, ...]):
    """A person's answers to eight pictures for each name of a data set."""
    rows = [
        {"participant": "P1", "stimulus": f"{dataset}/{kind}/{place}", "kind": kind, "dataset": dataset}
        | {"model": "A" if kind == "fake" else None, "response": "fake" if place % 2 else "real"}
        | {"reaction_time_ms": 500.0 + place}
        for dataset in datasets
        for kind in ("real", "fake")
        for place in range(4)
    ]
    trials = fill_trials(pd.DataFrame(rows))
    return folder_of(rates=rates(trials), reaction_times=reaction_times(trials), trials=trials)


@pytest.mark.parametrize(
    ("datasets", "groups"),
    [(("d",), ["data set d"]), (("d", None), ["everything", "data set d"]), ((None,), ["everything"])],
)
def test_one_data_set_stands_for_all_only_where_it_holds_all_trials(
    datasets: tuple[str | None, ...], groups: list[str]
) -> None:
    of = folder(datasets)
    pooled, *_ = rate_tables(of)
    assert [row[0] for row in pooled.rows] == groups
    named = [group.removeprefix("data set ") for group in groups]
    (times,) = [block for block in times_section(of).blocks if isinstance(block, Table)]
    assert list(dict.fromkeys(row[0] for row in times.rows)) == named
