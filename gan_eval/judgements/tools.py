"""Programs that show experiments: how to know their files, and the options of `trials import` for their columns."""

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.judgements.names import PICTURE_FILE
from gan_eval.judgements.reading import JATOS, Foreign
from gan_eval.judgements.rules import parse_rule
from gan_eval.judgements.wide import columns_by_number, numbered_columns, question_names
from gan_eval.judgements.words import MISSING

_PICTURE = (
    "stimulus", "picture", "image", "img", "stim", "image_file", "picture_file", "stimulus_file", "stim_file",
    "filename", "file", "image_path", "image_url", "picture_url", "imageFile", "stimFile", "imageName", "image_name",
    "Picture", "Image",
)  # fmt: skip
EXPECTED = (  # columns with the key or word that would be correct
    "correct_response", "correctResponse", "corrAns", "corr_ans", "correctAns", "correct_key", "correctKey",
    "correct_answer", "correctAnswer", "expected_response",
)  # fmt: skip
_KIND = (
    "kind", "truth", "ground_truth", "true_kind", "category", "condition", "type", "class", "label", "image_type",
    "imageType", "stim_type", "stimulus_type", "is_real", "is_fake", "real", "fake", "Truth", "Kind", "Category",
    "source", *EXPECTED,
)  # fmt: skip
_MODEL = ("model", "model_name", "modelName", "Model", "generator", "gan")
_ANSWER = ("response", "answer", "choice", "judgement", "judgment", "guess", "decision", "is_real", "is_fake")
_TIME = ("rt", "reaction_time", "response_time", "reactionTime", "RT", "rt_ms", "reaction_time_ms")
_PERSON = (
    "participant", "participant_id", "participantID", "participantId", "Participant", "subject", "subject_id",
    "subjectID", "subjectId", "subject_nr", "sub", "PROLIFIC_PID", "prolific_pid", "prolificPid", "prolific_id",
    "workerId", "worker_id", "id", "ID", f"{JATOS}PROLIFIC_PID", f"{JATOS}worker", "run_id", "@file",
)  # fmt: skip
_TIMESTAMPS = ("Timestamp", "Zeitstempel", "Horodateur", "Marca temporal", "Carimbo de data/hora", "Tijdstempel")
"""First column of Google Forms, by language."""
_OF_REAL = {"1": "real", "0": "fake", "true": "real", "false": "fake", "yes": "real", "no": "fake"}
_OF_FAKE = {word: "fake" if kind == "real" else "real" for word, kind in _OF_REAL.items()}
_YES_NO = {"is_real": _OF_REAL, "real": _OF_REAL, "is_fake": _OF_FAKE, "fake": _OF_FAKE}
"""Meanings of the words of columns with such names."""
_PRACTICE_LOOP = re.compile(r"(?i)prac|train|warm|tutorial|familiari|demo|example|exercise|[uü]bung")
_NO_ANSWER = re.compile(r"(?i)click|page submit|timer|timing|duration|_DO(_|$)|_TEXT$|^Duration|\brt\b|time")


class Tool(NamedTuple):
    """A program whose files are known.

    In the names of columns, % is any text, & the text that % was in an earlier source, # a number.
    """

    title: str
    columns: Sequence[Sequence[str]]
    """Sets of columns, one of which its files have; ^: the first column, of a wide table; #: the file's first line."""
    sources: Mapping[str, Sequence[str]]
    """For each column of `trials` the sources that may have it; the first that the file has is taken."""
    choose: Sequence[str] = ()
    """Columns that say which rows are judgements."""
    prefer: Sequence[str] = ()
    """Parts of the values of `choose`, the preferred ones first."""
    rules: Sequence[str] = ()
    """Rules that apply if some rows do not fulfil them: they leave out what the program itself calls refused, a check
    or a rehearsal."""
    words: Mapping[str, Mapping[str, str]] = {}
    version: str = ""
    """Column with the program's version."""
    is_limit_time: bool = False
    """A trial without an answer has the time limit as its time."""
    export: str = ""
    note: str = ""


def _each(before: str, names: Sequence[str], after: str = "") -> tuple[str, ...]:
    return tuple(f"{before}{name}{after}" for name in names)


