"""Does the answer stand? Drift, a favoured side, and the verdicts without the exclusions."""

import pandas as pd

from gan_eval.report.parts.blocks import Paragraph, Section, Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import NARROW, NOTHING, Record, listed, missing, number, p_value, plural, whole
from gan_eval.report.people.design import is_interim
from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.stats.compare.robustness import (
    DRIFT,
    ROBUSTNESS,
    SIDE_BIAS,
    WITHOUT_EXCLUSIONS,
)

_TRIED = {
    WITHOUT_EXCLUSIONS: "without the exclusions",
}
_MOST_NAMED = 4
"""Verdicts that are named where more of them change; the file has all."""
_DRIFT = (
    "A drift is the change of the share of right answers along a straight line from a session's first trial to its "
    "last, within each person's answers to pictures of a kind. Its p, as that of a favoured side, is unadjusted."
)
_HOW = (
    "Verdicts on “told apart”, on models and on pairs were computed again without the exclusions; P values of verdicts "
    "are Holm's."
)


def robustness_section(folder: StudyFolder) -> Section:
    """A row for each check."""
    frame = folder.table(ROBUSTNESS)
    interim = is_interim(folder)
    tests = frame[frame["check"].isin([DRIFT, SIDE_BIAS])]
    rows = [_test_cells(row, interim=interim) for row in tests.to_dict("records")]
    for check, what in _TRIED.items():
        part = frame[(frame["check"] == check) & frame["verdict_without"].notna()]
        if part.empty:
            continue
        if check == WITHOUT_EXCLUSIONS:
            what += f" ({plural(int(part['n_units'].iloc[0]), 'trial')})"
        changing = [_change(row) for row in _changing(part).to_dict("records")]
        more = [f"and {len(changing) - _MOST_NAMED} more"] if len(changing) > _MOST_NAMED else []
        count = f"{whole(len(changing))} of {plural(len(part), 'verdict')} tried"
        rows.append([what[0].upper() + what[1:], count, NOTHING, "; ".join([*changing[:_MOST_NAMED], *more]) or "none"])
    if not rows:
        return Section("robustness", "Does the answer stand?", [])
    head = ["what was tried", f"change (95{NARROW}% interval)", "p", "what that says"]
    notes = [_DRIFT] * bool(len(tests)) + [_HOW] * (len(rows) > len(tests))
    table = Table("Checks of the answer", head, rows, 1, notes, last_is_text=True, source=("robustness",))
    return Section("robustness", "Does the answer stand?", [Paragraph(robustness_sentence(folder)), table])


def robustness_sentence(folder: StudyFolder) -> str:
    """What the checks say, in a sentence; empty where there are none, or where there is no verdict yet."""
    if is_interim(folder):
        return ""
    frame = folder.table(ROBUSTNESS)
    tests = frame[frame["check"].isin([DRIFT, SIDE_BIAS]) & frame["p"].notna()].to_dict("records")
    parts = []
    for row in tests:
        of = "" if row["comparison"] == "single pictures" or row["check"] == SIDE_BIAS else " in pairs"
        if row["check"] == DRIFT:
            change = f"{number(100 * row['estimate'], digits=1)} points from the first to the last trial"
            says = f"accuracy{of} drifts over a session"
            if row["p"] >= ALPHA:
                says = f"no drift of accuracy{of} over a session is shown"
            parts.append(f"{says} ({change}, 95{NARROW}% interval {_ends(row)})")
        elif row["p"] < ALPHA:
            parts.append(f"the {row['a']} picture of a pair is chosen {_more(row)}")
        else:
            parts.append("no side of a pair is shown to be favoured")
    tried = {
        what: frame[(frame["check"] == check) & frame["verdict_without"].notna()] for check, what in _TRIED.items()
    }
    tried = {what: part for what, part in tried.items() if len(part)}
    stands = [what for what, part in tried.items() if _changing(part).empty]
    for what, part in tried.items():
        if what not in stands:
            changing = len(_changing(part))
            verb = "changes" if changing == 1 else "change"
            parts.append(f"{whole(changing)} of {plural(len(part), 'verdict')} {verb} {what}")
    if stands:
        nouns = listed([what.removeprefix("without ") for what in stands]).replace(" and ", " or ")
        verdicts = "the verdict stands" if max(len(part) for part in tried.values()) == 1 else "every verdict stands"
        parts.append(f"{verdicts} without {nouns}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _changing(part: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose verdict the exclusions change."""
    return part[(part["verdict"] != part["verdict_without"]).fillna(False).to_numpy(bool)]


def _change(row: Record) -> str:
    name = row["comparison"] if " on " in row["comparison"] and row["measure"] == "called_fake" else ""
    what = name or f"{row['comparison']} ({row['a']}, {row['b']})"
    return f"{what}, {row['verdict']}, is {row['verdict_without']} (p {p_value(row['p'])})"


def _test_cells(row: Record, *, interim: bool) -> list[str]:
    what = f"{row['comparison']}: right, {row['a']} less {row['b']}"
    if row["check"] == SIDE_BIAS:
        what = f"pairs: {row['a']} picture chosen, less one half"
    if missing(row["estimate"]):
        return [what[0].upper() + what[1:], NOTHING, NOTHING, "" if missing(row["note"]) else str(row["note"])]
    points = f"{number(100 * row['estimate'], digits=1)} points ({_ends(row)})"
    says = {DRIFT: "a drift", SIDE_BIAS: "a side is favoured"}[row["check"]]
    found = "interim" if interim else says if row["p"] < ALPHA else "not shown to differ from 0"
    return [what[0].upper() + what[1:], points, p_value(row["p"]), found]


def _ends(row: Record) -> str:
    return " to ".join(number(100 * row[end], digits=1) for end in ("ci_low", "ci_high"))


def _more(row: Record) -> str:
    share = number(100 * abs(row["estimate"]), digits=1)
    return f"{share} points {'more' if row['estimate'] > 0 else 'less'} often than half the time ({_ends(row)})"
