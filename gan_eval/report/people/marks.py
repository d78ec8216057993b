"""Marks of where people saw it: heat maps, the maps of metrics against the marks, and shares of marks in regions."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.inference import Estimate
from gan_eval.pictures.decode import read_rgb
from gan_eval.report.parts.blocks import Block, Charts, Folded, Lines, PictureTable, ReportSection
from gan_eval.report.parts.chart import INK, MAX_TITLE, MUTED, SERIES, STYLE, Chart, panel
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.heat import coloured, heated, stretched
from gan_eval.report.parts.sentences import said
from gan_eval.report.parts.table import INTERVAL, cell, interval_cell, labelled, table_of
from gan_eval.report.parts.thumbnails import SIDE, small_picture
from gan_eval.report.parts.words import (
    clean,
    number,
    p_value,
    percent,
    plural,
    proportion_interval,
    text,
    whole,
)
from gan_eval.stats.marks.tables import MARK_AGREEMENT, MARK_MAP_DIFFERENCES, MARK_MAPS, MARK_REGIONS
from gan_eval.tables import MARKS, PARTICIPATION, TRIALS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gan_eval.metrics.maps import PictureMaps

HEADING = "Where people saw it"
CHARTED = "Shuffled AUC of the marks by each map, with 95% intervals (dotted: chance; dashed: the marks of others)."
CAPTION = (
    "Generated pictures on whose marks people agree most, the marks of all people (each has the same weight), the map "
    f"that is nearest to the marks, and the real pictures. Right or below: {CHARTED}"
)
TITLES = {"l1": "absolute error", "ssim": "1 − SSIM", "niqe": "NIQE blocks", "lpips": "LPIPS (AlexNet)"}
_OF = {"data set": cell(text, "dataset"), "model": cell(text, "model"), "pictures": cell(whole, "n_stimuli")}
_AUC = {"AUC": cell(number, "auc"), INTERVAL: interval_cell("auc_low", "auc_high")}
_P = {"p (Holm)": cell(p_value, "p_holm")}
_N_MARKS = cell(whole, "n_marks")


def marks_section(folder: StudyFolder) -> ReportSection:
    """Return the section on marks; it is empty if nobody was asked."""
    agreement = folder.table(MARK_AGREEMENT)
    if agreement.empty:
        return ReportSection("marks", HEADING, [])
    shown, rows = list(islice(examples(folder), 6)), []
    for row, panels in shown:
        name = f"{row['id']}: AUC {number(row['auc'])}, {plural(int(row['n_participants']), 'person', 'people')}"
        made = [(pixels, f"{title} of {row['id']}") for title, pixels in panels.items()]
        rows.append((name, [None if pixels is None else small_picture(pixels, of, side=SIDE) for pixels, of in made]))
    note = "Marks: each person has the same weight; bright: most people. Of the maps, the one with the highest AUC."
    head = ["picture", *(shown[0][1] if shown else ())]
    pictures = PictureTable("Pictures with most agreement", head, rows, note, style="way large")
    columns = {"pictures of": cell(text, "id"), "people": cell(whole, "n_participants"), "pictures": _OF["pictures"]}
    columns |= {"marks": _N_MARKS, "nothing in particular": cell(whole, "n_nothing"), **_AUC}
    models = agreement[agreement["scope"] != "stimulus"]
    tables = table_of("Do people mark the same places?", models, columns, source="mark_agreement", label="id")
    blocks = [Lines(_sentences(folder)), pictures, Charts(map_charts(best_group(folder))), *tables]
    return ReportSection("marks", HEADING, [*blocks, *_details(folder)], on_first_page=True)


def _details(folder: StudyFolder) -> list[Block]:
    maps, between, regions = map(folder.table, (MARK_MAPS, MARK_MAP_DIFFERENCES, MARK_REGIONS))
    columns = {"map": labelled(TITLES, "map"), **_OF, **_AUC, **_P, "ceiling": cell(number, "ceiling")}
    compared = table_of("Maps against marks", maps, columns, source="mark_maps", label="map", text_columns=3)
    columns = {"map a": labelled(TITLES, "map_a"), "map b": labelled(TITLES, "map_b"), **_OF}
    columns |= {"difference of AUC, a − b": cell(number, "difference"), INTERVAL: interval_cell(), **_P}
    compared += table_of("Differences of maps", between, columns, source="mark_map_differences", text_columns=4)
    columns = {"region": cell(text, "region"), **_OF, "marks": _N_MARKS}
    columns["share of the marks"] = lambda row: proportion_interval(row["share"], row["share_low"], row["share_high"])
    columns["area"] = cell(percent, "area")
    of_regions = table_of("Marks in regions", regions, columns, source="mark_regions", label="region", text_columns=3)
    return [Folded("Maps of each model, and differences of maps", compared), *of_regions]


def _sentences(folder: StudyFolder) -> list[str]:
    row = folder.table(MARK_AGREEMENT).iloc[0]
    best = next(iter(best_group(folder).tail(1).to_dict("records")), None)
    auc = Estimate(*(float(row[name]) for name in ("auc", "auc_low", "auc_high")))
    return said("tables", "marks", row, auc, best, title_of_map(best["map"]) if best else "")


def title_of_map(name: object) -> str:
    """Return a map's name for readers."""
    return TITLES.get(str(name), clean(str(name)))


