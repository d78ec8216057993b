"""The tables of marks: agreement of people, maps against marks, differences of maps, and shares of marks in regions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.science.inference import holm
from gan_eval.stats.groups import ONE_PARTICIPANT, provenance_cells
from gan_eval.stats.marks.auc import Aucs, Estimate, Marks, cell_means, estimate, map_aucs, people_aucs, smoothed_at
from gan_eval.stats.trials import with_text_names
from gan_eval.tables import MARKS
from gan_eval.tables.frames import Row, conform, frame_of
from gan_eval.tables.schema import NOTED, SHARE, Table, integer, interval_columns, number, text

if TYPE_CHECKING:
    from gan_eval.metrics.maps import PictureMaps

SIGMA = 0.05
"""Standard deviation of the Gaussian as a share of the picture's width, if the visual angle is not known."""
SIGMA_DEG = 1.0
"""The same as visual angle: about the precision of pointing, and the fovea."""
ALL = "all"
INTERVAL = "95% interval: Student's t, from leaving out people, items, and people's marks on items"

MARK_AGREEMENT = Table(
    "mark_agreement",
    "Do people mark the same places of a generated picture? Shuffled AUC of each person's marks by the others'.",
    (
        text("scope", "what the row is about", words=("all", "model", "stimulus"), filled=True),
        text("id", "which model or stimulus; `all` for the scope all", filled=True),
        integer("n_participants", "people who marked a place", filled=True),
        integer("n_marks", "marks", filled=True),
        number("auc", "0.5: chance, above the bias to the centre and each person's habits; 1: the same places"),
        *interval_columns("auc", f"its {INTERVAL}"),
        integer("n_stimuli", "pictures with marks", filled=True),
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
        text("dataset", "the data set, or all", filled=True),
        text("model", "the generator's name, or all", filled=True),
        integer("n_stimuli", "pictures with marks and a map", filled=True),
        number("auc", "0.5: chance; below: the map is low where people mark"),
        *interval_columns("auc", f"its {INTERVAL}"),
        number("p_holm", "two-sided test against 0.5 after Holm's correction over the maps of the row's pictures"),
        number("ceiling", "agreement of people on the same pictures: the AUC of the other people's marks"),
        number("p", "the test before the correction"),
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
        text("dataset", "the data set, or all", filled=True),
        text("model", "the generator's name, or all", filled=True),
        integer("n_stimuli", "pictures with marks and both maps", filled=True),
        number("difference", "AUC of a minus AUC of b"),
        *interval_columns("ci", f"its {INTERVAL}"),
        number("p", "two-sided"),
        number("p_holm", "after Holm's correction over the pairs of maps"),
        *NOTED,
    ),
    key=("map_a", "map_b", "dataset", "model"),
)

MARK_REGIONS = Table(
    "mark_regions",
    "Share of the marks in a region of the picture: the hole that was filled, or the labels that were given.",
    (
        text("region", "hole, or the colour of a label", filled=True),
        text("dataset", "the data set, or all", filled=True),
        text("model", "the generator's name, or all", filled=True),
        integer("n_participants", "people who marked a place on these pictures", filled=True),
        integer("n_stimuli", "pictures with marks and the region", filled=True),
        integer("n_marks", "marks on them", filled=True),
        number("share", "share of the marks inside the region, each person on a picture counted once", unit=SHARE),
        *interval_columns("share", f"its {INTERVAL}", unit=SHARE),
        number("area", "share of the picture that is the region", unit=SHARE),
        number("elsewhere", "share of the same people's marks on other pictures that are at its place", unit=SHARE),
        *NOTED,
    ),
    key=("region", "dataset", "model"),
)


