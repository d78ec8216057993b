import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from judged_sets import fifty_digits
from numpy.typing import NDArray

from gan_eval.metrics.definitions.frechet import Rows, fid


def _draw(seed: int, n: int, d: int, scale: float = 1.0, shift: float = 0.0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) * np.linspace(0.3, 2, d) * scale + shift


def _repeated(seed: int) -> NDArray[np.float64]:
    return np.repeat(_draw(seed, 6, 8), 4, axis=0)


def _dependent() -> NDArray[np.float64]:
    features = _draw(3, 40, 8)
    features[:, 7] = features[:, 0] + features[:, 1]
    return features


def _constant(seed: int) -> NDArray[np.float64]:
    features = _draw(seed, 30, 8)
    features[:, 5:] = 4.0
    return features


_UNEQUAL = np.geomspace(1e-6, 1e6, 8)
_FALLING = np.exp(-2.0 * np.arange(8))


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        pytest.param(_dependent(), _draw(2, 30, 8), id="a feature that depends on others"),
        pytest.param(_constant(1), _draw(2, 30, 8), id="constant features in one set"),
        pytest.param(_constant(1), _constant(2), id="constant features in both"),
        pytest.param(_repeated(1), _draw(2, 30, 8), id="repeated pictures in one set"),
        pytest.param(_repeated(1), _repeated(2), id="repeated pictures in both"),
        pytest.param(_draw(1, 30, 8, 1e-6), _draw(2, 30, 8, 1.1e-6), id="tiny"),
        pytest.param(_draw(1, 5, 8, 1e6), _draw(2, 30, 8, 1.1e6), id="huge"),
        pytest.param(_draw(1, 30, 8) * _UNEQUAL, _draw(2, 30, 8) * _UNEQUAL, id="tiny and huge features"),
        pytest.param(_draw(1, 30, 8) * _FALLING, _draw(2, 30, 8) * _FALLING, id="nearly singular"),
        pytest.param(_draw(1, 30, 8, 1.0, 1e6), _draw(2, 30, 8, 1.0, 1e6 + 0.5), id="far from the origin"),
        pytest.param(
            _draw(1, 5, 8, 1.0, 3e3).astype(np.float32), _draw(2, 6, 8, 1.0, 3e3).astype(np.float32), id="float32"
        ),
        pytest.param(_draw(1, 4, 7), _draw(2, 5, 7, 1.3, 0.2), id="both ranks below d"),
        pytest.param(_draw(1, 3, 6), _draw(2, 30, 6, 1.3, 0.2), id="one rank below d"),
        pytest.param(_draw(1, 6, 6), _draw(2, 6, 6, 1.3, 0.2), id="N = d"),
        pytest.param(_draw(1, 7, 6), _draw(2, 7, 6, 1.3, 0.2), id="N = d + 1"),
        pytest.param(_draw(1, 40, 5), _draw(2, 25, 5, 1.3, 0.2), id="N > d"),
        pytest.param(_draw(1, 30, 1), _draw(2, 40, 1, 1.2), id="one feature"),
        pytest.param(_draw(1, 2, 5), _draw(2, 2, 5), id="two pictures"),
    ],
)
def test_equals_fifty_digit_arithmetic(real: NDArray[np.floating], fake: NDArray[np.floating]) -> None:
    for first, second in ((real, fake), (fake, real)):
        assert fid(first, second) == pytest.approx(fifty_digits(first, second)[0], rel=1e-9)


@pytest.mark.parametrize("change", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("n", [6, 40])
def test_a_set_and_a_slightly_changed_copy(n: int, change: float) -> None:
    """The distance is a difference of the traces, which float64 holds to 2e-16: more digits than that are lost."""
    real = _draw(5, n, 8)
    fake = real + change * _draw(6, n, 8)
    wanted, traces = fifty_digits(real, fake)
    assert 0.01 * change**2 < wanted / traces < 10 * change**2
    assert fid(real, fake) == pytest.approx(wanted, rel=1e-10, abs=3e-15 * traces)


@pytest.mark.nightly
def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path: Path) -> None:
    """Features mapped from a file are read in blocks: 40,000 pictures cost no more than 10,000."""
    rng = np.random.default_rng(0)
    peaks = []
    for count in (10_000, 40_000):
        for name in ("real", "fake"):
            np.save(tmp_path / f"{name}.npy", rng.normal(size=(count, 32)).astype(np.float32))
        real, fake = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("real", "fake"))
        tracemalloc.start()
        fid(real, fake)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


@pytest.mark.parametrize("steep", [0.5, 12.0], ids=["eigenvalues", "factors"])
def test_memory_is_a_few_matrices(steep: float) -> None:
    """Both methods work in place, and blocks of the chosen rows are copied: 11 and 19 matrices if not."""
    d = 512
    real, fake = (np.asarray(_draw(seed, 3000, d) * np.logspace(0, -steep, d), np.float32) for seed in (1, 2))
    kept = np.arange(3000) % 10 != 0
    tracemalloc.start()
    value = fid(Rows(real, kept), Rows(fake, kept))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * d * d * 8
    assert value == pytest.approx(fid(real[kept], fake[kept]), rel=1e-9)
