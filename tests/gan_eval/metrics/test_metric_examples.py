"""The examples in the docstrings are true."""

import doctest
from importlib import import_module

import pytest

MODULES = [f"gan_eval.metrics.{name}" for name in ("pixel", "niqe", "resizers", "frechet", "kid", "registry")]


@pytest.mark.parametrize("name", [*MODULES, "gan_eval.package_index"])
def test_examples(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
