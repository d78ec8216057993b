"""The plan of an analysis as a type, and its defaults: without pydantic, which takes longer than a small analysis."""

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from gan_eval.settings.analysis import AnalysisSettings

Plan: TypeAlias = "AnalysisSettings"
Link = Literal["logit", "probit"]


class _Defaults(NamedTuple):
    exclude: tuple[str, ...] = ()
    exclude_participants: tuple[str, ...] = ()
    link: Link = "logit"
    slope: bool = True
    covariates: tuple[str, ...] = ()
    comparisons: tuple[tuple[str, str], ...] | None = None
    margin: float | None = None
    level: str = "requested_exposure_ms"
    replicates: int = 1000


NO_PLAN: Plan = _Defaults()  # type: ignore[assignment]
"""The settings of an analysis without a plan."""
