"""The tables that an analysis reads, checked against each other: `read_inputs`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from gan_eval.judgements.doubts import doubts
from gan_eval.judgements.pictures import several_names
from gan_eval.judgements.readers import NO_SIMULATED, of_people, tables_to_analyze
from gan_eval.judgements.trials import PreparedTrials, are_own_names, prepare_trials, with_text_names
from gan_eval.stats.metrics_and_people.matching import completed, named_as_judged, require_metrics_of
from gan_eval.tables import IMAGE_METRICS, MARKS, PARTICIPANTS, PLANS, SESSIONS, SET_METRICS, TRIALS, Table
from gan_eval.tables.frames import as_table, joined_tables, read_table

if TYPE_CHECKING:
    from gan_eval.store import Store

FrameOrFile = pd.DataFrame | Path | str
"""A table, or its file."""


@dataclass(frozen=True)
class ReadTable:
    """A table of a file that is read already; another program may write the file again."""

    frame: pd.DataFrame
    where: str
    """Source, for messages."""
    lines: Sequence[str] = ()
    """Doubts."""


MetricValues = FrameOrFile | ReadTable | Sequence[Path | str] | None
"""A table of metrics, or its files."""


class Inputs(NamedTuple):
    """The tables that an analysis reads, checked against each other."""

    prepared: PreparedTrials
    images: pd.DataFrame | None
    """The table `image_metrics`."""
    sets: pd.DataFrame | None
    """The table `set_metrics`."""
    participants: pd.DataFrame | None
    sessions: pd.DataFrame | None
    shown: Mapping[str, pd.DataFrame]
    """Tables `stimuli` of the sets that were shown, by their file."""
    marks: pd.DataFrame | None


def read_inputs(
    trials: "FrameOrFile | Store | PreparedTrials",
    *,
    image_metrics: MetricValues,
    set_metrics: MetricValues,
    stimuli: FrameOrFile | Sequence[Path | str] | None,
    others: Mapping[Table, FrameOrFile | None],
    say: Callable[[str], None],
) -> Inputs:
    """Read the tables that `analyze` describes, and check that they are of the same pictures and models.

    Args:
        others: tables that are read with the trials where they are None.
    """
    prepared, where, tables, lines = _read_trials(trials, say)
    whole = prepared.trials
    lines += doubts(whole)
    if not are_own_names(whole):
        lines += several_names(whole)
    images, sets, of_metrics = _read_metrics(whole, image_metrics, set_metrics)
    for line in (*lines, *of_metrics):
        say(line)
    given = {table: tables.get(table) if source is None else source for table, source in others.items()}
    read = {table: None if source is None else as_table(source, table) for table, source in given.items()}
    plans, shown = read[PLANS], {} if stimuli is None else _read_shown_sets(stimuli)
    if shown or plans is not None:
        from gan_eval.pictures.sets import require_same_pictures

        require_same_pictures(
            shown,
            shown=None if plans is None else (f"{where}, table plans", plans, whole),
            measured=None if images is None else (images.where, images.frame),
        )
    of_images, of_sets = (None if metrics is None else metrics.frame for metrics in (images, sets))
    return Inputs(prepared, of_images, of_sets, read[PARTICIPANTS], read[SESSIONS], shown, read[MARKS])


def _read_trials(
    source: "FrameOrFile | Store | PreparedTrials", say: Callable[[str], None]
) -> tuple[PreparedTrials, str, Mapping[Table, pd.DataFrame], list[str]]:
    """Return the trials, their source for messages, the tables that are stored with them, and lines to say."""
    if isinstance(source, PreparedTrials):
        return source, "trials", {}, []
    if isinstance(source, pd.DataFrame):
        return prepare_trials(source, where="trials", of_file=False), "trials", {}, []
    stored, where, of_file = tables_to_analyze(source, say=say)
    tables = stored if of_file else of_people(stored)
    lines = [NO_SIMULATED] if tables is not stored else []
    return prepare_trials(tables[TRIALS], where=where, of_file=of_file), where, tables, lines


def _read_metrics(
    trials: pd.DataFrame, image_metrics: MetricValues, set_metrics: MetricValues
) -> tuple[ReadTable | None, ReadTable | None, list[str]]:
    """Return the tables of metrics, named as the pictures that were judged, and doubts about them."""
    from gan_eval.judgements.external_values import read_image_metrics  # reads pictures, too

    images = _as_read(image_metrics, IMAGE_METRICS, partial(read_image_metrics, trials=trials))
    sets = _as_read(set_metrics, SET_METRICS, lambda files: (read_set_metrics(files), ()))
    lines = list[str]()
    if images is not None:
        frame, by_file_name = named_as_judged(trials, images.frame)
        lines += [*images.lines, *by_file_name, *require_metrics_of(trials, frame, where=images.where)]
        images = replace(images, frame=frame)
    if sets is not None:
        judged = completed(trials, None if images is None else images.frame, sets.frame).trials
        lines += require_metrics_of(judged, sets.frame, where=sets.where)
    return images, sets, lines


def _as_read(
    source: MetricValues, table: Table, read: Callable[[Sequence[Path]], tuple[pd.DataFrame, Sequence[str]]]
) -> ReadTable | None:
    """Return a table of metrics from a frame, a read table or files, which `read` returns with doubts about it."""
    if source is None or isinstance(source, ReadTable):
        return source
    if not isinstance(source, Path | str | Sequence):  # `as_table` refuses other types than frames
        return ReadTable(as_table(source, table), table.name)
    files = [source] if isinstance(source, Path | str) else source
    frame, lines = read([Path(file) for file in files])
    return ReadTable(frame, ", ".join(map(str, files)), lines)


def read_set_metrics(files: Sequence[Path]) -> pd.DataFrame:
    """Read the table `set_metrics` from one file or several."""
    parts = [(str(file), read_table(file, SET_METRICS)) for file in files]
    return joined_tables(parts, SET_METRICS, compared=("value",))


def _read_shown_sets(stimuli: FrameOrFile | Sequence[Path | str]) -> dict[str, pd.DataFrame]:
    if isinstance(stimuli, pd.DataFrame):
        return {"stimuli": with_text_names(stimuli)}
    from gan_eval.pictures.sets import TABLE_NAME, read_stimulus_tables

    folders = [stimuli] if isinstance(stimuli, Path | str) else stimuli
    return {str(Path(folder) / TABLE_NAME): read_stimulus_tables([Path(folder)]) for folder in folders}
