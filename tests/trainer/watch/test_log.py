"""The training log: what a row holds of the steps since the one before."""

from pathlib import Path

import torch

from trainer.watch.log import TrainingLog


def test_a_row_has_means_and_the_largest_gradient_norms_also_after_a_resume(tmp_path: Path) -> None:
    """A single step with an exploding gradient is seen, wherever in its window it is."""
    log = TrainingLog(tmp_path / "training_log.csv", facts={}, total=20)
    for step in range(1, 21):
        if step == 7:
            state = log.state_dict()
            log = TrainingLog(tmp_path / "training_log.csv", facts={}, total=20)
            log.load_state_dict(state)
        norm = 1000.0 if step == 3 else 1.0
        log.add({"g_l1": torch.tensor(float(step)), "d_gradient_norm": torch.tensor(norm)})
        log.check(step)
        if log.row_due(step):
            log.end_row(step=step, epoch=1, images=step, seconds=0.0)
    assert [(row[0], *row[3:5]) for row in log.state_dict()["rows"]] == [
        (10, "g_l1", 5.5), (10, "d_gradient_norm", 100.9), (10, "d_gradient_norm_max", 1000.0),
        (20, "g_l1", 15.5), (20, "d_gradient_norm", 1.0), (20, "d_gradient_norm_max", 1.0),
    ]  # fmt: skip
