"""Options that come on top of a study's plan, and the mark that they leave: exploratory."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.settings.sections import check_options
from gan_eval.stats.mixed.models import mixed_models


class Options(NamedTuple):
    """What may be asked beside the plan, as in `gan_eval.stats.analyze`."""

    exclude: tuple[str, ...] = ()
    exclude_participants: tuple[str, ...] = ()
    margin: float | None = None
    covariates: tuple[str, ...] = ()


def extended(plan: AnalysisSettings | None, options: Options) -> tuple[AnalysisSettings, Options]:
    """The settings of the main analysis, and what of the options departs from the plan; without a plan nothing does.

    Raises:
        UserError: the plan has a margin of its own, or the options' margin is not between 0 and 1/2.
    """
    if plan is None:
        given = {name: value for name, value in options._asdict().items() if value not in (None, ())}
        return check_options(AnalysisSettings, given), Options()
    if options.margin is None:
        return plan, options
    if plan.margin is not None:
        raise UserError(f"--margin {options.margin:g}: the plan has fixed {plan.margin:g}; leave the option out")
    with_margin = check_options(AnalysisSettings, {**plan.model_dump(), "margin": options.margin})
    return with_margin, options


def mark_departures(
    frames: Mapping[str, pd.DataFrame],
    plan: AnalysisSettings | None,
    more: Options,
    kept: pd.DataFrame,
    people: pd.DataFrame | None,
    excluded: int = 0,
) -> dict[str, pd.DataFrame]:
    """The tables with the rows that only the options ask for, and marked where they judge by what no plan fixed.

    Verdicts of equivalence rest on the margin, all comparisons and mixed models on the trials that are left.

    Args:
        frames: the tables.
        plan: of the study.
        more: the options beyond it.
        kept: the trials that are left.
        people: the table `participants`.
        excluded: trials that only options leave out.

    Raises:
        UserError: a covariate is neither a question nor a column of the trials.
    """
    if plan is None:
        return {
            name: frame.assign(exploratory=pd.Series(pd.NA, index=frame.index, dtype="boolean"))
            if "exploratory" in frame
            else frame
            for name, frame in frames.items()
        }
    marked = dict(frames)
    if more.margin is not None:
        marked["comparisons"] = _with_margin(frames["comparisons"], "the margin is exploratory, not in the plan")
    if more.covariates:
        marked["mixed_models"] = _with_covariates(frames["mixed_models"], plan, more, kept, people)
    if excluded:
        words = f"rests on exclusions that are not in the plan ({excluded} trials)"
        for name in ("comparisons", "mixed_models"):
            frame = marked[name]
            marked[name] = _noted(frame, np.ones(len(frame), bool), words).assign(
                exploratory=pd.Series(True, index=frame.index, dtype="boolean")
            )
    return marked


def _with_margin(comparisons: pd.DataFrame, words: str) -> pd.DataFrame:
    """With words on the rows that have a margin, those that it makes equivalent being exploratory."""
    noted = _noted(comparisons, comparisons["margin"].notna().to_numpy(bool), words)
    equivalent = (noted["verdict"] == "equivalent").fillna(False).to_numpy(bool)
    return noted.assign(exploratory=noted["exploratory"].mask(equivalent, True))


def _noted(table: pd.DataFrame, chosen: np.ndarray, words: str) -> pd.DataFrame:
    """With words on the chosen rows."""
    notes = table["note"].where(~chosen, [f"{words}; {note}" if note == note else words for note in table["note"]])
    return table.assign(note=notes)


def _with_covariates(
    planned: pd.DataFrame, plan: AnalysisSettings, more: Options, kept: pd.DataFrame, people: pd.DataFrame | None
) -> pd.DataFrame:
    """Followed by the formulas that the further covariates add."""
    asked = plan.model_copy(update={"covariates": more.covariates})
    found = mixed_models(kept, plan=asked, participants=people)
    key = ["formula", "link"]
    known = set(planned[key].itertuples(index=False, name=None))
    added = found[[row not in known for row in found[key].itertuples(index=False, name=None)]]
    return pd.concat([planned, added.assign(exploratory=True)], ignore_index=True)
