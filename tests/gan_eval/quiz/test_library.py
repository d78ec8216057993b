"""Where the pictures are, and whether they still are what was dealt; the review made of them."""

from pathlib import Path

import pytest

from gan_eval.errors import UserError
from gan_eval.quiz.library import Library
from gan_eval.quiz.review import review, score
from gan_eval.stimuli import StimulusSet

REAL, FAKE = "tiles/real/secret3", "tiles/hiddenmodel/secret3"


def test_companions_are_found_for_real_and_fake(stimuli: StimulusSet) -> None:
    library = Library([stimuli])
    wanted = [stimuli.folder / role / "secret3.png" for role in ("input", "real", "fake")]
    for stimulus in (REAL, FAKE):
        found = library.companions(stimulus)
        assert [found.label, found.truth, found.generated] == wanted


def test_a_fake_without_its_real_picture_in_the_set_uses_its_reference(stimuli: StimulusSet) -> None:
    fakes = StimulusSet(stimuli.folder, tuple(row for row in stimuli.rows if row["kind"] == "fake"))
    assert Library([fakes]).companions(FAKE).truth == stimuli.folder / "real" / "secret3.png"


def test_a_changed_picture_is_refused(stimuli: StimulusSet) -> None:
    library = Library([stimuli])
    path = library.path(FAKE)
    planned = {"stimulus": FAKE, "sha256": next(row["sha256"] for row in stimuli.rows if row["stimulus"] == FAKE)}
    assert library.checked([planned]) == (planned,)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(UserError, match=r"secret3.png: the picture has changed"):
        library.checked([planned])
    path.unlink()
    with pytest.raises(UserError, match=r"secret3.png: no such file"):
        library.checked([planned])


def test_a_stimulus_that_left_the_set_is_named() -> None:
    with pytest.raises(UserError, match=f"{REAL}.*not in its stimulus set"):
        Library([StimulusSet(Path(), ())]).checked([{"stimulus": REAL, "sha256": None}])


def test_score_and_review(stimuli: StimulusSet) -> None:
    shared = {"phase": "main", "dataset": "tiles"}
    trials = [
        {**shared, "trial": 2, "kind": "real", "stimulus": REAL, "response": "fake", "correct": False,
         "reaction_time_ms": 900.0},
        {**shared, "trial": 1, "kind": "fake", "stimulus": FAKE, "response": "fake", "correct": True,
         "reaction_time_ms": 800.0},
        {**shared, "trial": 3, "kind": "fake", "stimulus": FAKE, "response": "none", "correct": None,
         "reaction_time_ms": None},
    ]  # fmt: skip
    real, fake = score(trials)
    assert (real.kind, real.shown, real.correct, real.unanswered) == ("real", 1, 0, 0)
    assert (fake.kind, fake.shown, fake.correct, fake.unanswered) == ("fake", 2, 1, 1)
    reviewed = review(trials, Library([stimuli]))
    assert [(one.number, one.shown, one.answer, one.correct) for one in reviewed] == [
        (1, "fake", "fake", True),
        (2, "real", "fake", False),
        (3, "fake", "none", None),
    ]
    assert reviewed[0].pictures == reviewed[1].pictures
