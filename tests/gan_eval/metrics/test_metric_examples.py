"""The examples in the docstrings are true."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import gan_eval
from gan_eval.metrics.catalogue import METRICS

ROOT = Path(gan_eval.__file__).parent


def _with_examples() -> list[str]:
    """The modules of gan_eval.metrics that have an example."""
    files = sorted((ROOT / "metrics").rglob("*.py"))
    names = [
        ".".join(file.relative_to(ROOT.parent).with_suffix("").parts) for file in files if ">>>" in file.read_text()
    ]
    return [name.removesuffix(".__init__") for name in names]


@pytest.mark.slow
@pytest.mark.parametrize("name", _with_examples())
def test_examples(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_every_public_function_states_its_source_and_range() -> None:
    functional = import_module("gan_eval.metrics.functional")
    for name in METRICS:
        text = " ".join((getattr(functional, name.removesuffix("_inception")).__doc__ or "").split())
        assert "Source: " in text, name
        assert " is better." in text, name
