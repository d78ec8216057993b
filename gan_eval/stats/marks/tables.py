"""The tables of marks: agreement of people, maps against marks, differences of maps, and shares of marks in regions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gan_eval.base.errors import UserError
from gan_eval.base.inference import holm
from gan_eval.stats.groups import one_participant, provenance_cells
from gan_eval.stats.marks.auc import (
    Aucs,
    Marks,
    MeanAuc,
    estimate,
    height_at,
    people_aucs,
    region_shares,
    shuffled_aucs,
    smoothed,
)
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.schema import NOTED, SHARE, Table, integer, interval_columns, number, text, with_interval


class Maps(Protocol):
    """Maps of generated pictures, and regions to count marks in (`gan_eval.metrics.maps.PictureMaps`)."""

    names: tuple[str, ...]

    def __call__(self, name: str, stimulus: str) -> NDArray[np.float32]:
        """Return a map, (H, W), NaN where it has no value; `UserError`: the reason why there is none."""

    def regions(self, stimulus: str) -> dict[str, NDArray[np.bool_]]:
        """Return the regions of a picture by name, each (H, W)."""


SIGMA = 0.05
"""Standard deviation of the Gaussian as a share of the picture's width, where the visual angle is not known."""
SIGMA_DEG = 1.0
"""Standard deviation of the Gaussian in degrees of visual angle."""
ALL = "all"
_N_PARTICIPANTS = integer("n_participants", "people who marked a place on these pictures", filled=True)
_N_STIMULI = integer("n_stimuli", "pictures with marks and, where maps or regions are compared, these", filled=True)
_N_MARKS = integer("n_marks", "marks on these pictures", filled=True)
_PICTURES_OF = (
    text("dataset", "the data set, or all", filled=True),
    text("model", "the generator's name, or all", filled=True),
    _N_STIMULI,
)

MARK_AGREEMENT = Table(
    "mark_agreement",
    "Do people mark the same places of a generated picture? Shuffled AUC of each person's marks by the others'.",
    (
        text("scope", "what the row is about", words=("all", "model", "stimulus"), filled=True),
        text("id", "which model or stimulus; `all` for the scope all", filled=True),
        _N_PARTICIPANTS,
        _N_MARKS,
        *with_interval("auc", "0.5: chance, above the bias to the centre and each person's habits; 1: the same places"),
        _N_STIMULI,
        integer("n_nothing", "trials with `nothing in particular`", filled=True),
        number("sigma", "standard deviation of the Gaussian around a mark, share of the picture's width"),
        *NOTED,
    ),
    key=("scope", "id"),
)

MARK_MAPS = Table(
    "mark_maps",
    "Is the map of a metric high where people mark? Shuffled AUC of the marks by the map.",
    (
        text("map", "l1, ssim, niqe, lpips, or the name of a user's map", filled=True),
        *_PICTURES_OF,
        *with_interval("auc", "0.5: chance; below: the map is low where people mark"),
        number(
            "p_holm",
            "two-sided test against 0.5 after Holm's correction over the maps of the row's pictures",
            unit=SHARE,
        ),
        number("ceiling", "agreement of people on the same pictures: the AUC of the other people's marks"),
        number("p", "the test before the correction", unit=SHARE),
        *NOTED,
    ),
    key=("map", "dataset", "model"),
)

MARK_MAP_DIFFERENCES = Table(
    "mark_map_differences",
    "Which of two maps is nearer to people's marks? Differences of their AUCs on the same marks.",
    (
        text("map_a", "the first map", filled=True),
        text("map_b", "the second map", filled=True),
        *_PICTURES_OF,
        number("difference", "AUC of a minus AUC of b"),
        *interval_columns("ci"),
        number("p", "two-sided", unit=SHARE),
        number("p_holm", "after Holm's correction over the pairs of maps", unit=SHARE),
        *NOTED,
    ),
    key=("map_a", "map_b", "dataset", "model"),
)

MARK_REGIONS = Table(
    "mark_regions",
    "Share of the marks in a region of the picture: the hole that was filled, or the labels that were given.",
    (
        text("region", "hole, or the colour of a label", filled=True),
        *_PICTURES_OF,
        _N_PARTICIPANTS,
        _N_MARKS,
        *with_interval("share", "share of the marks inside, each person on a picture counted once", unit=SHARE),
        number("area", "share of the picture that is the region", unit=SHARE),
        *NOTED,
    ),
    key=("region", "dataset", "model"),
)


