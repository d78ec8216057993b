"""For how long must it be seen? Thresholds of exposure from staircases and from QUEST+."""

from collections.abc import Mapping

import numpy as np

from gan_eval.report.parts.blocks import Charts, Section, Table
from gan_eval.report.parts.chart import MOST_GROUPS, Span, chart_of, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, cell, if_filled, table_of
from gan_eval.report.parts.words import NOTHING, milliseconds, missing, plural, text, whole
from gan_eval.settings.protocols import QUEST_PLUS, STAIRCASE
from gan_eval.stats.answers.hype import HYPE, THRESHOLDS, mean_thresholds

_MOST_BLOCKS = 200
_NAMES: Mapping[str, str] = {STAIRCASE: "staircase", QUEST_PLUS: "QUEST+"}


def thresholds_section(folder: StudyFolder) -> Section:
    """Mean thresholds, then each block's where they are not too many; those of QUEST+ are drawn, too."""
    frame = folder.table(THRESHOLDS)
    head = ["data set", "by", "participants", "mean threshold", INTERVAL, "without a threshold"]
    means = [
        [
            text(mean.dataset),
            _NAMES[mean.protocol],
            whole(mean.n_participants),
            milliseconds(mean.mean_ms),
            NOTHING if missing(mean.low_ms) else _interval(mean.low_ms, mean.high_ms),
            whole(mean.n_without),
        ]
        for mean in (mean_thresholds(frame) if len(frame) else ())
    ]
    shown = frame if len(frame) <= _MOST_BLOCKS else frame.iloc[:0]
    by_quest = (shown["protocol"] == QUEST_PLUS).fillna(False).to_numpy(bool)
    blocks = [
        table
        for caption, own in (
            ("Threshold of each staircase", shown[~by_quest]),
            ("Threshold of each participant by QUEST+", shown[by_quest]),
        )
        for table in table_of(
            caption,
            own,
            {
                "participant": cell(text, "participant"),
                "data set": cell(text, "dataset"),
                "answers": cell(whole, "answers"),
                "reversals": if_filled(own, "reversals", cell(whole, "reversals")),
                "threshold": cell(milliseconds, "threshold_ms"),
                "95 % credible": if_filled(
                    own,
                    "threshold_ms_low",
                    lambda row: (
                        NOTHING
                        if missing(row["threshold_ms_low"])
                        else _interval(row["threshold_ms_low"], row["threshold_ms_high"])
                    ),
                ),
                "shown most often": if_filled(own, "mode_ms", cell(milliseconds, "mode_ms")),
                "end of the range": cell(text, "bound"),
            },
            text_columns=2,
            last_is_text=True,
            source="thresholds",
        )
    ]
    drawn = frame[frame["threshold_ms_low"].notna().to_numpy(bool)].sort_values("threshold_ms")
    several = drawn["dataset"].nunique() > 1 or drawn["participant"].duplicated().any()
    groups = [
        (
            f"{row['participant']} on {text(row['dataset'])}" if several else str(row["participant"]),
            [Span("all", row["threshold_ms"], row["threshold_ms_low"], row["threshold_ms_high"])],
        )
        for row in drawn.to_dict("records")
    ]
    charts = []
    if groups:
        count = len(groups)
        places = np.linspace(0, count - 1, min(count, MOST_GROUPS)).round().astype(int)
        some = [groups[place] for place in places]
        of_all = f" {MOST_GROUPS} of {count}, from the lowest to the highest." if count > MOST_GROUPS else ""
        chart = chart_of(
            "Each participant's threshold",
            spans_figure(some, axis="threshold by QUEST+, ms"),
            name="people-thresholds",
            caption=f"Bars: 95 % credible intervals, within the range of exposures.{of_all}",
            alternative="; ".join(f"{name}: {spans[0].value:.0f} ms" for name, spans in groups),
        )
        charts.append(Charts([chart]))
    pooled = Table("Thresholds of exposure", head, means, 2, source=("thresholds",))
    return Section("thresholds", "For how long must it be seen?", [pooled, *charts, *blocks])


def threshold_sentences(folder: StudyFolder) -> list[str]:
    """For the answer: where the staircases of each data set settled, or where QUEST+ found the threshold."""
    sentences, hype = [], folder.table(HYPE)
    for mean in mean_thresholds(folder.table(THRESHOLDS)):
        where = "" if mean.dataset is None else f" on {mean.dataset}"
        by_quest = mean.protocol == QUEST_PLUS
        too_few = "had too few answers" if by_quest else "turned round too seldom"
        blocks = "block" if by_quest else "staircase"
        if mean.n_participants == 0:
            whose = f"The blocks of QUEST+{where}" if by_quest else f"The staircases{where}"
            sentence = f"{whose} {too_few} for a threshold of exposure."
        else:
            within = ""
            if not missing(mean.low_ms):
                within = f" (95 % interval {_interval(mean.low_ms, mean.high_ms)} between participants)"
            found = (
                f"By QUEST+ the exposure at which 75 % are right{where} is {milliseconds(mean.mean_ms)} on average"
                if by_quest
                else f"The staircase{where} settled at a mean exposure of {milliseconds(mean.mean_ms)}"
            )
            sentence = f"{found}{within}, over {plural(mean.n_participants, 'participant')}."
            mode = hype[(hype["score"] == "hype_time") & hype["model"].isna() & hype["value"].notna()]
            mode = mode[mode["dataset"].fillna("") == (mean.dataset or "")]
            if len(mode) and not by_quest:
                commonest = milliseconds(mode["value"].iloc[0])
                sentence += f" The exposure that was shown most often (HYPE-time, as cited) is {commonest} on average."
            if mean.n_without:
                sentence += f" {plural(mean.n_without, blocks)} {too_few} for a threshold."
        if mean.n_bound:
            sentence += (
                f" {plural(mean.n_bound, blocks)} stayed at an end of the range of exposures, so the threshold may lie "
                "beyond it: the mean is less certain than its interval says."
            )
        sentences.append(sentence)
    return sentences


def _interval(low: float, high: float) -> str:
    return f"{milliseconds(low)} to {milliseconds(high)}"
