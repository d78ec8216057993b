"""The plan of an analysis as a type, and its defaults: without pydantic, which takes longer than a small analysis."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Literal, TypeAlias

from gan_eval.settings.declared import declarations

if TYPE_CHECKING:
    from gan_eval.settings.analysis import AnalysisSettings

Plan: TypeAlias = "AnalysisSettings"
Link = Literal["logit", "probit"]
NO_PLAN: Plan = SimpleNamespace(  # type: ignore[assignment]
    **{name: key.default for name, key in declarations("analysis", "AnalysisSettings").items()}
)
"""The settings of an analysis without a plan."""
