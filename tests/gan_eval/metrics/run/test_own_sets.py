"""Users' own set metrics: what they are handed, how it goes, and what processes that share the work make of it."""

import multiprocessing
import sys
from importlib import invalidate_caches

import pytest
import torch
from own_in_processes import NAMES, alternating, in_processes, write_distribution

from gan_eval.metrics.registry import select
from gan_eval.metrics.run import runner
from gan_eval.metrics.run.evaluation import Settings
from gan_eval.metrics.run.own_sets import _share, own_set_rows
from gan_eval.metrics.run.processes import Processes


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch):
    """The own metrics of `own_in_processes`."""
    write_distribution(tmp_path / "own")
    monkeypatch.syspath_prepend(str(tmp_path / "own"))
    invalidate_caches()
    yield
    sys.modules.pop("listing_metrics", None)


def test_every_process_has_of_every_set(tmp_path):
    stimuli = alternating(tmp_path, 5, 3)
    shares = [_share(stimuli, Processes(rank, 2, 2)) for rank in range(2)]
    assert [[s.stimulus for s in share] for share in shares] == [
        ["d/real/0", "d/m/0", "d/real/1"],
        ["d/m/1", "d/real/2", "d/m/2", "d/real/3", "d/real/4"],
    ]


@pytest.mark.slow
def test_two_processes_join_lists_whatever_each_has(tmp_path):
    """In turns real and generated; a process without any real picture; one without any picture; one that fails."""
    sets = [alternating(tmp_path / f"{n}", *counts) for n, counts in enumerate([(5, 4), (1, 4), (1, 1)])]
    file = tmp_path / "rows.pt"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=in_processes, args=(rank, str(file), sets)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0, 0]
    first, second = (torch.load(f"{file}.{rank}") for rank in range(2))
    assert first == second
    for stimuli, rows in zip(sets, first, strict=True):
        alone = own_set_rows(stimuli, select(NAMES), unreadable={})
        for row, expected in zip(rows, alone, strict=True):
            assert (row["n_real"], row["n_fake"]) == (expected["n_real"], expected["n_fake"])
            if row["metric"] == "two_kinds":
                assert row["reason"].startswith("two_kinds: ")
                assert expected["reason"].startswith("two_kinds: ")
            else:
                assert row["reason"] is None
                assert row["value"] == pytest.approx(expected["value"], rel=1e-12)


def test_a_run_tells_how_it_goes_and_holds_torch_to_one_thread(tmp_path, monkeypatch):
    threads = []
    monkeypatch.setattr("gan_eval.metrics.run.own_sets.as_batch", _watching(threads))
    told = []
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = runner.run_metrics(
            alternating(tmp_path, 3, 2),
            Settings(("mean_gap",), device="cpu"),
            command="evaluate",
            on_progress=lambda *state: told.append(state),
        )
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert found.set_metrics["value"].notna().all()
    assert threads == [1] * 5
    assert [state[:2] for state in told if state[2] == "own set metrics"] == [(n, 5) for n in range(1, 6)]


def _watching(threads):
    from gan_eval.metrics.own.pictures import as_batch

    def watched(picture, device):
        threads.append(torch.get_num_threads())
        return as_batch(picture, device)

    return watched


def test_a_group_of_the_caller_s_own_is_left_alone(tmp_path):
    """Whoever measures in one process of many, for itself, waits for none of the others."""
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        rows = own_set_rows(alternating(tmp_path, 3, 2), select(["mean_gap"]), unreadable={})
    finally:
        torch.distributed.destroy_process_group()
    assert rows[0]["n_real"] + rows[0]["n_fake"] == 5
