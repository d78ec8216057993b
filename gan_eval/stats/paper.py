"""The table to cite: each model on each data set in a row, each number with one interval; `paper.csv` and `paper.tex`.

Where a comparison tests a model, its balanced accuracy, interval and verdict are that comparison's, so that they agree:
by the crossed mixed model averaged over participants and pictures, or by two-way clustered shares. Fooling rate and d′
are those of the table `detection`, clustered by participant and by picture. Wilson's intervals, which are of these
people and these pictures only, are not in it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, QUEST_PLUS, STAIRCASE
from gan_eval.stats.answers.detection import signal_detection
from gan_eval.stats.answers.hype import mean_thresholds
from gan_eval.stats.compare.comparisons import COMPARISONS
from gan_eval.stats.compare.questions import ANY_FAKE, PREFERRED, TOLD_APART, TOLD_APART_IN_PAIRS
from gan_eval.stats.groups import REAL, contestants, groups, provenance_cells
from gan_eval.stats.looks import NO_VERDICT
from gan_eval.stats.trials import PAIRED, TWO_MODELS, answered_trials, graded_trials, pair_trials
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.schema import PROVENANCE, SHARE, Table, integer, text, with_ends

SINGLE, RATING = "single", "rating"
PAPER = Table(
    "paper",
    "The table to cite: a row for each model on each data set and way of asking, and one for all where there are "
    "several. Each number has one interval, which allows for differences between participants and between pictures. "
    "`paper.tex` in the same folder is the same for LaTeX with booktabs.",
    (
        text(
            "protocol",
            "how pictures were judged: one at a time, next to the real picture, next to another model's picture, "
            "graded, or by a staircase of exposures or those of QUEST+",
            words=(SINGLE, PAIRED, TWO_MODELS, RATING, STAIRCASE, QUEST_PLUS),
            filled=True,
        ),
        text("model", "the generator's name; `real`: the grades of real pictures; empty: all models"),
        text("dataset", "the data set's name; empty: all data sets"),
        integer("n_participants", "participants who gave the answers", filled=True),
        integer("n_fake_stimuli", "generated pictures that were judged; empty: pairs that do not name them"),
        integer("n_real_stimuli", "real pictures that were judged with them", filled=True),
        integer("n_trials", "answers", filled=True),
        *with_ends("fooling_rate", "share of fakes called real; paired: called the real one", unit=SHARE),
        *with_ends("dprime", "z(hit rate) - z(false-alarm rate); paired: sqrt(2) z(balanced_accuracy); 0 is guessing"),
        *with_ends(
            "balanced_accuracy",
            "mean of the shares of reals and of fakes judged correctly; paired: share of pairs in which the real "
            "picture was chosen; guessing gives 1/2",
            unit=SHARE,
        ),
        *with_ends(
            "preference",
            "model_vs_model: chance to be chosen over the average contestant (win_share of `bradley_terry`)",
            unit=SHARE,
        ),
        *with_ends("grade", "rating: mean grade; the interval is between participants (`ratings`)"),
        *with_ends(
            "threshold_ms",
            "mean threshold; the interval is between participants (staircase: `hype`; quest_plus: `thresholds`, "
            "Student's t)",
            unit="ms",
        ),
        text(
            "verdict",
            "that of the row of `comparisons` which tests just this; empty: no row does, or none was possible",
            words=COMPARISONS.by_name["verdict"].words,
        ),
        *PROVENANCE,
    ),
    key=("protocol", "model", "dataset"),
)  # fmt: skip

_NO_TEST = "no row of comparisons tests just this"
_ADAPTIVE_RATES = "exposures follow the answers, which holds the rates near 3 in 4: no rate is given"
Frames = Mapping[str, pd.DataFrame]
Part = tuple[str | None, str | None, pd.DataFrame]
"""Model, data set and their trials."""


def paper(trials: pd.DataFrame, frames: Frames) -> pd.DataFrame:
    """The table `paper`; no rows where nothing was answered.

    Args:
        trials: the table `trials`, those that are analysed.
        frames: the tables `comparisons`, `bradley_terry`, `ratings`, `thresholds` and `hype` of the same trials, by
            name.
    """
    rows = [*_single_rows(trials, frames), *_pair_rows(trials, frames), *_grade_rows(trials, frames)]
    return frame_of(rows, PAPER)


def _single_rows(trials: pd.DataFrame, frames: Frames) -> Iterator[Row]:
    """Single pictures that were called real or fake."""
    main = answered_trials(trials)
    for protocol in (SINGLE, *ADAPTIVE_PROTOCOLS):
        adaptive = main["protocol"].isin(ADAPTIVE_PROTOCOLS)
        own = main[~adaptive if protocol == SINGLE else main["protocol"] == protocol].reset_index(drop=True)
        parts = _with_total([*_models_on_datasets(own)] if len(own) else [], own)
        judged_otherwise = len(own) < len(main)  # comparisons pool protocols
        sizes = {names[:2]: len(names[2]) for names in (_models_on_datasets(main) if judged_otherwise else ())}
        for model, dataset, part in parts:
            fakes = part[part["is_fake"].to_numpy(bool)]
            is_whole = sizes.get((model, dataset), len(part)) == len(part)
            everything = len(fakes) == int(main["is_fake"].sum())
            of_dataset = len(fakes) == int((main["is_fake"] & _equal(main["dataset"], dataset)).sum())
            names = (
                f"{model} {TOLD_APART} on {dataset}" if model and dataset and is_whole else "",
                f"{TOLD_APART} on {dataset}" if of_dataset and dataset else "",
                TOLD_APART if everything else "",
            )
            test = _comparison(frames, *names)
            ends = ("threshold_ms", "threshold_ms_low", "threshold_ms_high")
            if protocol == STAIRCASE:
                hype, note = frames["hype"], _ADAPTIVE_RATES
                of_model = (hype["score"] == "hype_time") & _equal(hype["dataset"], dataset)
                mean = hype[of_model & _equal(hype["model"], model)][["value", "ci_low", "ci_high"]]
                cells = dict(zip(ends, mean.iloc[0], strict=True)) if len(mean) else {}
            elif protocol == QUEST_PLUS:
                found, note = frames["thresholds"], _ADAPTIVE_RATES
                found = found[(found["protocol"] == protocol) & _equal(found["dataset"], dataset)]
                means = mean_thresholds(found if model is None else found[_equal(found["model"], model)])
                cells = dict(zip(ends, means[0][-3:], strict=True)) if means else {}
            else:
                cells, note = _detection_cells(part, test)
            yield {
                "protocol": protocol,
                "model": model,
                "dataset": dataset,
                "n_participants": part["participant"].nunique(),
                "n_fake_stimuli": fakes["stimulus"].nunique(),
                "n_real_stimuli": part["stimulus"].nunique() - fakes["stimulus"].nunique(),
                "n_trials": len(part),
                **cells,
                **_verdict_cells(part, test, note),
            }


def _models_on_datasets(main: pd.DataFrame) -> Iterator[Part]:
    """Model, data set and trials: the model's fakes with the reals of the data set in the same sessions. Fakes whose
    model is unknown stand for one model if no other is named."""
    for dataset, part in main.groupby("dataset", dropna=False, sort=True):
        name = _name(dataset)
        part = part.reset_index(drop=True)
        grouped = groups(part, "model")
        for place, model in enumerate(grouped.ids):
            yield model, name, part.iloc[np.sort(grouped.row[grouped.group == place])].reset_index(drop=True)
        if not grouped.ids:
            yield None, name, part


def _detection_cells(part: pd.DataFrame, test: Row | None) -> tuple[Row, str]:
    """The rates, and what the table `detection` notes of them."""
    unsure = part.assign(confidence=np.nan)  # areas by confidence have no column here
    detected = signal_detection(unsure, scopes=("all",)).iloc[0]
    names = ("fooling_rate", "dprime", "balanced_accuracy")
    cells = {f"{name}{end}": detected[f"{name}{end}"] for name in names for end in ("", "_low", "_high")}
    if test is not None and not pd.isna(test["difference"]):  # twice the balanced accuracy less one
        ends = zip(("", "_low", "_high"), ("difference", "ci_low", "ci_high"), strict=True)
        cells |= {f"balanced_accuracy{end}": (1 + test[name]) / 2 for end, name in ends}
    return cells, "" if pd.isna(detected["note"]) else str(detected["note"])


def _pair_rows(trials: pd.DataFrame, frames: Frames) -> Iterator[Row]:
    """Pairs of a real and a generated picture, then pairs of two models."""
    pairs = pair_trials(trials)
    pairs = pairs[pairs["answered"].to_numpy(bool)].reset_index(drop=True)
    names = contestants(pairs)
    of_reals = names.a == REAL
    yield from _rows_beside_reals(pairs[of_reals], frames)
    of_models = pairs[~of_reals].assign(first=names.a[~of_reals], second=names.b[~of_reals])
    for dataset, part in of_models.groupby("dataset", dropna=False, sort=True):
        name = _name(dataset)
        models = sorted({*part["first"], *part["second"]})
        strengths = frames["bradley_terry"]
        strengths = strengths[_equal(strengths["dataset"], name)].set_index("contestant")
        of_two = f"{PREFERRED} on {name}" if name else PREFERRED
        test = _comparison(frames, of_two) if len(models) == 2 else None
        for model in models:
            own = part[(part["first"] == model) | (part["second"] == model)]
            columns = (("first", "stimulus"), ("second", "stimulus_b"))
            shown = pd.concat([own.loc[(own[place] == model).to_numpy(bool), name] for place, name in columns])
            cells = {}
            if model in strengths.index:
                found = strengths.loc[model]
                cells = {"preference": found["win_share"]}
                cells |= {f"preference_{end}": float(expit(found[f"ci_{end}"])) for end in ("low", "high")}
            yield {
                "protocol": TWO_MODELS,
                "model": model,
                "dataset": name,
                "n_participants": own["participant"].nunique(),
                "n_fake_stimuli": None if shown.isna().any() else int(shown.nunique()),
                "n_real_stimuli": 0,
                "n_trials": len(own),
                **cells,
                **_verdict_cells(own, test),
            }


def _rows_beside_reals(paired: pd.DataFrame, frames: Frames) -> Iterator[Row]:
    parts = [
        (_name(model), _name(dataset), part)
        for (dataset, model), part in paired.groupby(["dataset", "model"], dropna=False, sort=True)
    ]
    for model, dataset, part in _with_total(parts, paired):
        everything = len(part) == len(paired)
        of_dataset = len(part) == int(_equal(paired["dataset"], dataset).sum())
        on_dataset = f"{TOLD_APART_IN_PAIRS} on {dataset}" if dataset else TOLD_APART_IN_PAIRS
        test = _comparison(frames, on_dataset, b=model) if model else None
        names = (on_dataset if of_dataset else "", TOLD_APART_IN_PAIRS if everything else "")
        test = test or _comparison(frames, *names, b=ANY_FAKE)
        cells: Row = {}
        if test is not None and not pd.isna(test["difference"]):
            right, low, high = (float(test[name]) + 0.5 for name in ("difference", "ci_low", "ci_high"))
            cells = {"balanced_accuracy": right, "balanced_accuracy_low": low, "balanced_accuracy_high": high}
            cells |= {"fooling_rate": 1 - right, "fooling_rate_low": 1 - high, "fooling_rate_high": 1 - low}
            dprimes = np.sqrt(2) * ndtri([right, low, high])
            if np.isfinite(dprimes).all():  # not of a share of 0 or 1
                cells |= dict(zip(("dprime", "dprime_low", "dprime_high"), map(float, dprimes), strict=True))
        yield {
            "protocol": PAIRED,
            "model": model,
            "dataset": dataset,
            "n_participants": part["participant"].nunique(),
            "n_fake_stimuli": part["stimulus_b"].nunique() or None,
            "n_real_stimuli": part["stimulus"].nunique(),
            "n_trials": len(part),
            **cells,
            **_verdict_cells(part, test),
        }


def _grade_rows(trials: pd.DataFrame, frames: Frames) -> Iterator[Row]:
    """Grades of each model's pictures, and of the real ones."""
    graded, means = graded_trials(trials), frames["ratings"]
    graded = graded[graded["answered"].to_numpy(bool)]
    for row in means.to_dict("records"):
        of_dataset = _equal(means["dataset"], row["dataset"]) & _equal(means["kind"], row["kind"])
        note = row["note"] if isinstance(row["note"], str) else ""
        is_real, pooled = row["kind"] == REAL, not isinstance(row["model"], str)
        if pooled and means.loc[of_dataset, "model"].notna().any():
            continue  # all models of the data set together
        own = _equal(graded["dataset"], row["dataset"]) & _equal(graded["kind"], row["kind"])
        part = graded[own if pooled else own & _equal(graded["model"], row["model"])].reset_index(drop=True)
        pictures = part["stimulus"].nunique()
        yield {
            "protocol": RATING,
            "model": REAL if is_real else row["model"],
            "dataset": row["dataset"],
            "n_participants": row["n_participants"],
            "n_fake_stimuli": 0 if is_real else pictures,
            "n_real_stimuli": pictures if is_real else 0,
            "n_trials": row["n"],
            **{f"grade{end}": row[name] for end, name in (("", "mean"), ("_low", "ci_low"), ("_high", "ci_high"))},
            **provenance_cells(part, "" if is_real else "grades of models are compared in comparisons", note),
        }


