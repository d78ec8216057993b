"""Trials by the hole that was filled in their picture."""

import pandas as pd

from gan_eval.stimuli.holes import area_band
from gan_eval.tables import HOLE_SCOPES, STIMULI

KIND, BAND = HOLE_SCOPES


def with_holes(trials: pd.DataFrame, stimuli: pd.DataFrame | None) -> pd.DataFrame:
    """The trials with the columns `mask_kind` and `mask_area_band` of their generated pictures.

    A real picture has no hole: both are empty. Where no generated picture has one, the trials come back as they are.

    Args:
        trials: the table `trials`.
        stimuli: the table `stimuli` of all sets that were shown; of a stimulus in several sets the first row counts.
    """
    if stimuli is None:
        return trials
    known = stimuli.reindex(columns=[column.name for column in STIMULI.columns])
    fakes = known[(known["kind"] == "fake") & (known["mask_kind"].notna() | known["mask_area"].notna())]
    fakes = fakes.drop_duplicates("stimulus").set_index("stimulus")
    if fakes.empty:
        return trials
    bands = fakes["mask_area"].map(area_band, na_action="ignore")
    is_fake = trials["kind"] == "fake"
    found = {KIND: fakes["mask_kind"], BAND: bands}
    columns = {name: trials["stimulus"].map(of).astype(object).where(is_fake) for name, of in found.items()}
    return trials.assign(**columns)


def hole_scopes(trials: pd.DataFrame) -> list[str]:
    """Those of HOLE_SCOPES that any of the trials has."""
    return [name for name in HOLE_SCOPES if name in trials and bool(trials[name].notna().any())]
