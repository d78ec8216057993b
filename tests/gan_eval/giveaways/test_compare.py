"""What a finding says of the two classes."""

import pytest

from gan_eval.giveaways.clues import CLUES
from gan_eval.giveaways.compare import compare


@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (["JPEG"] * 8, ["PNG"] * 8, ("JPEG", "PNG")),
        (["none"] * 8, ["none"] * 6 + ["pix2pix"] * 2, ("none in 100 %", "none in 75 %")),
        (["none"] * 4 + ["camera"] * 4, ["none"] * 4 + ["pix2pix"] * 4, ("camera in 50 %", "camera in 0 %")),
    ],
)
def test_the_value_that_tells_most_is_named(real: list[str], fake: list[str], words: tuple[str, str]) -> None:
    clue = CLUES["software"]
    found = compare(clue, [{clue.name: value} for value in real], [{clue.name: value} for value in fake], test=False)
    assert (found.real, found.fake) == words
