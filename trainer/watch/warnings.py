"""Two things that go wrong in adversarial training, told once each while there is time to stop."""

from collections.abc import Sequence

from gan_eval.tabular import Row

OVERPOWERS, DIVERSITY_LOST = "discriminator_overpowers", "diversity_lost"

LOSS_NEAR_ZERO, ACCURACY_NEAR_ONE = 0.1, 0.95
"""The discriminator's two losses together, and its accuracy."""
ROWS = 5
"""That many rows of the log in a row."""
DIVERSITY_KEPT = 0.5
"""Diversity below this share of its highest value so far is lost."""
VALIDATIONS = 3
"""Judged from that many measurements on."""


def overpowered(rows: Sequence[dict[str, float]]) -> str | None:
    """Whether the discriminator overpowers the generator: a line with the numbers, or None.

    Args:
        rows: the means of the loss terms by name, one dict for each row of the log, the latest last.
    """
    recent = [row for row in rows[-ROWS:] if "d_accuracy" in row]
    if len(recent) < ROWS:
        return None
    loss = max(row["d_real"] + row["d_fake"] for row in recent)
    accuracy = min(row["d_accuracy"] for row in recent)
    if loss > LOSS_NEAR_ZERO or accuracy < ACCURACY_NEAR_ONE:
        return None
    return (
        f"for {ROWS} rows of the log its loss was at most {loss:.3g} and its accuracy at least {accuracy:.3f}; "
        "the generator learns little from it"
    )


def diversity_lost(rows: Sequence[Row]) -> str | None:
    """Whether the samples lose diversity: a line with the numbers, or None.

    Args:
        rows: of the table validation for the metric diversity in one mode, the latest last.
    """
    values = [(row["value"], row["step"]) for row in rows if row["value"] is not None and row["step"] > 0]
    if len(values) < VALIDATIONS:
        return None
    (highest, at), (now, _) = max(values), values[-1]
    if now >= DIVERSITY_KEPT * highest:
        return None
    return f"the pictures' diversity is {now:.3g}, it was {highest:.3g} at step {at}; the modes may be collapsing"
