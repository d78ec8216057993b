"""Users' own metrics: a distribution of a few lines on the path, its facts, and what its metrics give."""

import json
import math
import sys
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import invalidate_caches
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from metric_pictures import disturbed, texture
from own_distribution import ENTRIES, own_pictures, own_stimuli, write_distribution
from typer.testing import CliRunner

from gan_eval.cli.app import application
from gan_eval.errors import UserError
from gan_eval.metrics import Settings, run_metrics
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.own.entries import own_facts, own_metrics, own_names
from gan_eval.metrics.own.pictures import own_functions
from gan_eval.metrics.registry import describe, describe_json, select
from gan_eval.metrics.run.own_sets import own_set_rows
from gan_eval.metrics.run.tools import own_code

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a distribution with these entry points on the path."""

    sys.modules.pop("tiny_metrics", None)  # another file's test may have left its own

    def put(entries: str = ENTRIES, *, distribution: str = "tiny-metrics") -> None:
        write_distribution(tmp_path / distribution, entries, name=distribution)
        monkeypatch.syspath_prepend(str(tmp_path / distribution))
        invalidate_caches()

    yield put
    sys.modules.pop("tiny_metrics", None)


def test_facts_come_from_the_class(install):
    install()
    assert own_names() == ["brightness", "brightness_gap", "difference"]
    assert "tiny_metrics" not in sys.modules
    facts = own_facts("difference")
    assert (facts.kind, facts.low, facts.high, facts.higher_is_better) == ("pair", 0, 255, False)
    assert facts.measures == "Greatest difference of two pictures."
    assert (facts.unit, facts.source, facts.definition) == (
        "grey levels",
        "this test",
        "max-abs (difference = tiny_metrics:Difference of tiny-metrics 1.2)",
    )
    assert facts.distribution == "tiny-metrics 1.2"


def test_what_a_class_leaves_out_has_a_default(install):
    install()
    facts = own_facts("brightness")
    assert (facts.kind, facts.low, facts.high) == ("single", -math.inf, math.inf)
    assert facts.definition == ""
    assert facts.measures == "as tiny_metrics:Brightness defines it"
    assert own_facts("brightness_gap").kind == "set"


def test_own_metrics_can_be_chosen_and_are_listed(install):
    install()
    assert [metric.name for metric in select(["psnr", "difference"])] == ["psnr", "difference"]
    with pytest.raises(UserError, match="did you mean 'difference'"):
        select(["diference"])
    assert "own metric of: tiny-metrics 1.2" in describe()
    told = {metric["name"]: metric for metric in json.loads(describe_json())["metrics"]}
    assert told["difference"]["distribution"] == "tiny-metrics 1.2"
    assert told["difference"]["high"] == 255


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("nowhere_to_be_found:Metric", "cannot be imported"),
        ("tiny_metrics:Missing", "cannot be imported"),
        ("tiny_metrics:function", "no subclass of torchmetrics.Metric"),
        ("tiny_metrics:Undirected", "has no `higher_is_better`"),
        ("tiny_metrics:Odd", "set `kind`"),
    ],
)
def test_what_will_not_do_is_one_line(install, value, line):
    install(f"[gan_eval.metrics]\nbad = {value}\n")
    with pytest.raises(UserError, match=f"metric 'bad' of tiny-metrics 1.2: .*{line}") as caught:
        select(["bad"])
    assert own_metrics().problems == {"bad": str(caught.value)}
    assert "Own metrics that cannot be used" in describe()
    assert json.loads(describe_json())["problems"] == {"bad": str(caught.value)}


def test_a_built_in_name_is_not_taken_over(install):
    install("[gan_eval.metrics]\npsnr = tiny_metrics:Difference\n")
    assert select(["psnr"])[0].distribution == ""
    assert own_names() == []
    assert "gan_eval has a metric of this name" in own_metrics().problems["psnr"]


def test_two_distributions_with_one_name_are_told(install):
    install("[gan_eval.metrics]\nsame = tiny_metrics:Difference\n")
    install("[gan_eval.metrics]\nsame = tiny_metrics:Brightness\n", distribution="other-metrics")
    with pytest.raises(UserError, match=r"metric 'same': other-metrics 1.2 and tiny-metrics 1.2 both have it"):
        select(["same"])


def test_a_metric_that_wants_arguments_is_the_users_line(install):
    install("[gan_eval.metrics]\ndemanding = tiny_metrics:Demanding\n")
    with pytest.raises(UserError, match=r"'demanding' of tiny-metrics 1\.2: it cannot be made without arguments"):
        own_functions(select(["demanding"]))


def test_pictures_are_measured_alone_and_left_as_they_are(install):
    install()
    measure = own_functions(select(["psnr", "difference"]))
    assert list(measure) == ["difference"]
    real = texture(0)
    fake = disturbed(real, 0)
    before = fake.copy()
    expected = float(np.abs(fake.astype(int) - real).max())
    assert measure["difference"](fake, real) == expected
    assert measure["difference"](real, real) == 0  # nothing is left of the pair before
    assert (fake == before).all()


def test_every_thread_has_an_instance_of_its_own(install):
    install()
    measure = own_functions(select(["brightness"]))["brightness"]
    pictures = [texture(n, 32, 32) for n in range(40)]
    with ThreadPoolExecutor(4) as pool:
        values = list(pool.map(measure, pictures))
    assert values == pytest.approx([picture.mean() for picture in pictures], rel=1e-12)


def test_a_failure_is_a_reason(install):
    install()
    measure = own_functions(select(["brightness"]))["brightness"]
    with pytest.raises(Unmeasurable, match=r"^brightness: ValueError: black picture$"):
        measure(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(Unmeasurable, match=r"^brightness: compute gave a tensor of shape \(2,\), not one number$"):
        measure(np.full((8, 8, 3), 255, np.uint8))
    assert measure(np.full((8, 8, 3), 9, np.uint8)) == 9


def test_sets_are_compared_picture_by_picture(install, tmp_path):
    install()
    stimuli = own_stimuli(tmp_path)
    (row,) = own_set_rows(stimuli, select(["brightness_gap", "fid"]), unreadable={}, threads=2)
    halves = [texture(n, 48, 48) // 2 for n in range(4)]
    gap = np.mean([texture(n, 48, 48).mean() for n in range(4)]) - np.mean([half.mean() for half in halves])
    assert row["value"] == pytest.approx(gap, rel=1e-12)
    assert (row["model"], row["dataset"], row["metric"]) == ("m", "d", "brightness_gap")
    assert (row["n_real"], row["n_fake"], row["reason"], row["note"]) == (4, 4, None, None)


def test_what_fails_in_a_set_names_the_picture(install, tmp_path):
    install()
    stimuli = own_stimuli(tmp_path, black=True)
    (row,) = own_set_rows(stimuli, select(["brightness_gap"]), unreadable={})
    assert row["reason"] == "brightness_gap: d/m/p2: ValueError: black"
    assert "value" not in row


def test_unreadable_pictures_are_left_out_of_a_set(install, tmp_path):
    install()
    stimuli = own_stimuli(tmp_path)
    known, broken = stimuli[0], stimuli[-1]
    broken.file.write_bytes(b"no picture")
    (row,) = own_set_rows(stimuli, select(["brightness_gap"]), unreadable={known.stimulus: "known to be broken"})
    assert row["n_real"] + row["n_fake"] == 6
    assert row["note"].startswith("2 left out, the first: known to be broken")


def test_the_command_measures_with_own_metrics(install, tmp_path, monkeypatch):
    install()
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))
    own_stimuli(tmp_path, black=True)
    out = tmp_path / "out"
    command = ["metrics", "--real", str(tmp_path / "real"), "--fake", str(tmp_path / "fake"), "--out", str(out)]
    for _ in range(2):  # the second time with kept values
        done = CliRunner().invoke(application(), [*command, "--metrics", "psnr,difference,brightness,brightness_gap"])
        assert done.exit_code == 0, done.output
        images = pd.read_csv(out / "image_metrics.csv").set_index(["metric", "stimulus"])
        assert images.loc["difference", "value"].tolist() == [
            np.abs(fake.astype(int) - real).max() for real, fake in own_pictures(black=True)
        ]
        brightness = images.loc["brightness"]
        assert brightness.loc["real/fake/p2", "reason"] == "brightness: ValueError: black picture"
        assert brightness["value"].notna().sum() == 7
        sets = pd.read_csv(out / "set_metrics.csv")
        assert sets["reason"].tolist() == ["brightness_gap: real/fake/p2: ValueError: black"]
    settings = json.loads(pd.read_csv(out / "runs.csv")["settings"][0])
    assert settings["metrics"]["difference"] == "this test"


def test_an_own_metric_may_be_of_what_the_generator_was_given(tmp_path, monkeypatch):
    write_distribution(tmp_path / "lab", "[gan_eval.metrics]\ngiven = given_metric:Given\n", name="lab")
    (tmp_path / "lab" / "given_metric.py").write_text(
        "import torch\nfrom tiny_metrics import Brightness\n\nclass Given(Brightness):\n    kind = 'input'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "lab"))
    invalidate_caches()
    stimuli = [replace(made, input=tmp_path / "real" / made.file.name) for made in own_stimuli(tmp_path)]
    found = run_metrics(stimuli, Settings(("given",)), command="test").image_metrics
    assert set(found["kind"]) == {"fake"}
    assert found["value"].tolist() == pytest.approx([real.mean() for real, _ in own_pictures()])


def test_each_own_metric_keeps_its_own_values(install, tmp_path, monkeypatch):
    install(
        "[gan_eval.metrics]\nhalf = tiny_metrics:HalfBrightness\ninherits = tiny_metrics:Inherits\n"
        "same_words = tiny_metrics:SameWords\nsame_class = tiny_metrics:SameWords\n"
    )
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))
    stimuli = own_stimuli(tmp_path)
    definitions = {name: own_facts(name).definition for name in own_names()}
    assert definitions.pop("inherits") == ""  # its values are never kept
    assert len(set(definitions.values())) == 3
    command = ["metrics", "--real", str(tmp_path / "real"), "--fake", str(tmp_path / "fake"), "--out"]
    for run in ("first", "second"):  # the second time with kept values
        done = CliRunner().invoke(
            application(), [*command, str(tmp_path / run), "--metrics", "half,inherits,same_words"]
        )
        assert done.exit_code == 0, done.output
        images = pd.read_csv(tmp_path / run / "image_metrics.csv").set_index(["metric", "stimulus"])
        assert len(images) == 3 * len(stimuli)
        mean = images.loc["same_words", "value"]
        assert mean["real/real/p0"] == pytest.approx(own_pictures()[0][0].mean())
        assert images.loc["half", "value"].to_dict() == (mean / 2).to_dict()
        assert images.loc["inherits", "value"].isna().all()
        assert set(images.loc["inherits", "reason"]) == {"inherits: compute gave NaN"}


def test_own_values_are_kept_by_the_code_that_computes_them(tmp_path, monkeypatch):
    """Version and definition stay as they are while its author works on it."""
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    write_distribution(tmp_path / "lab", "[gan_eval.metrics]\nscaled = lab_metric:Scaled\n", name="lab")
    helper, metric = tmp_path / "lab" / "lab_helper.py", tmp_path / "lab" / "lab_metric.py"
    helper.write_text("FACTOR = 2.0\nUNUSED = 1\n")
    metric.write_text(
        "import torch\nimport torchmetrics\nimport lab_helper\n\n"
        "class Scaled(torchmetrics.Metric):\n"
        "    higher_is_better = True\n    kind = 'single'\n    definition = 'scaled/1'\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.add_state('total', torch.zeros(()), dist_reduce_fx='sum')\n"
        "    def update(self, picture):\n        self.total += picture.float().mean()\n"
        "    def compute(self):\n        return lab_helper.FACTOR * self.total\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "lab"))
    stimuli = own_stimuli(tmp_path)

    def run() -> tuple[list[float], int]:
        for name in ("lab_metric", "lab_helper"):
            sys.modules.pop(name, None)
        invalidate_caches()
        found = run_metrics(stimuli, Settings(("scaled",), cache=tmp_path / "kept.sqlite"), command="test")
        kept = json.loads(found.runs["settings"][0])["kept_values_used"]
        return found.image_metrics["value"].tolist(), kept

    first, kept = run()
    assert kept == 0
    assert run() == (first, len(stimuli))
    metric.write_text("# only words\n" + metric.read_text())
    helper.write_text("FACTOR = 2.0\nUNUSED = 234\n")
    assert run() == (first, len(stimuli))
    helper.write_text("FACTOR = 3.00\nUNUSED = 234\n")
    assert run() == (pytest.approx([1.5 * value for value in first]), 0)


def test_an_own_metric_without_a_source_is_not_kept(install, monkeypatch):
    install("[gan_eval.metrics]\nhalf = tiny_metrics:HalfBrightness\n")
    assert own_code("half") is not None
    monkeypatch.delattr(sys.modules["tiny_metrics"], "__file__")
    assert own_code("half") is None


def test_an_own_metric_cannot_end_the_run(install, tmp_path):
    install(
        "[gan_eval.metrics]\nleaves = tiny_metrics:Leaves\nsets = tiny_metrics:LeavesOfSets\n"
        "sets_at_once = tiny_metrics:LeavesSetsAtOnce\nmade = tiny_metrics:LeavesWhenMade\n"
    )
    with pytest.raises(Unmeasurable, match=r"^leaves: SystemExit: I leave$"):
        own_functions(select(["leaves"]))["leaves"](texture(0))
    rows = own_set_rows(own_stimuli(tmp_path), select(["sets", "sets_at_once"]), unreadable={})
    assert [row["reason"] for row in rows] == ["sets: SystemExit: I leave", "sets_at_once: d/real/p0: SystemExit: 3"]
    with pytest.raises(UserError, match=r"'made' of .*: it cannot be made .*SystemExit: I leave"):
        own_functions(select(["made"]))


def test_the_command_tells_of_an_own_metric_that_will_not_do(install, tmp_path):
    install("[gan_eval.metrics]\nbad = tiny_metrics:Undirected\n")
    own_stimuli(tmp_path)
    command = ["metrics", "--real", str(tmp_path / "real"), "--fake", str(tmp_path / "fake"), "--out"]
    done = CliRunner().invoke(application(), [*command, str(tmp_path / "out"), "--metrics", "bad"])
    assert isinstance(done.exception, UserError)
    assert "has no `higher_is_better`" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_the_documentations_example_works(tmp_path, monkeypatch):
    text = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
    source = text.partition("`contrast.py`:")[2].partition("```python\n")[2].partition("```")[0]
    project = text.partition("`pyproject.toml` of")[2].partition("```toml\n")[2].partition("```")[0]
    entries = tomllib.loads(project)["project"]["entry-points"]
    write_distribution(tmp_path / "contrast", _as_ini(entries), name="contrast")
    (tmp_path / "contrast" / "contrast.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path / "contrast"))
    invalidate_caches()
    facts = own_facts("contrast_loss")
    assert (facts.kind, facts.high, facts.source) == ("pair", 1, "ours, section 3")
    assert facts.measures.startswith("How much of the reference's contrast is lost")
    assert facts.definition == "contrast-loss/rgb8 (contrast_loss = contrast:ContrastLoss of contrast 1.2)"
    real = texture(0)
    assert own_functions([facts])["contrast_loss"](real // 2, real) == pytest.approx(0.5, abs=0.01)


def _as_ini(entries: dict[str, dict[str, str]]) -> str:
    """Entry points as an installer writes them."""
    return "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in named.items())
        for group, named in entries.items()
    )
