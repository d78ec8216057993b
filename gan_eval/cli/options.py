"""Options of the command line as the values that functions take, and results as lines."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_eval.errors import UserError
from gan_eval.files import sha256_json
from gan_eval.settings.quiz import PAIRS, QuizSettings
from gan_eval.settings.sections import as_flag, check_options

if TYPE_CHECKING:
    import pandas as pd

    from gan_eval.quiz import SessionResult
    from gan_eval.stimuli.sets import StimulusSet
    from gan_eval.tabular import Row


_QUIZ_OPTIONS = {"exposures_ms": "exposure_ms"}
"""Settings whose option is not called like them."""

Out = Annotated[Path, typer.Option("--out", help="Folder for the results; must be empty or ours.")]
DataRoot = Annotated[
    Path | None, typer.Option("--data-root", envvar="GAN_EVAL_DATA", help="Folder with the data sets' folders.")
]


class DirectionOption(StrEnum):
    """Which half of an A|B picture is the input."""

    AtoB = "AtoB"
    BtoA = "BtoA"


def quiz_of_options(options: Mapping[str, Any]) -> QuizSettings:
    """The quiz that options without a study file ask for; times and keys are still text.

    Raises:
        UserError: an option's value is not what it must be.
    """
    values = dict(options)
    _require_effect(values)
    if "keys" in values:
        values["keys"] = pairs(values["keys"].split(","), "--keys")
    exposures = [_number_or(text, "until-answer", "--exposure-ms") for text in values.pop("exposure_ms", "").split(",")]
    if len(exposures) > 1:
        values["exposures_ms"] = tuple(exposures)
    elif exposures[0] is not None:
        values["exposure_ms"] = exposures[0]
    if "allow_giveaways" in values:
        values["allow_giveaways"] = tuple(clue.strip() for clue in values["allow_giveaways"].split(","))
        from gan_eval.giveaways.refusal import require_known_clues

        require_known_clues(values["allow_giveaways"], named="--allow-giveaways")
    if "response_ms" in values:
        values["response_ms"] = _number_or(values["response_ms"], "unlimited", "--response-ms")
    return check_options(QuizSettings, values, spelled=lambda name: as_flag(_QUIZ_OPTIONS.get(name, name)))


def _require_effect(options: Mapping[str, Any]) -> None:
    """
    Raises:
        UserError: an option that the protocol has no use for was given.
    """
    protocol = options.get("protocol", QuizSettings().protocol)
    unused = {"real": "pairs are shown; give --pairs", "fake": "pairs are shown; give --pairs"}
    if protocol not in PAIRS:
        unused = {"pairs": "single pictures are shown; give --real and --fake"}
    if protocol == "staircase":
        unused["exposure_ms"] = "the answers decide on the exposure; leave it out"
    for name, why in unused.items():
        if name in options:
            raise UserError(f"{as_flag(name)}: has no effect with the protocol {protocol}: {why}")


def _number_or(text: str, word: str, option: str) -> float | str | None:
    """Milliseconds, or the one word that stands for no limit; None: nothing was given."""
    if text in ("", word):
        return text or None
    try:
        return float(text)
    except ValueError as error:
        raise UserError(f"{option} {text}: wanted milliseconds or {word}") from error


def given(**options: Any) -> dict[str, Any]:
    """The options that the user gave.

    >>> given(steps=3, epochs=None)
    {'steps': 3}
    """
    return {name: value for name, value in options.items() if value is not None}


def on_command_line(context: typer.Context, name: str) -> bool:
    """Whether the user has typed this option or argument; a default or an environment variable is not typed."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def refuse_without_effect(context: typer.Context, names: Iterable[str], why: str) -> None:
    """An option without effect is refused: its user believes that it has one.

    Args:
        names: the parameters that are of no use beside the others.
        why: in words that follow the option and a colon.

    Raises:
        UserError: one of them was given.
    """
    unused = set(names)
    for parameter in context.command.params:
        if parameter.name in unused and on_command_line(context, parameter.name):
            raise UserError(f"{_typed(parameter, context.params.get(parameter.name))}: {why}")


