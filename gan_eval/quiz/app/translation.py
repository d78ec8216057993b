"""The words in the participant's language, from compiled translations."""

from collections.abc import Mapping

from PySide6.QtCore import QLocale, Qt, QTranslator

from gan_eval.errors import UserError
from gan_eval.quiz.wording import CONTEXT, SOURCE_LANGUAGE, Texts, require_language, require_texts, translations


def load_texts(language: str, own: Mapping[str, str]) -> Texts:
    """The program's words.

    Args:
        language: such as `de`.
        own: the study's wording of single texts, by name.

    Raises:
        UserError: the program does not speak this language, or a text of this name does not exist.
    """
    require_language(language)
    require_texts(own)
    if language == SOURCE_LANGUAGE:
        return Texts(own=own)
    file = translations()[language]
    translator = QTranslator()
    if not translator.load(str(file)):
        raise UserError(f"{file}: not a compiled translation; make it anew with python -m gan_eval.quiz.catalogue")
    return Texts(language, own, lambda name, source: translator.translate(CONTEXT, source, name) or source)


def direction_of(language: str) -> Qt.LayoutDirection:
    """Whether a language's words run from left to right or from right to left."""
    return QLocale(language).textDirection()
