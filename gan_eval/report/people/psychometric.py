"""How much must be seen to tell? Psychometric functions with their thresholds and slopes, drawn and compared."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from scipy.special import expit, ndtr

from gan_eval.report.parts.blocks import Charts, Lines, Section
from gan_eval.report.parts.chart import MOST_GROUPS, STYLE, Chart, chart_of, first_of, panel
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.palette import GRID, MUTED, series_look
from gan_eval.report.parts.table import INTERVAL, cell, if_filled, interval_cell, labelled, table_of
from gan_eval.report.parts.words import (
    NOTHING,
    Record,
    listed,
    milliseconds,
    missing,
    number,
    percent,
    text,
    whole,
)
from gan_eval.stats.answers.hype import THRESHOLDS
from gan_eval.stats.answers.psychometric import EXPOSURE, PSYCHOMETRIC, PSYCHOMETRIC_LEVELS

_TASKS = {"single": "single pictures", "pair": "pairs"}
_BASES = {"crossed_model": "crossed model", "two_way_cluster": "pooled answers, clustered"}


def psychometric_section(folder: StudyFolder) -> Section:
    """What is meant, the curves of each data set, and every threshold, slope and difference."""
    frame = folder.table(PSYCHOMETRIC)
    several = frame["task"].nunique() > 1
    units = ["probits" if row["link"] == "probit" else "log-odds" for row in frame.to_dict("records")]
    columns = {
        "answers to": labelled(_TASKS, "task") if several else None,
        "data set": cell(text, "dataset"),
        "model": cell(text, "model"),
        "threshold": lambda row: level_text(None if missing(row["threshold_low"]) else row["threshold"], row["level"]),
        INTERVAL: lambda row: _ends(row, "threshold"),
        "right answers there": lambda row: percent(np.nan if missing(row["threshold_low"]) else row["share"]),
        "slope": cell(number, "slope"),
        f"its {INTERVAL}": interval_cell("slope_low", "slope_high"),
        "guess rate": cell(percent, "guess_rate"),
        "lapse rate": cell(percent, "lapse_rate"),
        "SD participants": if_filled(frame, "sd_participant", cell(number, "sd_participant")),
        "SD pictures": if_filled(frame, "sd_stimulus", cell(number, "sd_stimulus")),
        "answers": cell(whole, "n_trials"),
        "by": labelled(_BASES, "basis"),
    }
    functions = table_of(
        "Thresholds and slopes",
        frame,
        columns,
        text_columns=3 if several else 2,
        last_is_text=True,
        notes=[
            "Threshold: the level where the share of right answers is midway between guessing (50 %) and 100 % less "
            "the lapse rate, for the typical participant and picture; of single pictures the mean of the shares on "
            "reals and on fakes. "
            f"Slope: {listed([*dict.fromkeys(units)])} for each doubling of the level. SD: how far the thresholds "
            "of single participants and pictures lie apart, in doublings. (Where a level is 0 or less: in units of the "
            "level.) Guess rate of single pictures: how often fake is said where nothing can be told."
        ],
        label=lambda row: text(row["model"]) + ("" if missing(row["dataset"]) else f" on {row['dataset']}"),
        source="psychometric",
    )
    return Section(
        "psychometric",
        "How much must be seen to tell?",
        [Lines(_sentences(folder)), Charts(psychometric_charts(folder)), *functions],
    )


def level_text(value: object, level: object) -> str:
    """A level as the report prints it; exposures in ms.

    >>> level_text(0.1234, "noise")
    '0.123'
    """
    if missing(value):
        return NOTHING
    return milliseconds(value) if level == EXPOSURE else f"{float(str(value)):.3g}"


def _ends(row: Record, name: str) -> str:
    """Both ends of an interval of levels."""
    if missing(row[f"{name}_low"]):
        return NOTHING
    low, high = (level_text(row[f"{name}_{end}"], row["level"]) for end in ("low", "high"))
    return f"{low} to {high}"


def _sentences(folder: StudyFolder) -> list[str]:
    """The threshold of each model, and which differ."""
    sentences = []
    frame = folder.table(PSYCHOMETRIC)
    if len(frame) and len(folder.table(THRESHOLDS)):
        sentences.append(
            "The section above has each participant's own threshold, over all models, and the mean of these. Here are "
            "the thresholds of single models for the typical participant and picture, at another share of right "
            "answers: the two need not be equal."
        )
    told = frame[frame["threshold_low"].notna()]
    for (task, dataset), part in told.groupby(["task", "dataset"], dropna=False, sort=False):
        where = "" if missing(dataset) else f" on {dataset}"
        who = [
            f"{level_text(row['threshold'], row['level'])} ({_ends(row, 'threshold')})"
            + ("" if missing(row["model"]) else f" for {row['model']}")
            for row in part.to_dict("records")
        ]
        what = "Pairs" if task == "pair" else "Real and generated pictures"
        share = percent(part["share"].iloc[0])
        sentences.append(f"{what}{where} are judged right {share} of the time at {listed(who)}; 95 % intervals.")
    return sentences


def psychometric_charts(folder: StudyFolder) -> list[Chart]:
    """One chart for each data set: each model's curve, and the shares that were observed at the levels."""
    functions, levels = folder.table(PSYCHOMETRIC), folder.table(PSYCHOMETRIC_LEVELS)
    charts: list[Chart] = []
    for (task, dataset), part in functions.groupby(["task", "dataset"], dropna=False, sort=False):
        same = levels["dataset"].isna() if missing(dataset) else levels["dataset"] == dataset
        own = levels[same & (levels["task"] == task)]
        if own.empty:
            continue
        where = "" if missing(dataset) else f" on {dataset}"
        title = f"{'Pairs' if task == 'pair' else 'Right answers'}{where}"
        name = f"psychometric-{len(charts) + 1}"
        caption = (
            "Dots: observed shares with 95 % intervals; curves: psychometric functions of the typical participant and "
            "picture, a short upright line at each threshold. Dashed: guessing."
        )
        if part["threshold_low"].isna().all():
            why = [str(note).removeprefix("no function: ") for note in part.loc[part["slope"].isna(), "note"]]
            why += ["right answers do not surely change with the level"] * bool(part["slope"].notna().any())
            reasons = "; ".join(dict.fromkeys(why))
            caption = f"Dots: observed shares with 95 % intervals. Dashed: guessing. No curve: {reasons}."
        of_models = [
            f"{row['model'] if not missing(row['model']) else 'all'}: threshold "
            f"{level_text(None if missing(row['threshold_low']) else row['threshold'], row['level'])}"
            for row in part.to_dict("records")
        ]
        charts.append(
            chart_of(
                title,
                _figure(part.iloc[:MOST_GROUPS], own),
                name=name,
                caption=caption + first_of(len(part)),
                alternative="; ".join(of_models),
            )
        )
    return charts


