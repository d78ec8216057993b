"""Figure 1 of a study, for a paper and for the page: rates of models, accuracy, participants, and a metric."""

import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import offset_copy
from scipy.special import ndtr, ndtri

from gan_eval.base.atomic import write_bytes
from gan_eval.base.errors import UserError
from gan_eval.judgements.trials import PAIRED
from gan_eval.report.figure_content import LETTERS, MAX_ROWS, Entry, FigureContent, content_of
from gan_eval.report.metrics.summaries import title_of, unit_of, with_arrow
from gan_eval.report.parts.chart import STYLE, figure_file
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import sentence
from gan_eval.report.parts.words import basis_text, clean, points
from gan_eval.report.people.caveats import trained_text
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.results import RATING, SINGLE
from gan_eval.stats.tables.hype import THRESHOLDS

WIDTH_MM = 180.0
"""Default width."""
WIDE_MM = 130.0
"""Width below which panels are stacked."""
FONT = "DejaVu Sans"
FONT_SIZE = 8
"""Points."""
SMALL = FONT_SIZE - 1
"""Points of numbers on axes and of notes."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Colours of models, in turn: those of Okabe and Ito."""
INK = "#141414"
"""Colour of words."""
MUTED = "#5B5B5B"
"""Colour of notes, lines and real pictures."""
BAND = "#E3E3E3"
"""Colour of the ground behind rates, for real pictures and the margin of equivalence."""
_PERCENT = (0, 25, 50, 75, 100)
MAX_HEIGHT_MM = 115.0
"""Height above which the panels of a narrow figure are made lower."""
MAX_FILE_MM = 120.0
"""The same height of a file with a warning above the panels."""
MM_PER_INCH = 25.4
GOLDEN = (math.sqrt(5) - 1) / 2
MAX_NAMED = 8
"""Number of models up to which the panels of participants and of the metric have the models' colours and names."""
MAX_DOTS = 300
"""Number of participants of a model up to which each has a dot; more are counted, with a bar for each percent point."""


LABELLED_SIDE_MM = 36.0
"""About the side of the panel whose curves have labels."""
MARKER_MM = 1.5
"""Distance of these labels from the middle of a marker."""


def figure_1(content: FigureContent, width_mm: float = WIDTH_MM) -> Figure:
    """Draw figure 1 of a study, as high as its rows need."""
    sizes = {"font.size": FONT_SIZE, "xtick.labelsize": SMALL, "ytick.labelsize": FONT_SIZE}
    colours = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), INK)
    colours |= dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), MUTED)
    widths = dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.6)
    distances = {"axes.labelpad": 2.5, "axes.titley": 1.0}  # a title's height is not searched for: that is slow
    style = {**STYLE, **sizes, **colours, **widths, **distances, "font.family": FONT}
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a browser has the letter
        return _Drawing(content, width_mm).figure


def write_figure(
    folder: StudyFolder,
    file: Path,
    width_mm: float = WIDTH_MM,
    *,
    panels: str | None = None,
    on_message: Callable[[str], object] = warnings.warn,
) -> Path:
    """Write figure 1 as a file, whole or not at all, and return its path; equal input gives equal bytes.

    Args:
        file: PDF or SVG, whose words stay text, or PNG of 300 dpi.
        panels: letters of the panels to draw, such as `ab`; default: all, of a narrow figure those that fit on a page.
        on_message: called with a line on the panels that do not fit.
    """
    content = content_of(folder)
    if content is None:
        raise UserError(f"{file}: not written: the table paper in {folder.path} has no numbers that figure 1 can show")
    if panels is not None:
        content = content.with_panels(panels)
    figure, letters = figure_1(content, width_mm), LETTERS[: len(content.panels)]
    if panels is None and width_mm < WIDE_MM:
        kept = letters
        while figure.get_figheight() * MM_PER_INCH > MAX_FILE_MM and len(kept) > 1:
            kept = kept[:-1]
            content = content.with_panels(kept)
            figure = figure_1(content, width_mm)
        if kept != letters:
            rest = letters.removeprefix(kept)
            on_message(f"{file}: panels {kept} of {letters}, as more do not fit on a page; the others: --panels {rest}")
    caption = caption_of_figure_1(folder, content)
    write_bytes(file, figure_file(figure, file.suffix, title="Figure 1", description=caption))
    return file


