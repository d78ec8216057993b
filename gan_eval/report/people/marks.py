"""Where people saw it: heat maps, the maps of metrics against the marks, and shares of marks in regions."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gan_eval.errors import UserError
from gan_eval.pictures.decode import read_rgb
from gan_eval.report.parts.blocks import Charts, Folded, Lines, PictureTable, ReportSection
from gan_eval.report.parts.chart import INK, MAX_TITLE, MUTED, SERIES, STYLE, Chart, panel
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.heat import Pixels, coloured, heat, heated, stretched
from gan_eval.report.parts.table import INTERVAL, cell, interval_cell, table_of
from gan_eval.report.parts.thumbnails import SIDE, small_picture
from gan_eval.report.parts.words import apa_interval, clean, missing, number, p_value, percent, plural, text, whole
from gan_eval.stats.marks.tables import ALL, MARK_AGREEMENT, MARK_MAP_DIFFERENCES, MARK_MAPS, MARK_REGIONS
from gan_eval.tables import MARKS, PARTICIPATION, TRIALS

MM_PER_INCH = 25.4
PICTURES = 6
"""Pictures with most agreement."""
CAPTION = (
    "Generated pictures on whose marks people agree most, the marks of all people (each has the same weight), the map "
    "that is nearest to the marks, and the real pictures; right: shuffled AUC of the marks by each map, with 95% "
    "intervals (dotted: chance; dashed: the marks of other people)."
)
"""Caption of the figure for a paper."""
TITLES = {"l1": "absolute error", "ssim": "1 − SSIM", "niqe": "NIQE blocks", "lpips": "LPIPS (AlexNet)"}


class Example(NamedTuple):
    """One marked picture and its maps, (H, W, 3) each."""

    stimulus: str
    model: str
    auc: float
    people: int
    picture: Pixels
    heat: Pixels
    best: Pixels | None
    real: Pixels | None


def marks_section(folder: StudyFolder) -> ReportSection:
    """Return the section on marks; it is empty if nobody was asked."""
    agreement, maps = folder.table(MARK_AGREEMENT), folder.table(MARK_MAPS)
    if agreement.empty:
        return ReportSection("marks", "Where people saw it", [])
    best, shown = best_map(maps), list(examples(folder))
    rows = [
        (
            f"{example.stimulus}: AUC {number(example.auc)}, {plural(example.people, 'person', 'people')}",
            [
                None if pixels is None else small_picture(pixels, f"{what} of {example.stimulus}", side=SIDE)
                for what, pixels in zip(
                    ("Generated picture", "Heat map", "Map", "Real picture"), example[4:], strict=True
                )
            ],
        )
        for example in shown
    ]
    pictures = PictureTable(
        "Pictures with most agreement",
        ["picture", "generated", "marks", f"map: {title_of_map(best)}" if best else "map", "real"],
        rows,
        "Marks: each person has the same weight; bright: most people. Of the maps, that with the highest AUC is shown.",
        style="way large",
    )
    auc = {"AUC": cell(number, "auc"), INTERVAL: interval_cell("auc_low", "auc_high")}
    of_models = agreement[agreement["scope"] != "stimulus"]
    columns = {"pictures of": cell(text, "id"), "people": cell(whole, "n_participants")}
    columns |= {"pictures": cell(whole, "n_stimuli"), "marks": cell(whole, "n_marks")}
    columns |= {"nothing in particular": cell(whole, "n_nothing"), **auc}
    of_maps = {"map": lambda row: title_of_map(row["map"]), "data set": cell(text, "dataset")}
    of_maps |= {"model": cell(text, "model"), "pictures": cell(whole, "n_stimuli"), **auc}
    of_maps |= {"p (Holm)": cell(p_value, "p_holm"), "ceiling": cell(number, "ceiling")}
    between = {"map a": lambda row: title_of_map(row["map_a"]), "map b": lambda row: title_of_map(row["map_b"])}
    between |= {"data set": cell(text, "dataset"), "model": cell(text, "model")}
    between |= {"difference of AUC, a − b": cell(number, "difference"), INTERVAL: interval_cell()}
    between |= {"p (Holm)": cell(p_value, "p_holm")}
    regions = {"region": cell(text, "region"), "data set": cell(text, "dataset"), "model": cell(text, "model")}
    regions |= {"pictures": cell(whole, "n_stimuli"), "marks": cell(whole, "n_marks")}
    regions |= {"share of the marks": cell(percent, "share"), INTERVAL: _percent_interval}
    regions |= {"area": cell(percent, "area"), "marks elsewhere": cell(percent, "elsewhere")}
    return ReportSection(
        "marks",
        "Where people saw it",
        [
            Lines(_sentences(folder)),
            pictures,
            Charts(map_charts(maps)),
            *table_of("Do people mark the same places?", of_models, columns, source="mark_agreement", label="id"),
            Folded(
                "Maps of each model, and differences of maps",
                [
                    *table_of("Maps against marks", maps, of_maps, text_columns=3, source="mark_maps", label="map"),
                    *table_of(
                        "Differences of maps",
                        folder.table(MARK_MAP_DIFFERENCES),
                        between,
                        text_columns=4,
                        source="mark_map_differences",
                    ),
                ],
            ),
            *table_of(
                "Marks in regions",
                folder.table(MARK_REGIONS),
                regions,
                text_columns=3,
                source="mark_regions",
                label="region",
                notes=["Marks elsewhere: share of the same people's marks on other pictures that are at its place."],
            ),
        ],
        on_first_page=True,
    )


def _percent_interval(row: object) -> str:
    low, high = (pd.Series(row)[f"share_{end}"] for end in ("low", "high"))
    return "–" if missing(low) else f"{100 * low:.1f} to {100 * high:.1f}"


def _sentences(folder: StudyFolder) -> list[str]:
    everything = folder.table(MARK_AGREEMENT).iloc[0]
    count = plural(int(everything["n_marks"]), "mark")
    people = plural(int(everything["n_participants"]), "participant")
    sentences = [f"{count} of {people} on {plural(int(everything['n_stimuli']), 'generated picture')}."]
    if not missing(everything["auc"]):
        ends = (everything["auc_low"], everything["auc_high"])
        interval = "" if missing(ends[0]) else f", {apa_interval(*ends)}"
        sentences.append(
            f"Agreement of people: shuffled AUC = {number(everything['auc'])}{interval}. 0.5 is chance, above the bias "
            "to the centre; 1 means the same places."
        )
    best = best_map(folder.table(MARK_MAPS))
    if best:
        maps = first_group(folder.table(MARK_MAPS))
        row = maps[maps["map"] == best].iloc[0]
        sentences.append(
            f"Of the maps, {title_of_map(best)} is nearest to the marks: AUC = {number(row['auc'])}; that of other "
            f"people's marks (ceiling) is {number(row['ceiling'])}."
        )
    return sentences


def title_of_map(name: object) -> str:
    """Return a map's name for readers."""
    return TITLES.get(str(name), clean(str(name)))


