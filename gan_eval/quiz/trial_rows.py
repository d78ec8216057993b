"""The rows that a session writes, from what was planned, presented and answered."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz.trial import MILLISECOND, Flag, Trial
from gan_eval.settings.quiz import ConsentSettings
from gan_eval.store import Store
from gan_eval.tabular import Row, iso

_OF_SESSION = ("session", "study", "participant", "protocol", "simulated")
_OF_PLAN = (
    *("block", "trial", "phase", "stimulus", "stimulus_b", "position"),
    *("item", "kind", "model", "dataset", "fraction"),
)
_NEVER_KNOWN = (
    *("planned_exposure_ms", "exposure_ms", "second_exposure_ms", "second_onset_ms"),
    *("reaction_time_ms", "confidence", "answered_at"),
)
"""What nobody knows of a trial during which the program was killed."""


def trial_row(session: Row, trial: Trial, judged: Row, *, answered_at: datetime) -> Row:
    """A row of `gan_eval.tables.TRIALS`.

    Args:
        session: the session's row.
        trial: everything shown in it has vanished.
        judged: what the protocol makes of the answer.
        answered_at: when the answer was given, or the trial ended without one.
    """
    return _shared(session, trial.planned) | judged | trial.measured() | {"answered_at": iso(answered_at)}


def killed_row(session: Row, planned: Row, onset: Row, judged: Row) -> Row:
    """The row of a trial that was on the screen when the program ended without warning.

    Args:
        session: the session's row.
        planned: the trial's row of the plan.
        onset: its row of `gan_eval.tables.ONSETS`.
        judged: what the protocol makes of no answer.
    """
    seen = {name: onset[name] for name in ("requested_exposure_ms", "onset_ms")}
    return _shared(session, planned) | judged | dict.fromkeys(_NEVER_KNOWN) | seen | {"flags": Flag.KILLED}


def onset_row(session: Row, trial: Trial, *, shown_at: datetime) -> Row:
    """A row of `gan_eval.tables.ONSETS`, for the first thing that a trial shows."""
    return {
        **{name: session[name] for name in ("session", "simulated")},
        **{name: trial.planned[name] for name in ("trial", "fraction")},
        "requested_exposure_ms": trial.timing.flash_ms,
        "onset_ms": trial.seen[0].onset / MILLISECOND,
        "shown_at": iso(shown_at),
    }


def consent_row(session: Row, consent: ConsentSettings, *, answered_at: datetime) -> Row:
    """A row of `gan_eval.tables.CONSENTS`."""
    shared = {name: session[name] for name in ("session", "participant", "simulated", "fraction")}
    return {
        **shared,
        "version": consent.version,
        "text": consent.text,
        "given": True,
        "answered_at": iso(answered_at),
    }


def answer_rows(session: Row, answers: Mapping[str, str | None], *, answered_at: datetime) -> list[Row]:
    """Rows of `gan_eval.tables.PARTICIPANTS`, one for each of the study's questions.

    Args:
        session: the session's row.
        answers: by the question's id; None: left open.
        answered_at: when.
    """
    shared = {name: session[name] for name in ("session", "participant", "simulated", "fraction")}
    shared["answered_at"] = iso(answered_at)
    return [{**shared, "question": question, "answer": answer} for question, answer in answers.items()]


def add_once(store: Store, rows: Iterable[Mapping[str, object]]) -> None:
    """Add trials; a commit that was reported as failed but had succeeded is no error when tried again.

    Raises:
        UserError: the store cannot be written, or holds another row of such a trial.
    """
    for row in rows:
        try:
            store.add(tables.TRIALS, [row])
        except UserError:
            kept = store.rows(tables.TRIALS, session=row["session"], trial=row["trial"])
            if not kept or any(kept[0][name] != value for name, value in row.items() if name in kept[0]):
                raise


def _shared(session: Row, planned: Row) -> Row:
    return {name: session[name] for name in _OF_SESSION} | {name: planned[name] for name in _OF_PLAN}
