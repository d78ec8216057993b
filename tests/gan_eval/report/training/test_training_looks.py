"""The looks of curves: told apart by dashes and lightness, not by hue alone."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skimage.color import rgb2lab

from gan_eval.report.parts.palette import LIGHT, Look, curve_styles, series_look
from gan_eval.report.training.curves import legend_of, looks_of
from gan_eval.report.training.runs import TrainingRun

NINE = {
    "gan10_l1_1": {"adversarial_weight": 10.0, "lambda_l1": 1.0},
    "gan1_l1_1": {"adversarial_weight": 1.0, "lambda_l1": 1.0},
    "gan1_l1_10": {"adversarial_weight": 1.0, "lambda_l1": 10.0},
    "gan1_l1_100": {"adversarial_weight": 1.0, "lambda_l1": 100.0},
    "gan1_l1_200": {"adversarial_weight": 1.0, "lambda_l1": 200.0},
    "gan_alone": {"adversarial_weight": 1.0, "lambda_l1": 0.0},
    "gan1_l2_10": {"adversarial_weight": 1.0, "lambda_l1": 0.0, "lambda_l2": 10.0},
    "gan1_l2_100": {"adversarial_weight": 1.0, "lambda_l1": 0.0, "lambda_l2": 100.0},
    "gan1_l1_16_ssim_84": {"adversarial_weight": 1.0, "lambda_l1": 16.0, "lambda_ssim": 84.0},
}
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)
"""Of linear RGB: Machado, Oliveira and Fernandes 2009, severity 1."""


def runs_of(settings: dict[str, dict[str, float]]) -> list[TrainingRun]:
    none = pd.DataFrame()
    return [TrainingRun(name, Path(name), none, none, none, given, {}, (), None) for name, given in settings.items()]


def seen(colour: str, *, through: np.ndarray) -> np.ndarray:
    """L*a*b* of a colour as somebody sees it."""
    coded = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    linear = (through @ linear).clip(0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("through", [np.eye(3), DEUTERANOPIA], ids=["usual", "deuteranopia"])
def test_nine_losses_are_told_apart_whatever_colours_are_seen(through) -> None:
    looks = looks_of(runs_of(NINE))
    for one, other in itertools.combinations(looks, 2):
        apart = np.linalg.norm(seen(one.light, through=through) - seen(other.light, through=through))
        assert one.dashes != other.dashes or apart > 15


def test_dashes_tell_the_loss_and_lightness_its_weight() -> None:
    runs = runs_of(NINE)
    looks = dict(zip(NINE, looks_of(runs), strict=True))
    l1 = [looks[name] for name in ("gan10_l1_1", "gan1_l1_1", "gan1_l1_10", "gan1_l1_100", "gan1_l1_200")]
    assert {look.dashes for look in l1} == {()}
    lightness = [seen(look.light, through=np.eye(3))[0] for look in l1]
    assert lightness == sorted(lightness)
    assert looks["gan1_l2_10"].dashes == looks["gan1_l2_100"].dashes
    others = ("gan1_l1_1", "gan1_l2_10", "gan_alone", "gan1_l1_16_ssim_84")
    assert len({looks[name].dashes for name in others}) == 4
    assert looks_of(runs[::-1])[::-1] == list(looks.values())


def test_models_with_the_same_loss_or_too_many_have_looks_by_number() -> None:
    same = runs_of({f"m{number}": {"adversarial_weight": 1.0, "lambda_l1": 100.0} for number in range(3)})
    many = runs_of({f"m{number}": {"adversarial_weight": 1.0, "lambda_l1": number + 1.0} for number in range(20)})
    for runs in (same, many):
        assert looks_of(runs) == [series_look(number) for number in range(len(runs))]
    assert len(set(looks_of(many))) == 20
    assert all(one.dashes != other.dashes for one, other in itertools.pairwise(looks_of(many)))


def test_every_look_has_its_colour_on_the_page_and_its_sample_in_the_legend() -> None:
    styles, count = str(curve_styles()), sum(map(len, LIGHT.values()))
    assert all(styles.count(f"--curve-{number}:") == 3 for number in range(1, count + 1))
    assert legend_of(["a"], [Look(3, (4, 1.6))]) == [("a", "stroke: var(--curve-3); stroke-dasharray: 10 4")]
