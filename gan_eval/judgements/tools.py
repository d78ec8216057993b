"""Programs that show experiments: how to know their files, and the options of `trials import` for their columns.

`tools.toml` describes each of them; a further program is a further block.
"""

import re
import shlex
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from os.path import commonprefix
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.names import PICTURE_FILE
from gan_eval.judgements.reading import JATOS, Foreign
from gan_eval.judgements.rules import parse_rule, rows_fulfilling
from gan_eval.judgements.wide import columns_by_number, numbered_columns, question_names
from gan_eval.judgements.words import MISSING

_DATA = tomllib.loads(Path(__file__).with_name("tools.toml").read_text(encoding="utf-8"))
_NAMES, _MEANINGS = _DATA["names"], _DATA["meanings"]
EXPECTED: Sequence[str] = _NAMES["expected"]
"""Columns with the key or word that would be correct."""
_PRACTICE_LOOP = re.compile(r"(?i)prac|train|warm|tutorial|familiari|demo|example|exercise|[uü]bung")
_NO_ANSWER = re.compile(r"(?i)click|page submit|timer|timing|duration|_DO(_|$)|_TEXT$|^Duration|\brt\b|time")
_PAIR = ("left", "right", "real_side", "choice")
_FACTS = (
    "model", "response", "correct", "reaction_time_ms", "confidence", "trial", "simulated", "phase", "session",
)  # fmt: skip
"""Columns of `trials`, in the order in which their sources are looked for."""


class Tool(NamedTuple):
    """A program whose files are known: a block of `tools.toml`, which says what the fields are."""

    title: str
    known_by: Sequence[Sequence[str]]
    export: str
    note: str
    sources: Mapping[str, Sequence[str]] = {}
    choose: Sequence[str] = ()
    prefer: Sequence[str] = ()
    ratings: str = ""
    loops: str = ""
    rules: Sequence[str] = ()
    words: Mapping[str, Mapping[str, str]] = {}
    versions: Mapping[str, str] = {}
    limit_time: bool = False


def tool_of(block: Mapping[str, Any]) -> Tool:
    """Return the program that a block of `tools.toml` describes."""
    sources = {**_DATA["any"], **block.get("sources", {})}
    return Tool(**{**block, "sources": {name: [*_expanded(each)] for name, each in sources.items()}})


def _expanded(candidates: Iterable[str]) -> Iterator[str]:
    """Yield the candidates with each of the usual names in place of {picture} and others."""
    for text in candidates:
        before, brace, rest = text.partition("{")
        name, _, after = rest.partition("}")
        yield from _expanded(f"{before}{each}{after}" for each in _NAMES[name]) if brace else [text]


TOOLS: dict[str, Tool] = {name: tool_of(block) for name, block in _DATA["tools"].items()}


class Options(NamedTuple):
    """Options of `trials import`."""

    mapping: Mapping[str, str]
    where: Sequence[str] = ()
    words: Mapping[str, Mapping[str, str]] = {}

    def typed(self) -> str:
        """Return the options as a user types them."""
        words = [f"{name}:{word}={ours}" for name, meanings in self.words.items() for word, ours in meanings.items()]
        given = [("--map", f"{ours}={source}") for ours, source in self.mapping.items()]
        given += [("--where", rule) for rule in self.where] + [("--word", word) for word in words]
        return shlex.join([each for option in given for each in option])


def detected(foreign: Foreign) -> str | None:
    """Return the name of the tool that wrote the files, by their columns; of JATOS, that of the tool inside."""
    return next((name for name, tool in TOOLS.items() if _wrote(tool, foreign)), None)


def _wrote(tool: Tool, foreign: Foreign) -> bool:
    return any(all(_has(pattern, foreign) for pattern in columns) for columns in tool.known_by)


def _has(pattern: str, foreign: Foreign) -> bool:
    columns = list(foreign.cells.columns)
    if pattern.startswith("#"):
        return any(part.comment.startswith(pattern) for part in foreign.parts)
    if pattern.startswith("^"):
        many = bool(foreign.pictures) or any(len(names) > 2 for names in numbered_columns(columns).values())
        return bool(columns) and columns[0] == pattern[1:] and many
    return bool(_columns_like(pattern, columns))


