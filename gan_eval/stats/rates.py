"""How often are people right? Accuracy, both error rates and signal detection for every scope."""

import numpy as np
import pandas as pd

from gan_eval.stats.detection import detection
from gan_eval.stats.groups import Groups, distinct, groups, join_notes, provenance
from gan_eval.stats.intervals import binomial_p, share, wilson
from gan_eval.stats.trials import main_trials
from gan_eval.tables import RATES, SCOPES
from gan_eval.tabular import conform

POOLED_SCOPES = ("all", "model", "dataset", "exposure", "block")
"""Scopes that pool participants and hold both kinds of picture."""
UNEVEN = 1.2
"""From this ratio of reals to fakes on, a leaning guesser is not right in half of the answers."""


def rates(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `rates` of a trials table.

    Practice and catch trials and trials without an answer are in no rate; `n_none` counts the main trials
    without an answer. A cell that cannot be computed is empty.

    Args:
        trials: the table `trials` (see `gan_eval.stats.trials.fill_trials` for frames with fewer columns).
    """
    main = main_trials(trials)
    return conform(pd.concat([_scope_rates(main, scope) for scope in SCOPES]), RATES, where="rates")


def _scope_rates(main: pd.DataFrame, scope: str) -> pd.DataFrame:
    grouped = groups(main, scope)
    answered, is_fake, says_fake = (main[name].to_numpy() for name in ("answered", "is_fake", "says_fake"))
    hits = grouped.count(answered & is_fake & says_fake)
    misses = grouped.count(answered & is_fake & ~says_fake)
    false_alarms = grouped.count(answered & ~is_fake & says_fake)
    correct_rejections = grouped.count(answered & ~is_fake & ~says_fake)
    n_real, n_fake = false_alarms + correct_rejections, hits + misses
    right, n = hits + correct_rejections, n_real + n_fake
    accuracy_low, accuracy_high = wilson(right, n)
    real_low, real_high = wilson(correct_rejections, n_real)
    fake_low, fake_high = wilson(hits, n_fake)
    sensitivity = detection(hits, misses, false_alarms, correct_rejections)
    carried = provenance(main, grouped)
    table = pd.DataFrame(
        {
            "scope": scope,
            "id": grouped.ids,
            "n_real": n_real,
            "n_fake": n_fake,
            "n_none": grouped.count(~answered),
            "hits": hits,
            "misses": misses,
            "false_alarms": false_alarms,
            "correct_rejections": correct_rejections,
            "accuracy": share(right, n),
            "accuracy_low": accuracy_low,
            "accuracy_high": accuracy_high,
            "accuracy_p": binomial_p(right, n),
            "real_correct": share(correct_rejections, n_real),
            "real_low": real_low,
            "real_high": real_high,
            "fake_correct": share(hits, n_fake),
            "fake_low": fake_low,
            "fake_high": fake_high,
            "dprime": sensitivity.dprime,
            "criterion": sensitivity.criterion,
            "simulated": carried["simulated"],
            "fraction": carried["fraction"],
        }
    )
    table["note"] = _notes(table, main, grouped, list(carried["note"]))
    return table


def _notes(table: pd.DataFrame, main: pd.DataFrame, grouped: Groups, carried: list[str]) -> list[str | None]:
    """What a reader must know about each row."""
    n_real, n_fake = table["n_real"].to_numpy(), table["n_fake"].to_numpy()
    n, scope = n_real + n_fake, table["scope"].iloc[0] if len(table) else ""
    notes: list[tuple[np.ndarray, str]] = [(n == 0, "no answered trials")]
    if scope != "stimulus":
        hit_edge = (table["hits"] == 0) | (table["misses"] == 0)
        false_alarm_edge = (table["false_alarms"] == 0) | (table["correct_rejections"] == 0)
        both = (n_real > 0) & (n_fake > 0)
        notes += [
            ((n > 0) & (n_real == 0), "no real pictures: d′ and criterion undefined"),
            ((n > 0) & (n_fake == 0), "no generated pictures: d′ and criterion undefined"),
            (
                both & (hit_edge | false_alarm_edge).to_numpy(),
                "a rate of 0 or 1: d′ rests on the log-linear correction",
            ),
            ((n > 0) & (n < 10), "fewer than 10 answers"),
        ]
    if scope in POOLED_SCOPES:
        fewer, more = np.minimum(n_real, n_fake), np.maximum(n_real, n_fake)
        uneven = (fewer > 0) & (more >= UNEVEN * fewer)
        notes.append((uneven, "real and generated pictures not equally many: accuracy mixes skill and leaning, see d′"))
        participants = distinct(main["participant"], grouped)
        notes.append((participants == 1, "one participant: says nothing of people in general"))
    own = join_notes(notes, len(table))
    return ["; ".join(filter(None, texts)) or None for texts in zip(own, carried, strict=True)]
