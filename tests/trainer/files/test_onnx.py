"""ONNX files: ONNX Runtime is the reference."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from reference_layout import trained

from gan_eval.errors import UserError
from gan_eval.machine.commands import setup_command
from gan_eval.settings.training import TrainingSettings
from trainer.files import onnx
from trainer.files.model import Model
from trainer.files.onnx import export_onnx
from trainer.inference import inference
from trainer.nets.build import new_networks
from trainer.nets.layers import Dropout

Settings = Callable[..., TrainingSettings]


def model_of(settings: TrainingSettings) -> Model:
    net, _ = new_networks(settings)
    return Model(trained(net), settings, Path("run/generator.safetensors"), "run", "BtoA", 1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "changes"),
    [
        ("eval", {"depth": 5}),
        ("eval", {"depth": 5, "downsampling": "pool"}),
        ("train", {"generator": "resnet_6", "upsampling": "resize"}),
    ],
)
def test_agrees_with_onnx_runtime(mode: str, changes: dict[str, object], tiny: Settings, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = model_of(tiny(**changes))
    export_onnx(model, tmp_path / "net.onnx", mode=mode)
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    for layer in (module for module in model.net.modules() if isinstance(module, Dropout)):
        layer.p = 0.0
    for shape in ((1, 3, 64, 64), (3, 3, 96, 64), (2, 3, 32, 160)):
        x = torch.rand(shape) * 2 - 1
        with inference(model.net, mode):
            wanted = model.net(x).numpy()
        np.testing.assert_allclose(session.run(None, {"input": x.numpy()})[0], wanted, rtol=0, atol=1e-4)
        assert wanted.std() > 0.01

    facts = json.loads(session.get_modelmeta().custom_metadata_map["gan_eval"])
    assert (facts["generator"], facts["direction"], facts["mode"]) == (model.settings.generator, "BtoA", mode)
    assert str(Path(onnx.__file__).parent).encode() not in (tmp_path / "net.onnx").read_bytes()


def test_the_network_stays_as_it_was(tiny: Settings) -> None:
    net = model_of(tiny()).net.train()
    before = str(net)
    for mode in ("train", "eval"):
        copy = onnx.without_dropout(net, mode)
        assert not copy.training
        assert "Dropout" not in str(copy)
        assert ("BatchNorm" in str(copy)) == (mode == "eval")
    assert str(net) == before
    assert net.training


def test_missing_packages_are_named(tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "PACKAGES", ("onnx", "no_such_package_1"))
    with pytest.raises(UserError, match=f"needs no_such_package_1; install it with: {setup_command('onnx')}"):
        export_onnx(model_of(tiny()), tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []
