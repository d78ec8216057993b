"""The table to cite: a row for each model on each data set, an interval for each number; `paper.csv`.

The numbers of single pictures come from one fit for each row (`compare.detection_rates`), which `comparisons` uses too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from gan_eval.base.inference import Estimate
from gan_eval.judgements.trials import PAIRED, TWO_MODELS, AnyTrials, TypedTrials, typed
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, QUEST_PLUS, STAIRCASE
from gan_eval.stats.estimate.contrast import FROM_MODELS
from gan_eval.stats.estimate.detection_rates import BY_PICTURE, TWO_WAY
from gan_eval.stats.estimate.differences import UNTESTED
from gan_eval.stats.groups import REAL, contestants, joined, provenance_cells
from gan_eval.stats.questions import ANY_FAKE, CHOSEN, kind_rows, left_out
from gan_eval.stats.recruitment import NO_VERDICT
from gan_eval.stats.tables.comparisons import Detected
from gan_eval.stats.tables.hype import mean_thresholds
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.names import NOT_KNOWN
from gan_eval.tables.schema import (
    PROVENANCE,
    SHARE,
    Table,
    boolean,
    integer,
    interval_columns,
    number,
    text,
    with_interval,
)

SINGLE, RATING = "single", "rating"
EVERYTHING = "all"
"""Name of the model or data set in the row over all."""
ABOVE, EQUIVALENT, BELOW = "told apart", "equivalent to chance", "below chance"
UNDECIDED, INTERIM, NONE = "undecided", "interim", "no verdict"
PAPER = Table(
    "paper",
    "The table to cite: a row for each model on each data set and way of asking, and one for all where there are "
    "several. Each number has one interval, which allows for differences between participants and between pictures; "
    "that of a threshold is over participants only. `paper.tex` in the same folder is the same for LaTeX with "
    "booktabs.",
    (
        text(
            "protocol",
            "how pictures were judged: one at a time, next to the real picture, next to another model's picture, "
            "graded, or by a staircase of exposures or those of QUEST+",
            words=(SINGLE, PAIRED, TWO_MODELS, RATING, STAIRCASE, QUEST_PLUS),
            filled=True,
        ),
        text("model", "the generator's name; `real`: grades of real pictures; `all`: all models, each counted once"),
        text("dataset", "the data set's name; `all`: several data sets; empty: a data set without a name"),
        integer("n_participants", "participants who gave the answers; 0: it is not known whose they are", filled=True),
        integer("n_fake", "generated pictures that were judged; empty: pairs that do not name them"),
        integer("n_real", "real pictures that were judged with them", filled=True),
        integer("n_unknown", "rating: graded pictures whose kind is not known", optional=True),
        integer("n_answers", "answers", filled=True),
        integer(
            "n_only_real",
            "participants who judged real pictures of a data set but no generated ones, and whose answers to it are "
            "left out",
            optional=True,
        ),
        integer(
            "n_only_fake", "the same of participants who judged generated pictures but no real ones", optional=True
        ),
        number("fooling_rate", "share of fakes called real; paired: called the real one", unit=SHARE),
        *interval_columns("fooling", "its 95% interval"),
        number("real_called_real", "share of the row's real pictures called real, by the row's fit", unit=SHARE),
        *interval_columns("real", "its 95% interval"),
        *with_interval(
            "shared_real",
            "the same share from one fit of all models with the same answers to real pictures: the number to cite",
            unit=SHARE,
            optional=True,
        ),
        number(
            "accuracy",
            "balanced: mean of the shares of reals and of fakes judged correctly; paired: share of pairs in which the "
            "real picture was chosen; chance is 1/2",
            unit=SHARE,
        ),
        *interval_columns("accuracy", "its 95% interval, not adjusted for the number of rows"),
        *interval_columns("accuracy90", "its 90% interval, which decides equivalence"),
        number(
            "dprime",
            "z(1 - fooling_rate) - z(1 - real_called_real) of the row's own rates; a typical participant's d' is "
            "larger; paired: sqrt(2) z(accuracy); chance is 0",
        ),
        *interval_columns("dprime", "its 95% interval"),
        number("p", "two-sided, of accuracy against chance", unit=SHARE),
        number("p_holm", "after Holm's correction over the models", unit=SHARE),
        *with_interval(
            "chosen",
            "model_vs_model, two models: share of their pairs in which this one was chosen (`comparisons`)",
            unit=SHARE,
            optional=True,
        ),
        *with_interval(
            "preference",
            "model_vs_model: chance to be chosen over the average contestant (win_share of `bradley_terry`)",
            unit=SHARE,
        ),
        *with_interval("grade", "rating: mean grade (`ratings`)"),
        *with_interval(
            "threshold_ms",
            "mean threshold (staircase: `hype`; quest_plus: mean of `thresholds`); its interval is over participants",
            unit="ms",
        ),
        text(
            "verdict",
            "told apart or below chance: p_holm below alpha (`comparisons`); equivalent to chance: the 90% interval "
            "lies within the margin around 1/2; undecided: neither; interim: more people are to come; no verdict: the "
            "answers allow none, or their exposures follow the answers; of two models and of grades: empty",
            words=(ABOVE, EQUIVALENT, BELOW, UNDECIDED, INTERIM, NONE),
        ),
        text(
            "basis",
            "method behind numbers and intervals, as in `comparisons`: the crossed mixed model, averaged over "
            "participants and pictures; the same with the larger error of clustered shares; shares (each participant "
            "counts once), preferences or grades, their errors clustered by participant and by picture; of one "
            "participant, clustered by picture; or independent answers",
        ),
        text("untested", "why a test is missing, as in `comparisons`", words=UNTESTED),
        boolean("exploratory", "the row's test is not in the plan; empty: no test or no plan"),
        *PROVENANCE,
    ),
    key=("protocol", "model", "dataset"),
)  # fmt: skip

_ADAPTIVE_RATES = "exposures follow the answers, which keeps the rates near {}: no rate is given"
_OTHER_RULE = "exposures follow the answers by a rule without a known share: no rate is given; see psychometric"
_NO_DPRIME = "no d′, since the share of correct choices, or an end of its interval, is 0 or 100%"
_OUTSIDE = "d′ is that of the mean rates, which need not lie between those of the rows"
Frames = Mapping[str, pd.DataFrame]


def paper(trials: AnyTrials, frames: Frames, detections: Sequence[Detected]) -> pd.DataFrame:
    """Return the table `paper`; without answers it has no rows.

    Args:
        trials: the analysed trials.
        frames: the tables `comparisons`, `bradley_terry`, `ratings`, `thresholds` and `hype` of these trials, by name.
        detections: the numbers behind the rows of `comparisons` (`Compared.detections`).
    """
    trials = typed(trials)
    follows = trials.answered["protocol"].isin(ADAPTIVE_PROTOCOLS).to_numpy(bool)
    rows = [*_single_rows(trials.answered[~follows], frames["comparisons"], detections)]
    rows += _adaptive_rows(trials.answered[follows], frames) if follows.any() else ()
    rows += _pair_rows(trials, frames) if len(trials.pairs) else ()
    rows += _grade_rows(trials, frames) if len(trials.graded) else ()
    return frame_of(rows, PAPER)


def _single_rows(answered: pd.DataFrame, comparisons: pd.DataFrame, detections: Sequence[Detected]) -> Iterator[Row]:
    """Yield the rows of single pictures called real or fake, of exposures that do not follow the answers."""
    if answered.empty:
        return
    if not detections:  # only one kind of picture was judged: the only row of detection says why
        of_all = (comparisons["question"] == "detection") & (comparisons["measure"] == "called_fake")
        why = provenance_cells(answered, *comparisons.loc[of_all, "note"][:1])
        yield _counts_of_kinds(SINGLE, EVERYTHING, EVERYTHING, answered) | {
            "verdict": NONE,
            "untested": "too few",
            **why,
        }
        return
    over_all = detections[0]
    by_rows = {tuple(row[:2] for row in one.question.rows): one for one in detections}
    datasets = list(dict.fromkeys(row.dataset for row in over_all.question.rows))
    rows = [(*row[:2], by_rows[row[:2],]) for row in over_all.question.rows]
    together = (EVERYTHING, EVERYTHING if len(datasets) > 1 else datasets[0], over_all)
    dprimes: list[float] = []
    for model, dataset, detection in [*rows, together]:
        cells = _detected(comparisons.iloc[detection.place].to_dict(), detection)
        dprime = cells["dprime"]
        if model == EVERYTHING and dprimes and (dprime < min(dprimes) - 1e-9 or dprime > max(dprimes) + 1e-9):
            cells["note"] = joined(cells["note"], _OUTSIDE)
        dprimes += [] if np.isnan(dprime) else [dprime]
        yield _counts_of_kinds(SINGLE, model, dataset, detection.question.trials) | _left_out(detection) | cells


def _adaptive_rows(answered: pd.DataFrame, frames: Frames) -> Iterator[Row]:
    """Yield the rows of single pictures whose exposures follow the answers."""
    for protocol in ADAPTIVE_PROTOCOLS:
        answers = answered[(answered["protocol"] == protocol).to_numpy(bool)].reset_index(drop=True)
        if answers.empty:
            continue
        rows = kind_rows(answers)
        used_answers = answers.iloc[np.unique(np.concatenate([row.places for row in rows]))] if rows else answers
        datasets = list(dict.fromkeys(row.dataset for row in rows))
        several = len(datasets) != 1
        parts = [(*row[:2], *row[:2], answers.iloc[row.places].reset_index(drop=True)) for row in rows]
        dataset = None if several else datasets[0]
        for model, name, of_model, of_dataset, part in [
            *parts,
            (EVERYTHING, EVERYTHING if several else dataset, None, dataset, used_answers),
        ]:
            shares = frames["thresholds"].loc[frames["thresholds"]["protocol"] == protocol, "share"].unique()
            is_known = len(shares) == 1 and not pd.isna(shares[0])
            note = _ADAPTIVE_RATES.format(f"{shares[0]:.0%}") if is_known else _OTHER_RULE
            cells = {"verdict": NONE, **_thresholds(frames, protocol, of_model, of_dataset)}
            yield _counts_of_kinds(protocol, model, name, part) | cells | provenance_cells(part, note)


def _counted(
    protocol: str, model: str | None, dataset: str | None, part: pd.DataFrame, n_fake: int | None, n_real: int
) -> Row:
    """Return the cells that name a row and count its answers."""
    return {
        "protocol": protocol,
        "model": model,
        "dataset": dataset,
        "n_participants": part.loc[part["participant"].ne(NOT_KNOWN), "participant"].nunique(),
        "n_fake": n_fake,
        "n_real": n_real,
        "n_answers": len(part),
    }


def _counts_of_kinds(protocol: str, model: str | None, dataset: str | None, part: pd.DataFrame) -> Row:
    """Return the same of single pictures, whose fakes and reals are counted."""
    fakes = part.loc[part["is_fake"].to_numpy(bool), "stimulus"].nunique()
    return _counted(protocol, model, dataset, part, fakes, part["stimulus"].nunique() - fakes)


def _left_out(row: Detected) -> Row:
    """Return the numbers of participants who judged one kind of picture and are left out of a row."""
    people, left = row.question.answered["participant"], left_out(row.question)
    return {"n_only_real": people[left.only_real].nunique(), "n_only_fake": people[left.only_fake].nunique()}


def _detected(test: Mapping[Any, Any], row: Detected) -> Row:
    """Return the rates and the verdict of a row, whose test is a row of `comparisons`."""
    detection = row.numbers
    cells: Row = {"accuracy90_low": detection.accuracy90[0], "accuracy90_high": detection.accuracy90[1]}
    for name, short in (("fooling_rate", "fooling"), ("real_called_real", "real"), ("accuracy", "accuracy")):
        estimate: Estimate = getattr(detection, name)
        cells |= {name: estimate.value, f"{short}_low": estimate.low, f"{short}_high": estimate.high}
    cells |= dict(zip(("shared_real", "shared_real_low", "shared_real_high"), row.reals, strict=True))
    value, low, high = detection.dprime
    cells |= {"dprime": value, "dprime_low": low, "dprime_high": high, "basis": detection.basis}
    cells |= {"p": detection.p, "p_holm": test["p_holm"]}
    cells |= {"untested": detection.untested, "exploratory": test["exploratory"]}
    notes = provenance_cells(row.question.trials, _exploratory(test), detection.note)
    return {**cells, "verdict": _verdict(test, detection.accuracy.value, detection.p), **notes}


def _verdict(test: Mapping[Any, Any], accuracy: float, p: float) -> str:
    """Return the verdict of a row of `comparisons`, in the words of detection."""
    if test["verdict"] == INTERIM:
        return INTERIM
    if pd.isna(test["verdict"]) or np.isnan(p):
        return NONE
    words = {"different": BELOW if accuracy < 0.5 else ABOVE, "equivalent": EQUIVALENT}
    return words.get(str(test["verdict"]), UNDECIDED)


def _thresholds(frames: Frames, protocol: str, model: str | None, dataset: str | None) -> Row:
    """Return the mean threshold of a model on a data set, or over all models."""
    names = ("threshold_ms", "threshold_ms_low", "threshold_ms_high")
    if protocol == STAIRCASE:
        hype = frames["hype"]
        is_row = (hype["score"] == "hype_time") & _equal(hype["dataset"], dataset) & _equal(hype["model"], model)
        mean = hype[is_row][["value", "ci_low", "ci_high"]]
        return dict(zip(names, mean.iloc[0], strict=True)) if len(mean) else {}
    thresholds = frames["thresholds"]
    thresholds = thresholds[(thresholds["protocol"] == protocol) & _equal(thresholds["dataset"], dataset)]
    means = mean_thresholds(thresholds if model is None else thresholds[_equal(thresholds["model"], model)])
    return dict(zip(names, means[0][-3:], strict=True)) if means else {}


def _pair_rows(trials: TypedTrials, frames: Frames) -> Iterator[Row]:
    """Yield the rows of pairs of a real and a generated picture, then of pairs of two models."""
    pairs = trials.pairs
    pairs = pairs[pairs["answered"].to_numpy(bool)].reset_index(drop=True)
    names = contestants(pairs)
    of_reals = names.a == REAL
    tests = frames["comparisons"]
    tests = tests[(tests["measure"] == CHOSEN) & tests["sensitivity"].isna()]
    with_reals = tests[tests["question"] == "detection"].to_dict("records")
    yield from _rows_with_reals(pairs[of_reals], {(_name(row["dataset"]), row["b"]): row for row in with_reals})
    of_models = pairs[~of_reals].assign(first=names.a[~of_reals], second=names.b[~of_reals])
    for dataset, part in of_models.groupby("dataset", dropna=False, sort=True):
        name = _name(dataset)
        models = sorted({*part["first"], *part["second"]})
        strengths = frames["bradley_terry"]
        strengths = strengths[_equal(strengths["dataset"], name)].set_index("contestant")
        rows = tests[(tests["question"] == "preference") & _equal(tests["dataset"], name)].to_dict("records")
        test = rows[0] if len(models) == 2 and rows else None
        for model in models:
            of_model = part[(part["first"] == model) | (part["second"] == model)]
            columns = (("first", "stimulus"), ("second", "stimulus_b"))
            shown = pd.concat(
                [of_model.loc[(of_model[place] == model).to_numpy(bool), name] for place, name in columns]
            )
            cells = {} if test is None else _chosen(test, model)
            if model in strengths.index:
                strength = strengths.loc[model]
                cells |= {"preference": strength["win_share"]}
                cells |= {f"preference_{end}": float(expit(strength[f"ci_{end}"])) for end in ("low", "high")}
                several = of_model["participant"].nunique() > 1
                cells["basis"] = None if pd.isna(strength["ci_low"]) else TWO_WAY if several else BY_PICTURE
            if test is not None:  # the number to cite is `chosen`
                cells["basis"] = test["basis"]
            number = None if shown.isna().any() else int(shown.nunique())
            yield {**_counted(TWO_MODELS, model, name, of_model, number, 0), **cells, **_tested(of_model, test)}


def _chosen(test: Mapping[Any, Any], model: str) -> Row:
    """Return the share of the pairs of two models in which one was chosen, from their row of `comparisons`."""
    sign, names = (1, ("ci_low", "ci_high")) if model == test["a"] else (-1, ("ci_high", "ci_low"))
    names_of = {"chosen": "difference", "chosen_low": names[0], "chosen_high": names[1]}
    return {name: 0.5 + sign * float(test[of]) for name, of in names_of.items()}


def _rows_with_reals(paired: pd.DataFrame, tests: Mapping[Any, Mapping[Any, Any]]) -> Iterator[Row]:
    if paired.empty:
        return
    parts = [
        (_name(model), _name(dataset), part)
        for (dataset, model), part in paired.groupby(["dataset", "model"], dropna=False, sort=True, observed=True)
    ]
    datasets = list(dict.fromkeys(part[1] for part in parts))
    for model, dataset, part in [*parts, (EVERYTHING, datasets[0] if len(datasets) == 1 else EVERYTHING, paired)]:
        keys = [(dataset, model)] if model and model != EVERYTHING else []
        keys += [(dataset, ANY_FAKE)] * (len(part) == int(_equal(paired["dataset"], dataset).sum()))
        keys += [(None, ANY_FAKE)] * (len(part) == len(paired))
        test = next((tests[key] for key in keys if key in tests), None)
        cells: Row = {"verdict": NONE}
        if test is not None and not pd.isna(test["difference"]):
            right, low, high, low90, high90 = (
                float(test[name]) + 0.5 for name in ("difference", "ci_low", "ci_high", "ci90_low", "ci90_high")
            )
            cells = {"accuracy": right, "accuracy_low": low, "accuracy_high": high}
            cells |= {"accuracy90_low": low90, "accuracy90_high": high90, "p": test["p"], "p_holm": test["p_holm"]}
            cells |= {"fooling_rate": 1 - right, "fooling_low": 1 - high, "fooling_high": 1 - low}
            if not {right, low, high} & {0.0, 1.0}:
                dprimes = np.sqrt(2) * ndtri([right, low, high])
                cells |= dict(zip(("dprime", "dprime_low", "dprime_high"), map(float, dprimes), strict=True))
            p = np.nan if pd.isna(test["p"]) else float(test["p"])
            cells |= {"basis": test["basis"], "verdict": _verdict(test, right, p)}
        shown = part["stimulus_b"].nunique() or None, part["stimulus"].nunique()
        note = _NO_DPRIME if "accuracy" in cells and "dprime" not in cells else ""
        yield {**_counted(PAIRED, model, dataset, part, *shown), **cells, **_tested(part, test, note)}


def _grade_rows(trials: TypedTrials, frames: Frames) -> Iterator[Row]:
    """Yield the rows of grades of each model's pictures, and of the real ones."""
    graded, means = trials.graded, frames["ratings"]
    graded = graded[graded["answered"].to_numpy(bool)]
    for row in means.to_dict("records"):
        of_dataset = _equal(means["dataset"], row["dataset"]) & _equal(means["kind"], row["kind"])
        note = row["note"] if isinstance(row["note"], str) else ""
        is_real, pooled = row["kind"] == REAL, not isinstance(row["model"], str)
        if pooled and means.loc[of_dataset, "model"].notna().any():
            continue  # all models of the data set together
        is_row = _equal(graded["dataset"], row["dataset"]) & _equal(graded["kind"], row["kind"])
        part = graded[is_row if pooled else is_row & _equal(graded["model"], row["model"])].reset_index(drop=True)
        pictures = part["stimulus"].nunique()
        is_unknown = not isinstance(row["kind"], str)
        model, *shown = (REAL, 0, pictures) if is_real else (row["model"], None if is_unknown else pictures, 0)
        cells = {f"grade{end}": row[name] for end, name in (("", "mean"), ("_low", "ci_low"), ("_high", "ci_high"))}
        cells["basis"] = None if pd.isna(row["ci_low"]) else TWO_WAY
        cells |= {"n_unknown": pictures if is_unknown else None}
        yield _counted(RATING, model, row["dataset"], part, *shown) | cells | provenance_cells(part, note)


