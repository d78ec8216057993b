"""Rows for tables of answers and inference, with names that are hard to print."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.settings.facts import Facts
from gan_eval.settings.study import Study
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.tables.frames import frame_of, write_rows

SCRIPT = "<script>alert('x')</script>"
NASTY = ("a|b\"c' & <i>d</i>", "\u202egpj.exe", "x" * 300, "😀 `code` *bold* [link](http://example.org)")
SPAN = {"ci_low": 0.2, "ci_high": 0.4}
TOLD_APART = {"comparison": "told apart", "question": "detection", "a": "fake", "b": "real", "measure": "called_fake"}


def folder_of(
    *,
    study: Study | None = None,
    facts: Mapping[str, object] | None = None,
    **tables: pd.DataFrame | Sequence[Mapping[str, object]],
) -> StudyFolder:
    """A folder of these tables alone, each a frame or its rows."""
    frames = {
        name: rows if isinstance(rows, pd.DataFrame) else frame_of(rows, ALL_TABLES[name])
        for name, rows in tables.items()
    }
    return StudyFolder(Path(), study, Facts.model_validate(facts or {}), frames, {}, {}, {})


def told_apart(**cells: object) -> dict[str, object]:
    """The row `told apart`: called fake, fakes less reals; by default near 0 with a margin of 5 points."""
    return TOLD_APART | {
        "difference": 0.02, "ci_low": -0.05, "ci_high": 0.09, "ci90_low": -0.04, "ci90_high": 0.08, "p": 0.6,
        "p_holm": 0.6, "margin": 0.05, "p_equivalent": 0.01, "verdict": "equivalent", "basis": "crossed_model",
    } | cells  # fmt: skip


def cited(**cells: object) -> dict[str, object]:
    """A row of the table to cite: accuracy near chance, its 90% interval within 5 points."""
    return {
        "protocol": "single", "model": "gan", "dataset": "maps", "n_participants": 5, "n_fake": 20, "n_real": 20,
        "n_answers": 200, "fooling_rate": 0.5, "fooling_low": 0.42, "fooling_high": 0.58, "real_called_real": 0.52,
        "real_low": 0.44, "real_high": 0.6, "accuracy": 0.51, "accuracy_low": 0.475, "accuracy_high": 0.545,
        "accuracy90_low": 0.48, "accuracy90_high": 0.54, "dprime": 0.05, "dprime_low": -0.1, "dprime_high": 0.2,
        "p": 0.6, "p_holm": 0.6, "verdict": "equivalent to chance", "basis": "crossed_model",
    } | cells  # fmt: skip


def models(a: str, b: str, **cells: object) -> dict[str, object]:
    """Fooling rate of a less that of b."""
    return {
        "comparison": "models on maps", "question": "models", "dataset": "maps", "a": a, "b": b,
        "measure": "fooling_rate", "difference": -0.12,
        "ci_low": -0.2, "ci_high": -0.04, "p": 0.004, "p_holm": 0.008, "verdict": "different",
    } | cells  # fmt: skip


def rates(**cells: object) -> dict[str, object]:
    """One row of the rates, 40 real and 40 generated pictures judged."""
    return {
        "scope": "all", "id": "all", "n_real": 40, "n_fake": 40, "n_none": 3, "hits": 21, "misses": 19,
        "false_alarms": 20, "correct_rejections": 20, "accuracy": 0.5125, "accuracy_low": 0.4, "accuracy_high": 0.62,
        "accuracy_p": 0.9, "real_correct": 0.5, "real_low": 0.35, "real_high": 0.65, "fake_correct": 0.525,
        "fake_low": 0.37, "fake_high": 0.67, "dprime": 0.06, "criterion": -0.03,
    } | cells  # fmt: skip


def _participation() -> list[dict[str, object]]:
    whole = {"sessions": 1, "status": "complete", "n_trials": 20, "n_answered": 19, "n_catch": 2, "n_excluded": 0}
    late = {"n_excluded": 1, "rule": "flags~late", "standing": "exploratory"}
    careless = {"n_excluded": 20, "rule": "catch_accuracy<0.8", "standing": "preset"}
    return [
        whole | late | {"participant": SCRIPT, "excluded": False, "counted": "yes", "accuracy": 0.5},
        whole | careless | {"participant": NASTY[0], "excluded": True, "counted": "excluded"},
        whole | {"participant": "P3", "excluded": False, "counted": "unfinished", "status": "aborted"},
    ]


def table_rows() -> dict[str, list[dict[str, object]]]:
    """Rows by table."""
    people = [rates(scope="participant", id=name) for name in (SCRIPT, *NASTY)]
    pictures = [
        rates(scope="stimulus", id=f"maps/gan/{name}", n_real=0, n_fake=10, fake_correct=share, fake_low=share / 2,
              fake_high=min(1.0, share * 1.2))
        for name, share in zip((SCRIPT, *NASTY), (0.1, 0.2, 0.3, 0.4, 0.9), strict=True)
    ]  # fmt: skip
    formula = "correct ~ kind + (1|participant) + (1|stimulus)"
    effect = {"formula": formula, "link": "logit", "term": "kind[real]", "estimate": 0.3, "std_error": 0.1} | SPAN
    pair = {"measure": "fooling_rate", "n": 30, "agreement_a": 0.6, "agreement_b": 0.2, "difference": 0.4} | SPAN
    return {
        "rates": [rates(), *people, *pictures],
        "paper": [cited(model=NASTY[0])],
        "participation": _participation(),
        "hype": [
            {"score": "hype_infinity", "dataset": "maps", "model": NASTY[0], "n_participants": 2, "value": 45.5,
             "unit": "%"}
        ],
        "bradley_terry": [
            {"dataset": "maps", "contestant": name, "n": 9, "wins": 4, "strength": value, "ci_low": -1, "ci_high": 1}
            for name, value in (("real", 0.5), (NASTY[0], -0.5))
        ],
        "mixed_models": [effect | {"p": 0.03, "n_trials": 80, "singular": True}],
        "comparisons": [told_apart(), models(NASTY[0], "pix2pix"), models("a", "z", exploratory=True, check_p=0.5)],
        "correlations": [
            {"level": "stimulus", "dataset": "maps", "metric": metric, "measure": "fooling_rate", "n": 30,
             "spearman": value, "ceiling": 0.8, "within": value, "within_low": 0.2, "within_high": 0.4,
             "within_p_holm": 0.01, "within_ceiling": 0.7} | SPAN
            for metric, value in (("ssim", 0.6), ("psnr", 0.2), ("niqe", -0.1))
        ],
        "correlation_differences": [
            pair | {"level": "stimulus", "dataset": "maps", "metric_a": "ssim", "metric_b": other,
             "follows_better": won}
            for other, won in (("psnr", "ssim"), ("niqe", None))
        ],
    }  # fmt: skip


def write_tables(folder: Path, **replaced: list[dict[str, object]]) -> Path:
    """Write every table into the folder, some of them replaced."""
    for name, rows in (table_rows() | replaced).items():
        write_rows(rows, folder / f"{name}.csv", ALL_TABLES[name])
    return folder
