"""Batches: sides, sizes, order, jitter, cache, bad pictures; and random streams."""

import hashlib
import itertools
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from training_runs import Pairs, Settings

from gan_eval.base.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.batches import Batches, Pictures, Schedule, jitter_size
from trainer.datasets.pairs import PairedSet
from trainer.randomness import Purpose, seeded, stream, torch_seed
from trainer.step import Batch
from trainer.tasks import Translation


def paired_pictures(data: Path, **options: Any) -> Pictures:
    data_set = PairedSet(data)
    return Pictures(data_set, data_set.paths("train"), **options)


def new_batches(pictures: Any, settings: TrainingSettings, workers: int = 0) -> Batches:
    return Batches(pictures, settings, assemble=Translation(settings, "AtoB").assemble, workers=workers)


def test_batches_equal_the_plain_path(make_pairs: Pairs, tiny: Settings) -> None:
    """Against decode and resize with Pillow, scaled as x / 255 * 2 - 1; the crops are pinned below."""
    settings = tiny(batch_size=2, image_size=72, jitter=False, mirror=False)
    source = paired_pictures(make_pairs(train=5), side=jitter_size(settings))
    batches = new_batches(source, settings)
    for step in range(6):
        places = [divmod(sample, 5) for sample in batches.schedule.samples(step)]
        pictures = [Image.open(source.paths[batches.schedule.order(epoch)[index]]) for epoch, index in places]
        for found, x in zip(pair_of(batches(step)), (0, 64), strict=True):
            halves = [one.crop((x, 0, x + 64, 64)).resize((72, 72), Image.Resampling.BICUBIC) for one in pictures]
            wanted = np.stack([np.asarray(half, np.float64).transpose(2, 0, 1) / 255 * 2 - 1 for half in halves])
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


def test_schedule_sees_every_pair_once_an_epoch() -> None:
    schedule = Schedule(pairs=10, batch_size=4, seed=1)
    assert schedule.steps_per_epoch == 3
    samples = [schedule.samples(step) for step in range(6)]
    assert [(step.start, step.stop) for step in samples] == [(0, 4), (4, 8), (8, 10), (10, 14), (14, 18), (18, 20)]
    assert sorted(schedule.order(0)) == list(range(10))
    assert list(schedule.order(0)) != list(schedule.order(1))


@pytest.mark.parametrize("cache_bytes", [0, 2**30])
def test_all_bad_pictures_are_named_in_one_line(make_pairs: Pairs, cache_bytes: int) -> None:
    folder = make_pairs(train=9) / "train"
    for number in range(1, 8):
        Image.new("RGB", (129, 64)).save(folder / f"{number}.png")
    (folder / "2.png").write_bytes(b"no picture")
    with pytest.raises(UserError) as caught:
        paired_pictures(folder.parent, side=64, cache_bytes=cache_bytes)
    line = str(caught.value)
    assert line.startswith(f"{folder}: 7 of 9 pictures cannot be used; fix or remove 1.png, 2.png,")
    assert f"5.png and 2 more; the first: {folder / '1.png'}: the width 129 is odd" in line


def made_pairs(count: int, side: int) -> list[np.ndarray]:
    """Pairs by formula, so that batches can be pinned without a decoder."""
    y, x = np.mgrid[:side, :side]
    pairs = [[[x * (c + 1) + y * 3 + i * 7 + h * 50 for c in range(3)] for h in range(2)] for i in range(count)]
    return [(np.stack(pair) % 256).astype(np.uint8) for pair in pairs]


def pair_of(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    return batch.inputs, batch.target


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"image_size": 256}, "5ef373dcf7e0a9fa"),
        ({"image_size": 256, "batch_size": 3}, "0982d78deaf0e019"),
        ({"image_size": 64}, "27b7134fc2b934a3"),
        ({"image_size": 60, "batch_size": 3}, "7d63429d9badb043"),
        ({"image_size": 64, "jitter": False}, "f9f1913751719ca2"),
        ({"image_size": 64, "mirror": False, "batch_size": 3}, "b58c0e5bb16f4b44"),
    ],
)
def test_the_numbers_of_a_seed_never_change(changes: dict[str, object], wanted: str) -> None:
    """Runs of earlier versions are resumed: order, crops, mirroring and scaling are pinned to the bit."""
    settings = TrainingSettings(**({"steps": 9, "seed": 20251120} | changes))
    batches = new_batches(made_pairs(5, jitter_size(settings)), settings)
    digest = hashlib.sha256()
    for step in range(9):
        for tensor in pair_of(batches(step)):
            digest.update(tensor.contiguous().numpy().tobytes())
    assert digest.hexdigest()[:16] == wanted


@pytest.mark.parametrize("cache_bytes", [0, 3 * 6 * 72**2, 2**30])
def test_any_number_of_workers_gives_the_same_batches(make_pairs: Pairs, tiny: Settings, cache_bytes: int) -> None:
    settings = tiny(batch_size=2)
    pictures = paired_pictures(make_pairs(train=5), side=72, cache_bytes=cache_bytes)
    steps = [*range(8), 2, 3, 40, 41, 0]
    plain = new_batches(pictures, settings)
    wanted = [plain(step) for step in steps]
    for workers in (1, 2, 4):
        with closing(new_batches(pictures, settings, workers=workers)) as batches:
            for step, pair in zip(steps, wanted, strict=True):
                for found, expected in zip(pair_of(batches(step)), pair_of(pair), strict=True):
                    np.testing.assert_array_equal(found, expected)


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
        with seeded(torch.device("cpu"), Purpose.DROPOUT, 0, counter):
            draws.append(torch.rand(8))
    assert torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[1])
    assert torch.equal(torch.random.get_rng_state(), before)