def _name(cell: object) -> str | None:
    return cell if isinstance(cell, str) else None


def _equal(column: pd.Series, value: object) -> np.ndarray:
    """Return the mask (N,) of the cells with this name; None: of the empty cells."""
    same = column == value if isinstance(value, str) else column.isna()
    return same.fillna(False).to_numpy(bool)


def _tested(part: pd.DataFrame, test: Mapping[Any, Any] | None, note: str = "") -> Row:
    """Return the provenance cells of pairs, with the note of their comparison before `note`."""
    if test is None:
        return provenance_cells(part, "no row of comparisons tests just this")
    of_question = test["note"] if isinstance(test["note"], str) else ""
    of_test = {"untested": test["untested"], "exploratory": test["exploratory"]}
    return of_test | provenance_cells(part, _exploratory(test), of_question, note)


def _exploratory(test: Mapping[Any, Any]) -> str:
    """Return the note of a comparison that is not in the plan; empty for a planned one and without a plan."""
    return "exploratory" if not pd.isna(test["exploratory"]) and bool(test["exploratory"]) else ""


SHOWN = {
    "fooling_rate": ("fooling", "Fooling rate, %", 100, 1),
    "real_called_real": ("real", "Real called real, %", 100, 1),
    "accuracy": ("accuracy", "Accuracy, %", 100, 1),
    "dprime": ("dprime", "d′", 1, 2),
    "chosen": ("chosen", "Chosen, % of their pairs", 100, 1),
    "preference": ("preference", "Preferred to the average model, %", 100, 1),
    "grade": ("grade", "Grade", 1, 2),
    "threshold_ms": ("threshold_ms", "Threshold, ms", 1, 0),
}
"""For each column the prefix of its interval's columns, heading, factor and digits of its numbers."""