TOOLS: Mapping[str, Tool] = {
    "jspsych": Tool(
        "jsPsych",
        [("trial_type", "trial_index", "time_elapsed"), ("trial_type", "trial_index", "internal_node_id")],
        {
            "participant": _PERSON,
            "stimulus": _PICTURE,
            "kind": _KIND,
            "model": _MODEL,
            "response": ("response", "key_press", "button_pressed"),
            "correct": ("correct",),
            "reaction_time_ms": ("rt",),
        },
        choose=("trial_type",),
        prefer=("keyboard", "button", "categorize", "slider"),
        export="data.get().csv() or .json() of each participant",
        note="buttons are numbers in the order of choices, an untouched slider is its start value; "
        "--map 'simulated=@\"true\"' marks rehearsals",
    ),
    "labjs": Tool(
        "lab.js",
        [("sender", "sender_type"), ("sender", "time_commit")],
        {
            "participant": _PERSON,
            "stimulus": _PICTURE,
            "kind": _KIND,
            "model": _MODEL,
            "response": ("response",),
            "correct": ("correct",),
            "reaction_time_ms": ("duration",),
        },
        choose=("sender",),
        is_limit_time=True,
        export="the CSV or JSON of each participant",
        note="the time of a missed trial, which is the limit, is not kept",
    ),
    "opensesame": Tool(
        "OpenSesame",
        [("subject_nr", "opensesame_version"), ("subject_nr", "logfile"), ("subject_nr", "subject_parity")],
        {
            "participant": ("subject_nr",),
            "stimulus": _PICTURE,
            "kind": _KIND,
            "model": _MODEL,
            "response": ("response",),
            "correct": ("correct",),
            "reaction_time_ms": ("response_time",),
            "phase": ("practice",),
        },
        words={"phase": {"yes": "practice", "no": "main", "1": "practice", "0": "main"}},
        version="opensesame_version",
        is_limit_time=True,
        export="subject-N.csv of the logger, for each participant",
        note="practice = yes in all rows counts until the next loop begins; of several questions in a trial the "
        "one that has correct answers counts; the time of a missed trial is not kept",
    ),
    "otree": Tool(
        "oTree",
        [("participant.code", "%.#.player.%"), ("participant.code", "player.%")],
        {
            "participant": ("participant.code",),
            "stimulus": (*_each("%.#.player.", _PICTURE), *_each("player.", _PICTURE)),
            "kind": (*_each("&.#.player.", _KIND), *_each("%.#.player.", _KIND), *_each("player.", _KIND)),
            "model": (*_each("&.#.player.", _MODEL), *_each("player.", _MODEL)),
            "response": (*_each("&.#.player.", _ANSWER), *_each("%.#.player.", _ANSWER), *_each("player.", _ANSWER)),
            "confidence": ("&.#.player.confidence", "player.confidence"),
            "reaction_time_ms": (*_each("&.#.player.", _TIME), *_each("player.", _TIME)),
            "trial": ("&.#.subsession.round_number", "subsession.round_number"),
            "simulated": ("participant._is_bot",),
        },
        rules=("participant.visited!=0",),
        export="the app's CSV, or all_apps_wide.csv",
        note="a page that timed out has 0 in fields of numbers and of yes and no: an answer without a time is none",
    ),
    "psychopy": Tool(
        "PsychoPy",
        [("psychopyVersion",), ("%.thisN", "expName"), ("%.keys", "%.thisN"), ("thisN", "thisTrialN", "thisRepN"),
         ("TrialNumber", "order", "ran")],
        {
            "participant": _PERSON,
            "session": ("",),
            "stimulus": _PICTURE,
            "kind": _KIND,
            "model": _MODEL,
            "response": ("%.keys", "%.clicked_name", "%.response", "response", "resp", "key", "keys"),
            "correct": ("&.corr", "correct", "corr"),
            "reaction_time_ms": ("&.rt*1000", "&.time*1000", "rt*1000", "RT*1000"),
        },
        version="psychopyVersion",
        export="the CSV of each participant (saveAsWideText)",
        note="not the text or Excel file of TrialHandler2: answers may stand next to other pictures there",
    ),
    "expyriment": Tool(
        "Expyriment",
        [("#Expyriment",)],
        {
            "participant": ("subject_id",),
            "stimulus": _PICTURE,
            "kind": _KIND,
            "model": _MODEL,
            "response": ("response", "key", "button", "answer", "resp"),
            "correct": ("correct", "accuracy", "acc"),
            "reaction_time_ms": _TIME,
        },
        export="the .xpd file of each participant",
        note="keys are numbers: 102 is f, 106 is j",
    ),
    "gorilla": Tool(
        "Gorilla",
        [("Participant Private ID",)],
        {
            "participant": ("Participant Private ID",),
            "stimulus": (*_each("Spreadsheet: ", _PICTURE), *_PICTURE),
            "kind": (*_each("Spreadsheet: ", _KIND), *_KIND),
            "model": (*_each("Spreadsheet: ", _MODEL), *_MODEL),
            "response": ("Response",),
            "correct": ("Correct",),
            "reaction_time_ms": ("Reaction Time",),
        },
        choose=("Screen Name", "Screen", "Zone Type", "Response Type", "Component Name"),
        is_limit_time=True,
        export="the CSV of the task, long form",
        note="of several rows of a trial the answered one counts",
    ),
    "mturk": Tool(
        "Mechanical Turk",
        [("WorkerId", "HITId"), ("WorkerId", "AssignmentId"), ("AssignmentStatus",)],
        {
            "participant": ("WorkerId",),
            "left": ("Input.%left#", "Input.%left", "Input.left%#"),
            "right": ("Input.%right#", "Input.%right", "Input.right%#"),
            "real_side": ("Input.gt_side#", "Input.%side#", "Input.gt_side", "Input.%side"),
            "choice": ("Answer.selection#", "Answer.choice#", "Answer.%#", "Answer.selection", "Answer.choice",
                       "Answer.%"),
            "stimulus": (*_each("Input.", _PICTURE, "_url#"), *_each("Input.", _PICTURE, "#"),
                         *_each("Input.", _PICTURE)),
            "kind": (*_each("Input.", _KIND, "#"), *_each("Input.", _KIND)),
            "model": (*_each("Input.", _MODEL, "#"), *_each("Input.", _MODEL)),
            "response": (*_each("Answer.", _ANSWER, "#"), *_each("Answer.", _ANSWER)),
        },
        rules=("AssignmentStatus!=Rejected",),
        export="the batch's results as CSV",
        note="columns of true and false, one for each radio button, become one (Answer.choice)",
    ),
    "qualtrics": Tool(
        "Qualtrics",
        [("ResponseId", "StartDate"), ("ResponseID", "StartDate"), ("ResponseId", "Finished")],
        {
            "participant": ("PROLIFIC_PID", "ResponseId", "ResponseID"),
            "response": ("%#%",),
            "stimulus": ("@name",),
        },
        rules=("Status!=Survey Preview", "DistributionChannel!=preview"),
        export="CSV with choice text",
        note="which picture a question shows: its text, or --pictures FILE.csv (number or name, stimulus, kind)",
    ),
    "googleforms": Tool(
        "Google Forms",
        [(f"^{name}",) for name in _TIMESTAMPS],
        {
            "participant": (*_PERSON[:-1], "%articipant%", "%our ID%", "%our code%", *_TIMESTAMPS),
            "response": ("%#%",),
            "stimulus": ("@name",),
        },
        export="the responses as CSV or Excel",
        note="which picture a question shows: --pictures FILE.csv (number or name, stimulus, kind)",
    ),
    "appen": Tool(
        "Appen",
        [("_tainted",), ("_golden",)],
        {"participant": ("_worker_id",), "stimulus": _PICTURE, "kind": _KIND, "model": _MODEL, "response": _ANSWER},
        rules=("_tainted!=true", "_golden!=true"),
        export="the full report as CSV",
        note="tainted judgements and test questions are left out",
    ),
    "toloka": Tool(
        "Toloka",
        [("INPUT:%", "OUTPUT:%")],
        {
            "participant": ("ASSIGNMENT:worker_id",),
            "stimulus": _each("INPUT:", _PICTURE),
            "kind": _each("INPUT:", _KIND),
            "model": _each("INPUT:", _MODEL),
            "response": (*_each("OUTPUT:", _ANSWER), "OUTPUT:result"),
        },
        rules=("GOLDEN:%=", "ASSIGNMENT:status!=REJECTED"),
        export="the results of the pool as TSV",
        note="control tasks and rejected assignments are left out",
    ),
    "prolific": Tool(
        "Prolific",
        [("Submission id", "Participant id", "Status"), ("submission_id", "participant_id", "submission_status")],
        {
            "participant": ("Participant id", "participant_id"),
            "stimulus": _PICTURE,
            "kind": _KIND,
            "model": _MODEL,
            "response": _ANSWER,
        },
        rules=tuple(
            f"{column}!={status}"
            for column in ("Status", "submission_status")
            for status in ("REJECTED", "RETURNED", "TIMED-OUT", "SCREENED OUT")
        ),
        export="answers joined with the demographic data of the submissions",
        note="submissions that were rejected, returned, screened out or timed out are left out",
    ),
    "revisit": Tool(
        "reVISit",
        [("participantId", "trialId", "trialOrder")],
        {
            "participant": ("participantId",),
            "stimulus": _PICTURE,
            "kind": (*_KIND, "correctAnswer"),
            "model": _MODEL,
            "response": ("answer",),
        },
        rules=("status!=rejected",),
        export="the tidy CSV",
        note="participants who were rejected are left out",
    ),
    "labelstudio": Tool(
        "Label Studio",
        [("was_cancelled",), ("annotation_id", "lead_time")],
        {
            "participant": ("annotator", "completed_by"),
            "stimulus": _PICTURE,
            "kind": _KIND,
            "model": _MODEL,
            "response": _ANSWER,
        },
        rules=("was_cancelled!=true",),
        export="CSV or JSON",
        note="annotations that were cancelled (skipped) are left out",
    ),
    "jatos": Tool(
        "JATOS",
        [(f"{JATOS}study_result",)],
        {},
        export="results as a zip, or data only",
        note="the tool inside is looked at: jsPsych, lab.js, OpenSesame",
    ),
}  # fmt: skip


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
    return any(all(_has(pattern, foreign) for pattern in columns) for columns in tool.columns)


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


