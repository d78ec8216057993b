"""`gan_eval.settings.analysis` under the name that scripts know."""

from gan_eval.settings.analysis import AnalysisSettings, Link, PowerSettings, Screening, Share, rule_parts

__all__ = ["AnalysisSettings", "Link", "PowerSettings", "Screening", "Share", "rule_parts"]
