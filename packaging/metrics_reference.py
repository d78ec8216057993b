"""The tables of all metrics in `docs/metrics.md`, made from their records: python packaging/metrics_reference.py"""

from pathlib import Path

from gan_eval.metrics.catalogue import METRICS, Metric
from gan_eval.metrics.definitions.features import TEMPLATES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"
BEGIN = "<!-- made by packaging/metrics_reference.py: do not edit by hand -->"
END = "<!-- end of what is made -->"
HEADINGS = {
    "pair": "A generated picture and its reference, `score(NAME, fake, real)`",
    "single": "One picture alone, `score(NAME, picture)`",
    "input": "The generator's input, by `evaluate`",
    "set": "Generated pictures and real pictures, `score(NAME, fake, real)` of features",
    "features": "The same by features of your own (`--features NAME=FILE`, `--network NAME=FILE`)",
}


def page(text: str) -> str:
    """The text of `docs/metrics.md` with the tables anew."""
    before, _, rest = text.partition(BEGIN)
    parts = [BEGIN]
    for kind, heading in HEADINGS.items():
        metrics = TEMPLATES if kind == "features" else {n: m for n, m in METRICS.items() if m.kind == kind}
        rows = [row(metric) for metric in metrics.values()]
        head = "| metric | measures | range, better, needs |"
        parts += [f"**{heading}**", "\n".join([head, "|" + " --- |" * 3, *rows])]
    return before + "\n\n".join([*parts, END]) + rest.partition(END)[2]


def row(metric: Metric) -> str:
    """A metric's line of its table."""
    name = f"`{metric.name}`"
    needs = [f"{metric.min_size[0]}x{metric.min_size[1]} pixels"] if metric.min_size else []
    needs += ["masks"] if metric.takes_hole else []
    needs += ["inputs"] if metric.kind == "input" or metric.extractor == "label_colours" else []
    needs += [f"`{weights}`" for weights in metric.weights]
    needs += ["`--segmenter`"] if metric.extractor == "segmenter" else []
    better = "higher" if metric.higher_is_better else "lower"
    unit = f" {metric.unit}" if metric.unit else ""
    facts = ", ".join([f"{metric.low:g}..{metric.high:g}{unit}", better, *needs])
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in (name, metric.measures, facts)) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
