"""The benchmark's plain step does the mathematics of the trainer's step on holes, and all that it prints can be had."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
FAMILIES = {
    "context_encoder": ["--size", "32", "--channels", "4", "--bottleneck", "16", "--batch", "4"],
    "hole_filling": ["--size", "64", "--channels", "4", "--batch", "2"],
}


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("inpainting_step")


@pytest.mark.parametrize("family", FAMILIES)
def test_both_sides_have_the_same_losses_from_equal_weights(family: str, benchmark: ModuleType) -> None:
    options = benchmark.arguments().parse_args([family, *FAMILIES[family], "--device", "cpu"])
    assert benchmark.check(options) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("side", ["plain", "ours"])
def test_a_side_is_timed(family: str, side: str, benchmark: ModuleType) -> None:
    arguments = [family, *FAMILIES[family], "--device", "cpu", "--steps", "1", "--side", side]
    times = benchmark.timed(benchmark.arguments().parse_args(arguments))
    assert set(times) == {"wall", "CPU"}
    assert min(times.values()) > 0
