"""Folders and pages that several files read; whoever changes one takes a copy."""

from pathlib import Path

import pytest
from page_reader import Page
from synthetic_metrics import frames_of, sets, values
from synthetic_study import FILLED, make_study
from synthetic_tables import write_tables
from synthetic_training import make_training

from gan_eval.report import build_metrics_report, write_report

NAMES = ("<script>alert(1)</script>", "P&2", "P3", "P4", "P5")


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Path:
    """A whole study of five people, one of them with a name that is hard to print."""
    return make_study(tmp_path_factory.mktemp("people"), participants=NAMES)


@pytest.fixture(scope="session")
def study_page(study, tmp_path_factory) -> Page:
    return Page(write_report(study, tmp_path_factory.mktemp("study") / "report.html"))


@pytest.fixture(scope="session")
def filled(tmp_path_factory) -> Path:
    """A rehearsed study of two models that fill holes."""
    return make_study(tmp_path_factory.mktemp("filled"), models=FILLED, simulated=True, fraction=0.1)


@pytest.fixture(scope="session")
def filled_page(filled, tmp_path_factory) -> Page:
    return Page(write_report(filled, tmp_path_factory.mktemp("holes") / "report.html", title="Mine"))


@pytest.fixture(scope="session")
def tables(tmp_path_factory) -> Path:
    """Tables of answers and inference, and nothing else."""
    return write_tables(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="session")
def tables_page(tables, tmp_path_factory) -> Page:
    return Page(write_report(tables, tmp_path_factory.mktemp("page") / "report.html"))


@pytest.fixture(scope="session")
def training(tmp_path_factory) -> Path:
    """The training of two models."""
    return make_training(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="session")
def metrics_page(tmp_path_factory) -> Page:
    """The page of metrics of three models."""
    out = tmp_path_factory.mktemp("metrics") / "report.html"
    return Page(build_metrics_report(frames_of(values(), sets()), [], out))
