"""What is refused before a training begins."""

from pathlib import Path

import pytest
from made_photographs import encoder, make_photographs

from gan_eval.errors import UserError
from trainer.job import TrainingJob
from trainer.loop.plan import Plan, make_plan
from trainer.tasks import new_task


def planned(data: Path, *, devices: int, batch_size: int) -> Plan:
    settings = encoder(batch_size=batch_size, validate_every=None, plateau_patience=None)
    return make_plan(new_task(settings), TrainingJob(settings, data), devices=devices, initial=None, say=print)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_photographs(tmp_path_factory.mktemp("photographs"), train=5)


@pytest.mark.parametrize(("batch_size", "which"), [(1, "each batch"), (2, "the last batch of an epoch of 5 pictures")])
def test_a_context_encoder_takes_no_batch_of_one_picture(data: Path, batch_size: int, which: str) -> None:
    with pytest.raises(UserError, match=rf"^batch_size {batch_size}: {which} would have one picture, too few"):
        planned(data, devices=1, batch_size=batch_size)
    assert len(planned(data, devices=1, batch_size=3).paths) == 5


@pytest.mark.parametrize(("devices", "batch_size"), [(2, 1), (3, 2)])
def test_one_picture_on_each_of_several_devices_is_enough(data: Path, devices: int, batch_size: int) -> None:
    """Their BatchNorm takes its statistics from all of them."""
    assert planned(data, devices=devices, batch_size=batch_size).devices == devices