def caption_of_figure_1(folder: StudyFolder, content: FigureContent) -> str:
    """Return the caption of figure 1 in plain text."""
    facts = _facts_of_panels(folder, content)
    panels = [
        f"{f'({letter}) ' * (len(content.panels) > 1)}{sentence('captions', kind, content, *facts[kind])}."
        for letter, kind in zip(LETTERS, content.panels, strict=False)
    ]
    rows = [row for row in folder.results.every if row.protocol == content.protocol]
    of_all, is_adaptive = [row for row in rows if row.is_of_all], content.protocol in ADAPTIVE_PROTOCOLS
    nouns = "grades" if content.protocol == RATING else "rates" + " and accuracy" * ("accuracy" in content.panels)
    bases = basis_text([row for row in folder.results.cited if row.protocol == content.protocol])
    rest = sentence(
        "captions",
        "rest",
        who=folder.who_text(max(row.counts["n_participants"] or 0 for row in of_all or rows)),
        n_answers=sum(row.counts["n_answers"] or 0 for row in of_all),
        nouns="thresholds" if is_adaptive else nouns,
        bases="over participants only" if is_adaptive else bases,
        interim="interim" in content.warning,
        first=MAX_ROWS if MAX_ROWS == len(content.entries) < len(rows) - len(of_all) else 0,
        partial=trained_text(folder.fractions, "Models trained"),
        simulated=folder.simulated,
    )
    return " ".join([*panels, rest])


def _facts_of_panels(folder: StudyFolder, content: FigureContent) -> dict[str, tuple[Any, ...]]:
    """Return by panel what its caption says of the drawing, as `captions.jinja` names it."""
    entries, share = content.entries, ""
    if content.protocol in ADAPTIVE_PROTOCOLS:
        thresholds = folder.table(THRESHOLDS)
        shares = thresholds.loc[(thresholds["protocol"] == content.protocol).fillna(False), "share"].dropna().unique()
        share = f"{shares[0]:.0%}" if len(shares) == 1 else "a fixed share of"
    has_ends = any(not np.isnan(entry.value[1:]).any() for entry in entries)
    has_ends_of_accuracy = any(not np.isnan(entry.accuracy[1:]).any() for entry in entries)
    has_people = any(len(entry.participant_values) for entry in entries)
    is_counted = any(len(entry.participant_values) > MAX_DOTS for entry in entries)
    has_reals = any(not math.isnan(entry.real[0]) for entry in entries)
    return {
        "rates": (share, has_ends, has_people, is_counted, has_reals),
        "accuracy": (has_ends_of_accuracy,),
        "people": (),
        "metric": (title_of(content.metric), all(len(entry.points) <= 1 for entry in entries)),
    }


def text_width_mm(text: str, size: int = FONT_SIZE) -> float:
    """Return the width of a text of a size in points."""
    font = FontProperties(family=FONT, size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) * MM_PER_INCH / 72


def shortened(text: str, width_mm: float) -> str:
    """Return a text; if it is too wide, with an ellipsis in the middle.

    >>> shortened("pix2pix_without_skip_connections", 25)
    'pix2pix_…ections'
    """
    short = text
    keep = min(len(text), 200)
    while keep > 2 and text_width_mm(short) > width_mm:
        keep -= 1
        short = f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}"
    return short


