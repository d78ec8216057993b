"""`[analysis]` and `[power]` of a study file: the plan of the analysis, fixed before the data, and its sample size."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from gan_eval.settings.rules import rule_parts
from gan_eval.settings.sections import SHORT, Name, NotInDesign, Option, Section
from gan_eval.tables import PARTICIPATION, TRIALS
from gan_eval.tables.cells import expected
from gan_eval.tables.schema import SHARE, Column

Link = Literal["logit", "probit"]
Share = Annotated[float, Field(gt=0, lt=1)]
"""A number above 0 and below 1."""


def _is_a_share(value: Any) -> Any:
    if isinstance(value, int | float) and value >= 0.5:
        raise ValueError(f"found {value}; expected a share below 0.5, such as 0.05 for 5 points")
    return value


_IN_ANALYSIS_HASH = NotInDesign("part of the analysis hash")


class AnalysisSettings(Section):
    """`[analysis]`: the plan of the analysis, fixed before the data; what departs from it is marked exploratory."""

    exclude: Annotated[tuple[str, ...], SHORT] = ()
    """Rules that exclude trials, such as `reaction_time_ms<200`. Rules on the outcome (kind, response, choice, rating,
    correct, confidence) are refused, except `response=none`."""
    exclude_participants: tuple[str, ...] = ()
    """Rules that exclude participants, on columns of the table `participation`: `catch_accuracy<0.8`. A rule on
    `accuracy`, the outcome, only adds a sensitivity row."""
    link: Annotated[Link, _IN_ANALYSIS_HASH] = "logit"
    """Link of the crossed mixed models."""
    slope: Annotated[bool, _IN_ANALYSIS_HASH] = True
    """Let participants and pictures differ in each effect: mixed models have slopes. Without slopes, `mixed_models` has
    no test of an effect that varies within participants or pictures."""
    covariates: Annotated[tuple[str, ...], _IN_ANALYSIS_HASH] = ()
    """Questions of `[[quiz.questions]]`, or columns of the trials table, as fixed effects of a further mixed model."""
    comparisons: Annotated[tuple[tuple[Name, Name], ...] | None, _IN_ANALYSIS_HASH] = Field(
        default=None, examples=[(("a", "b"),)]
    )
    """Pairs of models to compare; default: all pairs of each data set."""
    margin: Annotated[
        Annotated[float, Field(gt=0, lt=0.5), BeforeValidator(_is_a_share)] | None, SHORT, _IN_ANALYSIS_HASH
    ] = Field(default=None, examples=[0.05])
    """Equivalence margin as a share: with 0.05, `equivalent` means within 5 points of chance, or fooling rates within 5
    points. Default: equivalence is not judged."""
    level: Annotated[str, _IN_ANALYSIS_HASH] = Field(default="requested_exposure_ms", min_length=1)
    """Column of numbers of the trials table for thresholds and slopes; default: the exposure."""
    replicates: Annotated[int, _IN_ANALYSIS_HASH] = Field(default=1000, ge=200, le=100_000)
    """Number of bootstrap replicates for intervals of correlations."""

    @field_validator("exclude", "exclude_participants")
    @classmethod
    def _rules(cls, rules: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        table = TRIALS if info.field_name == "exclude" else PARTICIPATION
        for rule in rules:
            name, operator, value = rule_parts(rule)
            if (column := table.by_name.get(name)) is None:
                continue
            if column.words and value and value not in column.words:
                raise ValueError(f"rule {rule!r}: {name} is never {value!r}; expected {expected(column)}")
            if operator[0] in "<>" and (problem := _problem_of_limit(column, operator, float(value))):
                raise ValueError(f"rule {rule!r}: {problem}")
        return rules

    @field_validator("comparisons")
    @classmethod
    def _pairs_differ(cls, pairs: tuple[tuple[str, str], ...] | None) -> tuple[tuple[str, str], ...] | None:
        if any(a == b for a, b in pairs or ()):
            raise ValueError("a model is compared with itself; name two")
        return pairs


def _problem_of_limit(column: Column, operator: str, limit: float) -> str:
    """Return why a number is in another unit than a column; empty if it may be in that unit."""
    if column.unit == SHARE and not 0 <= limit <= 1:
        return f"{column.name} is a share of 0 to 1, such as 0.8 for 80 %"
    if column.name.endswith("reaction_time_ms") and 0 < limit < (10 if operator[0] == ">" else 1):
        return f"{column.name} is in milliseconds; {limit:g} seconds are {1000 * limit:g}"
    return ""


NO_PLAN = AnalysisSettings()
"""The settings of an analysis without a plan."""


class PowerSettings(Section):
    """`[power]`: assumptions of `gan-eval power` about people and pictures, and the power to reach."""

    participants: tuple[Annotated[int, Field(ge=2, le=100_000)], ...] = Field(
        default=(10, 20, 40, 60, 80, 120), min_length=1, max_length=1000
    )
    """Numbers of participants to try."""
    simulations: int = Field(default=1000, ge=10, le=1_000_000)
    """Maximum number of simulated studies for each; fewer if 100 or 300 studies decide."""
    target: Share = 0.8
    """Power to reach."""
    false_alarm_rate: Share = 0.25
    """Share of reals called fake, by the typical participant for the typical picture."""
    fooling_rate: Share = 0.65
    """Share of fakes called real, likewise; 1 - `false_alarm_rate` is chance. For grades see docs/power_model.md."""
    fooling_rates: dict[Name, Share] = Field(default={})
    """The same for single models."""
    choice_rate: Share | None = Field(default=None, examples=[0.7])
    """Share of pairs in which the real picture, or the first model's, is chosen; default: from the rates above, d' /
    sqrt(2)."""
    sd_participant: float = Field(default=1.0, ge=0, le=5)
    """Standard deviation of participants' bias, log-odds; of pairs, of their log-odds of the correct choice."""
    sd_slope: float = Field(default=1.0, ge=0, le=5)
    """Standard deviation of participants' skill, log-odds."""
    sd_model: float = Field(default=0.4, ge=0, le=5)
    """Standard deviation of participants' differences between models, log-odds."""
    sd_stimulus: float = Field(default=1.0, ge=0, le=5)
    """Standard deviation of the pictures, or pairs, log-odds."""
    sd_item: float = Field(default=0.0, ge=0, le=5)
    """Standard deviation of the items, log-odds: the part shared by all versions of a source picture."""
    unanswered: float = Field(default=0.03, ge=0, lt=1)
    """Share of trials without an answer or excluded by a rule."""
    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Share of people who stop early; their answers do not count."""
    excluded: float = Field(default=0.07, ge=0, lt=1)
    """Share of people excluded by a rule."""
    stimuli: Annotated[int | None, Option("N")] = Field(default=None, ge=2, le=1_000_000, examples=[200])
    """Pictures of each class in each pool; default: those of the study."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Random seed of the simulation."""
