"""The table to cite and those that it is made of, for tests that need no whole analysis."""

import pandas as pd

from gan_eval.judgements.trials import fill_trials
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.analysis import results_to_cite
from gan_eval.stats.paper import paper
from gan_eval.stats.tables.choices import bradley_terry
from gan_eval.stats.tables.comparisons import compare
from gan_eval.stats.tables.grades import ratings
from gan_eval.stats.tables.hype import hype, thresholds


def cited_tables(trials: pd.DataFrame, plan: AnalysisSettings | None = None) -> dict[str, pd.DataFrame]:
    """The tables `paper`, `comparisons` and the others that `paper` reads."""
    answers = fill_trials(trials)
    compared = compare(answers, plan=plan or AnalysisSettings())
    frames = {
        "comparisons": compared.table,
        "bradley_terry": bradley_terry(answers),
        "ratings": ratings(answers),
        "thresholds": thresholds(answers),
        "hype": hype(answers),
    }
    return frames | {"paper": paper(answers, results_to_cite(frames), compared)}
