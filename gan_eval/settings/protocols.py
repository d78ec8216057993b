"""The protocols of the quiz, with the facts of each. Their behaviour: `gan_eval/quiz/protocol.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

ProtocolName = Literal["quick_response", "yes_no", "paired", "staircase", "quest_plus", "model_vs_model", "rating"]
Layout = Literal["side_by_side", "one_after_other"]
Material = Literal["single", "real_and_fake", "two_models"]
"""The pictures of a trial: one picture; a real one and a fake of the same item; or two models' outputs for one item."""

STAIRCASE = "staircase"
QUEST_PLUS = "quest_plus"


@dataclass(frozen=True)
class ProtocolFacts:
    """The facts of a protocol."""

    methods: str
    """Sentence for the report's design and methods; `by key (...)` follows."""
    material: Material = "single"
    graded: bool = False
    """Answers are grades: `1`, `2`, ..."""
    adaptive: bool = False
    """The exposure of a trial depends on the answers before it."""
    texts: str = "single"
    """Suffix of the names of its texts: `task_single`, `question_single`."""
    title: str = "welcome_title"
    """Name of the text at the top of the first page."""

    @property
    def shows_pairs(self) -> bool:
        """True if a trial shows two pictures."""
        return self.material != "single"


PROTOCOLS: Mapping[str, ProtocolFacts] = {
    "quick_response": ProtocolFacts("Participants saw one picture at a time and called it real or fake"),
    "yes_no": ProtocolFacts("Participants saw one picture at a time, at several exposures, and called it real or fake"),
    "paired": ProtocolFacts(
        "Participants saw the real and a generated picture of one item and chose the real one",
        material="real_and_fake",
        texts="pair",
    ),
    STAIRCASE: ProtocolFacts(
        "Participants saw one picture at a time, at an exposure that followed their answers, and called it real or "
        "fake",
        adaptive=True,
    ),
    QUEST_PLUS: ProtocolFacts(
        "Participants saw one picture at a time, at an exposure that QUEST+ chose by their answers, and called it real "
        "or fake",
        adaptive=True,
    ),
    "model_vs_model": ProtocolFacts(
        "Participants saw two models' pictures of one item and chose the one that looked more real",
        material="two_models",
        texts="models",
        title="welcome_title_models",
    ),
    "rating": ProtocolFacts(
        "Participants graded one picture at a time", graded=True, texts="rating", title="welcome_title_rating"
    ),
}
FITS = replace(
    PROTOCOLS["model_vs_model"],
    methods="Participants saw two models' pictures of one item and a text, and chose the one that fits the text better",
    texts="fits",
    title="welcome_title_fits",
)
"""The facts of `model_vs_model` with the question which picture fits the text better."""
PAIR_PROTOCOLS = tuple(name for name, facts in PROTOCOLS.items() if facts.shows_pairs)
"""Protocols that show two pictures in a trial."""
ADAPTIVE_PROTOCOLS = tuple(name for name, facts in PROTOCOLS.items() if facts.adaptive)
"""Protocols whose exposures depend on the answers."""


def default_keys(protocol: str, layout: str, grades: int) -> dict[str, str]:
    """Return the default keys of a protocol: the key of each answer."""
    facts = PROTOCOLS.get(protocol)  # a study file may hold any name
    if facts is not None and facts.graded:
        return {str(grade): str(grade) for grade in range(1, grades + 1)}
    if facts is None or not facts.shows_pairs:
        return {"real": "j", "fake": "f"}
    return {"first": "f", "second": "j"} if layout == "one_after_other" else {"left": "f", "right": "j"}
