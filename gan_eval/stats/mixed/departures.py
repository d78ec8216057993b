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
    """What may be requested beyond the plan, as in `gan_eval.stats.analyze`."""

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
    beyond: Options,
    trials: pd.DataFrame,
    participants: pd.DataFrame | None,
    excluded: int = 0,
) -> dict[str, pd.DataFrame]:
    """The tables with the rows that only the options request, and marked where they judge by what no plan fixed.

    Verdicts of equivalence rest on the margin, all comparisons and mixed models on the trials that are left.

    Args:
        frames: the tables.
        plan: of the study.
        beyond: the options beyond it.
        trials: those that are left.
        participants: the table `participants`.
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
    if beyond.margin is not None:  # the rows that it makes equivalent are exploratory
        has_margin = frames["comparisons"]["margin"].notna().to_numpy(bool)
        noted = _noted(frames["comparisons"], has_margin, "the margin is exploratory, not in the plan")
        equivalent = (noted["verdict"] == "equivalent").fillna(False).to_numpy(bool)
        marked["comparisons"] = noted.assign(exploratory=noted["exploratory"].mask(equivalent, True))
    if beyond.covariates:  # add the formulas that the plan does not have
        planned = frames["mixed_models"]
        options = plan.model_copy(update={"covariates": beyond.covariates})
        models = mixed_models(trials, plan=options, participants=participants)
        formulas = set(planned[["formula", "link"]].itertuples(index=False, name=None))
        is_new = [pair not in formulas for pair in models[["formula", "link"]].itertuples(index=False, name=None)]
        marked["mixed_models"] = pd.concat([planned, models[is_new].assign(exploratory=True)], ignore_index=True)
    if excluded:
        note = f"rests on exclusions that are not in the plan ({excluded} trials)"
        for name in ("comparisons", "mixed_models"):
            frame = marked[name]
            marked[name] = _noted(frame, np.ones(len(frame), bool), note).assign(
                exploratory=pd.Series(True, index=frame.index, dtype="boolean")
            )
    return marked


def _noted(table: pd.DataFrame, chosen: np.ndarray, note: str) -> pd.DataFrame:
    """With a note on the chosen rows, before their own."""
    notes = [f"{note}; {own}" if own == own else note for own in table["note"]]
    return table.assign(note=table["note"].where(~chosen, notes))
