"""The page of other programs' numbers: the tables are whole, and, at night, still what the programs give."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "differences.md"
sys.path.insert(0, str(ROOT / "benchmarks"))


def test_a_moved_value_is_found_and_the_last_digit_may_differ() -> None:
    from differences import moved

    page = "| SSIM | piq 0.8.0 | 0.8672 | 1.0000 | inf |  |"
    assert not list(moved(page, page.replace("0.8672", "0.8673")))
    assert list(moved(page, page.replace("0.8672", "0.8702")))
    assert list(moved(page, page.replace("inf", "80.0000")))
    assert list(moved(page, page.replace("0.8.0", "0.9.0")))
    assert list(moved(page, page + "\n" + page))


def test_rows_of_a_program_that_this_machine_lacks_are_not_compared() -> None:
    from differences import moved

    page = "| SSIM | piq 0.8.0 | 0.8672 |  |"
    model = "\n| effect | lme4 2.1-0 | 0.8887 |  |"
    assert not list(moved(page + model, page))
    assert not list(moved(page + model, page + model.replace("2.1-0", "2.2-0").replace("0.8887", "0.9000")))
    assert list(moved(page + model, page + model.replace("0.8887", "0.9000")))
    files = "\n| BRISQUE | OpenCV 5.0.0 `quality.QualityBRISQUE` | 31.9305 |  |"
    assert not list(moved(page + files, page))
    assert list(moved(page + files.replace("BRISQUE", "SSIM"), page))


def test_page_names_the_versions_that_are_installed() -> None:
    from differences import ALONE, NPM, PEERS

    text = PAGE.read_text(encoding="utf-8").lower()
    pinned = [package.lower().rsplit("==", 1) for package in (*PEERS, *ALONE)]
    pinned += [package.rsplit("@", 1) for package in NPM if "magick" not in package]  # it prints its program's version
    short = {"opencv-contrib-python-headless": "opencv"}
    named = [f"{short.get(name, name)} {'.'.join(version.split('.')[:3])}" for name, version in pinned]
    assert [program for program in named if program not in text] == []


def test_all_pages_name_the_versions_of_this_page() -> None:
    from differences import ALONE, PEERS

    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    versions = dict(package.lower().split("==") for package in (*constraints, *PEERS, *ALONE) if "==" in package)
    others = []
    for page in PAGE.parent.glob("*.md"):
        named = re.findall(r"\b([a-z][\w-]+) (\d+(?:\.\d+)+)", page.read_text(encoding="utf-8").lower())
        others += [
            (page.name, *name) for name in named if not f"{versions.get(name[0], name[1])}.".startswith(f"{name[1]}.")
        ]
    assert others == []


@pytest.mark.nightly
def test_other_programs_still_give_the_numbers_of_the_page(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "differences.py"), "--peers", str(tmp_path), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
