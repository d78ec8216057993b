"""Pictures of a session: places, the check that they are what was dealt, and masks."""

import random
from pathlib import Path

import numpy as np
import pytest
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz import library as library_module
from gan_eval.quiz.library import BLOCK, Library, mask, scrambled

REAL, FAKE = "tiles/real/secret3", "tiles/hiddenmodel/secret3"


def test_companions_are_found_for_real_and_fake(stimuli: StimulusSet) -> None:
    fakes = StimulusSet(stimuli.folder, tuple(row for row in stimuli.rows if row["kind"] == "fake"))
    wanted = [stimuli.folder / role / "secret3.png" for role in ("input", "real", "fake")]
    for shown, stimulus in ((stimuli, REAL), (stimuli, FAKE), (fakes, FAKE)):
        found = Library([shown]).companions(stimulus)
        assert [found.label, found.truth, found.generated] == wanted, "without its real picture by its reference"


def test_a_changed_picture_is_refused(stimuli: StimulusSet) -> None:
    library = Library([stimuli])
    path = library.path(FAKE)
    own = next(row["sha256"] for row in stimuli.rows if row["stimulus"] == FAKE)
    planned = {"stimulus": FAKE, "stimulus_b": None, "sha256": own}
    assert library.checked([planned]) == (planned,)
    path.write_bytes(path.read_bytes() + b"x")
    refused(r"secret3.png:", library.checked, [planned])
    path.unlink()
    refused(r"secret3.png:", library.checked, [planned])
    with pytest.raises(UserError, match=FAKE):
        Library([StimulusSet(Path(), ())]).checked([planned])


def test_pictures_without_a_size_are_refused_before_a_session_begins(stimuli: StimulusSet) -> None:
    *sized, last = stimuli.rows
    message = rf"{last['file']}: stimuli.csv has no width and height .* fill them in"
    for column in ("width", "height"):
        refused(message, Library, [StimulusSet(stimuli.folder, (*sized, last | {column: None}))])


def test_files_are_read_once_in_the_order_of_their_names_and_never_again(
    stimuli: StimulusSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def note(path: Path) -> bytes:
        opened.append(path)
        return path.read_bytes()

    monkeypatch.setattr(library_module, "read_file", note)
    library = Library([stimuli])
    rows = random.Random(3).sample(list(stimuli.rows), 8)
    plan = [{"trial": n, **row, "stimulus_b": None} for n, row in enumerate(rows, start=1)]
    library.checked(plan, seen={1, 2})
    assert opened == sorted(library.path(row["stimulus"]) for row in plan[2:])
    contents = [library.content(row["stimulus"]) for row in plan[2:]]
    assert contents == [library.path(row["stimulus"]).read_bytes() for row in plan[2:]]
    assert len(opened) == 6


def test_noise_is_grey_over_the_whole_range() -> None:
    made = mask(np.zeros((200, 200, 3), np.uint8), "noise", np.random.default_rng(0))
    assert (made == made[..., :1]).all()
    assert set(np.unique(made)) == set(range(256))


def test_scrambled_blocks_are_the_pictures_own_each_once_and_mirrored() -> None:
    numbers = np.arange(6)
    picture = np.zeros((2 * BLOCK, 3 * BLOCK, 3), np.uint8)
    for number in numbers:
        block = picture[BLOCK * (number // 3) :, BLOCK * (number % 3) :][:BLOCK, :BLOCK]
        block[...] = 10 * number
        block[0, 0] = 255  # marks the orientation
    seen, corners = [], set()
    for seed in range(20):
        made = scrambled(picture, np.random.default_rng(seed))
        blocks = made.reshape(2, BLOCK, 3, BLOCK, 3).swapaxes(1, 2).reshape(6, BLOCK, BLOCK, 3)
        assert sorted(blocks[:, 8, 8, 0] // 10) == list(numbers)
        seen.append(tuple(blocks[:, 8, 8, 0]))
        corners |= {tuple(np.argwhere(block[..., 0] == 255)[0].tolist()) for block in blocks}
    assert len(set(seen)) > 10, "the order differs"
    last = BLOCK - 1
    assert corners == {(0, 0), (0, last), (last, 0), (last, last)}
