"""The audit: compare real and generated pictures of a stimulus set by every clue; report a table and messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gan_eval.base.errors import UserError
from gan_eval.base.progress import Progress
from gan_eval.pictures.clues import CLUES, Facts, Group, equalise_command, file_facts, files_of, groups_of, pixel_facts
from gan_eval.pictures.compare import MIN_PICTURES, Finding, compare, separation_text
from gan_eval.pictures.decode import read_rgb
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
    facts: dict[str, Facts] = {}
    problems: list[str] = []
    files = files_of(sets)
    for done, (stimulus, file) in enumerate(files.items(), start=1):
        try:
            facts[stimulus] = {**file_facts(file), **pixel_facts(read_rgb(file))}
        except UserError as error:
            problems.append(str(error))
        if on_progress:
            on_progress(done, len(files))
    compared = {}
    for group in groups:
        real, fake = ([facts[name] for name in names if name in facts] for names in (group.real, group.fake))
        compared[group] = [_row(group, compare(clue, real, fake)) for clue in CLUES.values()]
    return Audit(compared, tuple(problems), tuple(sets))


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
    """Return a headline for each model, a line for each clue that separates, the strongest first, and the advice.

    The advice is the command for each set whose files differ, and the fix for each picture clue that separates.
    """
    lines = [f"left out: {problem}" for problem in audit.problems]
    if identical := identical_pictures(row for stimuli in audit.sets for row in stimuli.rows):
        lines.append(f"warning: {identical}")
    for group, rows in audit.groups.items():
        lines += _lines_of(group, rows)

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
    fixes: dict[str, list[str]] = {}
    for clue in CLUES.values():
        if clue.fix and clue.name in names:
            fixes.setdefault(clue.fix, []).append(clue.name)
    if fixes:
        advice.append("differences of the pixels may be content, which people should judge; if they are not:")
    return [*lines, *advice, *(f"  {', '.join(clues)}: {fix}" for fix, clues in fixes.items())]


def _lines_of(group: Group, rows: Sequence[Row]) -> list[str]:
    """Return the headline of a model and a line for each clue that separates."""
    suspicious = [row for row in rows if row["verdict"] in _LABELS]
    lines = []
    for row in sorted(suspicious, key=lambda row: (row["verdict"] != "gives_away", -abs(row["auc"] - 0.5))):
        auc = separation_text(row)
        marks = [f"{row['certain']:.0%} certain"] if row["certain"] else []
        values = "; ".join([f"real {row['real']}, fake {row['fake']}", *marks])
        lines.append(f"  {_LABELS[row['verdict']]:10}  {row['clue']:16}  {auc}  {values}")
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
    return [headline, *lines]
