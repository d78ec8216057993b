"""Simulate studies of many designs, and count how often intervals hold the truth and tests are wrong.

    python benchmarks/calibration_designs.py --studies 400 --json designs.json
    python benchmarks/calibration_designs.py --merge designs.json more.json --write results/calibration.md

The truth is the average over all people and pictures, by quadrature or one very large draw. Each study has new people
and new pictures, and goes through the functions of the analysis without files. A share is marked where it is outside
93 to 97% (intervals), 3 to 7% (p < .05 where nothing differs) or above 6% (called equivalent where the truth is the
margin) by more than two standard errors.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import calibration_choices
import calibration_confidence
import calibration_correlations
import calibration_grades
import calibration_scores
import calibration_single
import calibration_thresholds
import calibration_two_models
import numpy as np
from calibration import with_tables
from calibration_numbers import LEVEL, Design, Number

from gan_eval.base.atomic import write_text
from gan_eval.base.parallel import in_parallel

TOPICS: dict[str, list[Design]] = {
    "Single pictures, real or fake": calibration_single.DESIGNS,
    "Two models, one at a time and in pairs": calibration_two_models.DESIGNS,
    "Grades and mixed models": calibration_grades.DESIGNS,
    "Confidence": calibration_confidence.DESIGNS,
    "Agreement, HYPE scores and staircases": calibration_scores.DESIGNS,
    "Metrics against people": calibration_correlations.DESIGNS,
    "Metrics against choices": calibration_choices.DESIGNS,
    "Psychometric functions": calibration_thresholds.DESIGNS,
}
DESIGNS = {design.name: design for designs in TOPICS.values() for design in designs}
BEGIN, END = "<!-- designs: begin -->", "<!-- designs: end -->"
HELD, ALARMS, EQUIVALENT = "held", "p < .05", "equivalent"
TARGETS = {HELD: (0.93, 0.97), ALARMS: (0.03, 0.07), EQUIVALENT: (0.0, 0.06)}
"""Lowest and highest share that is not marked."""
Results = dict[str, dict[str, Any]]
"""For each design: `runs` (seed and number of studies of each run), `cpu_seconds`, and `numbers`: for each number
`held`, `p < .05` and `equivalent` (studies that are so, and studies with an answer), `none` (studies without a value)
and `error` (sum of errors, of their squares, and their number)."""


def main() -> None:
    """Simulate or merge, then print the tables."""
    parser = argparse.ArgumentParser(description="coverage, false alarms and false equivalence of many designs")
    parser.add_argument("--studies", type=int, default=400, help="for each design")
    parser.add_argument("--only", action="append", metavar="WORDS", help="designs whose name has these; repeatable")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts there after each design")
    parser.add_argument("--merge", type=Path, nargs="+", metavar="FILE", help="print these counts together instead")
    parser.add_argument("--markdown", action="store_true", help="what stands in results/calibration.md")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it there, between the two marks")
    options = parser.parse_args()
    if options.merge:
        results = merged([json.loads(path.read_text(encoding="utf-8")) for path in options.merge])
    else:
        chosen = [name for name in DESIGNS if not options.only or any(words in name for words in options.only)]
        if not chosen:
            parser.error(f"--only: no design has {' or '.join(options.only)} in its name")
        results = {}
        for name in chosen:
            results[name] = simulated(name, studies=options.studies, seed=options.seed, workers=options.workers)
            print(f"{len(results)}/{len(chosen)} {name}: {_seconds(results[name])}", file=sys.stderr, flush=True)
            if options.json:
                write_text(options.json, json.dumps(results, ensure_ascii=False, indent=1))
    print("\n".join(page_lines(results) if options.markdown else plain_lines(results)))
    if options.write:
        page = with_tables(options.write.read_text(encoding="utf-8"), [*page_lines(results)][1:], marks=(BEGIN, END))
        write_text(options.write, page)


def simulated(name: str, *, studies: int, seed: int, workers: int = 1) -> dict[str, Any]:
    """Return the counts of a design."""
    from calibration_designs import one_study  # not from __main__, which other processes cannot import

    outcomes = in_parallel(one_study, seed, [(name, number) for number in range(studies)], workers=workers)
    numbers: dict[str, dict[str, Any]] = {}
    for found, _ in outcomes:
        for number in found:
            _count(numbers, number)
    seconds = sum(seconds for _, seconds in outcomes)
    return {"runs": [[seed, studies]], "cpu_seconds": round(seconds, 2), "numbers": numbers}


def one_study(seed: int, task: tuple[str, int]) -> tuple[list[Number], float]:
    """Simulate and analyse one study of a design; return also the CPU seconds."""
    name, number = task
    start = time.process_time()
    found = DESIGNS[name].study(np.random.default_rng([seed, crc32(name.encode()), number]))
    return found, time.process_time() - start


def _count(numbers: dict[str, dict[str, Any]], number: Number) -> None:
    counts = numbers.setdefault(
        number.name, {HELD: [0, 0], ALARMS: [0, 0], EQUIVALENT: [0, 0], "none": 0, "error": [0.0, 0.0, 0]}
    )
    answers = {
        HELD: (number.low <= number.truth <= number.high, np.isfinite(number.low)),
        ALARMS: (number.p < LEVEL, np.isfinite(number.p)),
        EQUIVALENT: (number.p_equivalent < LEVEL, np.isfinite(number.p_equivalent)),
    }
    for kind, (is_so, is_known) in answers.items():
        counts[kind][0] += int(is_so and is_known)
        counts[kind][1] += int(is_known)
    if np.isfinite(number.value):
        error = number.value - number.truth
        counts["error"] = [counts["error"][0] + error, counts["error"][1] + error**2, counts["error"][2] + 1]
    else:
        counts["none"] += 1


def merged(parts: Sequence[Results]) -> Results:
    """Return the sums of the counts of several runs.

    Raises:
        SystemExit: two runs of a design have the same seed, so the same studies.
    """
    results: Results = {}
    for part in parts:
        for name, counts in part.items():
            if name not in results:
                results[name] = json.loads(json.dumps(counts))
                continue
            known = results[name]
            if twice := {seed for seed, _ in known["runs"]} & {seed for seed, _ in counts["runs"]}:
                raise SystemExit(f"{name}: two runs have the seed {twice.pop()}")
            known["runs"] += counts["runs"]
            known["cpu_seconds"] += counts["cpu_seconds"]
            for number, of_number in counts["numbers"].items():
                sums = known["numbers"].setdefault(number, of_number)
                if sums is of_number:
                    continue
                sums["none"] += of_number["none"]
                for kind in (HELD, ALARMS, EQUIVALENT, "error"):
                    sums[kind] = [a + b for a, b in zip(sums[kind], of_number[kind], strict=True)]
    return results


def misses(kind: str, counts: Sequence[int]) -> bool:
    """Return whether the share is outside its target by more than two standard errors of a share at its end."""
    (low, high), n = TARGETS[kind], counts[1]
    share, of_low, of_high = counts[0] / n, *(np.sqrt(end * (1 - end) / n) for end in TARGETS[kind])
    return bool(share < low - 2 * of_low or share > high + 2 * of_high)


def _share(counts: Sequence[int]) -> tuple[float, float]:
    """Return a share and its standard error."""
    share = counts[0] / counts[1]
    return share, float(np.sqrt(share * (1 - share) / counts[1]))


def _text(kind: str, counts: Sequence[int], studies: int, *, error: bool) -> str:
    """Return a share in %, marked if it misses; with the number of studies where some have no answer."""
    if not counts[1]:
        return "–"
    share, of_share = _share(counts)
    text = f"{100 * share:.1f}" + (f" ± {100 * of_share:.1f}" if error else "")
    few = f" ({counts[1]} studies)" if counts[1] < studies else ""
    return (f"**{text}**" if misses(kind, counts) else text) + few


def plain_lines(results: Results) -> Iterator[str]:
    """Yield a line for each number of each design, with standard errors; * marks a share that misses its target."""
    for name, design in results.items():
        studies = sum(number for _, number in design["runs"])
        yield f"{name}: {studies} studies, {_seconds(design)}"
        for number, counts in design["numbers"].items():
            cells = [
                f"{kind} {_text(kind, counts[kind], studies, error=True).replace('**', '*')}"
                for kind in (HELD, ALARMS, EQUIVALENT)
                if counts[kind][1]
            ]
            yield f"    {number}: {', '.join([*cells, *_bias(counts)])}"
            if counts["none"]:
                yield f"        no value in {counts['none']} studies"


def _bias(counts: Mapping[str, Any]) -> list[str]:
    total, squares, n = counts["error"]
    if n < 2 or np.isnan(total):
        return []
    bias = total / n
    error = np.sqrt(max(squares / n - bias**2, 0.0) / n)
    return [f"bias {bias:+.4f} ± {error:.4f}"]


def _seconds(design: Mapping[str, Any]) -> str:
    studies = sum(number for _, number in design["runs"])
    return f"{design['cpu_seconds'] / studies:.3f} CPU seconds a study"


def page_lines(results: Results) -> Iterator[str]:
    """Yield the tables in Markdown: a row for each design, a table for each topic."""
    numbers = {sum(number for _, number in design["runs"]) for design in results.values()}
    for topic, designs in TOPICS.items():
        known = [design.name for design in designs if design.name in results]
        if not known:
            continue
        kinds = [kind for kind in HEADS if any(_has(results[name], kind) for name in known)]
        own = ["N"] if len(numbers) > 1 else []
        yield from ("", f"**{topic}**", "", f"| design | {' | '.join([HEADS[kind] for kind in kinds] + own)} |")
        yield "| -- |" + " -- |" * (len(kinds) + len(own))
        for name in known:
            studies = sum(number for _, number in results[name]["runs"])
            cells = [_cell(results[name], kind, studies) for kind in kinds] + [str(studies)] * len(own)
            yield f"| {name} | {' | '.join(cells)} |"


HEADS = {HELD: "95% interval holds the truth, %", ALARMS: "p < .05, %", EQUIVALENT: "called equivalent, %"}


def _has(design: Mapping[str, Any], kind: str) -> bool:
    return any(counts[kind][1] for counts in design["numbers"].values())


def _cell(design: Mapping[str, Any], kind: str, studies: int) -> str:
    """Return the shares of all numbers of a design, each with its name where there are several."""
    asked = {name: counts for name, counts in design["numbers"].items() if counts[kind][1]}
    texts = {name: _text(kind, counts[kind], studies, error=False) for name, counts in asked.items()}
    return ", ".join(f"{name} {text}" for name, text in texts.items()) or "–"


if __name__ == "__main__":
    main()
