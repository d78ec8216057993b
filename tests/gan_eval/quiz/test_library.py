"""Where the pictures are, and whether they still are what was dealt."""

from pathlib import Path

import pytest

from gan_eval.errors import UserError
from gan_eval.quiz.library import Library
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
    own = next(row["sha256"] for row in stimuli.rows if row["stimulus"] == FAKE)
    planned = {"stimulus": FAKE, "stimulus_b": None, "sha256": own}
    assert library.checked([planned]) == (planned,)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(UserError, match=r"secret3.png: the picture has changed"):
        library.checked([planned])
    path.unlink()
    with pytest.raises(UserError, match=r"secret3.png: no such file"):
        library.checked([planned])


def test_a_stimulus_that_left_the_set_is_named() -> None:
    with pytest.raises(UserError, match=f"{REAL}.*not in its stimulus set"):
        Library([StimulusSet(Path(), ())]).checked([{"stimulus": REAL, "stimulus_b": None, "sha256": None}])