def unadjusted(verdicts: Iterable[object]) -> str:
    """Return a note on the correction for the number of `verdicts` of `paper` or `comparisons`; empty below 2."""
    given = [verdict for verdict in verdicts if isinstance(verdict, str) and verdict not in ("", NONE)]
    if len(given) < 2:
        return ""
    if INTERIM in given:
        return "The 95% intervals are unadjusted for their number, and no verdict is given yet."
    note = "Differences are judged by p after Holm's correction; the 95% intervals are unadjusted."
    if {EQUIVALENT, "equivalent"} & {*given}:
        note += " Equivalence is judged by the 90% interval of each row alone."
    return note


def distinct_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table `paper` without the row `all` of a protocol that has only one other row."""
    rows = list(zip(table["protocol"], table["model"] == EVERYTHING, strict=True))
    others = Counter(protocol for protocol, is_all in rows if not is_all)
    repeats = [is_all and others[protocol] == 1 for protocol, is_all in rows]
    return table[~np.array(repeats, bool)]


def printed(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the table `paper` for readers: headings, and rows of texts with intervals in brackets.

    Empty columns are left out.

    >>> row = {"protocol": "single", "model": "gan", "dataset": "facades", "n_participants": 12, "n_fake": 40,
    ...     "n_real": 38, "n_answers": 600, "accuracy": 0.613, "accuracy_low": 0.55, "accuracy_high": 0.672,
    ...     "verdict": "told apart"}
    >>> heads, rows = printed(frame_of([row], PAPER))
    >>> heads
    ['Model', 'Data set', 'People', 'Pictures, fake + real', 'Answers', 'Balanced accuracy, %', 'Verdict']
    >>> rows
    [['gan', 'facades', '12', '40 + 38', '600', '61.3 [55.0, 67.2]', 'told apart']]
    """
    table = with_shared_reals(distinct_rows(table))
    records = table.to_dict("records")
    several = table["protocol"].nunique() > 1
    columns: dict[str, list[str]] = {"Asked": [_ASKED[row["protocol"]] for row in records]} if several else {}
    for name, head in (("model", "Model"), ("dataset", "Data set")):
        columns[head] = [UNNAMED if pd.isna(row[name]) else str(row[name]) for row in records]
    columns["People"] = [str(row["n_participants"] or UNNAMED) for row in records]
    unknown = ["" if pd.isna(row.get("n_unknown")) else str(row["n_unknown"]) for row in records]
    counts = ([row["n_fake"], row["n_real"]] for row in records)
    known = [" + ".join("–" if pd.isna(n) else str(n) for n in pair) for pair in counts]
    columns["Pictures" if all(unknown) else "Pictures, fake + real"] = [
        n or pair for n, pair in zip(unknown, known, strict=True)
    ]
    columns["Answers"] = [str(row["n_answers"]) for row in records]
    for name, (short, head, scale, digits) in SHOWN.items():
        if name in table and table[name].notna().any():
            head = f"Balanced {head.lower()}" if name == "accuracy" and set(table["protocol"]) == {SINGLE} else head
            columns[head] = [
                ""
                if pd.isna(row[name])
                else f"{_rounded(scale * row[name], digits)} {_interval(row, short, scale, digits)}".strip()
                for row in records
            ]
    if (table["verdict"] == EQUIVALENT).any():
        columns["90% interval, %"] = [_interval(row, "accuracy90", 100, 1) for row in records]
    if table["p"].notna().any():
        head = "p (Holm)" if (table["p_holm"] > table["p"]).any() else "p"
        columns[head] = [_p_text(row["p"] if pd.isna(row["p_holm"]) else row["p_holm"]) for row in records]
    if table["verdict"].notna().any():
        words = ["" if pd.isna(row["verdict"]) else row["verdict"] for row in records]
        columns["Verdict"] = [NO_VERDICT if word == INTERIM else word for word in words]
    return list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)]


