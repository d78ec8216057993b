"""What all fits of models share: the error of data that allow none, the most trials, and how few groups are few."""


class NoFitError(Exception):
    """The data allow no estimate; the message is the note for the reader."""


MOST_TESTED = 200_000
"""Above this many trials single models are fitted without refits: no likelihood-ratio tests, slopes, covariates
nor differences of models. Fits take seconds each from there."""
MOST_FITTED = 1_000_000
"""Above this many trials no crossed model is fitted."""
_FEW = 6
"""Below this many groups a standard deviation is badly known."""


FACTORS = ("participant", "stimulus")
"""What the levels of the first and of the second factor are, where nobody says otherwise."""


def plural(factor: str) -> str:
    """
    >>> plural("stimulus"), plural("item")
    ('stimuli', 'items')
    """
    return "stimuli" if factor == "stimulus" else f"{factor}s"


def few_groups(participants: int, stimuli: int) -> list[str]:
    """A note for each factor of few groups; of one group there is no model.

    >>> few_groups(3, 40)
    ['few participants (3): their spread is badly known']
    """
    counts = (("participants", participants), ("stimuli", stimuli))
    return [f"few {name} ({count}): their spread is badly known" for name, count in counts if 1 < count < _FEW]