def _typed(parameter: Any, value: Any) -> str:
    """An option, or an argument, as it is typed."""
    options = parameter.secondary_opts if value is False and parameter.secondary_opts else parameter.opts
    return options[0] if options[0].startswith("-") else parameter.metavar or options[0].upper()


@contextmanager
def naming(option: str, *, instead: str = "", of: Sequence[str] = ()) -> Iterator[None]:
    """Inside, an error names the option that the user has typed; `instead` of a setting, where one of `of` is meant."""
    try:
        yield
    except UserError as error:
        rest = str(error).removeprefix(f"{instead}: ")
        if instead and (rest == str(error) or rest.partition(":")[0] not in of):
            raise
        raise UserError(f"{option}: {rest}") from error


def refuse_beside_study(options: Mapping[str, Any], study: Path) -> None:
    """A study file says these things itself; an option beside it would be ignored or would change the experiment.

    Raises:
        UserError: an option was given.
    """
    if options:
        raise UserError(
            f"{as_flag(next(iter(options)))}: {study} says this itself; leave the option out, or change the study file"
        )


def design_of_options(settings: QuizSettings, stimuli: "StimulusSet") -> str:
    """SHA-256 over what a participant of a quiz without a study file sees."""
    pictures = sorted([row["stimulus"], row["sha256"]] for row in stimuli.rows)
    return sha256_json([settings.model_dump(mode="json"), pictures])


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """`name=value` texts as a dict.

    >>> pairs(["real=j", "fake=f"], "--keys")
    {'real': 'j', 'fake': 'f'}

    Raises:
        UserError: a text is not of that form, or a name stands twice.
    """
    found = dict(text.split("=", 1) for text in texts if "=" in text)
    if len(found) != len(texts):
        raise UserError(f"{option} {' '.join(texts)}: wanted name=value, each name once")
    return found


def metric_inputs(
    sets: Sequence[Path] | None, real: Path | None, fake: Path | None, *, dataset: str | None, model: str | None
) -> list["StimulusSet | Path"]:
    """The stimulus sets that are to be measured.

    Raises:
        UserError: neither or both ways of naming them were used, or a folder is bad.
    """
    from gan_eval.metrics import folder_pair

    if bool(sets) == bool(real or fake):
        raise UserError("metrics: give either stimulus sets, or --real DIR and --fake DIR")
    if sets and (dataset or model):
        raise UserError("metrics: --dataset and --model belong to --real and --fake; a stimulus set names its own")
    if sets:
        return list(sets)
    if real is None or fake is None:
        raise UserError("metrics: --real DIR and --fake DIR belong together")
    return [folder_pair(real, fake, dataset=dataset, model=model)]


def session_summary(result: "SessionResult") -> str:
    """One line on what came of a session."""
    answered = sum(_is_answered(row) for row in result.trials)
    who = f"{result.participant}{' (simulated)' if result.simulated else ''}"
    more = "; the same command goes on with it" if result.status == "open" else ""
    return f"{who}: session {result.status}, {len(result.trials)} trials stored, {answered} answered{more}"


def _is_answered(trial: "Row") -> bool:
    """Whether a trial has a judgement of any protocol's kind."""
    given = (trial["response"], trial["choice"])
    return trial["rating"] is not None or any(answer not in (None, "none") for answer in given)


def tables_as_json(frames: "Mapping[str, pd.DataFrame]") -> str:
    """Tables as one JSON object of row lists; missing values are null, infinite ones the text `inf`, as in the CSV."""

    def plain(value: Any) -> Any:
        if value is None or value != value or type(value).__name__ == "NAType":
            return None
        value = value.item() if hasattr(value, "item") else value
        return str(value) if isinstance(value, float) and math.isinf(value) else value

    rows = {
        name: [{key: plain(value) for key, value in row.items()} for row in frame.astype(object).to_dict("records")]
        for name, frame in frames.items()
    }
    return json.dumps(rows, ensure_ascii=False)
