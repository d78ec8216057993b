"""The protocols of the quiz, one plain class each, by name."""

from collections.abc import Mapping

from gan_eval.quiz.protocols.interface import QuizProtocol, Showings, Timing
from gan_eval.quiz.protocols.paired import ModelVsModel, Paired
from gan_eval.quiz.protocols.single import QuestPlus, QuickResponse, Rating, Staircase, YesNo
from gan_eval.settings.quiz import QuizSettings

__all__ = ["PROTOCOLS", "QuizProtocol", "Showings", "Timing", "protocol_for"]

PROTOCOLS: Mapping[str, type[QuizProtocol]] = {
    protocol.name: protocol for protocol in (QuickResponse, YesNo, Paired, Staircase, QuestPlus, ModelVsModel, Rating)
}
"""Each is made from the settings and, by keyword, the number of the participant's list."""


def protocol_for(settings: QuizSettings, *, list_number: int = 1) -> QuizProtocol:
    """The protocol that the settings name, for the participant with this list."""
    return PROTOCOLS[settings.protocol](settings, list_number=list_number)