def first_group(maps: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all models, or of the only one."""
    rows = maps[maps["model"] == ALL]
    rows = rows if len(rows) else maps
    return rows[(rows["dataset"] == rows["dataset"].iloc[0]) & (rows["model"] == rows["model"].iloc[0])]


def best_map(maps: pd.DataFrame) -> str:
    """Return the map with the highest AUC; empty if no map has one."""
    rows = first_group(maps).dropna(subset="auc").sort_values("auc") if len(maps) else maps
    return str(rows["map"].iloc[-1]) if len(rows) else ""


def map_charts(maps: pd.DataFrame) -> list[Chart]:
    """Return the chart of maps by their AUC, with intervals and the ceiling."""
    rows = first_group(maps).dropna(subset="auc") if len(maps) else maps
    if rows.empty:
        return []
    with mpl.rc_context(STYLE):
        figure, axes = panel(0.9 + 0.28 * len(rows))
        draw_maps(axes, rows)
    described = (f"{title_of_map(row['map'])}: {number(row['auc'])}" for row in rows.to_dict("records"))
    caption = "Shuffled AUC of people's marks by each map, with 95% intervals. Dotted: chance."
    caption += " Dashed: the marks of other people (ceiling)." * bool(rows["ceiling"].notna().any())
    return [Chart("Maps against marks", [figure], caption, "; ".join(described), name="mark-maps")]


def draw_maps(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the AUC of each map with its interval, the highest on top."""
    rows = rows.sort_values("auc")
    at, auc = np.arange(len(rows)), rows["auc"].to_numpy(float)
    ends = [np.nan_to_num(np.abs(rows[name].to_numpy(float) - auc)) for name in ("auc_low", "auc_high")]
    axes.errorbar(auc, at, xerr=ends, fmt="o", color=SERIES["all"], ecolor=SERIES["all"], markersize=5, linewidth=1.4)
    axes.axvline(0.5, color=MUTED, linewidth=1, linestyle=":")
    if rows["ceiling"].notna().any():
        axes.axvline(float(rows["ceiling"].max()), color=INK, linewidth=1, linestyle="--")
    axes.set_yticks(at, [title_of_map(name)[:MAX_TITLE] for name in rows["map"]], parse_math=False)
    axes.set(ylim=(-0.6, len(rows) - 0.4), xlabel="shuffled AUC")
    axes.tick_params(axis="y", length=0)


def examples(folder: StudyFolder, count: int = PICTURES) -> Iterator[Example]:
    """Yield the generated pictures with most agreement whose files can be read, with their maps."""
    ranked, marks = folder.table(MARK_AGREEMENT), _counted_marks(folder)
    ranked = ranked[(ranked["scope"] == "stimulus") & ranked["auc"].notna()]
    ranked = ranked.sort_values(["auc_low", "auc", "n_participants", "id"], ascending=[False, False, False, True])
    maps, best = folder.picture_maps, best_map(folder.table(MARK_MAPS))
    found = 0
    for row in ranked.to_dict("records"):
        files = folder.stimulus_files.get(row["id"])
        own = marks[marks["stimulus"] == row["id"]]
        if found == count or files is None or not files.is_fake or own.empty:
            continue
        pixels = _pixels(files.file)
        if pixels is None:
            continue
        found += 1
        density = heat(own["participant"].to_numpy(), own[["x", "y"]].to_numpy(float), pixels.shape[:2], row["sigma"])
        values = maps(best, row["id"]) if best in maps.names else ""
        yield Example(
            row["id"],
            str(files.model),
            row["auc"],
            int(row["n_participants"]),
            pixels,
            heated(pixels, density),
            None if isinstance(values, str) else coloured(stretched(values)),
            None if files.reference is None else _pixels(files.reference),
        )


def _pixels(file: Path) -> Pixels | None:
    try:
        return read_rgb(file)
    except UserError:
        return None


def _counted_marks(folder: StudyFolder) -> pd.DataFrame:
    """Return the marks of main trials of participants whose answers count."""
    marks, trials, people = folder.table(MARKS), folder.table(TRIALS), folder.table(PARTICIPATION)
    marks = marks[marks["x"].notna()]
    main = trials.loc[trials["phase"] == "main", ["session", "trial"]]
    marks = marks.merge(main, on=["session", "trial"])
    if "counted" in people and len(people):
        marks = marks[marks["participant"].isin(people.loc[people["counted"] == "yes", "participant"])]
    return marks


def marks_figure(folder: StudyFolder, width_mm: float) -> Figure:
    """Draw the figure for a paper: pictures with most agreement and, next to them, the maps' AUCs.

    Raises:
        UserError: there are no marks.
    """
    maps = folder.table(MARK_MAPS)
    rows = first_group(maps).dropna(subset="auc") if len(maps) else maps
    shown = list(examples(folder, 4))
    if rows.empty and not shown:
        raise UserError(f"--figure marks: {folder.path} has no marks whose pictures can be read; give --stimuli SET")
    names = {"picture": "generated", "heat": "marks", "best": title_of_map(best_map(maps)), "real": "real"}
    lines = {name: title for name, title in names.items() if any(getattr(one, name) is not None for one in shown)}
    with mpl.rc_context({**STYLE, "font.size": 8}):
        share = 2.2 if len(rows) else 0.1
        side = width_mm / MM_PER_INCH / (len(shown) + share)
        shape = float(np.mean([one.picture.shape[0] / one.picture.shape[1] for one in shown])) if shown else 1.0
        height = max(side * shape * len(lines), 1.6) + 0.2
        figure = Figure(figsize=(width_mm / MM_PER_INCH, height), layout="constrained")
        grid = figure.add_gridspec(max(len(lines), 1), len(shown) + 1, width_ratios=[1] * len(shown) + [share])
        if folder.simulated:
            figure.suptitle("simulated participants", fontsize=8, color=MUTED)
        for row, (name, title) in enumerate(lines.items()):
            for column, one in enumerate(shown):
                axes = figure.add_subplot(grid[row, column])
                axes.set(xticks=[], yticks=[], ylabel="" if column else title)
                axes.spines[:].set_visible(False)
                if row == 0:
                    axes.set_title(clean(one.model)[:18], fontsize=7, parse_math=False)
                if (pixels := getattr(one, name)) is not None:
                    axes.imshow(pixels, interpolation="lanczos", aspect="auto")
        if len(rows):
            draw_maps(figure.add_subplot(grid[:, -1]), rows)
    return figure