def _has(pattern: str, foreign: Foreign) -> bool:
    columns = list(foreign.cells.columns)
    if pattern.startswith("#"):
        return any(part.comment.startswith(pattern) for part in foreign.parts)
    if pattern.startswith("^"):
        many = bool(foreign.pictures) or any(len(names) > 2 for names in numbered_columns(columns).values())
        return bool(columns) and columns[0] == pattern[1:] and many
    return bool(_columns_like(pattern, columns))


def title_of(name: str, foreign: Foreign) -> str:
    """Return the tool's name with its version, if the file has it."""
    tool, cells = TOOLS[name], foreign.cells
    version = str(cells[tool.version].dropna().iloc[0]) if tool.version in cells and cells[tool.version].any() else ""
    if name == "jspsych":
        version = "8" if "plugin_version" in cells else "6" if {"key_press", "button_pressed"} & {*cells} else "6 or 7"
    if name == "expyriment":
        version = next((part.comment.split()[1] for part in foreign.parts if len(part.comment.split()) > 1), "")
    of_jatos = " from JATOS" if f"{JATOS}study_result" in cells else ""
    return f"{tool.title} {version}".rstrip() + of_jatos


def options_for(name: str, foreign: Foreign, given: Options) -> tuple[Options, list[str]]:
    """Return the options that a tool's columns stand for, without those given; and a line on judgements not read."""
    return _Reader(TOOLS[name], foreign, given).options()


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


