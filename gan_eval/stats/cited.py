"""The table to cite as readers see it: headings and cells as texts, and the notes below them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

from gan_eval.base.inference import Estimate
from gan_eval.judgements.trials import PAIRED, TWO_MODELS
from gan_eval.settings.protocols import QUEST_PLUS, STAIRCASE
from gan_eval.stats.estimate.contrast import FROM_MODELS
from gan_eval.stats.recruitment import NO_VERDICT
from gan_eval.stats.results import (
    EQUIVALENT,
    EVERYTHING,
    INTERIM,
    NO_ESTIMATE,
    NONE,
    NUMBERS,
    RATING,
    SINGLE,
    Result,
    Results,
    is_adjusted,
)
from gan_eval.tables.cells import is_missing

UNNAMED = "–"
"""The cell of a model or data set without a name."""
_ASKED = {
    SINGLE: "one at a time",
    PAIRED: "next to the real one",
    TWO_MODELS: "two models",
    RATING: "graded",
    STAIRCASE: "staircase",
    QUEST_PLUS: "QUEST+",
}


def printed(results: Results, *, without: Collection[str] = ()) -> tuple[list[str], list[list[str]]]:
    """Return the rows of `paper` for readers: headings, and rows of texts with intervals in brackets.

    Empty columns are left out.

    Args:
        without: numbers that are left out.

    >>> accuracy = Estimate(0.613, 0.55, 0.672)
    >>> counts = {"n_participants": 12, "n_fake": 40, "n_real": 38, "n_answers": 600}
    >>> row = Result(question="detection", measure="accuracy", protocol="single", model="gan", dataset="facades",
    ...     estimate=accuracy, numbers={"accuracy": accuracy}, counts=counts, verdict="told apart")
    >>> heads, rows = printed(Results([row], []))
    >>> heads
    ['Model', 'Data set', 'People', 'Pictures, fake + real', 'Answers', 'Balanced accuracy, %', 'Verdict']
    >>> rows
    [['gan', 'facades', '12', '40 + 38', '600', '61.3 [55.0, 67.2]', 'told apart']]
    """
    rows = results.cited
    columns = {head: [cell(row) for row in rows] for head, cell in _columns(rows, without).items()}
    is_shown = {
        "Asked": len({row.protocol for row in rows}) > 1,
        "90% interval, %": any(row.verdict == EQUIVALENT for row in rows),
    }
    columns = {head: cells for head, cells in columns.items() if any(cells) and is_shown.get(head, True)}
    return list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)]


def _columns(rows: Sequence[Result], without: Collection[str]) -> dict[str, Callable[[Result], str]]:
    """Return each heading with the function from a row to its cell."""
    has_kinds = any(row.counts.get("n_unknown") is None for row in rows)
    heads = {name: head for name, (_, head, _, _) in NUMBERS.items() if name not in without}
    if {row.protocol for row in rows} == {SINGLE}:
        heads["accuracy"] = "Balanced accuracy, %"
    return {
        "Asked": lambda row: _ASKED[row.protocol],
        "Model": lambda row: _named(row.model),
        "Data set": lambda row: _named(row.dataset),
        "People": lambda row: _named(row.counts["n_participants"]),
        "Pictures, fake + real" if has_kinds else "Pictures": _pictures,
        "Answers": lambda row: str(row.counts["n_answers"]),
        **{head: partial(_number, name) for name, head in heads.items()},
        "90% interval, %": lambda row: _interval(row.within, 100, 1),
        "p (Holm)" if is_adjusted(rows) else "p": lambda row: _p_text(row.p),
        "Verdict": lambda row: NO_VERDICT if row.verdict == INTERIM else row.verdict,
    }


def _named(cell: object) -> str:
    return str(cell or UNNAMED)


def _pictures(row: Result) -> str:
    fake, real, unknown = (row.counts.get(name) for name in ("n_fake", "n_real", "n_unknown"))
    counts = [fake, real] if unknown is None else [unknown]
    return " + ".join(UNNAMED if count is None else str(count) for count in counts)


def _number(name: str, row: Result) -> str:
    estimate, (*_, scale, digits) = row.numbers.get(name, NO_ESTIMATE), NUMBERS[name]
    if is_missing(estimate.value):
        return ""
    return f"{_rounded(scale * estimate.value, digits)} {_interval(estimate, scale, digits)}".strip()


def _interval(estimate: Estimate, scale: float, digits: int) -> str:
    if is_missing(estimate.low) or is_missing(estimate.high):
        return ""
    return f"[{_rounded(scale * estimate.low, digits)}, {_rounded(scale * estimate.high, digits)}]"


def _p_text(p: float) -> str:
    """Return a p value as text, never 0 or 1; empty without one."""
    if is_missing(p):
        return ""
    return "< .001" if p < 0.001 else "> .999" if p > 0.9994999 else f"{p:.3f}".lstrip("0")


def _rounded(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def unadjusted(results: Iterable[Result]) -> str:
    """Return a note on the correction for the number of verdicts; empty below 2."""
    given = [result.verdict for result in results if result.verdict not in ("", NONE)]
    if len(given) < 2:
        return ""
    if INTERIM in given:
        return "The 95% intervals are unadjusted for their number, and no verdict is given yet."
    note = "Differences are judged by p after Holm's correction; the 95% intervals are unadjusted."
    if {EQUIVALENT, "equivalent"} & {*given}:
        note += " Equivalence is judged by the 90% interval of each row alone."
    return note


def skill_note(results: Results) -> str:
    """Return the reason why a row's d′ is below that of its participants; empty without a d′ from a model."""
    if all(is_missing(row.numbers["dprime"].value) or row.basis not in FROM_MODELS for row in results.every):
        return ""
    return "d′ is computed from the averaged rates; a typical participant's d′ is larger."


