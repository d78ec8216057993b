"""The benchmark's reference step does the mathematics of the trainer's step."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "train_step.py"


def test_both_sides_have_the_same_losses_from_equal_weights() -> None:
    spec = importlib.util.spec_from_file_location("train_step_benchmark", FILE)
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    difference = benchmark.check(64, channels=4)
    assert difference == pytest.approx(0, abs=1e-3)
