"""What all fits of models share: the error of data that allow none, the most trials, Wald's test by Student's t, and
how few groups are few."""

from gan_eval.stats.clustering import t_critical, two_sided_p
from gan_eval.tables.frames import Row


class NoFitError(Exception):
    """The data allow no estimate; the message is the note for the reader."""


MOST_FITTED = 200_000
"""Of a table of more trials than this no crossed model is fitted: one takes seconds from there, and there are many."""
_FEW = 6
"""Below this many groups a standard deviation is badly known."""


FACTORS = ("participant", "stimulus")
"""What the levels of the first and of the second factor are, where nobody says otherwise."""


def too_many(trials: int) -> str:
    """Why no crossed model of a table is fitted; empty where one is.

    >>> too_many(2_000), too_many(300_000)
    ('', 'more than 200,000 trials')
    """
    return f"more than {MOST_FITTED:,} trials" if trials > MOST_FITTED else ""


def plural(factor: str) -> str:
    """
    >>> plural("stimulus"), plural("item")
    ('stimuli', 'items')
    """
    return "stimuli" if factor == "stimulus" else f"{factor}s"


def wald_cells(estimate: float, std_error: float, df: float) -> Row:
    """The cells of a fixed effect: Student's t is the reference, as in the table `comparisons`.

    Args:
        estimate: on the link's scale.
        std_error: of it, above 0.
        df: one fewer than the smallest number of participants or pictures behind either side; below 1 no test.

    >>> {name: round(value, 3) for name, value in wald_cells(1.0, 0.5, 7).items()}
    {'estimate': 1.0, 'std_error': 0.5, 'z': 2.0, 'p': 0.086, 'ci_low': -0.182, 'ci_high': 2.182}
    """
    half_width = float(t_critical(df)) * std_error
    return {
        "estimate": estimate,
        "std_error": std_error,
        "z": estimate / std_error,
        "p": float(two_sided_p(estimate, std_error, df)) if df >= 1 else float("nan"),
        "ci_low": estimate - half_width,
        "ci_high": estimate + half_width,
    }


def few_groups(participants: int, stimuli: int) -> list[str]:
    """A note for each factor of few groups; of one group there is no model.

    >>> few_groups(3, 40)
    ['few participants (3): their spread is badly known']
    """
    counts = (("participants", participants), ("stimuli", stimuli))
    return [f"few {name} ({count}): their spread is badly known" for name, count in counts if 1 < count < _FEW]
