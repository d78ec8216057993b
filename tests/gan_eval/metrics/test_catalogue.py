"""The list of metrics, and the choice among them."""

import runpy
from pathlib import Path

from refusals import refused

from gan_eval.metrics.catalogue import METRICS, _by_kind, describe, list_metrics, select
from gan_eval.metrics.networks.extractors import RESIZERS


def test_every_metric_has_a_range_and_a_definition_of_its_own():
    for name, metric in METRICS.items():
        assert metric.low < metric.high, name
        assert (metric.extractor is not None) == (metric.kind == "set"), name
    assert len({metric.definition for metric in METRICS.values()}) == len(METRICS)


def test_an_unknown_name_is_answered_with_the_nearest():
    refused("metric 'pnsr': unknown; did you mean 'psnr'", select, ["pnsr"])
    for name, near in (("PSNR", "psnr"), ("FID", "fid"), ("L1", "l1"), ("SSIM-luma", "ssim_luma")):
        refused(f"metric '{name}': unknown; did you mean '{near}'", select, [name])
    refused("choose from psnr, l1", select, ["zzzzzz"])
    refused("none named", select, [])


def test_features_of_inception_need_not_be_given():
    (metric,) = select(["p_ids@inception"])
    assert (metric.extractor, metric.weights) == ("inception", ("inception",))
    (metric,) = select(["p_ids@inception"], ["inception"])  # the user's own
    assert (metric.extractor, metric.weights) == ("@inception", ())
    refused("metric 'p_ids@dino': no features 'dino'", select, ["p_ids@dino"], ["inception"])


def test_the_short_list_has_a_line_for_each_metric_and_what_it_needs():
    lines = list_metrics().splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1 : len(METRICS) + 1]] == [metric.name for metric in _by_kind()][
        : len(METRICS)
    ]
    rows = {line.split()[0]: line.split(None, 2)[1:] for line in lines if line}
    assert rows["psnr"] == ["higher", "real partners"]
    assert rows["lpips_vgg"] == ["lower", "real partners, weights vgg16"]
    assert rows["niqe"] == ["lower"]
    assert rows["l1_hole"] == ["lower", "real partners, masks"]
    assert "--list --long" in lines[-1]


def test_a_name_without_its_network_names_both():
    refused("metric 'lpips': unknown; did you mean 'lpips_alex' or 'lpips_vgg'?", select, ["lpips"])


def test_the_list_fits_a_terminal_and_has_every_metric_under_its_kind():
    text = describe()
    assert max(map(len, text.splitlines())) <= 80
    headings = ("A generated picture and", "One picture alone", "The generator's input", "Generated pictures and")
    heads = [text.index(heading) for heading in headings]
    ends = [*heads[1:], len(text)]
    for metric in METRICS.values():
        kind = ("pair", "single", "input", "set").index(metric.kind)
        assert heads[kind] < text.index(f"\n{metric.name}: ") < ends[kind]
    assert "psnr: 0 to inf dB; higher is better" in text
    assert "minimum size: 96 pixels by 192" in text
    assert "weights: inception (`gan-eval weights fetch inception`)" in " ".join(text.split())


def test_the_documentation_has_every_metric_as_its_record_tells_it():
    root = Path(__file__).parents[3]
    text = (root / "docs" / "metrics.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(root / "packaging" / "metrics_reference.py"))["page"](text)
    assert text == made, "run: python packaging/metrics_reference.py"
    for name in RESIZERS:
        assert f"`{name}`" in text