def rules_of_tools(foreign: Foreign, given: Options) -> list[str]:
    """Return the rules of all tools whose columns the files have that leave out some rows, but not all.

    A column of which the user has a rule or takes answers has none.
    """
    columns = [str(name) for name in foreign.cells]
    of_user = {*given.mapping.values(), *(parse_rule(rule).column for rule in given.where)}
    rules = []
    for rule in (parse_rule(text) for tool in TOOLS.values() if _wrote(tool, foreign) for text in tool.rules):
        for name in _columns_like(rule.column, columns).keys() - of_user:
            kept = replace(rule, column=name).holds(foreign.cells, where="--from")
            kept = kept | foreign.cells[name].isna().to_numpy(bool)
            if kept.any() and not kept.all():
                rules.append(f"{name}{rule.operator}{rule.value}")
    return rules


def title_of(name: str, foreign: Foreign) -> str:
    """Return the tool's name with its version, if the file has it."""
    tool, cells = TOOLS[name], foreign.cells
    shown = next((column for column in tool.versions if column in cells and cells[column].any()), None)
    version = "" if shown is None else tool.versions[shown] or str(cells[shown].dropna().iloc[0])
    if tool.known_by[0][0].startswith("#"):
        version = next((part.comment.split()[1] for part in foreign.parts if len(part.comment.split()) > 1), "")
    of_jatos = " from JATOS" if f"{JATOS}study_result" in cells else ""
    return f"{tool.title} {version}".rstrip() + of_jatos


def tool_named(name: str, foreign: Foreign) -> str:
    """Return a tool's name; for `jatos` the tool inside.

    Raises:
        UserError: it is not known, or the files in JATOS' results are of no known tool.
    """
    if name not in TOOLS:
        raise UserError(f"--from {name}: expected one of {', '.join(TOOLS)}")
    inside = (detected(foreign) or "jatos") if name == "jatos" else name
    if inside == "jatos":
        raise UserError("--from jatos: the results are not from a known tool; name their columns with --map")
    return inside


def options_for(name: str, foreign: Foreign, given: Options) -> tuple[Options, list[str]]:
    """Return the options that a tool's columns stand for, without those given; and a line on judgements not read."""
    return _Reader(TOOLS[name], foreign, given).options()


