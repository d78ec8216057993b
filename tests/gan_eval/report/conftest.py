"""Folders and pages that several files read; whoever changes one takes a copy."""

from pathlib import Path

import pytest
from page_reader import Page
from synthetic_study import make_study
from synthetic_tables import write_tables
from synthetic_training import make_training

from gan_eval.report import build

ONE = {"pix2pix_cityscapes": {"adversarial_weight": 1.0, "lambda_l1": 100.0}}


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Path:
    """A whole study of five people, one of them with a name that is hard to print."""
    return make_study(
        tmp_path_factory.mktemp("people"), participants=("<script>alert(1)</script>", "P&2", "P3", "P4", "P5")
    )


@pytest.fixture(scope="session")
def study_page(study, tmp_path_factory) -> Page:
    return Page(build(study, tmp_path_factory.mktemp("study") / "report.html"))


@pytest.fixture(scope="session")
def tables(tmp_path_factory) -> Path:
    """Every table of answers and inference, and nothing else."""
    return write_tables(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="session")
def tables_page(tables, tmp_path_factory) -> Page:
    return Page(build(tables, tmp_path_factory.mktemp("page") / "report.html"))


@pytest.fixture(scope="session")
def several(tmp_path_factory) -> Path:
    """The training of four models."""
    return make_training(tmp_path_factory.mktemp("several"))


@pytest.fixture(scope="session")
def one(tmp_path_factory) -> Path:
    """The training of one model."""
    return make_training(tmp_path_factory.mktemp("one"), models=ONE)