@dataclass(frozen=True)
class Marked:
    """The marks of analysed trials, with their pictures."""

    rows: pd.DataFrame
    """(M,) rows of `marks` that have a place; `nothing`: the others."""
    nothing: pd.DataFrame
    pictures: pd.DataFrame
    """(S,) the marked pictures, with their widths where known."""
    marks: Marks
    is_fake: np.ndarray
    sigma: float
    """Standard deviation of the Gaussian, share of the picture's width."""
    by_people: Aucs
    """The AUC of each person's marks by the other people's."""

    def groups(self) -> Iterator[tuple[Row, np.ndarray]]:
        """Yield data set and model, and (S,) their generated pictures: all if there are several, and each."""
        dataset, model = (self.pictures[name].fillna("unnamed").to_numpy(str) for name in ("dataset", "model"))
        each = sorted({*zip(dataset[self.is_fake], model[self.is_fake], strict=True)})
        if len(each) > 1:
            datasets = {str(of) for of, _ in each}
            yield {"dataset": ALL if len(datasets) > 1 else datasets.pop(), "model": ALL}, self.is_fake
        for of, name in each:
            yield {"dataset": str(of), "model": str(name)}, self.is_fake & (dataset == of) & (model == name)

    def tested(
        self, compared: Mapping[Any, Aucs], pictures: np.ndarray, *, chance: float = 0.5
    ) -> Iterator[tuple[Any, MeanAuc, Row]]:
        """Yield the estimate of each on pictures (S,), and its test as cells, with Holm's correction."""
        values = [estimate(self.marks, aucs, pictures, chance=chance) for aucs in compared.values()]
        for name, value, p_holm in zip(compared, values, holm([value.p for value in values]), strict=True):
            yield name, value, {"n_stimuli": value.pictures, "p": value.p, "p_holm": p_holm}

    def cells(self, value: MeanAuc, pictures: np.ndarray, name: str, *notes: str | None, ends: str = "") -> Row:
        """Return an estimate with its interval and the columns `NOTED` of a row about pictures (S,) as cells."""
        rows, reason = self.rows[pictures[self.marks.picture]], None
        if rows["participant"].nunique() < 2:
            reason = one_participant(rows["participant"]) if len(rows) else "no marks"
        elif not value.pictures:
            reason = None if any(notes) else "too few people marked a picture of these and others of its data set"
        elif value.people < 2:
            reason = one_participant(rows["participant"])
        elif np.isnan(value.low):
            reason = "the same value for each person and picture, as by a flat map: no interval"
        elif np.isnan(value.p):
            reason = "the same value for each person, as by one map for all pictures: no test"
        interval = {f"{ends or name}_low": value.low, f"{ends or name}_high": value.high}
        return {name: value.value, **interval, **provenance_cells(rows, reason, *notes)}


def marked(
    marks: pd.DataFrame, trials: pd.DataFrame, *, stimuli: pd.DataFrame | None, sessions: pd.DataFrame | None
) -> Marked:
    """Return the marks of the main trials; pictures in no `stimuli` are taken for squares."""
    marks = marks.merge(trials.loc[trials["phase"] == "main", ["session", "trial"]], on=["session", "trial"])
    rows, nothing = marks.dropna(subset=["x", "y"]).reset_index(drop=True), marks[marks["mark"].isna()]
    pictures = rows.drop_duplicates("stimulus")[["stimulus", "item", "kind", "model", "dataset"]].reset_index(drop=True)
    known = pd.DataFrame(columns=["stimulus", "width", "height"]) if stimuli is None else stimuli
    sizes = known.drop_duplicates("stimulus").set_index("stimulus")[["width", "height"]].reindex(pictures["stimulus"])
    width, height = sizes.to_numpy("float64", na_value=np.nan).T
    known = (pd.DataFrame() if sessions is None else sessions).reindex(columns=["session", "picture_width_deg"])
    degrees = known["picture_width_deg"][known["session"].isin(rows["session"])].to_numpy("float64", na_value=np.nan)
    shown = np.median(degrees) if len(degrees) else 0.0
    sigma = float(SIGMA_DEG / shown) if shown > SIGMA_DEG else SIGMA
    named = (rows["participant"], rows["stimulus"], pictures["item"].fillna(pictures["stimulus"]), pictures["dataset"])
    person, picture, item, group = (pd.factorize(names, use_na_sentinel=False)[0] for names in named)
    place, aspect = rows[["x", "y"]].to_numpy("float64"), np.nan_to_num(height / width, nan=1.0)
    arrays = Marks(person, picture, place, item, group, aspect)
    is_fake = (pictures["kind"] == "fake").to_numpy(bool, na_value=False)
    by_people = people_aucs(arrays, sigma)
    return Marked(rows, nothing, pictures.assign(width=width), arrays, is_fake, sigma, by_people)