def shared_reals(results: Results) -> str:
    """Return a note on answers that count in several rows; empty if there are none."""
    shares: dict[str, list[float | None]] = {}
    for row in results.every:
        if row.protocol == SINGLE and not row.is_of_all:
            share = row.numbers["real_called_real"].value
            shares.setdefault(row.dataset, []).append(None if is_missing(share) else share)
    if all(len(of_dataset) == 1 for of_dataset in shares.values()):
        return ""
    others = " Models with another share of real pictures called real were judged by other participants."
    note = "Answers: to the model's pictures and to the real ones, which the models of a data set share."
    return note + others * any(len({*of_dataset} - {None}) > 1 for of_dataset in shares.values())


def one_kind_sentence(results: Results) -> str:
    """Return a sentence on the participants whom the result leaves out because they judged one kind of picture.

    >>> row = Result(question="detection", measure="accuracy", estimate=NO_ESTIMATE, protocol="single", model="gan",
    ...     counts={"n_only_real": 4, "n_only_fake": 1})
    >>> one_kind_sentence(Results([row], []))
    'Left out of the result: 4 participants who judged no generated pictures, and 1 who judged no real ones.'
    """
    rows = [row for row in results.cited if row.protocol == SINGLE]
    if not rows:
        return ""
    row = rows[-1]  # that of all models, or the only one
    counts = [(row.counts.get("n_only_real"), "generated"), (row.counts.get("n_only_fake"), "real")]
    known = [(n, kind) for n, kind in counts if n]
    parts = [f"{n} who judged no {kind} {'ones' if index else 'pictures'}" for index, (n, kind) in enumerate(known)]
    if not parts:
        return ""
    people = "participant" if known[0][0] == 1 else "participants"
    first = parts[0].replace(" who", f" {people} who", 1)
    of_set = " of a data set" * (row.dataset == EVERYTHING)
    return f"Left out of the result: {', and '.join([first, *parts[1:]])}{of_set}."