def best_group(folder: StudyFolder) -> pd.DataFrame:
    """Return the rows of the first group of `mark_maps`, all models if there are several; the highest AUC is last."""
    maps = folder.table(MARK_MAPS)
    return maps.merge(maps[["dataset", "model"]].head(1)).dropna(subset="auc").sort_values("auc")


def map_charts(maps: pd.DataFrame) -> list[Chart]:
    """Return the chart of maps by their AUC, with intervals and the ceiling."""
    if maps.empty:
        return []
    with panel(0.9 + 0.28 * len(maps)) as (figure, axes):
        draw_maps(axes, maps)
    described = "; ".join(f"{title_of_map(row['map'])}: {number(row['auc'])}" for row in maps.to_dict("records"))
    return [Chart("Maps against marks", [figure], CHARTED, described, name="mark-maps")]


def draw_maps(axes: "Axes", maps: pd.DataFrame) -> None:
    """Draw the AUC of each map with its interval, the last one on top."""
    auc = maps["auc"].astype(float)
    ends = [(maps[name].astype(float) - auc).abs().fillna(0) for name in ("auc_low", "auc_high")]
    axes.errorbar(auc, range(len(maps)), xerr=ends, fmt="o", color=SERIES["all"], markersize=5, linewidth=1.4)
    axes.axvline(0.5, color=MUTED, linewidth=1, linestyle=":")
    if maps["ceiling"].notna().any():
        axes.axvline(float(maps["ceiling"].max()), color=INK, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(maps)), [title_of_map(name)[:MAX_TITLE] for name in maps["map"]], parse_math=False)
    axes.set(ylim=(-0.6, len(maps) - 0.4), xlabel="shuffled AUC")
    axes.tick_params(axis="y", length=0)


def examples(folder: StudyFolder) -> Iterator[tuple[dict[Any, Any], dict[str, Any]]]:
    """Yield the row of `mark_agreement` and the titled pixels (or None) of generated pictures, most agreement first."""
    from gan_eval.metrics.maps import PictureMaps  # imports the metrics
    from gan_eval.metrics.run.inputs import stimuli_of_sets

    trials, people, ranked = (folder.table(table) for table in (TRIALS, PARTICIPATION, MARK_AGREEMENT))
    marks = folder.table(MARKS).merge(trials.loc[trials["phase"] == "main", ["session", "trial"]]).dropna(subset="x")
    if "counted" in people:
        marks = marks[~marks["participant"].isin(people.loc[people["counted"] != "yes", "participant"])]
    ranked = ranked[(ranked["scope"] == "stimulus") & ranked["auc"].notna()]
    ranked = ranked.sort_values(["auc_low", "auc", "n_participants", "id"], ascending=[False, False, False, True])
    stimuli = {stimulus.stimulus: stimulus for stimulus in stimuli_of_sets(folder.set_folders.values())}
    maps, best = PictureMaps(stimuli.values(), folder.maps), "".join(best_group(folder)["map"].tail(1))
    for row in ranked.to_dict("records"):
        files, placed = stimuli.get(row["id"]), marks[marks["stimulus"] == row["id"]]
        if files is None or not files.is_fake or placed.empty:
            continue
        try:
            fake, real = read_rgb(files.file), None if files.reference is None else read_rgb(files.reference)
        except UserError:
            continue
        of_map, heat = _map_of(maps, best, row["id"]), heated(fake, placed, row["sigma"])
        yield row, {"generated": fake, "marks": heat, f"map: {title_of_map(best)}": of_map, "real": real}