def _with_total(parts: list[Part], trials: pd.DataFrame) -> list[Part]:
    """Add a row for several parts together, with the name of the only model or data set, if it is one."""
    if len(parts) < 2:
        return parts
    models, datasets = {part[0] for part in parts}, {part[1] for part in parts}
    model, dataset = (names.pop() if len(names) == 1 else None for names in (models, datasets))
    return [*(part for part in parts if part[:2] != (model, dataset)), (model, dataset, trials)]


def _name(cell: object) -> str | None:
    return cell if isinstance(cell, str) else None


def _equal(column: pd.Series, value: object) -> np.ndarray:
    """(N,) which cells are this name; None: which are empty."""
    same = column == value if isinstance(value, str) else column.isna()
    return same.fillna(False).to_numpy(bool)


def _comparison(frames: Frames, *names: str, b: str | None = None) -> Row | None:
    """Return the row of the first of these comparisons in the table, or None; empty names do not count."""
    table = frames["comparisons"] if b is None else frames["comparisons"][frames["comparisons"]["b"] == b]
    for name in filter(None, names):
        found = table[table["comparison"] == name]
        if len(found):
            return {str(column): cell for column, cell in found.iloc[0].items()}
    return None


def _verdict_cells(part: pd.DataFrame, test: Row | None, *notes: str) -> Row:
    """Verdict, note, and what travels with the trials."""
    if test is None:
        return {"verdict": None, **provenance_cells(part, _NO_TEST, *notes)}
    own = [test["note"] if isinstance(test["note"], str) else "", *notes]
    is_exploratory = test["exploratory"] is not None and not pd.isna(test["exploratory"]) and bool(test["exploratory"])
    cells = provenance_cells(part, "exploratory" if is_exploratory else "", *own)
    return {"verdict": None if pd.isna(test["verdict"]) else test["verdict"], **cells}


