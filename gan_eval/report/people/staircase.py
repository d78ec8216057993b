"""For how long must it be seen? Thresholds of exposure from staircases."""

from gan_eval.report.parts.blocks import Section, Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, cell, table_of
from gan_eval.report.parts.words import NOTHING, milliseconds, missing, plural, text, whole
from gan_eval.stats.answers.hype import THRESHOLDS, MeanThreshold, mean_thresholds

_MOST_STAIRCASES = 200


def thresholds_section(folder: StudyFolder) -> Section:
    """Mean thresholds, then each staircase where they are not too many."""
    frame = folder.table(THRESHOLDS)
    head = ["data set", "participants", "mean threshold", INTERVAL, "without a threshold"]
    means = [
        [
            text(mean.dataset),
            whole(mean.n_participants),
            milliseconds(mean.mean_ms),
            NOTHING if missing(mean.low_ms) else _interval(mean),
            whole(mean.n_without),
        ]
        for mean in (mean_thresholds(frame) if len(frame) else ())
    ]
    staircases = table_of(
        "Threshold of each staircase",
        frame if len(frame) <= _MOST_STAIRCASES else frame.iloc[:0],
        {
            "participant": cell(text, "participant"),
            "data set": cell(text, "dataset"),
            "reversals": cell(whole, "reversals"),
            "threshold": cell(milliseconds, "threshold_ms"),
            "shown most often": cell(milliseconds, "mode_ms"),
            "end of the range": cell(text, "bound"),
        },
        text_columns=2,
        last_is_text=True,
        source="thresholds",
    )
    pooled = Table("Thresholds of exposure", head, means, source=("thresholds",))
    return Section("thresholds", "For how long must it be seen?", [pooled, *staircases])


def threshold_sentences(folder: StudyFolder) -> list[str]:
    """For the answer: where the staircases of each data set settled."""
    sentences = []
    for mean in mean_thresholds(folder.table(THRESHOLDS)):
        where = "" if mean.dataset is None else f" on {mean.dataset}"
        if mean.n_participants == 0:
            sentence = f"The staircases{where} turned round too seldom for a threshold of exposure."
        else:
            within = "" if missing(mean.low_ms) else f" (95 % interval {_interval(mean)} between participants)"
            sentence = (
                f"The staircase{where} settled at a mean exposure of {milliseconds(mean.mean_ms)}{within}, over "
                f"{plural(mean.n_participants, 'participant')}."
            )
            if mean.n_without:
                sentence += f" {plural(mean.n_without, 'staircase')} turned round too seldom for a threshold."
        if mean.n_bound:
            sentence += f" {plural(mean.n_bound, 'staircase')} stayed at an end of the range of exposures."
        sentences.append(sentence)
    return sentences


def _interval(mean: MeanThreshold) -> str:
    return f"{milliseconds(mean.low_ms)} to {milliseconds(mean.high_ms)}"
