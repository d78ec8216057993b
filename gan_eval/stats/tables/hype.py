"""HYPE scores (Zhou et al. 2019, NeurIPS, arXiv 1904.01121), and the thresholds of staircases and QUEST+."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gan_eval.base.inference import Estimate, n_levels, t_critical, two_way_interval
from gan_eval.judgements.trials import AnyTrials, pictures, requested_exposure, typed
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, STAIRCASE
from gan_eval.stats.groups import Groups, groups, n_known, one_participant, provenance, provenance_cells
from gan_eval.stats.results import Result, own_result
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.schema import (
    ANALYSIS_RUN,
    DATASET,
    FRACTION,
    PARTICIPANT,
    PROVENANCE,
    SESSION,
    SHARE,
    SIMULATED,
    Table,
    integer,
    interval_columns,
    milliseconds,
    number,
    text,
)

if TYPE_CHECKING:
    from gan_eval.settings.quiz import StaircaseSettings

THRESHOLDS = Table(
    "thresholds",
    "The result of the staircase, or of QUEST+, of each session and block: `gan_eval/stats/tables/staircases.py`.",
    (
        SESSION,
        PARTICIPANT,
        integer("block", "number of the block within the session, from 1", filled=True),
        DATASET,
        text("model", "the generator of the block's fakes; empty: several, or not known", optional=True),
        text("protocol", "how the exposure followed the answers", words=ADAPTIVE_PROTOCOLS, optional=True),
        integer("answers", "trials that moved the exposure", optional=True),
        integer("reversals", "staircase: number of reversals of the exposure"),
        milliseconds(
            "threshold_ms",
            "exposure with the share of correct answers in `share`. staircase: mean exposure of the reversals after "
            "the first four; empty: fewer than four, or not the weighted up-down rule (see `psychometric`). "
            "quest_plus: geometric mean of the posterior distribution, or the end of the range that `bound` names; "
            "empty: fewer than 20 answers",
        ),
        milliseconds("threshold_ms_low", "quest_plus: lower end of its 95% credible interval", optional=True),
        milliseconds("threshold_ms_high", "the upper end", optional=True),
        milliseconds("mode_ms", "staircase: exposure shown most often after the first four reversals"),
        text("bound", "the end of the range that the threshold is close to or beyond", words=("shortest", "longest")),
        number(
            "share",
            "share of correct answers where it settles: staircase: up / (up + down) of its steps; quest_plus: 0.75; "
            "empty: another rule than the weighted up-down one",
            unit=SHARE,
            optional=True,
        ),
        SIMULATED,
        FRACTION,
        ANALYSIS_RUN,
    ),
    key=("session", "block"),
)

HYPE = Table(
    "hype",
    "HYPE scores (Zhou et al. 2019, arXiv 1904.01121): error rate without a time limit, threshold with one.",
    (
        text("score", "which score", words=("hype_infinity", "hype_time"), filled=True),
        DATASET,
        text("model", "the fakes' generator; empty: all models of the data set together"),
        integer("n_participants", "participants behind it", filled=True),
        number("value", "mean over participants: error rate (hype_infinity), or modal exposure (hype_time)"),
        *interval_columns(
            "ci",
            "its 95% interval. hype_infinity: over participants and pictures, two-way clustered, of one participant "
            "over pictures; hype_time: over participants only",
        ),
        text("unit", "of value and interval", words=("%", "ms"), filled=True),
        number("error_real", "error rate on reals, mean over participants", unit="%"),
        number("error_fake", "error rate on fakes, mean over participants", unit="%"),
        *PROVENANCE,
    ),
    key=("score", "dataset", "model"),
)

_READ = [
    *("session", "participant", "dataset", "protocol", "phase", "block", "trial", "correct"),
    *("requested_exposure_ms", "exposure_ms"),
]
"""Columns that `gan_eval.stats.tables.staircases` reads."""
_COLUMNS = [
    *("session", "participant", "stimulus", "item", "model", "dataset", "is_fake", "says_fake"),
    *("simulated", "fraction"),
]


def hype(trials: AnyTrials, *, settings: "StaircaseSettings | None" = None) -> pd.DataFrame:
    """Return the table `hype` of a trials table: for each data set all models together, then each model.

    hype_infinity: the mean over participants of their error rate, from single pictures that stayed until the answer.
    It is the mean of the rates on reals and on fakes, because models share their reals. Participants who did not judge
    both kinds are left out. The interval is over participants and pictures (`two_way_interval`); a real picture and its
    generated versions are one cluster. `accuracy` in the table `paper` is another estimate of 100% minus this: that of
    the crossed model.

    hype_time: the mean over participants of the exposure that their staircases showed most often (section 2.1 of Zhou
    et al.). A model has one where staircases showed no other model's fakes. The interval is over participants
    (`mean_threshold`).

    Scores that no trials allow have no row.

    Args:
        settings: `[quiz.staircase]` of the study, which has the ends of the range.
    """
    rows: list[Row] = []
    main, every = typed(trials).main, typed(trials).every
    is_adaptive = main["protocol"].isin(ADAPTIVE_PROTOCOLS).to_numpy(bool)
    untimed = main.loc[np.isinf(requested_exposure(main)) & ~is_adaptive & main["answered"], _COLUMNS]
    for dataset, part in untimed.groupby("dataset", dropna=False, sort=True):
        named = {"dataset": dataset}
        rows.append(named | _error_rate(part))
        grouped = groups(part, "model")
        for index, model in enumerate(grouped.ids):
            subset = part.iloc[grouped.row[grouped.group == index]]
            rows.append(named | {"model": model} | _error_rate(subset))

    of_staircases = every[(every["protocol"] == STAIRCASE).fillna(False).to_numpy(bool)]
    if len(of_staircases) and len(staircases := thresholds(of_staircases, settings=settings)):
        moving = of_staircases[of_staircases["phase"] == "main"]
        moving = moving.assign(block=moving["block"].fillna(1))
        for dataset, part in staircases.groupby("dataset", dropna=False, sort=True):
            named = {"dataset": dataset}
            rows.append(named | _mean_exposure(part, moving))
            for name, subset in part.groupby("model", sort=True):
                rows.append(named | {"model": str(name)} | _mean_exposure(subset, moving))
    return frame_of(rows, HYPE)


def _error_rate(answers: pd.DataFrame) -> Row:
    """Return the row hype_infinity of answered trials without a time limit."""
    wrong = (answers["is_fake"] != answers["says_fake"]).astype(float)
    by_person = wrong.groupby([answers["participant"], answers["is_fake"]]).mean().unstack()
    by_person = by_person.reindex(columns=[False, True])
    both = by_person.dropna()
    means = both if len(both) else by_person
    value = 100 * float(both.mean(axis=1).mean()) if len(both) else np.nan
    counted = answers["participant"].isin(both.index).to_numpy(bool)
    low, high = _interval_of_errors(answers[counted], wrong[counted].to_numpy(), value)
    missing = [kind for kind, column in (("real", False), ("generated", True)) if by_person[column].isna().all()]
    partial = len(by_person) - len(both)
    notes = [
        f"no {missing[0]} pictures: no score" if missing else "",
        f"participants without both kinds of picture, left out: {partial}" if partial and not missing else "",
        one_participant(answers["participant"]) if len(both) == 1 else "",
        "all participants and all pictures have the same error rate: no interval"
        if len(both) > 1 and np.isnan(low)
        else "",
    ]
    return {
        "score": "hype_infinity",
        "unit": "%",
        "n_participants": n_known(both.index.to_series()),
        "value": value,
        "ci_low": low,
        "ci_high": high,
        "error_real": 100 * means[False].mean(),
        "error_fake": 100 * means[True].mean(),
        **provenance_cells(answers, *notes),
    }


def _interval_of_errors(answers: pd.DataFrame, wrong: np.ndarray, value: float) -> tuple[float, float]:
    """Return the interval of the mean error rate, in percent, of participants who judged both kinds.

    Each answer's influence is its part of its participant's rate on its kind; `wrong` (N,) has the errors.
    """
    participant, picture = (pd.factorize(of)[0] for of in (answers["participant"], pictures(answers)))
    kind = answers["is_fake"].to_numpy(np.int64)
    cell = 2 * participant + kind
    weight = 100 / (2 * max(n_levels(participant), 1) * np.bincount(cell)[cell])
    mean = np.bincount(kind, weight * wrong) / np.bincount(kind, weight)
    low, high = two_way_interval(value, weight * (wrong - mean[kind]), participant, picture)
    return float(np.clip(low, 0, 100)), float(np.clip(high, 0, 100))


def _mean_exposure(staircases: pd.DataFrame, moving: pd.DataFrame) -> Row:
    """Return the row hype_time of some rows of the table `thresholds`; `moving` has the trials of all staircases."""
    modes = staircases[staircases["mode_ms"].notna()]
    by_person = modes.groupby("participant")["mode_ms"].mean().to_numpy("float64")
    shortest, longest = (int((modes["bound"] == end).fillna(False).sum()) for end in ("shortest", "longest"))
    notes = [_bound_note(len(modes), shortest, longest)]
    if other := int((staircases["share"].isna() & staircases["mode_ms"].isna()).sum()):
        notes.append(
            f"{other} of {len(staircases)} staircases do not follow the weighted up-down rule: no score (the table "
            "psychometric has thresholds)"
        )
    if missing := len(staircases) - len(modes) - other:
        notes.append(f"{missing} of {len(staircases)} staircases had too few reversals for a threshold")
    value, low, high = mean_threshold(by_person)
    if len(by_person) == 1:
        notes.append("one participant: no interval")
    elif len(by_person) and np.isnan(low):
        notes.append("all participants have the same threshold, or one of 0: no interval")
    blocks = staircases[["session", "block"]].astype({"block": moving["block"].dtype})
    return {
        "score": "hype_time",
        "unit": "ms",
        "n_participants": len(by_person),
        "value": value,
        "ci_low": low,
        "ci_high": high,
        **provenance_cells(moving.merge(blocks, on=["session", "block"]), *notes),
    }


def _bound_note(n: int, shortest: int, longest: int) -> str:
    """Return the note on thresholds, of n, that are at the ends of the range; empty without any."""
    if shortest and longest:
        return (
            f"of {n} thresholds {shortest} are at the shortest exposure and {longest} at the longest: the mean is "
            "uncertain beyond its interval"
        )
    if shortest:
        return f"{shortest} of {n} thresholds are at the shortest exposure: the mean is an upper bound"
    return f"{longest} of {n} thresholds are at the longest exposure: the mean is a lower bound" if longest else ""


def thresholds(trials: pd.DataFrame, *, settings: "StaircaseSettings | None" = None) -> pd.DataFrame:
    """Return the table `thresholds` of a trials table; no rows where no exposures followed the answers.

    Args:
        settings: `[quiz.staircase]` of the study; without it the range is not known.
    """
    is_adaptive = trials["protocol"].isin(ADAPTIVE_PROTOCOLS) & np.isfinite(trials["requested_exposure_ms"])
    moving = trials[is_adaptive.fillna(False).to_numpy(bool)]
    if moving.empty:
        return frame_of([], THRESHOLDS)
    from gan_eval.stats.tables.staircases import thresholds as thresholds_of_rows

    moving = moving.assign(block=moving["block"].fillna(1))  # a missing block is the first
    is_fake = ((moving["kind"] == "fake") & (moving["phase"] == "main")).fillna(False).to_numpy(bool)
    models = moving[is_fake].groupby(["session", "block"])["model"].agg(["nunique", "first"])
    of_one = models.loc[models["nunique"] == 1, "first"].to_dict()
    read = moving[_READ]
    plain = read.astype("object").where(read.notna(), None)
    records: list[Row] = [dict(zip(_READ, values, strict=True)) for values in plain.to_numpy().tolist()]
    block_of_trial, blocks = pd.factorize(pd.MultiIndex.from_frame(moving[["session", "block"]]))
    carried = provenance(moving, Groups([str(block) for block in blocks], np.arange(len(moving)), block_of_trial))
    marks = dict(zip(blocks, carried[["simulated", "fraction"]].to_dict("records"), strict=True))
    rows = [
        {**vars(threshold), "model": of_one.get(key), **marks[key]}
        for threshold in thresholds_of_rows(records, settings)
        for key in [(threshold.session, threshold.block)]
    ]
    return frame_of(rows, THRESHOLDS)


def mean_threshold(values: np.ndarray) -> Estimate:
    """Return the mean of the participants' thresholds (N,) in ms, and its 95% interval over participants.

    Thresholds are skewed: the interval is mean * exp(± t sqrt(s²/n + s⁴/(2(n - 1)))), with s² the variance of their
    logarithms and n - 1 degrees of freedom. It is the error of Cox's method (Land 1972, Technometrics 14, 145-158) with
    Student's t (Olsson 2005, Journal of Statistics Education 13(1)), around the arithmetic mean. It does not
    allow for differences between the pictures that all participants saw.

    Returns:
        The interval is NaN with fewer than two thresholds, if all are equal, and if one is 0.

    >>> [round(number, 1) for number in mean_threshold(np.array([200.0, 300.0, 400.0, 700.0]))]
    [400.0, 160.7, 995.9]
    """
    count, mean = len(values), float(np.mean(values)) if len(values) else np.nan
    if count < 2 or values.min() <= 0 or values.min() == values.max():
        return Estimate(mean, np.nan, np.nan)
    variance = float(np.log(values).var(ddof=1))
    factor = np.exp(float(t_critical(count - 1)) * np.sqrt(variance / count + variance**2 / (2 * (count - 1))))
    return Estimate(mean, mean / float(factor), mean * float(factor))


def mean_thresholds(table: pd.DataFrame, *more: str) -> list[Result]:
    """Return the mean threshold over participants of each protocol and data set of a table `thresholds`.

    Args:
        more: other columns to group by.

    Returns:
        `counts` has the participants, and the blocks without a threshold and at an end of the range; `numbers` the
        share of correct answers at the threshold, NaN if blocks differ or follow another rule.
    """
    means = []
    columns = ["protocol", "dataset", *more]
    for names, part in table.groupby(columns, dropna=False, sort=True):
        by_person = part.dropna(subset="threshold_ms").groupby("participant")["threshold_ms"].mean()
        shares = part["share"].to_numpy("float64", na_value=np.nan)
        row = {
            **dict(zip(columns, names, strict=True)),
            "n_participants": len(by_person),
            "n_without": part["threshold_ms"].isna().sum(),
            "n_bound": part["bound"].notna().sum(),
        }
        share = float(shares[0]) if len(np.unique(shares)) == 1 else np.nan
        mean = mean_threshold(by_person.to_numpy("float64"))
        means.append(own_result(row, str(row["protocol"]), mean, numbers={"share": Estimate(share, np.nan, np.nan)}))
    return means


def threshold_results(table: pd.DataFrame) -> list[Result]:
    """Return the thresholds to cite from a table `thresholds`: of each data set, without a model, and of its models.

    Of staircases it is the mean of the modal exposures, as in `hype`.
    """
    by_staircase = (table["protocol"] == STAIRCASE).fillna(False)
    cited = table.assign(threshold_ms=table["mode_ms"].where(by_staircase, table["threshold_ms"]))
    return [*mean_thresholds(cited), *mean_thresholds(cited.dropna(subset="model"), "model")]