class _Reader:
    """Finds the sources of a tool's columns in its files."""

    def __init__(self, tool: Tool, foreign: Foreign, given: Options) -> None:
        self.tool, self.foreign, self.given = tool, foreign, given
        self.sources = dict(tool.sources)
        self.columns = list(foreign.cells.columns)
        rules = [rule for rule in given.where if parse_rule(rule).column in self.columns]
        self.all_rows = foreign.cells[rows_fulfilling(foreign.cells, rules, where="--where")]
        self.mapping: dict[str, str] = {}
        self.where: list[str] = []
        self.lines: list[str] = []
        self.stem = "%"
        """Replacement of % in the first source that has it."""
        self.answers: list[str] = []
        """The sources that have known answers."""
        self._keep(self.all_rows)

    def _keep(self, rows: pd.DataFrame) -> None:
        self.rows = rows
        self._words_of: dict[str, set[str]] = {}

    def options(self) -> tuple[Options, list[str]]:
        of_pairs = [name for name in _PAIR if self._take(name)]
        if not {"left", "right"} <= {*of_pairs}:
            for name in of_pairs:
                del self.mapping[name]
            self.stem = "%"
            for name in ("stimulus", "kind"):
                self._take(name)
            self._choose_rows()
            for name in _FACTS:
                self._take(name)
            self._take_other_answers()
            self._leave_other_questions()
        self._take("participant")
        if f"{JATOS}study_result" in self.columns:
            self.mapping["session"] = f"{JATOS}study_result"  # a worker may come again
        words = {name: each for name, each in self._meanings().items() if name not in self.given.words}
        of_user = self.given.mapping
        order = {name: at for at, name in enumerate(self.sources)}
        mapping = {name: source for name, source in self.mapping.items() if name != source and name not in of_user}
        mapping = dict(sorted(mapping.items(), key=lambda item: order.get(item[0], len(order))))
        return Options(mapping, self.where, words), self.lines

    def _take(self, target: str) -> bool:
        """Map a column of `trials` to the first source that the judged rows have; of answers, to one of known words."""
        if target in self.given.mapping:
            source: str | None = self.given.mapping[target]
        elif self.sources.get(target) == [""]:  # a column of that name is something else
            source = "" if target in self.columns else None
        else:
            found = [self._source(candidate, target) for candidate in self.sources.get(target, ())]
            source = next(iter(self._best(target, [each for each in found if each])), None)
        if source is None:
            return False
        if target == "participant" and source in self.rows and self.rows[source].isna().any():
            source = f"@fill:{source}"
        self.mapping[target] = source
        self._name_stem(target)
        return bool(source)

    def _best(self, target: str, sources: list[str]) -> list[str]:
        """Return the sources of a column, those that have the right words first or, of pictures and truths, alone."""
        if target == "stimulus":
            named = re.compile(PICTURE_FILE.removesuffix("$"))
            return [name for name in sources if any(map(named.search, self._words(name)))] or sources
        if target == "kind":
            is_kind = [name for name in sources if self._is_kind(name)]
            return is_kind or [name for name in sources if _last(name) in _NAMES["truth"]]
        return sorted(sources, key=lambda each: not self._is_answer(each)) if target == "response" else sources

    def _name_stem(self, target: str) -> None:
        """Take the text for which % stands in a source: & stands for it in later ones."""
        source = self.mapping[target]
        for candidate in self.sources.get(target, ()) if target != "participant" else ():
            before, percent, after = candidate.partition("%")
            if percent and source.startswith(before) and source.endswith(after):
                self.stem = source[len(before) : len(source) - len(after)]
                return

    def _source(self, candidate: str, target: str) -> str | None:
        """Return the source that a candidate stands for, if the judged rows have cells there."""
        name, star, factor = candidate.partition("*")
        if name == "%#%":
            groups = numbered_columns([column for column in self.columns if not _NO_ANSWER.search(column)])
            by_size = sorted(groups, key=lambda pattern: -len(groups[pattern]))
            self.answers = [*filter(self._is_answer, by_size)]
            return next((pattern for pattern in by_size if self.rows[groups[pattern]].notna().any(axis=None)), None)
        if name in ("@file", "@name"):
            return name
        columns = _columns_like(name.replace("&", self.stem), self.columns)
        rows = self.all_rows if target == "participant" else self.rows
        sizes = {each: sum(int(rows[name].count()) for name in of) for each, of in columns.items()}
        largest = max(sizes.values(), default=0)
        if target == "response" and len(sizes) > 1:  # the first question of a trial, of those with known answers
            self.answers += filter(self._is_answer, sizes)
            sizes = {
                each: 4 * self._is_answer(each) + 2 * (len(self._words(each)) > 1) + (2 * size >= largest)
                for each, size in sizes.items()
            }
        return f"{max(sizes, key=lambda each: sizes[each])}{star}{factor}" if largest else None

    def _words(self, source: str) -> set[str]:
        """Return the words of a source in the judged rows, in lower case, without those for missing cells."""
        if source not in self._words_of:
            cells = (self.rows[name] for name in _columns_like(source, self.columns).get(source, ()))
            words = {_plain(word) for column in cells for word in column.dropna().unique()}
            self._words_of[source] = words.difference(MISSING)
        return self._words_of[source]

    def _answers(self) -> set[str]:
        """Return the known answers: real and fake, words that the user has given, correct keys."""
        keys = {word for name in EXPECTED if name in self.columns for word in self._words(name)}
        return {"real", "fake", *map(_plain, self.given.words.get("response", ())), *keys}

    def _is_answer(self, source: str) -> bool:
        return not self._words(source).isdisjoint(self._answers())

    def _is_kind(self, source: str) -> bool:
        words, meanings = self._words(source), _MEANINGS.get(_last(source), {})
        kinds = {"real", "fake", *map(_plain, self.given.words.get("kind", ()))}
        return bool(words) and (words <= kinds or words <= meanings.keys())

    def _choose_rows(self) -> None:
        """Keep the rows that have a truth (or a picture) and, of several tasks or screens, those of one."""
        truth = self.mapping.get("kind") or self.mapping.get("stimulus") or ""
        if truth not in self.columns:
            return
        cells = self.rows[truth]
        missing = [word for word in cells.dropna().unique() if _plain(word) in MISSING]
        has_truth = cells.notna() & ~cells.isin(missing)
        column = next((name for name in self.tool.choose if self._counts(name, has_truth)), "")
        chosen = self._of_one_task(column, has_truth) if self._has_tasks(column) else None
        is_needed = not has_truth.all() if chosen is None else not (chosen <= has_truth).all()
        if is_needed:
            self.where += [f"{truth}!={word}" for word in missing] or [f"{truth}!=-"]
        self._keep(self.rows[(has_truth if chosen is None else has_truth & chosen).to_numpy(bool)])
        self._leave_practice_loops()
        self._take_ratings(column)

    def _has_tasks(self, column: str) -> bool:
        """Return True for a column with several tasks or screens, of which the user has no rule."""
        is_given = any(parse_rule(rule).column == column for rule in self.given.where)
        return bool(column) and not is_given and self.rows[column].nunique() > 1

    def _take_ratings(self, column: str) -> None:
        """Take the answers for ratings if the task or screen is one of the tool's ratings."""
        if self.tool.ratings and column and len(self.rows) and self.tool.ratings in str(self.rows[column].iloc[0]):
            self.mapping |= {"rating": "response", "response": ""}
            self.sources |= {"response": (), "correct": ()}

    def _of_one_task(self, column: str, has_truth: pd.Series) -> pd.Series:
        """Return the rows of the task or screen of the judgements, and choose them by a rule."""
        counts = self._counts(column, has_truth)
        ranks = {each: self._rank(each, has_truth & (self.rows[column] == each)) for each in counts}
        value = max(counts, key=lambda each: ranks[each])
        self.where.append(f"{column}={value}")
        answered = [
            each for each, (is_correct, _, known, *_) in ranks.items() if self.tool.prefer or is_correct or known
        ]
        others = [each for each in answered if each != value]
        if others:
            named = ", ".join(f"{other} ({counts[other]})" for other in others)
            self.lines.append(
                f"other rows with pictures are not read: {named}; --where {column}=VALUE reads them, '{column}!=-' all"
            )
        return self.rows[column] == value

    def _leave_practice_loops(self) -> None:
        """Leave out the rows of loops whose name says that they are practice, if there are others."""
        loops = [name for name in _columns_like(self.tool.loops, self.columns) if self.rows[name].any()]
        practice = [name for name in loops if _PRACTICE_LOOP.search(name)]
        for name in practice if len(practice) < len(loops) else ():
            if self.rows[name].isna().any():
                self.where.append(f"{name}=")
                self._keep(self.rows[self.rows[name].isna().to_numpy(bool)])

    def _take_other_answers(self) -> None:
        """Join the answers of trials with a keyboard of their own; a line names other numbered columns of answers."""
        chosen = self.mapping.get("response", "")
        others = [name for name in self.answers if name != chosen]
        if chosen not in self.answers or "response" in self.given.mapping or not others:
            return
        if "#" in chosen:
            names = [chosen, *others]
            end = len(commonprefix([name[::-1] for name in names]))
            start = min(len(commonprefix(names)), min(map(len, names)) - end - 1)
            own = chosen[: len(chosen) - end]
            of_own = {name: source[len(own) :] for name, source in self.mapping.items() if source.startswith(own)}
            wider = {name: f"{own[:start]}*{rest}".replace("#", "*") for name, rest in of_own.items()}
            wider |= {"trial": ""} if "trial" in wider else {}  # rounds begin again
            self.lines.append(f"not read: the answers of {', '.join(others)}; with them: {Options(wider).typed()}")
            return
        sources = {name: self.mapping.get(name, "") for name in ("response", "correct", "reaction_time_ms")}
        for other in others:
            filled = self.rows[[chosen, other]].notna()
            stem = other.removesuffix(chosen.removeprefix(self.stem))
            for name, source in sources.items() if filled[other].any() and not filled.all(axis=1).any() else ():
                column, star, factor = source.partition("*")
                further = column.replace(self.stem, stem)
                if further in self.columns and further != column:
                    so_far = self.mapping[name].removesuffix(f"{star}{factor}")
                    self.mapping[name] = f"{so_far} + {further}{star}{factor}"

    def _leave_other_questions(self) -> None:
        """Leave out numbered questions without the answers real and fake or, if none has them, those of most others."""
        pattern = self.mapping.get("response", "")
        if "%#%" not in self.sources.get("response", ()) or "response" in self.given.mapping or not pattern:
            return
        numbered = columns_by_number(pattern, self.columns)
        words = {number: self._words(name) for number, name in numbered.items()}
        shared = Counter(word for each in words.values() for word in each)
        common = {"real", "fake"} & set(shared) or {word for word, count in shared.items() if 2 * count >= len(words)}
        names = dict(zip(numbered, question_names(self.foreign, {pattern: numbered}, list(numbered)), strict=True))
        if common:
            self.where += [f"@name!={names[number]}" for number, each in words.items() if each and not each & common]

    def _counts(self, column: str, chosen: pd.Series) -> dict[str, int]:
        """Return the values of a column in the chosen rows, with their counts; nothing if it is absent."""
        if column not in self.columns:
            return {}
        counts = self.rows[column][chosen.to_numpy(bool)].value_counts()
        return {str(value): int(count) for value, count in counts.items()}

    def _rank(self, value: str, chosen: pd.Series) -> tuple[bool, int, int, bool, int, int]:
        """Return the order of a task or screen: correct answers, preference, known answers; of two alike the first."""
        rank = next((at for at, part in enumerate(self.tool.prefer) if part in value), len(self.tool.prefer))
        answers, scores = (
            {_plain(word): n for name in self.sources.get(of, ()) for word, n in self._counts(name, chosen).items()}
            for of in ("response", "correct")
        )
        known = sum(answers.get(word, 0) for word in self._answers())
        is_correct = not scores.keys().isdisjoint(("true", "1", "1.0"))
        is_answered = not answers.keys() <= {*MISSING}
        return is_correct, -rank, known, is_answered, int(chosen.sum()), -int(chosen.to_numpy().argmax())

    def _meanings(self) -> dict[str, dict[str, str]]:
        """Return the meanings of yes and no, of the tool's own words, and of keys whose correct one is known."""
        meant = {name: each for name, each in self.tool.words.items() if name in self.mapping}
        for name in ("kind", "response"):
            source = self.mapping.get(name, "")
            meanings = _MEANINGS.get(_last(source), {})
            if meanings and self._words(source) <= meanings.keys():
                meant[name] = meanings
        words = {
            name: {word: ours for word, ours in each.items() if word in self._words(self.mapping[name])}
            for name, each in meant.items()
        }
        response, kind = self.mapping.get("response"), self.mapping.get("kind")
        if response in self.columns and kind in self.columns and "correct" not in self.mapping:
            words |= {"response": keys} if (keys := self._keys(str(response), str(kind))) else {}
        return words

    def _keys(self, response: str, kind: str) -> dict[str, str]:
        """Return the meaning of each key, if a column has the correct one and it is the same for all rows of a kind."""
        answers = self._words(response)
        for name in EXPECTED:
            if name in self.columns and name != kind and not answers <= {"real", "fake"}:
                pairs = self.rows[[kind, name]].dropna().drop_duplicates()
                keys = {key.strip(): ours.strip().lower() for ours, key in pairs.itertuples(index=False)}
                if len(keys) == len(pairs) == 2 and answers & {key.lower() for key in keys}:
                    return keys
        return {}


def _columns_like(pattern: str, columns: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns that a pattern stands for, by their name with # for its number.

    >>> _columns_like("%.#.player.image", ["rf.1.player.image", "rf.2.player.image", "id"])
    {'rf.#.player.image': ['rf.1.player.image', 'rf.2.player.image']}
    """
    if "%" not in pattern and "#" not in pattern:
        return {pattern: [pattern]} if pattern in columns else {}
    parts = re.split("([%#])", pattern)
    expression = re.compile("".join({"%": ".*?", "#": r"(\d+)"}.get(part, re.escape(part)) for part in parts))
    columns_of: dict[str, list[str]] = {}
    for name in columns:
        if match := expression.fullmatch(name):
            named = f"{name[: match.start(1)]}#{name[match.end(1) :]}" if "#" in pattern else name
            columns_of.setdefault(named, []).append(name)
    return columns_of


def _plain(word: object) -> str:
    return str(word).strip().lower()


def _last(source: str) -> str:
    """Return the last word of a column's name, without its number: `is_real` of `rf.#.player.is_real`."""
    return re.split(r"[.: ]", source.rstrip("#"))[-1]
