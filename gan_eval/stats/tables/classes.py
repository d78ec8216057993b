"""Answers that name a class of pictures, such as photograph, rendered or generated: what each class was called."""

import numpy as np
import pandas as pd

from gan_eval.judgements.trials import CALLED, AnyTrials, typed
from gan_eval.stats.estimate.differences import HALF, proportion_less_half
from gan_eval.stats.groups import REAL, provenance_cells
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.names import RESERVED_NAMES
from gan_eval.tables.schema import NOTED, SHARE, Table, integer, text, with_interval

OWN_CLASS = "its class"
"""Word in the column `called` of the row on all classes: the answer names the picture's own class."""
(_, ALL) = RESERVED_NAMES
CLASSES = Table(
    "classes",
    "What pictures of each class were called, if several words mean `fake` (column `called` of the trials). In all "
    "other tables these words are one answer.",
    (
        text("class", "a model's name, or real; all: every class", filled=True),
        text("called", f"the class that the answers name; of all classes `{OWN_CLASS}`", filled=True),
        integer("n", "answers to pictures of the class that name any", filled=True),
        integer("n_called", "those that name this one", filled=True),
        *with_interval("share", "n_called / n, with its 95% interval over participants and pictures", unit=SHARE),
        *NOTED,
    ),
    key=("class", "called"),
)


def classes(trials: AnyTrials) -> pd.DataFrame:
    """Return the table `classes`: a row for each class and each class that was named, and one for all classes.

    It has no rows if no answer names a class. Shares are those of the answers, with the interval of
    `proportion_less_half`.
    """
    answered = typed(trials).answered
    if CALLED not in answered or answered[CALLED].isna().all():
        return frame_of([], CLASSES)
    named = answered[answered[CALLED].notna().to_numpy(bool)].reset_index(drop=True)
    called = named[CALLED].astype("object").to_numpy()
    of_class = named["model"].astype("object").fillna("fake").where(named["is_fake"], REAL).to_numpy()
    words = sorted({*called} | {*of_class}, key=lambda name: (name != REAL, name))
    rows = [
        _row(named, of_class == name, called == word, name, word)
        for name in words
        for word in words
        if name in of_class
    ]
    rows.append(_row(named, np.ones(len(named), bool), called == of_class, ALL, OWN_CLASS))
    return frame_of(rows, CLASSES)


def _row(named: pd.DataFrame, shown: np.ndarray, is_called: np.ndarray, of_class: str, word: str) -> Row:
    """Return the row on the answers (N,) to the pictures shown that are called by a word."""
    part, success = named[shown], is_called[shown]
    participant, picture = (pd.factorize(part[name])[0] for name in ("participant", "stimulus"))
    found = proportion_less_half(success, participant, picture, weights=np.ones(len(part)))
    low, high = found.interval(0.95)
    row: Row = {"class": of_class, "called": word, "n": len(part), "n_called": int(success.sum())}
    row |= {"share": HALF + found.difference, "share_low": HALF + low, "share_high": HALF + high}
    return row | provenance_cells(part, found.note_on(part["participant"]))
