"""A server of the page as a process, its browser, and what tests at both share; needs selenium."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_sets import write_items
from processes import Server
from selenium import webdriver

from gan_eval import tables
from gan_eval.pictures.sets import read_set, write_set
from gan_eval.quiz.protocol import OPPOSITE
from gan_eval.settings.template import toml
from gan_eval.store import open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
NEEDS_BROWSER = [
    pytest.mark.skipif(BROWSER is None or DRIVER is None, reason="needs chromium and chromedriver on the PATH"),
    pytest.mark.slow,
]
SIZE = (72, 96)
"""Height and width of the pictures."""


def make_sets(folder: Path, caption: str | None) -> None:
    """Two sets: `tiles` with two models, and `obvious` for catch trials; all pictures have this caption."""
    generator = np.random.default_rng(1)
    for name, items, models in (("tiles", 8, ("ma", "mb")), ("obvious", 2, ("ma",))):
        made = {
            str(number): {kind: generator.integers(0, 256, (*SIZE, 3), dtype=np.uint8) for kind in ("real", *models)}
            for number in range(items)
        }
        rows = read_set(write_items(folder / name, made, dataset=name)).rows
        write_set(folder / name, [{**row, "caption": caption} for row in rows])


class PageServer(Server):
    """A server of a study of its own, which is started; its store can be read."""

    def __init__(self, folder: Path, *options: str, caption: str | None = None, **quiz: Any) -> None:
        make_sets(folder, caption)
        quiz = {"real": 2, "fake": 2, "pairs": 3, "blank_ms": 100, "feedback_ms": 300, **quiz}
        stimuli = {"sets": ["tiles"], "catch_sets": ["obvious"] if quiz.get("catch") else []}
        study = {"study": {"name": "tiles", "seed": 5}, "stimuli": stimuli, "quiz": quiz}
        lines = [f"{name} = {toml(value)}" for name, value in study.items()]
        (folder / "study.toml").write_text("\n".join(lines), encoding="utf-8")
        self.folder = folder
        super().__init__("study.toml", "--out", "out", *options, folder=folder)
        self.start()

    def link(self, participant: str = "P01", more: str = "") -> str:
        return f"{self.url}/?participant={participant}{more}"

    def rows(self, table: Table, **equal: Any) -> list[Row]:
        with open_store(self.folder / "out" / "store.sqlite") as store:
            return store.rows(table, **equal)

    def answers(self) -> dict[int, str]:
        return {row["trial"]: answered(row) for row in self.rows(tables.TRIALS)}


Serve = Callable[..., PageServer]
"""The fixture that serves a study with settings of the quiz."""


def answered(row: Row) -> str:
    """The button that a stored answer belongs to."""
    if row["choice"] in ("a", "b"):
        return str(row["position"] if row["choice"] == "a" else OPPOSITE[row["position"]])
    return str(row["choice"] or row["response"] or int(row["rating"]))


def start_chromium() -> Any:
    """Start a browser without a screen; nothing is downloaded."""
    assert BROWSER is not None
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1366,768"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = BROWSER
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))


UNTIL_ANSWERED = {"protocol": "quick_response", "response_ms": "unlimited", "real": 3, "fake": 3}
"""Trials that wait."""


def flags(server: PageServer) -> dict[int, str]:
    """The flags of the trials that have some, without those of a machine that is slow at the moment."""
    rows = {
        row["trial"]: {*(row["flags"] or "").split()} - {"missed_frames", "late"} for row in server.rows(tables.TRIALS)
    }
    return {trial: " ".join(sorted(those)) for trial, those in rows.items() if those}