UNNAMED = "–"
"""The cell of a model or data set without a name."""
_ASKED = {
    SINGLE: "one at a time",
    PAIRED: "next to the real one",
    TWO_MODELS: "two models",
    RATING: "graded",
    STAIRCASE: "staircase",
    QUEST_PLUS: "QUEST+",
}


def _interval(row: Mapping[Any, Any], short: str, scale: float, digits: int) -> str:
    low, high = row[f"{short}_low"], row[f"{short}_high"]
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"[{_rounded(scale * low, digits)}, {_rounded(scale * high, digits)}]"


def _p_text(p: Any) -> str:
    """Return a p value as text, never 0 or 1; empty without one."""
    if pd.isna(p):
        return ""
    return "< .001" if p < 0.001 else "> .999" if p > 0.9994999 else f"{p:.3f}".lstrip("0")


def _rounded(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def interval_names(name: str) -> tuple[str, str]:
    """Return the names of the columns of a number's interval.

    >>> interval_names("fooling_rate")
    ('fooling_low', 'fooling_high')
    """
    return f"{SHOWN[name][0]}_low", f"{SHOWN[name][0]}_high"


def skill_note(table: pd.DataFrame) -> list[str]:
    """Return the reason why a row's d′ is below that of its participants; empty without a d′ from a model."""
    if not (table["dprime"].notna() & table["basis"].isin(FROM_MODELS)).any():
        return []
    return ["d′ is computed from the averaged rates; a typical participant's d′ is larger."]


def with_shared_reals(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table `paper` with one share of reals called real for all models that share the real pictures."""
    if "shared_real" not in table:
        return table
    names = {"real_called_real": "shared_real", "real_low": "shared_real_low", "real_high": "shared_real_high"}
    is_known = table["shared_real"].notna()
    return table.assign(**{own: table[own].where(~is_known, table[shared]) for own, shared in names.items()})


def shared_reals(table: pd.DataFrame) -> str:
    """Return a note on answers that count in several rows; empty if there are none."""
    single = table[(table["protocol"] == SINGLE) & (table["model"] != EVERYTHING)]
    if not single["dataset"].duplicated().any():
        return ""
    shares = with_shared_reals(single).groupby("dataset", dropna=False)["real_called_real"].nunique()
    others = " Models with another share of real pictures called real were judged by other participants."
    note = "Answers: to the model's pictures and to the real ones, which the models of a data set share."
    return note + others * bool((shares > 1).any())


def one_kind_sentence(table: pd.DataFrame) -> str:
    """Return a sentence on the participants whom the result leaves out because they judged one kind of picture.

    >>> one_kind_sentence(frame_of([{"protocol": "single", "model": "gan", "n_participants": 21, "n_real": 20,
    ...     "n_answers": 180, "n_only_real": 4, "n_only_fake": 1}], PAPER))
    'Left out of the result: 4 participants who judged no generated pictures, and 1 who judged no real ones.'
    """
    rows = distinct_rows(table[table["protocol"] == SINGLE])
    if rows.empty or "n_only_real" not in rows:
        return ""
    row = rows.iloc[-1]  # that of all models, or the only one
    counts = [(row["n_only_real"], "generated"), (row["n_only_fake"], "real")]
    known = [(int(n), kind) for n, kind in counts if not pd.isna(n) and n > 0]
    parts = [f"{n} who judged no {kind} {'ones' if place else 'pictures'}" for place, (n, kind) in enumerate(known)]
    if not parts:
        return ""
    people = "participant" if known[0][0] == 1 else "participants"
    first = parts[0].replace(" who", f" {people} who", 1)
    of_set = " of a data set" * (row["dataset"] == EVERYTHING)
    return f"Left out of the result: {', and '.join([first, *parts[1:]])}{of_set}."
