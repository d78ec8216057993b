"""The keys of a section as its source declares them: sentence, words, default, option. This starts without pydantic.

No object at run time has the sentence below a key; and a command needs its options before the slow import of pydantic.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple


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
def declarations(module: str, section: str) -> dict[str, Declaration]:
    """Return the keys of a section of `gan_eval/settings/<module>.py`.

    >>> declarations("training", "TrainingSettings")["batch_size"]
    Declaration(sentence='Pairs in each step.', words=(), default=1, option='N')
    """
    statements = _statements(module)
    names = _names_in(statements)
    body = next(each.body for each in statements if isinstance(each, ast.ClassDef) and each.name == section)
    keys = {}
    for field, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            text = ast.literal_eval(below.value) if isinstance(below, ast.Expr) else ""
            calls = {ast.unparse(each.func): each for each in ast.walk(field.annotation) if isinstance(each, ast.Call)}
            default = field.value
            if isinstance(default, ast.Call):  # a section, or Field(...)
                default = next((each.value for each in default.keywords if each.arg == "default"), None)
            keys[ast.unparse(field.target)] = Declaration(
                " ".join(text.split()),
                tuple(_words(names, field.annotation)),
                default and ast.literal_eval(default),
                "".join(map(ast.literal_eval, calls["Option"].args)) if "Option" in calls else None,
            )
    return keys


def _statements(module: str) -> list[ast.stmt]:
    return ast.parse(Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")).body


Names = Mapping[str, ast.expr | str]
"""Values of a module's names; of one from another module of this folder, that module."""


def _names_in(statements: Sequence[ast.stmt]) -> Names:
    names: dict[str, ast.expr | str] = {}
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                names[name] = value
            case ast.ImportFrom(module=str(other), names=imported) if other.startswith("gan_eval.settings."):
                names |= {each.name: other.rpartition(".")[2] for each in imported}
    return names


@cache
def _names(module: str) -> Names:
    return _names_in(_statements(module))


def _words(names: Names, annotation: ast.AST) -> Iterator[str]:
    """Yield the words of each `Literal`, also of one that has a name in this module or another of this folder."""
    match annotation:
        case ast.Subscript(value=ast.Name(id="Literal"), slice=words):
            yield from map(ast.literal_eval, words.elts if isinstance(words, ast.Tuple) else [words])
        case ast.Name(id=name) if value := names.get(name):
            yield from _words(_names(value), annotation) if isinstance(value, str) else _words(names, value)
        case ast.Subscript() | ast.Tuple() | ast.BinOp():
            for part in ast.iter_child_nodes(annotation):
                yield from _words(names, part)