class _Drawing:
    """The drawing of figure 1."""

    def __init__(self, content: FigureContent, width_mm: float) -> None:
        self.content, self.width_mm, self.is_wide = content, width_mm, width_mm >= WIDE_MM
        self.is_coloured = sum(entry.model_index >= 0 for entry in content.entries) <= MAX_NAMED
        self.at, self.titles = _rows(content.entries)
        lines = self._lines()
        heights = self._heights_mm(lines)
        top = 0.6 * FONT_SIZE if content.warning else 0.0
        height = sum(heights) + top
        self.figure = Figure(figsize=(self.width_mm / MM_PER_INCH, height / MM_PER_INCH))
        layout = ConstrainedLayoutEngine(w_pad=0.08, rect=(0, 0, 1, 1 - top / height))
        self.figure.set_layout_engine(layout)
        parts = self.figure.subfigures(len(lines), 1, height_ratios=heights, squeeze=False)[:, 0]
        self.axes: dict[str, Axes] = {}
        square = 1.15 if len(lines) == 1 else 0.75 if self._named() else 0.5
        weights = {"rates": 1.25, "accuracy": 1.0, "people": square, "metric": 1.1}
        for part, line in zip(parts, lines, strict=True):
            all_axes = part.subplots(1, len(line), width_ratios=[weights[kind] for kind in line], squeeze=False)[0]
            self.axes |= dict(zip(line, all_axes, strict=True))
        draw = {"rates": self._rates, "accuracy": self._accuracy, "people": self._people, "metric": self._metric}
        for letter, (kind, axes) in zip(LETTERS, self.axes.items(), strict=False):
            if len(self.axes) > 1:
                axes.set_title(letter, fontsize=FONT_SIZE + 2, fontweight="bold", loc="left")
            draw[kind](axes)
        for _ in range(2 if {"people", "metric"} <= self.axes.keys() else 1):  # a square next to another
            layout.execute(self.figure)
        self.figure.set_layout_engine(None)  # "none" would draw each file twice
        words: dict[str, Any] = {"ha": "right", "va": "top", "weight": "bold", "color": "#B3261E"}
        self.figure.text(1 - 1 / self.width_mm, 1 - 1 / height, content.warning.upper(), **words)

    def _named(self) -> list[Entry]:
        """Return the models that panels of dots name; none if there is one model or more than MAX_NAMED."""
        entries = [entry for entry in self.content.entries if entry.model_index >= 0]
        return entries if len(entries) > 1 and self.is_coloured else []

    def _lines(self) -> list[list[str]]:
        panels = self.content.panels
        if not self.is_wide:
            return [[kind] for kind in panels]
        names, verdicts = zip(*((entry.name, entry.verdict) for entry in self.content.entries), strict=True)
        longest = sum(max(text_width_mm(word) for word in words) for words in (names, verdicts))
        is_one_line = len(panels) < 3 or (len(panels) == 3 and longest < self.width_mm / 4 - 14)
        return [panels] if is_one_line else [panels[:2], panels[2:]]

    def _heights_mm(self, lines: Sequence[Sequence[str]]) -> list[float]:
        """Return the height of each line of panels; those of a narrow figure are made lower until it fits on a page."""
        heights = list[float]()
        for squeezed in np.linspace(0, 0 if self.is_wide else 1, 5):
            heights = [max(self._height_mm(kind, float(squeezed)) for kind in line) for line in lines]
            if sum(heights) <= MAX_HEIGHT_MM:
                break
        return heights

    def _height_mm(self, kind: str, squeezed: float) -> float:
        if kind in ("rates", "accuracy"):
            rows = self.at[-1] + 1
            row = 1.0 if rows <= 6 else 0.8 if rows <= 10 else 0.65
            lowest = 0.39 if rows > 10 else 0.55
            return FONT_SIZE * (2 + max(rows * (row - (row - lowest) * squeezed), 1.75))
        return 7 * FONT_SIZE if self.is_wide else (0.65 - 0.15 * squeezed) * self.width_mm

    def _style(self, entry: Entry) -> dict[str, Any]:
        """Return colour and marker of a model."""
        colour = MUTED if entry.model_index < 0 else COLOURS[entry.model_index % len(COLOURS)]
        return {"color": colour, "marker": entry.marker, "linestyle": "none", "markeredgewidth": 0}

    def _estimate(self, axes: Axes, entry: Entry, x: float, y: float, size: float = 6.0) -> None:
        edge = {"markeredgecolor": "white", "markeredgewidth": 0.8}
        axes.plot([x], [y], **self._style(entry) | edge, markersize=size, zorder=5)

    def _interval(self, axes: Axes, entry: Entry, ends: Sequence[float], at: float, width: float) -> None:
        colour = self._style(entry)["color"]
        axes.plot(ends, [at, at], color=colour, linewidth=width, solid_capstyle="butt", zorder=4)

    def _note(self, axes: Axes, words: str, *, line: float | None = None) -> None:
        """Explain the grey band, or the dashed line that is drawn here, above a panel."""
        if line is not None:
            axes.axvline(line, color=MUTED, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
        axes.set_title(words, fontsize=SMALL, color=MUTED, loc="right")

    def _set_rows(self, axes: Axes, *, named: bool) -> None:
        axes.set_ylim(self.at[-1] + 0.6, -0.6)
        axes.spines["left"].set_visible(False)
        room = self.width_mm * (0.24 if self.is_wide else 0.34)
        labels = [(at, shortened(title, room)) for at, title in self.titles]
        for at, entry in zip(self.at, self.content.entries, strict=True):
            name = shortened(entry.name, room - text_width_mm(entry.n_label))
            labels.append((at, name + entry.n_label))
        axes.set_yticks([at for at, _ in labels] if named else [])
        axes.set_yticklabels([label for _, label in labels] if named else [], parse_math=False)
        axes.tick_params(axis="y", length=0)
        for label in axes.get_yticklabels()[: len(self.titles)]:
            label.set_fontweight("bold")

    def _rates(self, axes: Axes) -> None:
        content = self.content
        everything = np.concatenate([[*entry.value, *entry.participant_values] for entry in content.entries])
        most = 100.0 if content.has_shares else max(everything[np.isfinite(everything)], default=1.0)
        for at, entry in zip(self.at, content.entries, strict=True):
            low, high = entry.real
            axes.fill_betweenx([at - 0.5, at + 0.5], low, high, color=BAND, linewidth=0, zorder=0)
            self._participants(axes, entry, at, most / 100)
            self._interval(axes, entry, entry.value[1:], at, 1.6)
            self._estimate(axes, entry, entry.value[0], at)
        if content.has_shares:
            axes.set(xlim=(-2, 102), xticks=_PERCENT)
        elif content.protocol == RATING:
            axes.set_xlim(0.9, (content.grades or math.ceil(most)) + 0.1)
            axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
        else:
            axes.set_xlim(0, 1.03 * most)
            axes.xaxis.set_major_locator(MaxNLocator(5))
        self._set_rows(axes, named=True)
        axes.set_xlabel(content.panel_a[1])
        if any(not math.isnan(entry.real[0]) for entry in content.entries):
            self._note(axes, "grey: real pictures")
        elif content.protocol != SINGLE and content.has_shares:
            self._note(axes, f"dashed: {'average model' if content.panel_a[0] == 'preference' else 'chance'}", line=50)

    def _participants(self, axes: Axes, entry: Entry, at: float, step: float) -> None:
        """Draw a dot for each participant; for very many, bars with their numbers, each for values within a step."""
        values, style = np.sort(entry.participant_values), self._style(entry)
        if len(values) > MAX_DOTS:
            steps, counts = np.unique(np.round(values[np.isfinite(values)] / step), return_counts=True)
            half = 0.35 * counts / counts.max(initial=1)
            bars = {"color": style["color"], "alpha": 0.4, "linewidth": 1.5}
            axes.vlines(step * steps, at - half, at + half, **bars, zorder=2)
            return
        less, away = _shrinking(len(values)), 0.7 * (np.arange(len(values)) * GOLDEN % 1 - 0.5)  # neighbours far apart
        dots = {"marker": "o", "markersize": 4.2 * less, "alpha": 0.2 + 0.2 * less}
        axes.plot(values, at + away, **style | dots, zorder=2, clip_on=False, in_layout=False)

    def _accuracy(self, axes: Axes) -> None:
        entries, margin = self.content.entries, 100 * self.content.margin
        for at, entry in zip(self.at, entries, strict=True):
            self._interval(axes, entry, entry.accuracy[1:3], at, 1.0)
            self._interval(axes, entry, entry.accuracy[3:], at, 2.6)
            self._estimate(axes, entry, entry.accuracy[0], at)
        ends = np.array([45, 55, 50 - margin, 50 + margin, *np.ravel([entry.accuracy for entry in entries])])
        low, high = min(ends[np.isfinite(ends)]), max(ends[np.isfinite(ends)])
        axes.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
        self._set_rows(axes, named=not self.is_wide)
        axes.set_xlabel("real picture found (%)" if self.content.protocol == PAIRED else "balanced accuracy (%)")
        if math.isnan(margin):
            self._note(axes, "dashed: chance", line=50)
        else:
            axes.axvspan(50 - margin, 50 + margin, color=BAND, linewidth=0, zorder=0)
            self._note(axes, f"chance ± {points(self.content.margin)}", line=50)
        widest = max(text_width_mm(entry.verdict, SMALL) for entry in entries)
        if widest < 0.33 * self.width_mm:
            for at, entry in zip(self.at, entries, strict=True):
                where = axes.get_yaxis_transform()
                axes.text(1.02, at, entry.verdict, transform=where, va="center", size=SMALL)

    def _people(self, axes: Axes) -> None:
        axes.set_box_aspect(1)
        axes.set_anchor("NW")
        axes.set(xlim=(-3, 103), ylim=(-3, 103), xlabel="false alarms (%)", ylabel="hits (%)")
        axes.set(xticks=_PERCENT, yticks=_PERCENT)
        for entry in self.content.entries:
            points, counts = np.unique(entry.participant_rates, axis=0, return_counts=True)
            area = min(8.0, 144.0 / counts.max(initial=1))  # at most 12 points wide
            self._scatter(axes, entry, points, area * counts)
            self._estimate(axes, entry, entry.false_alarms, 100 - entry.value[0], 8.0 if self.is_coloured else 4.0)
        alarms = ndtr(np.linspace(-4.5, 4.5, 181))
        style: dict[str, Any] = {"size": SMALL, "color": MUTED, "ha": "center", "va": "center"}
        style["bbox"] = {"facecolor": "white", "linewidth": 0, "pad": 0.6}
        taken = np.concatenate(
            [[[entry.false_alarms, 100 - entry.value[0]], *entry.participant_rates] for entry in self.content.entries]
        )
        taken, labels = taken[np.isfinite(taken).all(axis=1)], np.empty((0, 2))
        for dprime, (start, words) in enumerate(((0.8, "d′ = 0"), (0.31, "1"), (0.16, "2"), (0.07, "3"))):
            curve = 100 * np.column_stack([alarms, ndtr(ndtri(alarms) + dprime)])
            axes.plot(*curve.T, color=MUTED, linewidth=0.5, alpha=0.6, zorder=1)
            room = 106 / LABELLED_SIDE_MM * (np.array([text_width_mm(words, SMALL), SMALL * 0.35]) / 2 + MARKER_MM)
            label = clear_place(curve, np.concatenate([taken, labels]), 100 * start, room)
            axes.text(label[0], label[1], words, **style, zorder=6)
            labels = np.concatenate([labels, [label]])
        self._key(axes)

    def _scatter(self, axes: Axes, entry: Entry, points: np.ndarray, size: Any) -> None:
        less = _shrinking(len(points))
        style: dict[str, Any] = {"color": MUTED, "marker": "o", "alpha": 0.3 + 0.2 * less, "linewidths": 0}
        if self.is_coloured:
            style |= {name: self._style(entry)[name] for name in ("color", "marker")}
        axes.scatter(points[:, 0], points[:, 1], size * less, zorder=3, **style)
        axes.tick_params(axis="y", labelsize=SMALL)

    def _metric(self, axes: Axes) -> None:
        content = self.content
        for entry in content.entries:
            self._scatter(axes, entry, entry.points, 14.0 if len(entry.points) > 1 else 30.0)
        if content.protocol != RATING:
            axes.set(ylim=(-3, 103), yticks=_PERCENT)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        unit = unit_of(content.metric)
        axes.set_xlabel(with_arrow(content.metric) + (f" ({unit})" if unit else ""), parse_math=False)
        axes.set_ylabel(content.panel_a[1])
        axes.set_title("\n".join(content.correlations), fontsize=SMALL, loc="right", parse_math=False)
        if "people" not in self.axes:
            self._key(axes)

    def _key(self, axes: Axes) -> None:
        """Draw a legend of the models to the right of a panel."""
        entries = self._named()
        models = [entry.model for entry in entries]
        style: dict[str, Any] = {"va": "center", "size": SMALL, "parse_math": False, "annotation_clip": False}
        for row, entry in enumerate(entries):
            down = -(row + 0.5) * 1.5 * FONT_SIZE
            where = offset_copy(axes.transAxes, fig=self.figure, x=FONT_SIZE, y=down, units="points")
            axes.plot([1], [1], **self._style(entry), markersize=5, transform=where, clip_on=False)
            words = entry.name + f", {clean(entry.dataset)}" * (models.count(entry.model) > 1)
            words = shortened(words, 0.17 * self.width_mm)
            axes.annotate(words, (1, 1), (1.75 * FONT_SIZE, down), "axes fraction", "offset points", **style)


def clear_place(curve: np.ndarray, taken: np.ndarray, start: float, room: np.ndarray) -> np.ndarray:
    """Return the point of a curve, (2,), for the middle of a label: clear of all taken points, and close to its start.

    Args:
        curve: (N, 2) points in percent; those too close to the edge are not for labels.
        taken: (M, 2) points that a label should not hide.
        start: first coordinate of the place to prefer.
        room: (2,) distance from the middle, in each direction, within which a taken point would be hidden.
    """
    inside = curve[((curve > room / 2) & (curve < 100 - room / 2)).all(axis=1)]
    distances = np.abs(inside[:, None] - taken[None]) / room
    clear = distances.max(axis=2).min(axis=1, initial=np.inf)
    wanted = np.minimum(clear, 1.0) - 1e-6 * np.abs(inside[:, 0] - start)
    return np.asarray(inside[wanted.argmax()])


def _shrinking(count: int) -> float:
    """Return the factor of the size of dots: 1 up to 60 of them."""
    return max(min(1.0, math.sqrt(60 / max(count, 1))), 0.3)


def _rows(entries: Sequence[Entry]) -> tuple[list[float], list[tuple[float, str]]]:
    """Return each entry's row from the top and, if there are several, the rows and names of the data sets."""
    datasets = [entry.dataset for entry in entries]
    at: list[float] = []
    titles: list[tuple[float, str]] = []
    row = 0.0
    for before, dataset in enumerate(datasets):
        if len(set(datasets)) > 1 and dataset not in datasets[:before]:
            row += 0.35 * (before > 0)
            titles.append((row, clean(dataset)))
            row += 0.8
        at.append(row)
        row += 1
    return at, titles