def require_places(frame: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Return a frame with participant, stimulus, x and y, the latter two as numbers from 0 to 1.

    Raises:
        UserError: a column is absent, or a place is no share of the picture.
    """
    if missing := [name for name in ("participant", "stimulus", "x", "y") if name not in frame]:
        raise UserError(f"{where}: column {', '.join(missing)} is missing; it has {', '.join(map(str, frame))}")
    places = {name: pd.to_numeric(frame[name], errors="coerce") for name in ("x", "y")}
    for name, place in places.items():
        wrong = (place.isna() & frame[name].notna()) | (place < 0) | (place > 1)
        if wrong.any():
            raise UserError(
                f"{where}: row {int(wrong.argmax()) + 1}, column {name}: found {frame[name][wrong].iloc[0]}, expected "
                "a share of the picture from 0 (left, top) to 1; divide pixels by the picture's width and height"
            )
    return frame.assign(**places)


def read_marks(source: pd.DataFrame, trials: pd.DataFrame, *, where: str = "marks") -> pd.DataFrame:
    """Return the table `marks` of a frame with participant, stimulus, x and y; absent columns come from the trials.

    Raises:
        UserError: a column is absent, a cell does not fit the schema, x and y are not shares of the picture, or no
            picture was judged by its participant.
    """
    frame, key = require_places(with_text_names(source), where=where), ["participant", "stimulus"]
    known = trials[[name for name in MARKS.names if name in trials]].drop_duplicates(key)
    of_trials = frame[key].merge(known, on=key, how="left").set_axis(frame.index)
    others = of_trials[[name for name in of_trials if name not in frame]]
    whole = pd.concat([frame, others], axis=1).reindex(columns=[*MARKS.names])
    if not {"session", "trial"} <= {*frame}:
        whole = whole[of_trials["trial"].notna()]
        if len(frame) and whole.empty:
            names = " on ".join(map(str, frame[key].iloc[0]))
            raise UserError(f"{where}: no mark is of a trial, such as that of {names}; name both as the trials do")
    if "mark" not in frame:
        number = whole.groupby(["session", "trial"]).cumcount() + 1
        whole = whole.assign(mark=number.where(whole["x"].notna()))
    is_repeated = whole["mark"].isna() & whole.duplicated(["session", "trial", "mark"])  # nothing in particular, twice
    return conform(whole[~is_repeated], MARKS, where=where)


@dataclass(frozen=True)
class Marked:
    """The marks of analysed trials, with their pictures."""

    rows: pd.DataFrame
    """(M,) rows of `marks` that have a place."""
    nothing: pd.DataFrame
    """Rows of trials with *nothing in particular*."""
    pictures: pd.DataFrame
    """(S,) stimulus, kind, model and dataset of each marked picture, and its size where it is known."""
    marks: Marks
    sigma: float
    """Standard deviation of the Gaussian, share of the picture's width."""

    @cached_property
    def by_people(self) -> Aucs:
        """The AUC of each person's marks by the other people's."""
        return people_aucs(self.marks, self.sigma)

    @property
    def is_fake(self) -> np.ndarray:
        """(S,) bool"""
        return (self.pictures["kind"] == "fake").to_numpy(bool, na_value=False)

    def among(self, pictures: np.ndarray) -> pd.DataFrame:
        """Return the rows of marks on the chosen pictures (S,)."""
        return self.rows[pictures[self.marks.picture]]

    def groups(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Yield data set, model and pictures (S,) of the generated pictures: all if there are several, and each."""
        dataset, model = (self.pictures[name].fillna("unnamed").to_numpy(str) for name in ("dataset", "model"))
        each = sorted({*zip(dataset[self.is_fake], model[self.is_fake], strict=True)})
        if len(each) > 1:
            yield ALL if len({of for of, _ in each}) > 1 else str(each[0][0]), ALL, self.is_fake
        for of, name in each:
            yield str(of), str(name), self.is_fake & (dataset == of) & (model == name)


def marked(
    marks: pd.DataFrame, trials: pd.DataFrame, *, stimuli: pd.DataFrame | None, sessions: pd.DataFrame | None
) -> Marked:
    """Return the marks of the main trials among `trials`.

    Args:
        marks: the table `marks`.
        stimuli: the table `stimuli` of the sets that were shown, for the pictures' sizes; None: taken for squares.
        sessions: the table `sessions`, for the visual angle of a picture's width.
    """
    main = trials.loc[trials["phase"] == "main", ["session", "trial"]].astype({"session": "str", "trial": "Int64"})
    is_main = pd.MultiIndex.from_frame(marks[["session", "trial"]]).isin(pd.MultiIndex.from_frame(main))
    has_place = marks["x"].notna() & marks["y"].notna()
    rows, nothing = (marks[is_main & chosen].reset_index(drop=True) for chosen in (has_place, marks["mark"].isna()))
    picture, names = pd.factorize(rows["stimulus"])
    pictures = rows.drop_duplicates("stimulus")[["stimulus", "item", "kind", "model", "dataset"]].reset_index(drop=True)
    sizes = pictures.assign(width=np.nan, height=np.nan) if stimuli is None else stimuli
    sizes = sizes.drop_duplicates("stimulus").set_index("stimulus")[["width", "height"]].reindex(names)
    pictures = pictures.assign(width=sizes["width"].to_numpy("float64", na_value=np.nan))
    aspect = sizes["height"].to_numpy("float64", na_value=np.nan) / pictures["width"].to_numpy()
    degrees = pd.Series(dtype="float64")
    if sessions is not None and "picture_width_deg" in sessions:
        degrees = sessions.loc[sessions["session"].isin(rows["session"]), "picture_width_deg"]
    width = float(degrees.median()) if len(degrees) and degrees.notna().all() else 0.0
    return Marked(
        rows,
        nothing,
        pictures,
        Marks(
            person=pd.factorize(rows["participant"])[0],
            picture=picture,
            place=rows[["x", "y"]].to_numpy("float64"),
            item=pd.factorize(pictures["item"].fillna(pictures["stimulus"]))[0],
            group=pd.factorize(pictures["dataset"], use_na_sentinel=False)[0],
            aspect=np.nan_to_num(aspect, nan=1.0),
        ),
        sigma=SIGMA_DEG / width if width > SIGMA_DEG else SIGMA,
    )


def mark_tables(found: Marked, maps: "PictureMaps | None") -> dict[str, pd.DataFrame]:
    """Return the tables of marks; without `maps`, only the agreement of people."""
    tables = {MARK_AGREEMENT.name: mark_agreement(found)}
    if maps is not None:
        compared, differences = mark_maps(found, maps)
        tables |= {MARK_MAPS.name: compared, MARK_MAP_DIFFERENCES.name: differences}
        tables[MARK_REGIONS.name] = mark_regions(found, maps)
    return tables


def mark_agreement(found: Marked) -> pd.DataFrame:
    """Return the table `mark_agreement`: all generated pictures, those of each model, and each marked picture."""
    rows = []
    is_fake = found.nothing["kind"] == "fake"
    scopes = [("all", "all", found.is_fake, is_fake)]
    for scope, names in (("model", found.pictures["model"].dropna()), ("stimulus", found.pictures["stimulus"])):
        for name in sorted(set(names)):
            of_scope = (found.pictures[scope] == name).to_numpy(bool, na_value=False)
            scopes.append((scope, name, of_scope, found.nothing[scope] == name))
    for scope, name, used, without in scopes:
        of_scope, value = found.among(used), estimate(found.marks, found.by_people, used)
        people, note = of_scope["participant"].nunique(), None
        if people < 2:
            note = ONE_PARTICIPANT if people else "no marks"
        elif np.isnan(value.value):
            note = "no picture was marked by two people who marked other pictures of its data set too"
        sizes = None
        if found.pictures.loc[used, "width"].isna().any():
            sizes = "sizes of pictures unknown: taken for squares (give --stimuli)"
        rows.append(
            {"scope": scope, "id": name, "n_participants": people, "n_marks": len(of_scope), "sigma": found.sigma}
            | {"n_stimuli": of_scope["stimulus"].nunique(), "n_nothing": int(without.sum()), **_cells(value, "auc")}
            | provenance_cells(of_scope, note, sizes)
        )
    return frame_of(rows, MARK_AGREEMENT)


def _cells(value: Estimate, name: str, interval: str = "") -> Row:
    """Return an estimate and its interval as cells."""
    return {name: value.value, f"{interval or name}_low": value.low, f"{interval or name}_high": value.high}


def mark_maps(found: Marked, maps: "PictureMaps") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `mark_maps` and `mark_map_differences`."""
    reasons: dict[str, dict[int, str]] = {name: {} for name in maps.names}
    aucs = {name: _aucs_of_map(found, maps, name, reasons[name]) for name in maps.names}
    rows, differences = [], []
    for dataset, model, chosen in found.groups():
        of_group, key = found.among(chosen), {"dataset": dataset, "model": model}
        ceiling = estimate(found.marks, found.by_people, chosen).value
        values = {name: estimate(found.marks, of_map, chosen) for name, of_map in aucs.items()}
        for (name, value), p_holm in zip(values.items(), holm([value.p for value in values.values()]), strict=True):
            without = [reason for picture, reason in reasons[name].items() if chosen[picture]]
            missing = f"{len(without)} pictures without the map: {without[0]}" if without and value.pictures else None
            note = without[0] if without and not value.pictures else _reason(of_group, value)
            tests = {"n_stimuli": value.pictures, "p": value.p, "p_holm": p_holm, "ceiling": ceiling}
            cells = _cells(value, "auc") | provenance_cells(of_group, note, missing)
            rows.append({"map": name, **key, **tests, **cells})
        pairs = [pair for pair in combinations(values, 2) if all(values[name].pictures for name in pair)]
        between = [estimate(found.marks, aucs[a].minus(aucs[b]), chosen, chance=0) for a, b in pairs]
        for (a, b), value, p_holm in zip(pairs, between, holm([value.p for value in between]), strict=True):
            tests = {"n_stimuli": value.pictures, "p": value.p, "p_holm": p_holm}
            cells = _cells(value, "difference", "ci") | provenance_cells(of_group, _reason(of_group, value))
            differences.append({"map_a": a, "map_b": b, **key, **tests, **cells})
    return frame_of(rows, MARK_MAPS), frame_of(differences, MARK_MAP_DIFFERENCES)


def _reason(rows: pd.DataFrame, value: Estimate) -> str | None:
    """Return why there is no value or no interval."""
    if rows["participant"].nunique() == 1:
        return ONE_PARTICIPANT
    if not value.pictures:
        return "no person has marked two pictures of the data set"
    return "one person or picture: no interval" if np.isnan(value.low) else None


def _aucs_of_map(found: Marked, maps: "PictureMaps", name: str, reasons: dict[int, str]) -> Aucs:
    """Return the AUC of each cell for a map; put the reason for a missing map into `reasons`."""
    read: dict[int, np.ndarray | str] = {}

    def values_at(picture: int, points: np.ndarray) -> np.ndarray | None:
        if not found.is_fake[picture]:
            return None
        if picture not in read:  # the cells of a picture follow each other
            read.clear()
            read[picture] = maps(name, str(found.pictures["stimulus"].iat[picture]))
        values, aspect = read[picture], found.marks.aspect[picture]
        if isinstance(values, str):
            reasons[picture] = values
            return None
        return smoothed_at(values, points / (1, aspect), (found.sigma, found.sigma / aspect))

    return map_aucs(found.marks, values_at)


def mark_regions(found: Marked, maps: "PictureMaps") -> pd.DataFrame:
    """Return the table `mark_regions`: the holes that were filled, or the labels that the generator was given."""
    regions = [maps.regions(str(name)) for name in found.pictures["stimulus"]]
    of_cells = np.array([cell.picture for cell in found.marks.cells], int)
    rows = []
    for region in sorted({name for of_picture in regions for name in of_picture}):
        inside = {place: of_picture[region] for place, of_picture in enumerate(regions) if region in of_picture}
        means, others = cell_means(found.marks, inside)
        has_region = np.isin(np.arange(len(regions)), [*inside])
        for dataset, model, chosen in found.groups():
            used = chosen & has_region
            if not used.any():
                continue
            value, here = estimate(found.marks, means, used), others[used[of_cells]]
            counts = {"n_participants": value.people, "n_stimuli": value.pictures, "n_marks": value.marks}
            shares = {
                "area": np.mean([there.mean() for place, there in inside.items() if used[place]]),
                "elsewhere": np.nanmean(here) if np.isfinite(here).any() else np.nan,
            }
            of_region = found.among(used)
            key = {"region": region, "dataset": dataset, "model": model}
            cells = _cells(value, "share") | provenance_cells(of_region, _reason(of_region, value))
            rows.append({**key, **counts, **shares, **cells})
    return frame_of(rows, MARK_REGIONS)
