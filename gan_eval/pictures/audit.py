"""The audit: compare real and generated pictures of a stimulus set by every clue; report a table and messages.

Sessions refuse stimuli whose files give the truth away, unless the study allows it (`require_no_giveaways`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gan_eval.base.errors import UserError
from gan_eval.base.progress import Progress
from gan_eval.pictures.clues import (
    CLUES,
    IDENTICAL,
    METADATA_CLUES,
    Clue,
    Facts,
    Group,
    equalise_command,
    file_facts,
    files_of,
    folder_of,
    groups_of,
    pixel_facts,
)
from gan_eval.pictures.compare import MIN_PICTURES, Finding, compare, separation_text
from gan_eval.pictures.decode import decode_rgb, read_file
from gan_eval.pictures.sets import StimulusSet, identical_pictures, require_same_stimuli
from gan_eval.tables.frames import Row


@dataclass(frozen=True)
class Audit:
    """The result of an audit."""

    groups: Mapping[Group, Sequence[Row]]
    """Rows of the table `giveaways` for each model, one for each clue."""
    problems: tuple[str, ...]
    """A message for each picture that could not be read."""
    sets: tuple[StimulusSet, ...]
    """The sets that were compared."""

    @property
    def rows(self) -> list[Row]:
        """The table `giveaways`."""
        return [row for rows in self.groups.values() for row in rows]


def audit(sets: Sequence[StimulusSet], *, on_progress: Progress | None = None) -> Audit:
    """Compare real and generated pictures by every clue.

    Args:
        sets: one or several stimulus sets; models of one data set may share their real pictures.
        on_progress: called with (pictures read, pictures in all).

    Raises:
        UserError: there are no generated pictures, or no real ones of a data set; or two sets have different pictures
            of one name.
    """
    require_same_stimuli(sets)
    groups = groups_of(row for stimuli in sets for row in stimuli.rows)
    where = ", ".join(str(stimuli.folder) for stimuli in sets)
    if not groups:
        raise UserError(f"{where}: no generated pictures; there is nothing to compare the real ones with")
    for group in groups:
        if not group.real:
            raise UserError(f"{where}: no real pictures of {group.dataset}; add them to the set")
    facts, problems = _facts_of(files_of(sets), on_progress)
    compared = {group: [_row(group, each) for each in _findings(group, facts, CLUES.values())] for group in groups}
    return Audit(compared, tuple(problems), tuple(sets))


def _facts_of(files: Mapping[str, Path], on_progress: Progress | None) -> tuple[dict[str, Facts], list[str]]:
    """Return the facts of each stimulus by its name, and why others cannot be read."""
    facts: dict[str, Facts] = {}
    problems: list[str] = []
    for done, (stimulus, file) in enumerate(files.items(), start=1):
        try:
            content = read_file(file)
            facts[stimulus] = {**file_facts(file, content), **pixel_facts(decode_rgb(content, file))}
        except UserError as error:
            problems.append(str(error))
        if on_progress:
            on_progress(done, len(files))
    return facts, problems


def _findings(group: Group, facts: Mapping[str, Facts], clues: Iterable[Clue]) -> list[Finding]:
    """Compare the pictures of a group that could be read by each clue."""
    real, fake = ([facts[name] for name in names if name in facts] for names in (group.real, group.fake))
    return [compare(clue, real, fake) for clue in clues]


def _row(group: Group, finding: Finding) -> Row:
    separation = finding.separation
    return {
        "dataset": group.dataset,
        "model": group.model,
        "clue": finding.clue.name,
        "sort": finding.clue.sort,
        "n_real": finding.n_real,
        "n_fake": finding.n_fake,
        "real": finding.real or None,
        "fake": finding.fake or None,
        "auc": separation and separation.auc,
        "ci_low": separation and separation.low,
        "ci_high": separation and separation.high,
        "certain": separation and separation.certain,
        "verdict": finding.verdict,
        "reason": finding.reason,
    }


_LABELS = {"gives_away": "gives away", "look": "look"}


def summary_lines(audit: Audit) -> list[str]:
    """Return a headline for each model, a line for each clue that separates, the strongest first, and advice."""
    lines = [f"left out: {problem}" for problem in audit.problems]
    if identical := identical_pictures(row for stimuli in audit.sets for row in stimuli.rows):
        lines.append(f"warning: {identical}")
    for group, rows in audit.groups.items():
        lines += _lines_of(group, rows)
    return [*lines, *_advice(audit)]


def _advice(audit: Audit) -> list[str]:
    """Return the command for each set whose files differ, and the fix for each picture clue that separates."""
    suspicious = [row for row in audit.rows if row["verdict"] in _LABELS]
    names = {row["clue"] for row in suspicious}
    differing = {(row["dataset"], row["model"]) for row in suspicious if row["sort"] == "metadata"}
    advice = [
        f"equalise with: {equalise_command(stimuli.folder, stimuli.rows)}"
        for stimuli in audit.sets
        if differing & {(row["dataset"], row["model"]) for row in stimuli.rows}
    ]
    if advice and names & {"format", "jpeg_tables", "jpeg_subsampling"}:
        advice.append("  traces of JPEG stay in the pixels: add --jpeg 75, which gives all pictures the same traces")
    if any("--fit" in line for line in advice):
        advice.append("  --fit crop keeps the centre; use --fit stretch if the generator stretched its pictures")
    return advice + _fixes(names)


def _fixes(names: Collection[str]) -> list[str]:
    """Return a line for each fix of clues of the pixels, after one that says when it is one."""
    fixes: dict[str, list[str]] = {}
    for clue in CLUES.values():
        if clue.fix and clue.name in names:
            fixes.setdefault(clue.fix, []).append(clue.name)
    if not fixes:
        return []
    head = "differences of the pixels may be content, which people should judge; if they are not:"
    return [head, *(f"  {', '.join(clues)}: {fix}" for fix, clues in fixes.items())]


def _lines_of(group: Group, rows: Sequence[Row]) -> list[str]:
    """Return the headline of a model and a line for each clue that separates."""
    suspicious = [row for row in rows if row["verdict"] in _LABELS]
    in_order = sorted(suspicious, key=lambda row: (row["verdict"] != "gives_away", -abs(row["auc"] - 0.5)))
    certain = sum(row["verdict"] == "gives_away" for row in suspicious)
    counts = [f"{certain} {'gives' if certain == 1 else 'give'} the truth away"] if certain else []
    counts += [f"{len(suspicious) - certain} to look at"] if len(suspicious) > certain else []
    reals, fakes = len(group.real), len(group.fake)
    nothing = "no difference found"
    if min(reals, fakes) < MIN_PICTURES:
        nothing = f"too few pictures, at least {MIN_PICTURES} of each are needed"
    others = [row["clue"] for row in rows if row["auc"] is None]
    without = f" (not {', '.join(others)})" if others else ""
    headline = (
        f"{group.dataset}, {group.model}: {reals} real and {fakes} generated pictures, "
        f"{len(rows) - len(others)} of {len(rows)} clues compared{without}: {', '.join(counts) or nothing}"
    )
    return [headline, *map(_line_of_clue, in_order)]


def _line_of_clue(row: Row) -> str:
    marks = [f"{row['certain']:.0%} certain"] if row["certain"] else []
    values = "; ".join([f"real {row['real']}, fake {row['fake']}", *marks])
    return f"  {_LABELS[row['verdict']]:10}  {row['clue']:16}  {separation_text(row)}  {values}"


def require_no_identical(sets: Sequence[StimulusSet], *, allow: Sequence[str]) -> None:
    """Refuse generated pictures that are real ones, byte for byte, in the same set or in another.

    Raises:
        UserError: there are such pictures, and `allow` does not name `identical`.
    """
    problem = identical_pictures(row for stimuli in sets for row in stimuli.rows)
    if problem and IDENTICAL not in allow:
        raise UserError(f"{problem}; no answer can be correct: replace them, or {_allowing([*allow, IDENTICAL])}")


def _allowing(names: Sequence[str]) -> str:
    """Return the end of a message: the options that allow these clues."""
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"allow it: --allow-giveaways {','.join(names)}, in a study quiz.allow_giveaways = [{quoted}]"


def require_no_giveaways(sets: Sequence[StimulusSet], *, allow: Sequence[str]) -> None:
    """Refuse stimuli whose metadata separate the classes; only the headers of the pool's files are read.

    A missing or damaged file is ignored here; the session checks the pictures that it shows.

    Args:
        sets: the sets that stimuli are drawn from.
        allow: names of allowed clues; `quiz.allow_giveaways` of the study.
    """
    files = files_of(sets)
    separating = _giveaways(sets, files, allow)
    names = dict.fromkeys([*allow, *(finding.clue.name for findings in separating.values() for finding in findings)])
    for group, findings in separating.items():
        if findings:
            folder = folder_of(files[group.fake[0]])
            rows = [row for stimuli in sets for row in stimuli.rows if folder_of(files[row["stimulus"]]) == folder]
            by = "; ".join(f"{finding.clue.name} (real {finding.real}, fake {finding.fake})" for finding in findings)
            raise UserError(
                f"{folder}: real and {group.model}'s pictures differ in {by}, which reveals the fakes; "
                f"bring both to one form with `{equalise_command(folder, rows)}`, "
                f"or {_allowing(list(names))}"
            )


def _giveaways(
    sets: Sequence[StimulusSet], files: Mapping[str, Path], allow: Sequence[str]
) -> dict[Group, list[Finding]]:
    """Return the metadata that give the truth away, by model, without the allowed ones."""
    clues = [clue for clue in METADATA_CLUES if clue.name not in allow]
    facts: dict[str, Facts] = {}
    for stimulus, file in files.items():
        with suppress(UserError):
            facts[stimulus] = file_facts(file)
    return {
        group: [each for each in _findings(group, facts, clues) if each.verdict == "gives_away"]
        for group in groups_of(row for stimuli in sets for row in stimuli.rows)
    }
