"""Tasks on processes: the same results in the same order."""

import os

import numpy as np
import pytest

from gan_eval.power.parallel import in_parallel


def drawn(seed: int, task: tuple[int, ...]) -> float:
    return float(np.random.default_rng([seed, *task]).random())


def broken(state: int, task: tuple[int, ...]) -> float:
    raise ValueError(f"{state} {task}")


def threads(names: tuple[str, ...], task: tuple[int, ...]) -> list[str | None]:
    return [os.environ.get(name) for name in names]


TASKS = [(number, 7) for number in range(9)]


def test_the_number_of_processes_changes_nothing() -> None:
    told: list[int] = []
    alone = in_parallel(drawn, 3, TASKS, workers=1)
    assert in_parallel(drawn, 3, TASKS, workers=2, on_done=told.append) == alone
    assert len(set(alone)) == 9
    assert told == list(range(1, 10))


def test_processes_compute_in_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    for name in names:
        monkeypatch.setenv(name, "7")
    assert in_parallel(threads, names, [(0,), (1,)], workers=2) == [["1", "1", "1"]] * 2
    assert [os.environ[name] for name in names] == ["7", "7", "7"]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_process_is_an_error_here(workers: int) -> None:
    with pytest.raises(ValueError, match=r"3 \(0, 7\)"):
        in_parallel(broken, 3, TASKS[:1], workers=workers)