class _Reader:
    """Finds the sources of a tool's columns in its files."""

    def __init__(self, tool: Tool, foreign: Foreign, given: Options) -> None:
        self.tool, self.foreign, self.given = tool, foreign, given
        self.columns = list(foreign.cells.columns)
        rules = [rule for rule in map(parse_rule, given.where) if rule.column in self.columns]
        self.all_rows = self.rows = foreign.cells
        for rule in rules:
            self.all_rows = self.rows = self.rows[rule.holds(self.rows, where="--where")]
        self.mapping: dict[str, str] = {}
        self.where: list[str] = []
        self.words: dict[str, dict[str, str]] = {}
        self.lines: list[str] = []
        self.stem = "%"
        """Replacement of % in the first source that has it."""

    def options(self) -> tuple[Options, list[str]]:
        of_pairs = [name for name in ("left", "right", "real_side", "choice") if self._take(name)]
        if {"left", "right"} <= {*of_pairs}:
            return self._done()
        for name in of_pairs:
            del self.mapping[name]
        self.stem = "%"
        for name in ("stimulus", "kind"):
            self._take(name)
        self._choose_rows()
        for name in (
            "model",
            "response",
            "correct",
            "reaction_time_ms",
            "confidence",
            "trial",
            "simulated",
            "phase",
            "session",
        ):
            self._take(name)
        self._leave_other_questions()
        return self._done()

    def _done(self) -> tuple[Options, list[str]]:
        self._take("participant")
        if f"{JATOS}study_result" in self.columns:
            self.mapping["session"] = f"{JATOS}study_result"  # a worker may come again
        self._name_words()
        order = {name: place for place, name in enumerate((*self.tool.sources, "rating"))}
        mapping = {
            name: source
            for name, source in sorted(self.mapping.items(), key=lambda item: order.get(item[0], 0))
            if name != source and name not in self.given.mapping
        }
        words = {name: meanings for name, meanings in self.words.items() if name not in self.given.words}
        return Options(mapping, self.where, words), self.lines

    def _take(self, target: str) -> bool:
        """Map a column of `trials` to the first source that the judged rows have; of answers, to one of known words."""
        if target in self.given.mapping:
            self.mapping[target] = self.given.mapping[target]
            self._name_stem(target)
            return bool(self.mapping[target])
        columns = [
            source for candidate in self.tool.sources.get(target, ()) if (source := self._source(candidate, target))
        ]
        if target == "session" and "session" in self.columns and self.tool.sources.get("session") == ("",):
            self.mapping["session"] = ""
        if target == "stimulus":
            named = re.compile(PICTURE_FILE.removesuffix("$"))
            columns = [name for name in columns if any(map(named.search, self._words(name)))] or columns
        if target == "kind":
            columns = [name for name in columns if self._is_kind(name)] or [
                name for name in columns if _last(name) in _KIND[:4]
            ]
        if target == "response":
            columns.sort(key=lambda source: not self._is_answer(source))
        if not columns:
            return False
        source = columns[0]
        if target == "participant" and source in self.rows and self.rows[source].isna().any():
            source = f"@fill:{source}"
        self.mapping[target] = source
        self._name_stem(target)
        return True

    def _name_stem(self, target: str) -> None:
        """Take the text for which % stands in a source: & stands for it in later ones."""
        source = self.mapping[target]
        for candidate in self.tool.sources.get(target, ()) if target != "participant" else ():
            before, percent, after = candidate.partition("%")
            if percent and source.startswith(before) and source.endswith(after):
                self.stem = source[len(before) : len(source) - len(after)]
                return

    def _is_answer(self, source: str) -> bool:
        """Return True if a column has known answers: real and fake, words that the user has given, correct keys."""
        return not self._words(source).isdisjoint(self._answers())

    def _answers(self) -> set[str]:
        keys = {word for name in EXPECTED if name in self.columns for word in self._words(name)}
        return {"real", "fake", *map(_plain, self.given.words.get("response", ())), *keys}

    def _source(self, candidate: str, target: str) -> str | None:
        """Return the source that a candidate stands for, if the judged rows have cells there."""
        name, star, factor = candidate.partition("*")
        if name == "%#%":
            groups = numbered_columns([column for column in self.columns if not _NO_ANSWER.search(column)])
            by_size = sorted(groups, key=lambda pattern: -len(groups[pattern]))
            return next((pattern for pattern in by_size if self.rows[groups[pattern]].notna().any(axis=None)), None)
        if name in ("@file", "@name"):
            return name
        columns = _columns_like(name.replace("&", self.stem), self.columns)
        rows = self.all_rows if target == "participant" else self.rows
        sizes = {each: sum(int(rows[name].count()) for name in of) for each, of in columns.items()}
        largest = max(sizes.values(), default=0)
        if target == "response" and len(sizes) > 1:  # the first question of a trial, of those with known answers
            sizes = {
                each: 4 * self._is_answer(each) + 2 * (len(self._words(each)) > 1) + (2 * size >= largest)
                for each, size in sizes.items()
            }
        return f"{max(sizes, key=lambda each: sizes[each])}{star}{factor}" if largest else None

    def _words(self, source: str) -> set[str]:
        """Return the words of a source in the judged rows, in lower case, without those for missing cells."""
        columns = _columns_like(source, self.columns).get(source, ())
        return {word for name in columns for word in map(_plain, self.rows[name].dropna().unique())}.difference(MISSING)

    def _is_kind(self, source: str) -> bool:
        words, meanings = self._words(source), _YES_NO.get(_last(source), {})
        kinds = {"real", "fake", *map(_plain, self.given.words.get("kind", ()))}
        return bool(words) and (words <= kinds or words <= meanings.keys())

    def _choose_rows(self) -> None:
        """Keep the rows that have a truth (or a picture) and, of several tasks or screens, those of one."""
        truth = self.mapping.get("kind") or self.mapping.get("stimulus") or ""
        if truth not in self.columns:
            return
        cells = self.rows[truth]
        missing = [word for word in cells.dropna().unique() if _plain(word) in MISSING]
        has_truth = chosen = cells.notna() & ~cells.isin(missing)
        column = next((name for name in self.tool.choose if self._values(name, has_truth)), None)
        is_given = any(parse_rule(rule).column == column for rule in self.given.where)
        if column and not is_given and self.rows[column].nunique() > 1:
            counts = self._values(column, has_truth)
            value = max(counts, key=lambda each: self._rank(each, has_truth & (self.rows[column] == each)))
            self.where.append(f"{column}={value}")
            chosen = self.rows[column] == value
            others = ", ".join(f"{other} ({count})" for other, count in counts.items() if other != value)
            if self.tool.prefer and others:
                self.lines.append(f"other rows with pictures are not read: {others}; --where {column}=VALUE reads them")
        if not (chosen <= has_truth).all() or (chosen is has_truth and not has_truth.all()):
            self.where += [f"{truth}!={word}" for word in missing] or [f"{truth}!=-"]
        self.rows = self.rows[(has_truth & chosen).to_numpy(bool)]
        self._leave_practice_loops()
        if column == "trial_type" and len(self.rows) and "slider" in str(self.rows[column].iloc[0]):
            self.mapping |= {"rating": "response", "response": ""}
            self.tool = self.tool._replace(sources={**self.tool.sources, "response": (), "correct": ()})

    def _leave_practice_loops(self) -> None:
        """Leave out the rows of PsychoPy's loops whose name says that they are practice, if there are others."""
        loops = [name for name in _columns_like("%.thisN", self.columns) if self.rows[name].any()]
        main = [name for name in loops if not _PRACTICE_LOOP.search(name)]
        if not main:
            return
        for name in loops:
            if name not in main and self.rows[name].isna().any():
                self.where.append(f"{name}=")
                self.rows = self.rows[self.rows[name].isna().to_numpy(bool)]

    def _leave_other_questions(self) -> None:
        """Leave out numbered questions without the answers real and fake or, if none has them, those of most others."""
        pattern = self.mapping.get("response", "")
        if "%#%" not in self.tool.sources.get("response", ()) or "response" in self.given.mapping or not pattern:
            return
        numbered = columns_by_number(pattern, self.columns)
        words = {number: self._words(name) for number, name in numbered.items()}
        shared = Counter(word for each in words.values() for word in each)
        common = {"real", "fake"} & set(shared) or {word for word, count in shared.items() if 2 * count >= len(words)}
        names = dict(zip(numbered, question_names(self.foreign, {pattern: numbered}, list(numbered)), strict=True))
        if common:
            self.where += [f"@name!={names[number]}" for number, each in words.items() if each and not each & common]

    def _values(self, column: str, chosen: pd.Series) -> dict[str, int]:
        """Return the values of a column in the chosen rows, with their counts; nothing if it is absent."""
        cells = self.rows[column][chosen.to_numpy(bool)] if column in self.columns else pd.Series(dtype="str")
        return {str(value): int(count) for value, count in cells.value_counts().items()}

    def _rank(self, value: str, chosen: pd.Series) -> tuple[bool, int, int, bool, int, int]:
        """Return the order of a task or screen: correct answers, preference, known answers; of two alike the first."""
        place = next((at for at, part in enumerate(self.tool.prefer) if part in value), len(self.tool.prefer))
        counts: Counter[str] = Counter()
        for name in self.tool.sources.get("response", ()):
            counts.update({_plain(word): count for word, count in self._values(name, chosen).items()})
        is_correct = any(
            _plain(word) in ("true", "1", "1.0")
            for name in self.tool.sources.get("correct", ())
            for word in self._values(name, chosen)
        )
        known = sum(counts[word] for word in self._answers())
        is_answered = any(word not in MISSING for word in counts)
        return is_correct, -place, known, is_answered, int(chosen.sum()), -int(chosen.to_numpy().argmax())

    def _name_words(self) -> None:
        """Give the meanings of yes and no, of the tool's own words, and of keys whose correct one is known."""
        for name, meanings in self.tool.words.items():
            if name in self.mapping:
                words = self._words(self.mapping[name])
                self.words[name] = {word: ours for word, ours in meanings.items() if word in words}
        for name in ("kind", "response"):
            source = self.mapping.get(name, "")
            if (meanings := _YES_NO.get(_last(source), {})) and (words := self._words(source)) <= meanings.keys():
                self.words[name] = {word: ours for word, ours in meanings.items() if word in words}
        response, kind = self.mapping.get("response"), self.mapping.get("kind")
        if response in self.columns and kind in self.columns and "correct" not in self.mapping:
            self.words |= {"response": keys} if (keys := self._keys(str(response), str(kind))) else {}

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
