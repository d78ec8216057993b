"""The recorded step on a GPU: the bits of the plain one, in every task."""

from pathlib import Path

import pytest
import torch
from made_photographs import encoder, filler, make_photographs
from training_runs import Pairs, Settings, Stop, result, train

from gan_eval.settings.training import TrainingSettings
from trainer.recording import RecordedStep

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")]

STEPS = {"steps": 16, "batch_size": 4, "validate_every": None, "plateau_patience": None}


def settings_of(kind: str, tiny: Settings) -> TrainingSettings:
    match kind:
        case "pairs":
            return tiny(steps=16, batch_size=4, lambda_ssim=1.0, lambda_tv=1.0, decay=0.5)
        case "pairs in bf16":
            return tiny(steps=16, batch_size=4, precision="bf16")
        case "pairs with instance norm and resized layers":
            return tiny(steps=16, batch_size=4, norm="instance", upsampling="resize")
        case "a context encoder":
            return encoder(**STEPS)
        case _:
            return filler({"judged_patches": "hole", "overlap": 2, "overlap_weight": 5.0}, **STEPS)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    ["pairs", "pairs in bf16", "pairs with instance norm and resized layers", "a context encoder", "patches at holes"],
)
def test_recorded_steps_have_the_bits_of_plain_ones(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Runs of 16 steps, the last of each epoch with a smaller batch: recorded, stopped and resumed, and plain."""
    settings = settings_of(kind, tiny)
    items = {"train": 19, "val": 1}
    data = make_pairs(**items) if "pairs" in kind else make_photographs(tmp_path / "photographs", **items)
    recorded = train(settings, data, tmp_path / "recorded", checkpoint_every=100)
    with pytest.raises(Stop):
        train(settings, data, tmp_path / "resumed", checkpoint_every=5, stop_after=12)
    resumed = train(settings, data, tmp_path / "resumed", checkpoint_every=5)
    records = []
    monkeypatch.setattr(RecordedStep, "_record", lambda _self, batch: records.append(len(batch.inputs)))
    plain = train(settings, data, tmp_path / "plain", checkpoint_every=100)
    assert records, "the step is recorded in a run of this length"
    assert result(recorded) == result(resumed) == result(plain)
