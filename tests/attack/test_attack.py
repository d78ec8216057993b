"""Malformed input of every sort meets the commands; none of it may bring them out of their manners.

Each case is generated from a seed: a picture, a table or a study file with something wrong, and a command
that is given it. The command must end with status 0 or 2 in time and in little memory; refuse in one line
that names the culprit, without a traceback; write nothing outside --out, and nothing into it when it refuses.

    pytest tests/attack -m nightly -n 4 --attacks 5000 --attack-seed 7 --attack-folder FOLDER

What was not withstood is written into FOLDER/TOPIC/NUMBER: the files, and `repeat.sh` with the command and the faults.
What is malformed in a case hangs on seed and number alone; sessions have identifiers and times of their own each time.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from attack import pictures, studies, tables
from attack.attack import Attack, Commands, carry_out, keep
from attack.world import World, make_world

TOPICS: dict[str, tuple[Callable[[World], st.SearchStrategy[Attack]], int]] = {
    "pictures": (pictures.attacks, 30),
    "tables": (tables.attacks, 40),
    "studies": (studies.attacks, 30),
}
"""Each topic's generator, and its share of all cases in percent."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands run as forks")


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """The server that runs the commands."""
    with Commands(tmp_path_factory.mktemp("commands")) as started:
        yield started


@pytest.fixture(scope="module")
def world(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Everything as it should be."""
    return make_world(commands, tmp_path_factory.mktemp("world"))


@pytest.mark.nightly
@pytest.mark.parametrize("topic", TOPICS)
def test_malformed_input_is_answered(
    topic: str, world: World, commands: Commands, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    make, share = TOPICS[topic]
    number, chosen = request.config.getoption("--attacks"), request.config.getoption("--attack-seed")
    kept = Path(request.config.getoption("--attack-folder") or tmp_path / "failed") / topic
    families, failed = set[str](), list[str]()
    for case in range(max(1, number * share // 100)):
        attack = drawn(make(world), chosen * 1_000_000 + case)
        families.add(attack.family)
        if wrong := carry_out(attack, commands, tmp_path / "room"):
            keep(attack, wrong, kept / str(case), chosen)
            failed.append("\n      ".join([f"{case} {attack.family}", *wrong]))
    print(f"{topic}: {case + 1} cases of {len(families)} families with seed {chosen}, {len(failed)} not withstood")
    assert not failed, f"{len(failed)} of {case + 1} cases, seed {chosen}, kept in {kept}:\n" + "\n".join(failed)


def drawn(strategy: st.SearchStrategy[Attack], number: int) -> Attack:
    """One attack from a seed. A run of many examples varies those that it had; here each is drawn anew."""
    found: list[Attack] = []

    @seed(number)
    @settings(max_examples=2, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def take(attack: Attack) -> None:
        found.append(attack)

    take()  # the simplest case comes first for any seed
    return found[-1]


def test_every_key_of_a_study_is_attacked() -> None:
    """The keys come from the declarations."""
    names = {".".join(map(str, place)) for place, _ in studies.KEYS}
    assert {"quiz.participants", "training.inpainting.masks", "models.net.data", "quiz.questions.0.id"} <= names
    assert len(names) > 120


@pytest.mark.nightly
def test_what_is_done_wrong_is_seen(commands: Commands, tmp_path: Path) -> None:
    """A judge that never finds anything would pass everything."""
    command = ("stimuli", "audit", "nowhere")
    assert carry_out(Attack("right", command, {}, names=("nowhere",), refused=True), commands, tmp_path / "room") == []
    (wrong,) = carry_out(Attack("no such name", command, {}, names=("elsewhere",)), commands, tmp_path / "room")
    assert wrong.startswith("culprit elsewhere not named")
    (wrong,) = carry_out(Attack("must be taken", command, {}, refused=False), commands, tmp_path / "room")
    assert wrong.startswith("refused: it must be taken")
    listed = Attack("must be refused", ("weights", "list"), {}, refused=True)
    assert carry_out(listed, commands, tmp_path / "room") == ["taken: it must be refused"]
