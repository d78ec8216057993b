"""The plan of an analysis and what options add to it: exclusions, a margin, covariates."""

from typing import Any

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.trials import TypedTrials, text_coded, typed
from gan_eval.settings.analysis import NO_PLAN, AnalysisSettings
from gan_eval.settings.sections import check_options
from gan_eval.stats.exclusions import EXCLUSIONS_PLANNED, Included, Rules, apply_rules
from gan_eval.stats.groups import joined
from gan_eval.stats.inputs import Inputs
from gan_eval.stats.mixed.models import mixed_models
from gan_eval.stats.tables.comparisons import Departures
from gan_eval.stats.tables.robustness import is_on_outcome, refuse_outcome_rules, sensitivity
from gan_eval.tables.frames import Row


def settings_and_departures(plan: AnalysisSettings | None, **options: Any) -> tuple[AnalysisSettings, AnalysisSettings]:
    """Return the settings of the main analysis, and those that depart from the plan (defaults without a plan)."""
    values = {name: value for name, value in options.items() if value not in (None, ())}
    added = NO_PLAN
    if values:
        added = check_options(AnalysisSettings, values)
    if plan is None:
        return added, NO_PLAN
    if added.margin is None:
        return plan, added
    if plan.margin is not None:
        raise UserError(f"margin {added.margin:g}: the plan has fixed {plan.margin:g}; remove this one")
    return plan.model_copy(update={"margin": added.margin}), added


def apply_exclusions(
    inputs: Inputs, settings: AnalysisSettings, beyond: AnalysisSettings, *, planned: bool
) -> tuple[Included, TypedTrials, list[Row], tuple[str, str]]:
    """Apply the rules of exclusion.

    Returns:
        The trials and participants that are analysed; these trials by what was asked; rows of `comparisons` on those
        whom a rule on the outcome would exclude; notes on what each kind of rule excludes.
    """
    for source, where in ((settings, EXCLUSIONS_PLANNED if planned else "trials"), (beyond, "trials")):
        if source.exclude:
            refuse_outcome_rules(source.exclude, where=where)
    on_outcome = [
        rule for rule in (*settings.exclude_participants, *beyond.exclude_participants) if is_on_outcome(rule)
    ]
    rules = (
        Rules(source.exclude, [rule for rule in source.exclude_participants if rule not in on_outcome])
        for source in (settings, beyond)
    )
    prepared = inputs.prepared
    included = apply_rules(prepared.trials, inputs.sessions, *rules, planned=planned)
    leaves_out = len(included.trials) < len(prepared.trials)
    analysed = typed(text_coded(included.trials)) if leaves_out else prepared.typed
    rows, note = sensitivity(
        analysed, included.participation, on_outcome, plan=settings, unfinished=included.unfinished
    )
    return included, analysed, rows, (included.note, note)


def models_with_departures(
    models: pd.DataFrame,
    plan: AnalysisSettings | None,
    beyond: AnalysisSettings,
    trials: TypedTrials,
    participants: pd.DataFrame | None,
    departures: Departures,
) -> pd.DataFrame:
    """Return the table `mixed_models` with the formulas that options add to the plan, and with marks on departures."""
    if plan is None:  # nothing can depart from it
        return _exploratory(models, None)
    if beyond.covariates:  # add the formulas that the plan does not have
        options = plan.model_copy(update={"covariates": beyond.covariates})
        more = mixed_models(trials, plan=options, participants=participants)
        formulas = set(models[["formula", "link"]].itertuples(index=False, name=None))
        is_new = [pair not in formulas for pair in more[["formula", "link"]].itertuples(index=False, name=None)]
        models = pd.concat([models, more[is_new].assign(exploratory=True)], ignore_index=True)
    if not departures.excluded:
        return models
    notes = pd.Series([joined(departures.excluded, note) for note in models["note"].fillna("")], index=models.index)
    return _exploratory(models, True).assign(note=notes)


def _exploratory(table: pd.DataFrame, value: bool | None) -> pd.DataFrame:
    """Return a table whose results are all exploratory or not; None: nothing was planned."""
    return table.assign(exploratory=pd.Series(value, index=table.index, dtype="boolean"))
