"""The program's words: their names, the study's own wording, and their translations."""

import ast
import doctest
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

import gan_eval.quiz
from gan_eval.errors import UserError
from gan_eval.quiz import wording as module
from gan_eval.quiz.wording import Texts, languages, placeholders, require_language, require_texts, texts_of
from gan_eval.settings.quiz import ConsentSettings

TEXTS = texts_of("en")
QUIZ = Path(gan_eval.quiz.__file__).parent


def said_in_code() -> set[str]:
    """First arguments of every call of the texts in the quiz's code and names that are chosen there, `*` for values."""
    found = set()
    for file in (*QUIZ.rglob("*.py"), QUIZ.parent / "settings" / "protocols.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.add("".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values))
    return found


def called_in_code() -> set[str]:
    """Return the names that the code passes to the texts literally: `words("...")`."""
    calls = (
        node
        for file in QUIZ.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
    )
    speaks = ("words", "_words", "texts")
    return {call.args[0].value for call in calls if ast.unparse(call.func).split(".")[-1] in speaks}


def test_every_text_is_said_somewhere() -> None:
    said = said_in_code()
    patterns = [each for each in said if re.fullmatch(r"[a-z_]+\*[a-z_*]*", each)]
    unused = [name for name in TEXTS if name not in said and not any(fnmatch(name, each) for each in patterns)]
    assert unused == []


def test_every_text_that_is_said_is_there() -> None:
    assert len(called_in_code()) > 50
    assert called_in_code() - set(TEXTS) == set()


def test_values_are_filled_in_and_the_study_may_say_it_otherwise() -> None:
    assert Texts()("break_text", done=3, trials=50) == "3 of 50 are done. Rest your eyes for a moment."
    own = Texts(own={"break_text": "Noch {done}"})
    assert own("break_text", done=3, trials=50) == "Noch 3"
    assert own("break_title") == "A break"


def test_german_numbers_have_commas() -> None:
    german = Texts("de")
    assert (german.duration(250), german.number(57.5)) == ("0,25 Sekunden", "57,5")


def test_the_studys_words_come_before_a_translation() -> None:
    german = Texts("de", {"back": "Retour"})
    assert german("leave") == "Beenden"
    assert german("back") == "Retour"


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"break_titel": "Pause"}, r"quiz.texts.break_titel: no such text; did you mean break_title"),
        ({"qqqq": "?"}, r"quiz.texts.qqqq: no such text; gan_eval/quiz/texts/en.toml lists their names"),
        (
            {"break_text": "{participant}"},
            r"break_text: cannot be filled in \('participant'\); known: \{done",
        ),
        ({"back": "{done}"}, r"known: nothing"),
        ({"break_text": "{done:d}"}, r"quiz.texts.break_text: cannot be filled in"),
        ({"break_text": "{0}"}, r"quiz.texts.break_text: cannot be filled in"),
        ({"break_text": "{done"}, r"quiz.texts.break_text: .*write a brace that is meant"),
    ],
)
def test_what_is_wrong_with_a_studys_words_is_said_in_a_line(own: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        require_texts(own)


def test_every_text_may_be_said_by_the_study_as_it_is() -> None:
    require_texts(TEXTS)
    require_texts({"question_rating": "1 to {grades}?", "confidence_question": "1 to {levels}?"})


def test_the_program_can_say_its_own_consent_in_every_language() -> None:
    assert TEXTS["consent_text"] == ConsentSettings().text


def test_an_unknown_language_is_refused_with_those_that_are_there() -> None:
    require_language("en")
    require_language("de")
    with pytest.raises(UserError, match=r"--language xx: there is no such translation; known: en, de"):
        require_language("xx")


@pytest.mark.parametrize("language", languages())
def test_a_translation_has_the_same_texts_and_fills_in_the_same_values(language: str) -> None:
    texts = texts_of(language)
    assert list(texts) == list(TEXTS)
    for name, english in TEXTS.items():
        assert texts[name].strip(), name
        assert placeholders(texts[name]) == placeholders(english), name


def test_the_examples_in_the_docstrings() -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
