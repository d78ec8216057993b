"""Robustness: every check has its row, and the sentence says what changes."""

from synthetic_tables import folder_of

from gan_eval.report.people.comparisons import robustness_section, robustness_sentence
from gan_eval.stats.compare.robustness import DRIFT, SIDE_BIAS, WITHOUT_EXCLUSIONS

MODELS = {"comparison": "models on maps", "a": "a", "b": "b", "measure": "fooling_rate", "simulated": False}
DRIFTING = {
    "check": DRIFT, "comparison": "single pictures", "a": "last trial", "b": "first trial", "measure": "accuracy",
    "estimate": 0.08, "ci_low": 0.02, "ci_high": 0.14, "p": 0.01, "n_units": 20, "simulated": False,
}  # fmt: skip
FAVOURED = {
    "check": SIDE_BIAS, "comparison": "pairs", "a": "left", "b": "right", "measure": "chosen", "estimate": 0.01,
    "ci_low": -0.03, "ci_high": 0.05, "p": 0.6, "n_units": 20, "simulated": False,
}  # fmt: skip


def verdict(without: str) -> dict[str, object]:
    row = {"check": WITHOUT_EXCLUSIONS, **MODELS, "verdict": "different", "n_units": 20, "p": 0.07}
    return row | {"verdict_without": without}


WAITING = [{"look": 1, "due_at": 20, "current": False, "n_people": 7, "n_wanted": 20}]


def test_every_check_has_its_row_and_verdicts_that_change_are_named():
    of = folder_of(robustness=[DRIFTING, FAVOURED, verdict("undecided")])
    (_, table) = robustness_section(of).blocks
    assert {row[0]: row[1:] for row in table.rows} == {
        "Single pictures: right, last trial minus first trial": ["8.0 points (2.0 to 14.0)", "0.010", "a drift"],
        "Pairs: left picture chosen, minus one half": [
            "1.0 points (−3.0 to 5.0)", "0.600", "not shown to differ from 0"
        ],
        "Without the exclusions: models on maps (a, b)": [
            "–", "0.070", "different with the exclusions, undecided without"
        ],
    }  # fmt: skip
    assert robustness_sentence(of).replace("\u202f", " ") == (
        "Accuracy drifts over a session (8.0 points from the first to the last trial, 95 % interval 2.0 to 14.0); "
        "no side of a pair is shown to be favoured; 1 of 1 verdict changes without the exclusions."
    )
    stands = robustness_sentence(folder_of(robustness=[verdict("different")]))
    assert stands == "The verdict stands without the exclusions."


def test_while_people_are_awaited_nothing_is_said() -> None:
    sessions = {"sessions": {"people": 3, "wanted": 20, "complete": 3}}
    rows = [DRIFTING, verdict("different")]
    assert robustness_sentence(folder_of(facts=sessions, robustness=rows)) == ""
    waiting = folder_of(robustness=rows, looks=WAITING)
    assert robustness_sentence(waiting) == ""
    (table,) = robustness_section(waiting).blocks
    assert table.rows[0][-1] == "interim"


def test_nothing_without_the_table() -> None:
    assert not robustness_section(folder_of()).blocks
    untested = DRIFTING | {"estimate": float("nan"), "p": float("nan"), "note": "too few"}
    assert robustness_sentence(folder_of(robustness=[untested])) == ""
