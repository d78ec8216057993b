"""What the tables say: one module for each question asked of them, and `analyze` that asks them all."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from gan_eval.stats.comparisons import comparisons
from gan_eval.stats.correlations import correlations
from gan_eval.stats.importing import import_trials
from gan_eval.stats.mixed import mixed_models
from gan_eval.stats.rates import rates
from gan_eval.stats.reaction_times import reaction_times
from gan_eval.stats.rules import exclude as exclude_rows
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import IMAGE_METRICS, SET_METRICS, TABLES
from gan_eval.tabular import conform, write_table

__all__ = ["analyze", "import_trials", "write_analysis"]


def analyze(
    trials: pd.DataFrame,
    *,
    image_metrics: pd.DataFrame | None = None,
    set_metrics: pd.DataFrame | None = None,
    exclude: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, pd.DataFrame]:
    """Every analysis of a trials table.

    Args:
        trials: the table `trials`, or any frame with participant, stimulus, kind and response.
        image_metrics: the table `image_metrics`; with it (or the next) come the correlations.
        set_metrics: the table `set_metrics`.
        exclude: rules fixed in advance, such as `reaction_time_ms<200` or `flags~late`; a trial that fulfils any is
            left out of every table, and the note of the rates says how many were. Nothing else is left out.
        seed: of the bootstrap.

    Returns:
        The tables `rates`, `reaction_times`, `mixed_models`, `comparisons` and `correlations` by name.

    Raises:
        UserError: a table does not fit its schema, or a rule is not understood.

    >>> answers = pd.DataFrame({"participant": ["P1"] * 4, "stimulus": list("abcd"),
    ...     "kind": ["real", "real", "fake", "fake"], "response": ["real", "fake", "fake", "fake"]})
    >>> float(analyze(answers)["rates"]["accuracy"][0])
    0.75
    """
    whole = fill_trials(trials)
    kept, named = exclude_rows(whole, exclude, where="trials")
    images = None if image_metrics is None else conform(image_metrics, IMAGE_METRICS, where="image_metrics")
    sets = None if set_metrics is None else conform(set_metrics, SET_METRICS, where="set_metrics")
    frames = {
        "rates": rates(kept),
        "reaction_times": reaction_times(kept),
        "mixed_models": mixed_models(kept),
        "comparisons": comparisons(kept),
        "correlations": correlations(kept, image_metrics=images, set_metrics=sets, seed=seed),
    }
    if exclude:
        _note_exclusions(frames["rates"], len(whole) - len(kept), len(whole), named)
    return frames


def write_analysis(frames: Mapping[str, pd.DataFrame], out: Path) -> list[Path]:
    """Write each table as `OUT/NAME.csv` and return the paths."""
    paths = []
    for name, frame in frames.items():
        paths.append(Path(out) / f"{name}.csv")
        write_table(frame, paths[-1], TABLES[name])
    return paths


def _note_exclusions(table: pd.DataFrame, dropped: int, total: int, named: Mapping[str, int]) -> None:
    """Say on the row for everything what was left out."""
    everything = table["scope"] == "all"
    each = ", ".join(f"{rule}: {count}" for rule, count in named.items())
    before = table.loc[everything, "note"].iloc[0]
    text = f"{dropped} of {total} trials excluded by preset rules ({each})"
    table.loc[everything, "note"] = text if pd.isna(before) else f"{text}; {before}"
