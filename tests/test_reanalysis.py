"""The pages on reanalysis: their commands run, and what they print is what the pages say."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import Command
from scipy.optimize import minimize
from scipy.stats import norm

ROOT = Path(__file__).parents[1]
ORIGAMI, TONE_MAPPING = (
    (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("reanalysis.md", "reanalysis_pairs.md")
)
BLOCKS = re.findall(r"```(text)?\n(.*?)```", ORIGAMI + TONE_MAPPING, re.DOTALL)


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> list[tuple[str, list[str]]]:
    """Each printed block of the page, and the lines that the commands above it print now."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    blocks, lines = list[tuple[str, list[str]]](), list[str]()
    for kind, text in BLOCKS:
        if kind == "text":
            blocks.append((text, lines))
            lines = []
            continue
        for typed in text.splitlines():
            status, out, errors = command(*shlex.split(typed)[1:])
            assert status == 0, errors
            lines += map(_plain, (out + errors).splitlines())
    return blocks


def _plain(line: str) -> str:
    return " ".join(line.split())  # the spaces of 2 035 do not break


def rows_of(text: str) -> dict[str, list[str]]:
    """Return the rows of the first table in a text of Markdown, by their first cell."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {first: others for first, *others in rows[2:]}


def test_the_page_has_what_the_commands_print(printed: list[tuple[str, list[str]]]) -> None:
    assert len(printed) == 6
    for text, lines in printed:
        for line in text.splitlines():
            assert _plain(line) in lines
    require_groups()
    require_covariate()
    require_strengths()


def require_groups() -> None:
    """The table by experience, and the shares of the whole."""
    for name, folder in (("advanced", "advanced"), ("some", "some"), ("none", "no")):
        row = pd.read_csv(f"{folder}/paper.csv").iloc[0]
        assert rows_of(ORIGAMI)[name][:2] == [f"{row['n_participants']:,}", f"{row['accuracy']:.1%}"]
    rates = pd.read_csv("analysis/rates.csv").iloc[0]
    assert f"{rates['n_none']:,.0f} answers ({rates['n_none'] / 48_840:.0%})" in ORIGAMI
    assert f"{rates['real_correct']:.0%} for photographs, {rates['fake_correct']:.0%} for AI" in ORIGAMI
    whole = pd.read_csv("analysis/paper.csv").iloc[0]
    assert f"± {50 * (whole['accuracy_high'] - whole['accuracy_low']):.1f} points" in ORIGAMI


def require_covariate() -> None:
    table = pd.read_csv("analysis/mixed_models.csv")
    terms = table[table["term"].str.startswith("experience[")].set_index("term")
    for term, ratio in np.exp(terms[["estimate", "ci_low", "ci_high"]]).iterrows():
        lead = "95% CI " if "advanced" in str(term) else ""
        assert f"{ratio['estimate']:.2f} times" in ORIGAMI
        assert f"({lead}[{ratio['ci_low']:.2f}, {ratio['ci_high']:.2f}])" in ORIGAMI


def require_strengths() -> None:
    """Strengths equal those of other code to four digits; the page has them, and the scale of Thurstone's case V."""
    votes = pd.read_csv(ROOT / "studies" / "tone_mapping" / "votes.zip")
    names = sorted({*votes["condition_A"], *votes["condition_B"]})
    a, b = (votes[f"condition_{place}"].map(names.index).to_numpy() for place in "AB")
    is_a = votes["is_A_selected"].to_numpy() == 1
    winner, loser = np.where(is_a, a, b), np.where(is_a, b, a)

    def fitted(log_chance: Callable[[np.ndarray], np.ndarray]) -> pd.Series:
        def loss(strengths: np.ndarray) -> float:
            return float(-log_chance(strengths[winner] - strengths[loser]).sum() + strengths.sum() ** 2)

        found = minimize(loss, np.zeros(len(names)), method="BFGS", options={"gtol": 1e-8}).x
        return pd.Series(found - found.mean(), names)

    strengths = fitted(lambda difference: -np.logaddexp(0, -difference))
    table = pd.read_csv("pairs/bradley_terry.csv").set_index("contestant")
    assert table["strength"].to_numpy() == pytest.approx(strengths[table.index].to_numpy(), abs=5e-5)
    jod = fitted(lambda difference: norm.logcdf(norm.ppf(0.75) * difference))
    rows = rows_of(TONE_MAPPING)
    assert list(rows) == list(table["strength"].sort_values(ascending=False).index)
    for name, cells in rows.items():
        numbers = [table.loc[name, "strength"], table.loc[name, "std_error"], jod[name]]
        assert cells == [f"{number:.3f}".replace("-", "−") for number in numbers]
