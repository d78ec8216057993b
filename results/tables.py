"""The tables of measured values in these pages, out of the CSV files beside them, in Markdown.

    python results/tables.py

Intervals: 95 %; of pictures' metrics Student's t over photographs, each the mean of its crops; of FID and KID the
jackknifes that `set_metrics.csv` has.
"""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

HERE = Path(__file__).resolve().parent
NAMES = {"border_mean": "mean of the border"} | {
    name: f"`{name}`" for name in ("filled", "encoder", "reconstruction", "colour", "edges")
}
"""Of models, where they are not their own."""


def number(value: float, digits: int, sign: str = "-") -> str:
    """With a minus; with sign "+" with a plus, too."""
    return f"{value:{sign}.{digits}f}".replace("-", "−")


def with_interval(value: float, low: float, high: float, digits: int, *, difference: bool = False) -> str:
    """`17.80 (17.16–18.43)`, a difference `+0.47 (0.21 to 0.74)`."""
    between = " to " if difference else "–"
    ends = between.join(number(end, digits) for end in (low, high))
    return f"{number(value, digits, '+' if difference else '-')} ({ends})"


def of_photographs(values: pd.Series, digits: int, *, difference: bool = False) -> str:
    """Mean and interval of the photographs' means."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std() / np.sqrt(len(values))
    middle = values.mean()
    return with_interval(middle, middle - half, middle + half, digits, difference=difference)


def crops(page: str, file: str = "image_metrics.csv") -> pd.DataFrame:
    """Values of generated crops; `photograph` is the item without the crop's number, `source` its collection."""
    table = pd.read_csv(HERE / page / file)
    return table.assign(
        photograph=table["item"].str.replace(r"-\d+$", "", regex=True),
        source=table["item"].str.extract(r"/([^-]+)-", expand=False),
    )


def means(table: pd.DataFrame, model: str, metric: str) -> pd.Series:
    """Of each photograph's crops, by photograph."""
    chosen = table[(table["model"] == model) & (table["metric"] == metric)]
    return chosen.groupby("photograph")["value"].mean()


def of_sets(page: str, model: str, **digits: int) -> list[str]:
    """The cells of set metrics of a model."""
    with (HERE / page / "set_metrics.csv").open(newline="", encoding="utf-8") as file:
        own = {one["metric"]: one for one in csv.DictReader(file) if one["model"] == model}
    return [
        with_interval(float(own[metric]["value"]), float(own[metric]["ci_low"]), float(own[metric]["ci_high"]), places)
        for metric, places in digits.items()
    ]


def row(*cells: str) -> str:
    """A row of a table in Markdown; an empty cell is one space."""
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def cityscapes() -> list[str]:
    """Validation on the way, in both modes."""
    table = pd.read_csv(HERE / "cityscapes_convergence" / "validation.csv")
    values = table.set_index(["metric", "mode", "step"])["value"].to_dict()
    digits = {"psnr": 2, "ssim": 3, "niqe": 1, "diversity": 2}
    return [
        row(
            f"{step:,} ({20 * step:,})",
            *(
                " / ".join(number(values[metric, mode, step], places) for mode in ("train", "eval"))
                for metric, places in digits.items()
            ),
        )
        for step in (0, 50, 500, 1000, 1500, 2000, 2450)
    ]


def inpainting() -> list[str]:
    """The same hole for all; differences from the harmonic fill by collection; holes of several kinds."""
    same, several = crops("inpainting"), crops("inpainting", "image_metrics_mixture.csv")
    metrics = {"psnr_hole": ("PSNR", 2), "ssim_hole": ("SSIM", 3), "l1_hole": ("L1", 1)}
    rows = []
    for model in ("filled", "encoder", "reconstruction", "harmonic", "border_mean", "biharmonic"):
        cells = [of_photographs(means(same, model, metric), places) for metric, (_, places) in metrics.items()]
        rows.append(row(NAMES.get(model, model), *cells, *of_sets("inpainting", model, fid=1, kid=4)))
    for source, called in {"facades": "facades", "maps": "aerial"}.items():
        table = same[same["source"] == source]
        for metric, (label, places) in metrics.items():
            smooth = means(table, "harmonic", metric)
            cells = [
                of_photographs(means(table, model, metric) - smooth, places, difference=True)
                for model in ("filled", "encoder", "reconstruction")
            ]
            rows.append(row(f"{called}: {label}", *cells))
    kinds = [several[several["mask_kind"] == kind] for kind in ("centre", "blocks", "region")]
    return rows + [
        row(NAMES.get(model, model), *(of_photographs(means(one, model, "psnr_hole"), 2) for one in kinds))
        for model in ("filled", "reconstruction", "harmonic", "border_mean", "biharmonic")
    ]


def photographs() -> list[str]:
    """Pictures made of grey or edges, and filled holes."""
    table = crops("photographs")
    steps = {"colour": "10,000", "edges": "10,000", "reconstruction": "5,000", "filled": "+ 5,000"}
    rows = []
    for model in (*steps, "harmonic", "biharmonic", "border_mean"):
        whole = model in ("colour", "edges")
        cells = [
            of_photographs(means(table, model, metric if whole else f"{metric}_hole"), places)
            for metric, places in {"psnr": 1, "ssim": 3}.items()
        ]
        sets = of_sets("photographs", model, **({"fid": 0, "kid": 3} if whole else {"fid": 1, "kid": 4}))
        rows.append(row(NAMES.get(model, model), steps.get(model, ""), *cells, *sets))
    return rows


PAGES = {"cityscapes_convergence": cityscapes, "inpainting": inpainting, "photographs": photographs}

if __name__ == "__main__":
    for name, rows_of in PAGES.items():
        print(f"{name}/README.md", *rows_of(), sep="\n")
