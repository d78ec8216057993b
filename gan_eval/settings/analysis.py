"""`[analysis]` and `[power]` of a study file: the plan of the analysis, fixed before the data, and its sample size."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gan_eval.settings.sections import Name, Section

Link = Literal["logit", "probit"]
Share = Annotated[float, Field(gt=0, lt=1)]
"""Above 0, below 1."""
_RULE = re.compile(r"^\s*(?P<column>.+?)\s*(?P<operator><=|>=|!=|==|=|<|>|~)\s*(?P<value>.*?)\s*$")


def rule_parts(text: str) -> tuple[str, str, str]:
    """Column, operator and value of a rule (see `gan_eval.stats.exclusions`).

    Raises:
        ValueError: it is not `COLUMN<NUMBER` or `COLUMN=VALUE` with one of < <= > >= = != ~.

    >>> rule_parts("reaction_time_ms<200")
    ('reaction_time_ms', '<', '200')
    """
    found = _RULE.match(text)
    if not found or not found["value"]:
        raise ValueError(
            f"rule {text!r}: not understood; write COLUMN<NUMBER (or <= > >=), COLUMN=VALUE, COLUMN!=VALUE or "
            "COLUMN~WORD"
        )
    column, operator, value = found.groups()
    if operator[0] in "<>":
        try:
            float(value)
        except ValueError as error:
            raise ValueError(f"rule {text!r}: {operator} compares numbers; write one after it") from error
    return column, "=" if operator == "==" else operator, value


class AnalysisSettings(Section):
    """`[analysis]`: the plan of the analysis, fixed before the data; what departs from it is marked exploratory."""

    exclude: tuple[str, ...] = ()
    """Rules that leave single trials out, such as `reaction_time_ms<200`; nothing is left out otherwise. A rule on the
    outcome (kind, response, choice, rating, correct, confidence) is refused; `response=none` is allowed."""
    exclude_participants: tuple[str, ...] = ()
    """Rules that leave whole participants out, on the columns of the table `participation`: `catch_accuracy<0.8`. By
    `accuracy`, the outcome, nobody is left out: it adds a sensitivity row beside the answer."""
    link: Link = "logit"
    """Of the crossed mixed models."""
    slope: bool = True
    """Participants differ in skill: whether they can tell is judged, and further mixed models are fitted, with a slope
    of each participant. Without it, people who differ are taken for people who can tell."""
    covariates: tuple[str, ...] = ()
    """Questions of `[[quiz.questions]]`, or further columns of the trials table, as fixed effects of a further mixed
    model."""
    comparisons: tuple[tuple[Name, Name], ...] | None = Field(default=None, examples=[(("a", "b"),)])
    """Pairs of models that are to be compared; default: all models of each data set, two by two."""
    margin: Annotated[float, Field(gt=0, lt=0.5)] | None = Field(default=None, examples=[0.05])
    """Of equivalence, as a share: with 0.05, `cannot be told apart` means within 5 points of guessing, and models are
    equivalent where their fooling rates differ by less than 5 points. Default: equivalence is not judged."""
    noninferior: tuple[tuple[Name, Name], ...] = ()
    """Pairs (new, reference) of models: the new one must not fool less often by the margin or more."""
    level: str = Field(default="requested_exposure_ms", min_length=1)
    """Over which right answers rise or fall, for thresholds and slopes: a column of numbers of the trials table, such
    as noise or compression; default: the exposure."""
    looks: int = Field(default=1, ge=1, le=10)
    """How often verdicts are given: with 3, when a third, two thirds and all of `quiz.participants` have come; 5 % is
    spent over the looks (O'Brien-Fleming). Default: once, when all have come. Reports between are interim."""

    @field_validator("exclude", "exclude_participants")
    @classmethod
    def _rules(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for rule in rules:
            rule_parts(rule)
        return rules

    @model_validator(mode="after")
    def _margin_for_noninferiority(self) -> Self:
        if self.noninferior and self.margin is None:
            raise ValueError("margin: is missing; noninferior needs it, such as margin = 0.05")
        for name in ("comparisons", "noninferior"):
            if any(a == b for a, b in getattr(self, name) or ()):
                raise ValueError(f"{name}: a model is compared with itself; name two")
        return self


class PowerSettings(Section):
    """`[power]`: what `./run power` assumes of people and pictures, and what it looks for."""

    participants: tuple[Annotated[int, Field(ge=2, le=100_000)], ...] = Field(
        default=(10, 20, 40, 60, 80, 120), min_length=1, max_length=1000
    )
    """Numbers of participants to try."""
    simulations: int = Field(default=1000, ge=10, le=1_000_000)
    """Simulated studies for each number, at most: fewer where 100 or 300 decide on which side of the target it is."""
    target: Share = 0.8
    """The power wanted."""
    false_alarm_rate: Share = 0.25
    """Share of reals called fake, in the typical participant's answers to the typical picture."""
    fooling_rate: Share = 0.65
    """Share of fakes called real, likewise; with `false_alarm_rate` 0.25, 0.75 would be guessing. Of grades, shares of
    calling real say where a class stands: see power.md."""
    fooling_rates: dict[Name, Share] = Field(default={})
    """The same for single models, where they differ."""
    choice_rate: Share | None = Field(default=None, examples=[0.7])
    """Of pairs: share in which the real picture, or that of the first of two models, is chosen, likewise; default: what
    follows from the rates above, d' / sqrt(2) (Macmillan & Creelman 2005)."""
    sd_participant: float = Field(default=1.0, ge=0, le=5)
    """Standard deviation of the participants' leanings, log-odds; of pairs of real and fake, of their log-odds of the
    right choice. power.md tells where this and the other defaults come from."""
    sd_slope: float = Field(default=1.0, ge=0, le=5)
    """Standard deviation of the participants' skill, the difference that a fake makes to them, log-odds."""
    sd_model: float = Field(default=0.4, ge=0, le=5)
    """Standard deviation, for each of several models, of how participants see it beside the others, log-odds."""
    sd_stimulus: float = Field(default=1.0, ge=0, le=5)
    """Standard deviation of the pictures, or pairs, log-odds: models' versions of an item differ by it."""
    sd_item: float = Field(default=0.0, ge=0, le=5)
    """Standard deviation of the items, log-odds: what all versions of a source picture have in common."""
    unanswered: float = Field(default=0.03, ge=0, lt=1)
    """Share of the trials that are not answered in time or left out by a rule."""
    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Share of the people invited who break off, anywhere in the session; their answers up to then count."""
    excluded: float = Field(default=0.07, ge=0, lt=1)
    """Share of the people invited whom a rule leaves out."""
    stimuli: int | None = Field(default=None, ge=2, le=1_000_000, examples=[200])
    """Pictures of each class in each data set's pool; default: those that the study has."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Of the simulation."""