def mark_tables(found: Marked, maps: Maps | None) -> dict[str, pd.DataFrame]:
    """Return the tables of marks; without `maps`, only the agreement of people."""
    tables = {MARK_AGREEMENT.name: mark_agreement(found)}
    if maps is not None:
        names = (MARK_MAPS.name, MARK_MAP_DIFFERENCES.name, MARK_REGIONS.name)
        tables |= zip(names, (*mark_maps(found, maps), mark_regions(found, maps)), strict=True)
    return tables


def mark_agreement(found: Marked) -> pd.DataFrame:
    """Return the table `mark_agreement`: all generated pictures, those of each model, and each marked picture."""
    scopes = [("all", ALL, found.is_fake, found.nothing["kind"] == "fake")]
    for scope in ("model", "stimulus"):
        for name in sorted(found.pictures[scope].dropna().unique()):
            is_own = (found.pictures[scope] == name).to_numpy(bool, na_value=False)
            scopes.append((scope, name, is_own, found.nothing[scope] == name))
    rows = []
    for scope, name, used, nothing in scopes:
        of_scope, value = found.rows[used[found.marks.picture]], estimate(found.marks, found.by_people, used)
        is_square = value.pictures and found.pictures.loc[used, "width"].isna().any()
        sizes = "sizes of pictures unknown: taken for squares (give --stimuli)" if is_square else None
        cells = {"scope": scope, "id": name, "sigma": found.sigma, **found.cells(value, used, "auc", sizes)}
        cells |= {"n_participants": of_scope["participant"].nunique(), "n_marks": len(of_scope)}
        rows.append(cells | {"n_stimuli": of_scope["stimulus"].nunique(), "n_nothing": int(nothing.sum())})
    return frame_of(rows, MARK_AGREEMENT)


def mark_maps(found: Marked, maps: Maps) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `mark_maps` and `mark_map_differences`."""
    of_maps = {name: _aucs_of_map(found, maps, name) for name in maps.names}
    aucs = {name: values for name, (values, _) in of_maps.items()}
    rows, differences = [], []
    for key, chosen in found.groups():
        ceiling = estimate(found.marks, found.by_people, chosen).value
        tested = [*found.tested(aucs, chosen)]
        for name, value, tests in tested:
            without = [reason for picture, reason in of_maps[name][1].items() if chosen[picture]]
            note = f"{len(without)} pictures without the map: {without[0]}" if without else None
            cells = found.cells(value, chosen, "auc", note)
            rows.append({"map": name, **key, **tests, "ceiling": ceiling, **cells})
        both = combinations((name for name, value, _ in tested if value.pictures), 2)
        pairs = {(a, b): aucs[a].minus(aucs[b]) for a, b in both}
        for (a, b), value, tests in found.tested(pairs, chosen, chance=0):
            cells = found.cells(value, chosen, "difference", ends="ci")
            differences.append({"map_a": a, "map_b": b, **key, **tests, **cells})
    return frame_of(rows, MARK_MAPS), frame_of(differences, MARK_MAP_DIFFERENCES)


def _aucs_of_map(found: Marked, maps: Maps, name: str) -> tuple[Aucs, dict[int, str]]:
    """Return the AUC of each cell for a map, and by picture the reason why it has no map."""
    missing: dict[int, str] = {}

    @lru_cache(maxsize=1)  # the cells of a picture follow each other
    def smooth(picture: int) -> np.ndarray:
        try:
            values = maps(name, str(found.pictures["stimulus"].iat[picture]))
        except UserError as reason:
            missing[picture] = str(reason)
            return np.full((1, 1), np.nan)
        return smoothed(values, (found.sigma / found.marks.aspect[picture], found.sigma))

    def heights(picture: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.array([-1]), height_at(smooth(picture), points / (1, found.marks.aspect[picture]))[None]

    return shuffled_aucs(found.marks, heights), missing


def mark_regions(found: Marked, maps: Maps) -> pd.DataFrame:
    """Return the table `mark_regions`: the holes that were filled, or the labels that the generator was given."""
    regions, rows = [maps.regions(str(name)) for name in found.pictures["stimulus"]], []
    for region in sorted({name for of_picture in regions for name in of_picture}):
        inside = {index: of_picture[region] for index, of_picture in enumerate(regions) if region in of_picture}
        shares = region_shares(found.marks, inside)
        for key, chosen in found.groups():
            used = chosen & np.isin(np.arange(len(regions)), [*inside])
            if not used.any():
                continue
            value = estimate(found.marks, shares, used)
            counts = {"n_participants": value.people, "n_stimuli": value.pictures, "n_marks": value.marks}
            area = np.mean([there.mean() for index, there in inside.items() if used[index]])
            rows.append({"region": region, **key, **counts, "area": area, **found.cells(value, used, "share")})
    return frame_of(rows, MARK_REGIONS)
