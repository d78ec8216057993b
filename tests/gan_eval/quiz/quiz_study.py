"""A study of one stimulus set, and rehearsals of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.admission import Admitted, Person, QuizStudy, Reserved, reserve
from gan_eval.quiz.clock import Clock, SystemClock
from gan_eval.quiz.draw import Dealer, Draw
from gan_eval.quiz.library import Library
from gan_eval.quiz.room import SessionResult, make_session, run_session
from gan_eval.quiz.session import Session
from gan_eval.quiz.simulate import parse_observer
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Store, Writer
from gan_eval.tables.frames import Row


def stimulus_rows(items: int, models: tuple[str, ...] = ("pix2pix",), dataset: str = "facades") -> list[Row]:
    """Stimulus rows without files."""
    return [
        {
            "stimulus": f"{dataset}/{model or 'real'}/{number}",
            "item": f"{dataset}/{number}",
            "kind": "fake" if model else "real",
            "model": model,
            "dataset": dataset,
            "sha256": f"{model}-{number}",
            "width": 64,
            "height": 48,
            "fraction": None,
        }
        for number in range(items)
        for model in (None, *models)
    ]


def two_models(stimuli: StimulusSet) -> StimulusSet:
    """The same with another model whose outputs are the inputs."""
    others = [
        {**row, "stimulus": row["stimulus"].replace("hiddenmodel", "other")}
        | {"model": "other", "file": row["input_file"], "sha256": None}
        for row in stimuli.rows
        if row["kind"] == "fake"
    ]
    return StimulusSet(stimuli.folder, (*stimuli.rows, *others))


def set_of(rows: Iterable[Row]) -> StimulusSet:
    """A set without files."""
    return StimulusSet(Path("nowhere"), tuple(rows))


def deal(stimuli: Iterable[Row], settings: QuizSettings, *, seed: int, list_number: int, **sets: Any) -> Draw:
    """One list."""
    return Dealer(stimuli, settings, seed=seed, **sets).deal(list_number)


def study_of(stimuli: StimulusSet, settings: QuizSettings, **how: Any) -> QuizStudy:
    """A study with seed 1."""
    return QuizStudy(**{"name": "study", "seed": 1, "design": {}, "shown": [stimuli], "settings": settings, **how})


def admit(store: Store, study: QuizStudy, person: Person) -> Admitted:
    """The session of a person, dealt or resumed."""
    reserved = reserve(store, study, person)
    return reserved.deal(study) if isinstance(reserved, Reserved) else reserved


def seated(
    stimuli: StimulusSet, writer: Writer, settings: QuizSettings, code: str = "P01", clock: Clock | None = None
) -> tuple[Session, Library]:
    """The session that a person is admitted to, begun only where it is resumed."""
    study, library = study_of(stimuli, settings), Library([stimuli])
    admitted = writer.submit(lambda store: admit(store, study, Person(code))).result()
    return make_session(admitted, library, settings, writer, clock or SystemClock()), library


def rehearse(
    stimuli: StimulusSet, store: Path, code: str, settings: QuizSettings, *, spec: str = "default", warn: Any = print,
    **how: Any,
) -> SessionResult:  # fmt: skip
    """A simulated session."""
    return run_session(study_of(stimuli, settings, **how), store, Person(code, parse_observer(spec)), warn=warn)
