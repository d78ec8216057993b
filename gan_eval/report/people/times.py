"""Reaction times: summaries, log-normal mixed models, and how speed and accuracy hang together."""

from gan_eval.report.parts.chart import Picture, Span, picture, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, known_as, of, share, view_of
from gan_eval.report.parts.words import Record, View, interval, milliseconds, missing, number, p_value, text, whole
from gan_eval.tables import REACTION_TIME_MODELS, SPEED_ACCURACY

_PICTURES = {"all": "all", "real": "real", "fake": "generated"}
_PARTS = ("quickest fifth", "second fifth", "third fifth", "fourth fifth", "slowest fifth")


def time_model_views(folder: StudyFolder) -> list[View]:
    """The log-normal models, then accuracy by speed."""
    return [*_models(folder), *_speed(folder)]


def _models(folder: StudyFolder) -> list[View]:
    table = folder.table(REACTION_TIME_MODELS)
    columns = {
        "model": of(text, "formula"),
        "term": of(text, "term"),
        "time or ratio": _effect,
        INTERVAL: _effect_interval,
        "p": of(p_value, "p"),
        "SD participants": of(number, "sd_participant"),
        "SD stimuli": of(number, "sd_stimulus"),
        "SD within": of(number, "sd_residual"),
        "answers": of(whole, "n_trials"),
    }
    return view_of(
        "Mixed models of reaction times",
        table if table["n_trials"].fillna(0).any() else table.iloc[:0],
        columns,
        text_columns=2,
        notes=["On the logarithm of the time, so effects are ratios: 1.10 is 10 % slower. The intercept is a time."],
        label="formula",
        source="reaction_time_models",
        grouped=True,
    )


def _effect(row: Record) -> str:
    return milliseconds(row["ratio"]) if row["term"] == "intercept" else number(row["ratio"], digits=3)


def _effect_interval(row: Record) -> str:
    low, high = row["ratio_low"], row["ratio_high"]
    if row["term"] == "intercept" and not missing(low):
        return f"{milliseconds(low)} to {milliseconds(high)}"
    return interval(low, high, digits=3)


def _speed(folder: StudyFolder) -> list[View]:
    table = folder.table(SPEED_ACCURACY)
    columns = {
        "pictures": known_as(_PICTURES, "kind"),
        "answers": of(part_name, "part"),
        "n": of(whole, "n"),
        "median time": of(milliseconds, "median_ms"),
        "right (95\u202f%)": share("accuracy", "ci_low", "ci_high"),
    }
    return view_of(
        "Speed and accuracy",
        table[table["n"] > 0],
        columns,
        text_columns=2,
        notes=["Fifths of each participant's own answers, by their reaction times."],
        label="kind",
        source="speed_accuracy",
        folded=bool(speed_figures(folder)),
    )


def part_name(part: int) -> str:
    """A fifth of a participant's answers in words.

    >>> part_name(1)
    'quickest fifth'
    """
    return _PARTS[int(part) - 1] if 1 <= int(part) <= len(_PARTS) else f"part {part}"


def speed_figures(folder: StudyFolder) -> list[Picture]:
    """Accuracy from the quickest to the slowest fifth."""
    table = folder.table(SPEED_ACCURACY)
    table = table[table["accuracy"].notna() & table["ci_low"].notna()]
    groups = []
    for part, rows in table.groupby("part", sort=True):
        by_kind = rows.set_index("kind")
        spans = [
            Span(kind, *(100 * float(str(by_kind.loc[kind, name])) for name in ("accuracy", "ci_low", "ci_high")))
            for kind in ("real", "fake", "all")
            if kind in by_kind.index
        ]
        if spans:
            groups.append((part_name(int(str(part))), spans))
    if not groups:
        return []
    said = "; ".join(
        f"{name}: {', '.join(f'{_PICTURES[span.series]} {span.value:.1f} % right' for span in spans)}"
        for name, spans in groups
    )
    return [
        picture(
            "Right answers by speed",
            spans_figure(groups, axis="right answers, %", reference=50),
            name="speed-accuracy",
            caption="Fifths of each participant's own answers. Circles: real pictures; squares: generated; diamonds: "
            "all. Bars: 95 % intervals. Dashed: guessing.",
            alternative=said,
        )
    ]