def _map_of(maps: "PictureMaps", name: str, stimulus: str) -> Any:
    """Return the pixels of a map of a picture; None if it has none."""
    with suppress(UserError):
        return coloured(stretched(maps(name, stimulus))) if name in maps.names else None


def marks_figure(folder: StudyFolder, width_mm: float) -> "Figure":
    """Draw the figure for a paper: pictures with most agreement and the maps' AUCs; `UserError` without marks.

    Below 130 mm the AUCs are below the pictures, which are three at most.
    """
    is_wide = width_mm >= 130
    maps, shown = best_group(folder), list(islice(examples(folder), 4 if is_wide else 3))
    if maps.empty and not shown:
        raise UserError(f"--figure marks: {folder.path} has no marks whose pictures can be read; give --stimuli SET")
    rows = {title: [panels[title] for _, panels in shown] for title in (shown[0][1] if shown else ())}
    rows = {title: pictures for title, pictures in rows.items() if any(pixels is not None for pixels in pictures)}
    width = width_mm / 25.4
    widths, heights = _sizes(rows, len(shown), width, is_wide=is_wide, has_maps=not maps.empty)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({**STYLE, "font.size": 8 if is_wide else 7}):
        figure = Figure(figsize=(width, max(sum(heights), 1.6) + 0.2), layout="constrained")
        grid = figure.add_gridspec(len(heights), len(widths), width_ratios=widths, height_ratios=heights)
        if folder.simulated:
            figure.suptitle("simulated participants", fontsize=8, color=MUTED)
        names = [clean(row["id"].partition("/")[2])[-20:] for row, _ in shown]
        for row, (title, pictures) in enumerate(rows.items()):
            for column, pixels in enumerate(pictures):
                axes = figure.add_subplot(grid[row, column])
                words = ("" if row else names[column]), ("" if column else title)
                _draw_picture(axes, pixels, *words, is_wide=is_wide)
        if not maps.empty:
            draw_maps(figure.add_subplot(grid[:, -1] if is_wide else grid[-1, :]), maps)
    return figure


def _sizes(
    rows: Mapping[str, Sequence[Any]], columns: int, width: float, *, is_wide: bool, has_maps: bool
) -> tuple[list[float], list[float]]:
    """Return the relative widths of the figure's columns, and the heights of its rows in inches.

    Args:
        rows: the pixels of each row of pictures.
        columns: number of pictures in a row.
    """
    widths = [1.0] * columns + [2.2] * (is_wide and has_maps) or [1.0]
    highest = max((pixels.shape[0] / pixels.shape[1] for pixels in rows.get("marks", ())), default=0)
    room = width if is_wide else width - 0.8  # the names of the maps are to the left of the pictures
    return widths, [highest * room / sum(widths)] * len(rows) + [1.6] * (has_maps and not is_wide) or [1.0]


def _draw_picture(axes: "Axes", pixels: Any, name: str, title: str, *, is_wide: bool) -> None:
    """Draw pixels, or nothing for None, with a name above and a title to the left."""
    axes.set(xticks=[], yticks=[])
    axes.set_ylabel(title, fontsize=8 if is_wide else 6)
    axes.spines[:].set_visible(False)
    axes.set_title(name, fontsize=6, parse_math=False)
    if pixels is not None:
        axes.imshow(pixels, interpolation="lanczos", aspect="auto" if is_wide else "equal")
