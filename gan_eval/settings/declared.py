"""The keys of a section as its class declares them: sentence, words, default, option."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from gan_eval.settings.sections import Option, mark_of


class Declaration(NamedTuple):
    """A key: the sentence below it, the words to choose from, its default, its option's value as the help shows it."""

    sentence: str
    words: tuple[str, ...]
    default: Any
    option: str | None

    @property
    def comment(self) -> str:
        """The sentence with the words."""
        # a single word is one in place of a number
        words = f'or "{self.words[0]}"' if len(self.words) == 1 else ", ".join(self.words)
        return f"{self.sentence.removesuffix('.')} ({words})." if words else self.sentence

    def help(self, default: Any = None) -> str:
        """Return the sentence with the words and the default, or another default."""
        default = self.default if default is None else default
        default = "true" if default is True else f"{default:g}" if isinstance(default, float) else default
        has_none = default is False or default in (None, "", (), {})
        return self.comment if has_none else f"{self.comment.removesuffix('.')}; default: {default}."


@cache
def declarations(section: type[BaseModel]) -> dict[str, Declaration]:
    """Return the keys of a section.

    >>> from gan_eval.settings.training import TrainingSettings
    >>> declarations(TrainingSettings)["batch_size"]
    Declaration(sentence='Pairs in each step.', words=(), default=1, option='N')
    """
    keys = {}
    for name, field in section.model_fields.items():
        has_value = field.default is not PydanticUndefined and not isinstance(field.default, BaseModel)
        option = mark_of(field, Option)
        keys[name] = Declaration(
            " ".join((field.description or "").split()),
            tuple(_words(field.annotation)),
            field.default if has_value else None,
            None if option is None else option.value,
        )
    return keys


def _words(annotation: Any) -> Iterator[str]:
    """Yield the words of each `Literal` in a type."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for part in get_args(annotation):
            yield from _words(part)