_SHARES = {"fooling_rate": "Fooling rate, %", "balanced_accuracy": "Accuracy, %", "preference": "Preferred, %"}
_NUMBERS = {"dprime": "d′", "grade": "Grade", "threshold_ms": "Threshold, ms"}
_ORDER = ("fooling_rate", "dprime", "balanced_accuracy", "preference", "grade", "threshold_ms")
EVERYTHING = "all"


def unadjusted(verdicts: pd.Series) -> str:
    """Return a caution about intervals next to several verdicts; empty with fewer than two."""
    if verdicts.notna().sum() < 2:
        return ""
    if (verdicts == "interim").any():
        return "The intervals are unadjusted for their number, and there is no verdict yet."
    return "Verdicts are after Holm's correction for their number; the intervals are unadjusted."


def printed(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the table `paper` for readers: headings, and rows of texts; intervals are in brackets.

    Columns of which no row has anything are left out.

    >>> row = {"protocol": "single", "model": "gan", "dataset": "facades", "n_participants": 12, "n_fake_stimuli": 40,
    ...     "n_real_stimuli": 38, "n_trials": 600, "balanced_accuracy": 0.613, "balanced_accuracy_low": 0.55,
    ...     "balanced_accuracy_high": 0.672, "verdict": "different"}
    >>> heads, rows = printed(frame_of([row], PAPER))
    >>> heads
    ['Model', 'Data set', 'People', 'Pictures, fake + real', 'Answers', 'Accuracy, %', 'Verdict']
    >>> rows
    [['gan', 'facades', '12', '40 + 38', '600', '61.3 [55.0, 67.2]', 'told apart']]
    """
    records = table.to_dict("records")
    several = table["protocol"].nunique() > 1
    columns: dict[str, list[str]] = {"Asked": [_ASKED[row["protocol"]] for row in records]} if several else {}
    for name, head in (("model", "Model"), ("dataset", "Data set")):
        columns[head] = [EVERYTHING if pd.isna(row[name]) else str(row[name]) for row in records]
    columns["People"] = [str(row["n_participants"]) for row in records]
    counts = ([row["n_fake_stimuli"], row["n_real_stimuli"]] for row in records)
    columns["Pictures, fake + real"] = [" + ".join("–" if pd.isna(n) else str(n) for n in pair) for pair in counts]
    columns["Answers"] = [str(row["n_trials"]) for row in records]
    for name in _ORDER:
        if table[name].notna().any():
            columns[(_SHARES | _NUMBERS)[name]] = [_estimate(row, name) for row in records]
    verdicts = [verdict_text(row) for row in records]
    if any(verdicts):
        columns["Verdict"] = verdicts
    return list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)]


_ASKED = {
    SINGLE: "one at a time",
    PAIRED: "next to the real one",
    TWO_MODELS: "two models",
    RATING: "graded",
    STAIRCASE: "staircase",
    QUEST_PLUS: "QUEST+",
}


def _estimate(row: Mapping[Any, Any], name: str) -> str:
    """A number with its interval; empty where there is none."""
    scale, digits = (100, 1) if name in _SHARES else (1, 0 if name == "threshold_ms" else 2)
    value, low, high = (scale * float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    if np.isnan(value):
        return ""
    texts = [f"{round(part, digits) + 0.0:.{digits}f}".replace("-", "−") for part in (value, low, high)]
    return texts[0] if np.isnan(low) or np.isnan(high) else f"{texts[0]} [{texts[1]}, {texts[2]}]"


def verdict_text(row: Mapping[Any, Any]) -> str:
    """The verdict in words, for a row of the table; empty where there is none."""
    verdict = row.get("verdict")
    if pd.isna(verdict):
        return ""
    if verdict == "interim":
        return NO_VERDICT
    if row["protocol"] in (SINGLE, STAIRCASE, QUEST_PLUS, PAIRED):
        worse = row["balanced_accuracy"] < 0.5
        words = {"different": "taken for each other" if worse else "told apart", "equivalent": "as by guessing"}
        return words.get(verdict, str(verdict))
    return str(verdict)


def shared_reals(table: pd.DataFrame) -> str:
    """Why the answers of the rows may sum up to more than there are; else empty."""
    single = table[(table["protocol"] == SINGLE) & table["model"].notna() & table["dataset"].notna()]
    if not single["dataset"].duplicated().any():
        return ""
    return "Answers: to the model's pictures and to the real ones, which the models of a data set share."


def latex(table: pd.DataFrame, *, looked: str = "") -> str:
    """The table `paper` as LaTeX, which wants the package booktabs and nothing else.

    Args:
        table: as `paper` returns it, with rows.
        looked: at which of several planned looks (`gan_eval.stats.looks.looks_text`), or why at none.
    """
    heads, rows = printed(table)
    words = {"Asked", "Model", "Data set", "Verdict"}
    has_rates = bool({*_SHARES.values(), _NUMBERS["dprime"]} & {*heads})
    caption = ["Real or generated?"]
    if table["simulated"].fillna(False).any():
        caption.append("Simulated participants: a rehearsal, which says nothing of people.")
    if (table["verdict"] == "interim").any():
        caption.append("Interim: no verdict, since not all people have come.")
    fractions = table["fraction"].dropna()
    if (fractions < 1).any():
        caption.append(f"Models trained for {100 * fractions.min():.3g} % of the planned steps.")
    if "Accuracy, %" in heads:
        caption.append("Accuracy counts real and generated pictures alike; guessing gives 50 %.")
    caption.append(
        "In brackets 95 % intervals"
        + (" that allow for differences between participants and between pictures." if has_rates else ".")
    )
    if looked and not (table["verdict"] == "interim").any():
        caption.append(f"{looked[0].upper()}{looked[1:]}; the intervals are not adjusted for the looks.")
    caption += [text for text in (unadjusted(table["verdict"]), shared_reals(table)) if text]
    if "Grade" in heads or "Threshold, ms" in heads:
        caption.append("Those of grades and thresholds are between participants.")
    body = [" & ".join(escape_latex(cell) for cell in row) + r" \\" for row in rows]
    is_foreign = any(not line.isascii() for line in body)
    lines = [
        r"% \usepackage{booktabs}"
        + ("; names beyond ASCII: UTF-8, and LuaLaTeX where pdfLaTeX lacks a letter" * is_foreign),
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(' '.join(caption))}}}",
        r"\label{tab:real-or-generated}",
        rf"\begin{{tabular}}{{{''.join('l' if head in words else 'r' for head in heads)}}}",
        r"\toprule",
        " & ".join(escape_latex(head) for head in heads) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


_BREAK = "\ue000"
"""Stands between two letters that LaTeX would join, as two hyphens to a dash."""
_JOINED = re.compile(r"([-'`,])(?=\1)")
_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "′": "$'$",
    "−": "$-$",
    "×": r"$\times$",
    "±": r"$\pm$",
    "°": r"$^\circ$",
    "²": "$^2$",
    "√": r"$\surd$",
    "∞": r"$\infty$",
    "χ": r"$\chi$",
    "λ": r"$\lambda$",
    "–": "--",
    "…": r"\ldots{}",
    "“": "``",
    "”": "''",
    '"': "''{}",
    _BREAK: "{}",
}


def escape_latex(text: str) -> str:
    """Escape a text for LaTeX: nothing becomes a command, no cell ends early.

    >>> print(escape_latex("a_b & 50 % {x}"))
    a\\_b \\& 50 \\% \\{x\\}
    """
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = _JOINED.sub(rf"\1{_BREAK}", " ".join(line.split()))
    escaped = "".join(_COMMANDS.get(letter, letter) for letter in line)
    return (
        f"{{}}{escaped}" if escaped.startswith(("[", "*")) else escaped
    )  # an option, or a star, of what stands before
