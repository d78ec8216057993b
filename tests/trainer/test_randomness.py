"""Streams by purpose, seed and counter."""

import itertools

import torch

from trainer.randomness import Purpose, seeded, stream, torch_seed

CPU = torch.device("cpu")


def test_no_two_keys_share_a_stream() -> None:
    """Seeds and counters beyond 32 bits included: they take more words and must not run into their neighbours."""
    numbers = (0, 1, 2, 3, 2**32, 2**32 + 1, 2**63 - 1)
    keys = list(itertools.product(Purpose, numbers, numbers))
    assert len({torch_seed(purpose, seed, counter) for purpose, seed, counter in keys}) == len(keys)


def test_stream_is_stable_across_versions() -> None:
    """Runs are defined by these numbers; a change breaks the resume of every run on disk."""
    assert torch_seed(Purpose.DROPOUT, 0, 0) == 8181856093542410848
    assert stream(Purpose.ORDER, 1, 2).permutation(6).tolist() == [0, 2, 5, 1, 4, 3]


def test_seeded_decides_dropout_and_leaves_no_trace() -> None:
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    draws = []
    for counter in (5, 6, 5):
        with seeded(CPU, Purpose.DROPOUT, 0, counter):
            draws.append(torch.rand(8))
    assert torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[1])
    assert torch.equal(torch.random.get_rng_state(), before)