def _figure(functions: pd.DataFrame, levels: pd.DataFrame) -> Figure:
    """The curves of one data set's models over the levels that they have."""
    level = str(functions["level"].iloc[0])
    at = levels["at"].to_numpy(float)
    is_log = bool((at > 0).all())
    scale, back = (np.log2, np.exp2) if is_log else (np.asarray, np.asarray)
    low, high = float(scale(at).min()), float(scale(at).max())
    pad = 0.06 * max(high - low, 1e-9)
    grid = np.linspace(low - pad, high + pad, 120)
    with mpl.rc_context(STYLE):
        figure, axes = panel(2.7 + 0.17 * len(functions))
        axes.axhline(50, color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)), zorder=0)
        for place, row in enumerate(functions.to_dict("records")):
            look = series_look(place)
            label = "all models" if missing(row["model"]) else str(row["model"]).replace("$", r"\$")
            own = levels[levels["model"].isna() if missing(row["model"]) else levels["model"] == row["model"]]
            aside = 0.35 * pad * (place - (len(functions) - 1) / 2)  # intervals beside each other
            x = scale(own["at"].to_numpy(float)) + aside
            share, down, up = (100 * own[name].to_numpy(float) for name in ("accuracy", "ci_low", "ci_high"))
            axes.vlines(x, down, up, color=look.mark, linewidth=1.6, alpha=0.55)
            axes.plot(
                x, share, "o", color=look.mark, markersize=4.5, label=label if missing(row["threshold_low"]) else None
            )
            if not missing(row["threshold_low"]):  # else no curve is shown: the share may not change at all
                inverse = ndtr if row["link"] == "probit" else expit
                middle = float(scale(np.array([row["threshold"]]))[0])
                curve = 50 + (50 - 100 * row["lapse_rate"]) * inverse(row["slope"] * (grid - middle))
                axes.plot(
                    grid, curve, label=label, color=look.mark, linestyle=(0, look.dashes) if look.dashes else "solid"
                )
                if low - pad <= middle <= high + pad:
                    axes.vlines(middle, 100 * row["share"] - 4, 100 * row["share"] + 4, color=look.mark, linewidth=2.2)
        ticks = scale(np.unique(at)) if levels["at"].nunique() <= 8 and not levels.empty else axes.get_xticks()
        ticks = ticks[np.concatenate([[True], np.diff(ticks) > 1.5 * pad])]
        axes.set_xticks(ticks)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{float(back(value)):.4g}"))
        axes.set_xlim(low - pad, high + pad)
        axes.set_ylim(min(30.0, float(100 * levels["ci_low"].min())), 102)
        axes.grid(axis="y", color=GRID, linewidth=0.8, zorder=-1)
        axes.set_axisbelow(True)
        axes.set_xlabel("exposure, ms" if level == EXPOSURE else level, parse_math=False)
        axes.set_ylabel("right answers, %")
        figure.legend(loc="outside lower center", ncols=min(3, len(functions)), fontsize=8, handlelength=3.5)
    return figure
