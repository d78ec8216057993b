import numpy as np
import pandas as pd
import pytest

from gan_eval.errors import UserError
from gan_eval.stats.exclusions import holding, parse_rule

FRAME = pd.DataFrame(
    {
        "reaction_time_ms": [150.0, 250.0, np.nan, 900.0],
        "flags": ["late focus_lost", None, "later", "late"],
        "passed": ["True", "False", "true", None],
        "person": ["007", "7", "7.0", "07"],
        "block": pd.array([1, 2, 1, None], dtype="Int64"),
        "group": ["a b", "1", "1.0", "x=y"],
        "done": pd.array([True, False, None, True], dtype="boolean"),
    }
)


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ("reaction_time_ms<200", [0]),
        ("reaction_time_ms>=250", [1, 3]),
        ("reaction_time_ms=250", [1]),
        ("reaction_time_ms!=250", [0, 3]),
        ("flags~late", [0, 3]),
        ("passed=True", [0, 2]),
        ("passed!=True", [1]),
        ("group=1", [1]),
        ("person=007", [0]),
        ("person=7", [1]),
        ("block=1.0", [0, 2]),
        ("group=a b", [0]),
        ("done=true", [0, 3]),
    ],
)
def test_rules(rule, rows):
    assert list(np.flatnonzero(parse_rule(rule).holds(FRAME, where="t"))) == rows
    assert list(FRAME["group"][holding(FRAME, [rule], where="t")]) == list(FRAME["group"].iloc[rows])


@pytest.mark.parametrize("rule", ["", "flags", "flags~", "<200", "  =  "])
def test_not_a_rule(rule):
    with pytest.raises(UserError, match="not understood"):
        parse_rule(rule)


def test_unknown_column_names_the_nearest():
    with pytest.raises(UserError, match="did you mean reaction_time_ms"):
        parse_rule("reaction_time<200").holds(FRAME, where="trials")


@pytest.mark.parametrize("rule", ["flags<3", "reaction_time_ms<soon"])
def test_order_wants_numbers(rule):
    with pytest.raises(UserError, match="compares numbers"):
        parse_rule(rule).holds(FRAME, where="trials")
