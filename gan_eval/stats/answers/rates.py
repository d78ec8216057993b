"""Accuracy, both error rates, d′ and criterion for every scope."""

import numpy as np
import pandas as pd

from gan_eval.stats.answers.detection import detection
from gan_eval.stats.groups import SEVERAL_STUDIES, Codes, Groups, distinct, groups, hole_scopes, provenance
from gan_eval.stats.shares import binomial_p, proportion, wilson
from gan_eval.stats.trials import main_trials
from gan_eval.tables.frames import conform
from gan_eval.tables.schema import HOLE_SCOPES, PROVENANCE, SCOPES, SHARE, Table, ends, integer, number, text

RATES = Table(
    "rates",
    "Accuracy and signal detection by group. Unanswered, practice and catch trials are in no rate.",
    (
        text("scope", "what the row is about", words=(*SCOPES, *HOLE_SCOPES), filled=True),
        text("id", "which participant, stimulus, model, ...; `all` for the scope all", filled=True),
        integer("n_real", "answered trials with a real picture", filled=True),
        integer("n_fake", "answered trials with a generated picture", filled=True),
        integer("n_none", "trials without an answer", filled=True),
        integer("hits", "fakes called fake", filled=True),
        integer("misses", "fakes called real", filled=True),
        integer("false_alarms", "reals called fake", filled=True),
        integer("correct_rejections", "reals called real", filled=True),
        number("accuracy", "share of answered trials that are correct", unit=SHARE),
        *ends("accuracy", "its Wilson 95 % interval", unit=SHARE),
        number("accuracy_p", "exact two-sided binomial test against 1/2"),
        number("real_correct", "share of reals called real", unit=SHARE),
        *ends("real", "its Wilson 95 % interval", unit=SHARE),
        number("fake_correct", "share of fakes called fake; the fooling rate is 1 minus this", unit=SHARE),
        *ends("fake", "its Wilson 95 % interval", unit=SHARE),
        number("dprime", "z(hit rate) - z(false-alarm rate), log-linear correction"),
        number("criterion", "-(z(hit rate) + z(false-alarm rate))/2; above 0 leans to `real`"),
        *PROVENANCE,
    ),
    key=("scope", "id"),
)

POOLED_SCOPES = ("all", "model", "dataset", "exposure", "block", "mask_kind", "mask_area_band")
"""Scopes that pool participants and hold both kinds of picture."""
UNEVEN = 1.2
"""Smallest ratio of reals to fakes that the note names."""


def rates(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the table `rates` of a trials table.

    Args:
        trials: the table `trials` (see `gan_eval.stats.trials.fill_trials` for frames with fewer columns). With the
            columns of `gan_eval.stats.groups.with_holes` come the scopes `mask_kind` and `mask_area_band`.
    """
    main = main_trials(trials)
    answered, is_fake, says_fake = (main[name].to_numpy(bool) for name in ("answered", "is_fake", "says_fake"))
    # 0 correct rejection, 1 false alarm, 2 miss, 3 hit, 4 no answer
    outcome = np.where(answered, 2 * is_fake.astype(np.intp) + says_fake, 4)
    codes = Codes(main)
    tables = []
    for scope in (*SCOPES, *hole_scopes(main)):
        grouped = groups(main, scope, codes)
        counts = grouped.tally(outcome, 5)
        table = pd.DataFrame({"scope": scope, "id": grouped.ids, **_cells(counts)})
        notes = _notes(counts, grouped, codes, scope)
        tables.append(table.assign(**provenance(main, grouped, codes, notes)))
    return conform(pd.concat(tables), RATES, where="rates")


def _cells(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the counts and rates of groups, from their (G, 5) outcomes."""
    correct_rejections, false_alarms, misses, hits, n_none = counts.T
    n_real, n_fake = false_alarms + correct_rejections, hits + misses
    right, n = hits + correct_rejections, n_real + n_fake
    accuracy_low, accuracy_high = wilson(right, n)
    real_low, real_high = wilson(correct_rejections, n_real)
    fake_low, fake_high = wilson(hits, n_fake)
    sensitivity = detection(hits, misses, false_alarms, correct_rejections)
    return {
        "n_real": n_real,
        "n_fake": n_fake,
        "n_none": n_none,
        "hits": hits,
        "misses": misses,
        "false_alarms": false_alarms,
        "correct_rejections": correct_rejections,
        "accuracy": proportion(right, n),
        "accuracy_low": accuracy_low,
        "accuracy_high": accuracy_high,
        "accuracy_p": binomial_p(right, n),
        "real_correct": proportion(correct_rejections, n_real),
        "real_low": real_low,
        "real_high": real_high,
        "fake_correct": proportion(hits, n_fake),
        "fake_low": fake_low,
        "fake_high": fake_high,
        "dprime": sensitivity.dprime,
        "criterion": sensitivity.criterion,
    }


def _notes(counts: np.ndarray, grouped: Groups, codes: Codes, scope: str) -> list[tuple[np.ndarray, str]]:
    """Return the notes of the groups."""
    correct_rejections, false_alarms, misses, hits, _ = counts.T
    n_real, n_fake = false_alarms + correct_rejections, hits + misses
    n = n_real + n_fake
    notes = []
    if scope == "all":
        notes.append((distinct("study", grouped, codes) > 1, SEVERAL_STUDIES))
    notes.append((n == 0, "no answered trials"))
    if scope != "stimulus":
        edge = (hits == 0) | (misses == 0) | (false_alarms == 0) | (correct_rejections == 0)
        notes += [
            ((n > 0) & (n_real == 0), "no real pictures: d′ and criterion undefined"),
            ((n > 0) & (n_fake == 0), "no generated pictures: d′ and criterion undefined"),
            ((n_real > 0) & (n_fake > 0) & edge, "a rate of 0 or 1: d′ rests on the log-linear correction"),
            ((n > 0) & (n < 10), "fewer than 10 answers"),
        ]
    if scope in POOLED_SCOPES:
        fewer, more = np.minimum(n_real, n_fake), np.maximum(n_real, n_fake)
        uneven = (fewer > 0) & (more >= UNEVEN * fewer)
        notes.append((uneven, "real and generated pictures not equally many: accuracy mixes skill and leaning, see d′"))
        participants = distinct("participant", grouped, codes)
        notes.append((participants == 1, "one participant: says nothing of people in general"))
    return notes
