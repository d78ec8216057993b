"""The tables of measured values in these pages, out of the CSV files next to them, in Markdown.

    python results/tables.py

Intervals: 95%; of pictures' metrics Student's t over photographs, each the mean of its crops; of FID and KID the
jackknifes that `set_metrics.csv` has.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

HERE = Path(__file__).resolve().parent
NAMES = {"border_mean": "mean of the border"} | {
    name: f"`{name}`" for name in ("filled", "encoder", "reconstruction", "colour", "edges")
}
"""Names of models that are shown otherwise."""
MIXTURES = {
    "gan10_l1_1": "10 : 1 L1",
    "gan1_l1_1": "1 : 1 L1",
    "gan1_l1_10": "1 : 10 L1",
    "gan1_l1_100": "1 : 100 L1",
    "gan1_l1_200": "1 : 200 L1",
    "gan_alone": "1 : 0",
    "gan1_l2_10": "1 : 10 L2",
    "gan1_l2_100": "1 : 100 L2",
    "gan1_l1_16_ssim_84": "1 : 16 L1 + 84 (1 − SSIM)",
}
"""Adversarial to reconstruction loss."""


def number(value: float, digits: int, sign: str = "-") -> str:
    """Format a number with a minus; with sign "+" with a plus, too."""
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
    """Return a metric's values of each photograph's crops, by photograph."""
    chosen = table[(table["model"] == model) & (table["metric"] == metric)]
    return chosen.groupby("photograph")["value"].mean()


def of_sets(page: str, model: str, digits: Mapping[str, int], file: str = "set_metrics.csv") -> list[str]:
    """The cells of set metrics of a model, by the number of digits of each."""
    with (HERE / page / file).open(newline="", encoding="utf-8") as opened:
        own = {one["metric"]: one for one in csv.DictReader(opened) if one["model"] == model}
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
        rows.append(row(NAMES.get(model, model), *cells, *of_sets("inpainting", model, {"fid": 1, "kid": 4})))
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
    steps = {"colour": "10,000", "grey": "", "edges": "10,000", "reconstruction": "5,000", "filled": "+ 5,000"}
    rows = []
    for model in (*steps, "harmonic", "biharmonic", "border_mean"):
        whole = model in ("colour", "grey", "edges")
        cells = [
            of_photographs(means(table, model, metric if whole else f"{metric}_hole"), places)
            for metric, places in {"psnr": 1, "ssim": 3}.items()
        ]
        sets = of_sets("photographs", model, {"fid": 0, "kid": 3} if whole else {"fid": 1, "kid": 4})
        rows.append(row(NAMES.get(model, model), steps.get(model, ""), *cells, *sets))
    return rows


def picture_means(page: str, model: str, **digits: int) -> list[str]:
    """The cells of pictures' metrics of a model, each the mean over its pictures."""
    table = pd.read_csv(HERE / page / "image_metrics.csv")
    own = table[table["model"].fillna("the photographs") == model].groupby("metric")["value"].mean()
    return [number(own[metric], places) if metric in own else "" for metric, places in digits.items()]


def mix_loss() -> list[str]:
    """Nine mixtures of losses, and the photographs themselves."""
    rows = []
    for model, called in MIXTURES.items():
        cells = picture_means("mix_loss", model, psnr=2, ssim=3, brisque=1, sharpness=0)
        sets = of_sets("mix_loss", model, {"fid": 0, "kid": 3})
        log = pd.read_csv(HERE / "mix_loss" / f"training_log_{model}.csv")
        early, late = (log[log["epoch"].between(first, first + 1)].groupby("term")["value"].mean() for first in (1, 19))
        l1, norm = (
            f"{early[term]:#.3g} → {late[term]:#.3g}".replace(". →", " →").removesuffix(".")
            for term in ("g_l1", "g_gradient_norm")
        )
        rows.append(row(f"`{model}`", called, *cells, sets[0], sets[1].partition(" ")[0], l1, swing(model), norm))
    cells = picture_means("mix_loss", "the photographs", psnr=2, ssim=3, brisque=1, sharpness=0)
    return [*rows, row("the photographs", "", *cells, "", "", "", "", "")]


def swing(model: str) -> str:
    """Return by how much PSNR in validation moves from one measurement to the next, 800 steps later, in dB."""
    table = pd.read_csv(HERE / "mix_loss" / f"validation_{model}.csv")
    chosen = (table["mode"] == "train") & (table["metric"] == "psnr") & (table["step"] % 800 == 0) & (table["step"] > 0)
    return f"{table[chosen].sort_values('step')['value'].diff().abs().mean():.2f}"


def capability() -> list[str]:
    """For each data set, results by number of epochs; photographs that were trained on in place of pictures."""
    rows = []
    for data, pairs in {"facades": 245, "maps": 60, "edges2shoes": 70}.items():
        page, of_set = f"pix2pix_capability/{data}", {"fid": 0, "kid": 3}
        if not (HERE / page / "set_metrics_photographs.csv").is_file():  # ten pictures have no FID
            of_set = {}
        for model in sorted(set(pd.read_csv(HERE / page / "image_metrics.csv")["model"].dropna())):
            epochs = int(model.removeprefix("epoch_"))
            sets = of_sets(page, model, of_set) if of_set else []
            cells = picture_means(page, model, psnr=2, ssim=3, niqe=2)
            rows.append(row(str(epochs), f"{epochs * pairs:,}", *cells, *sets))
        cells = picture_means(page, "the photographs", niqe=2)
        if of_set:
            cells += of_sets(page, "photographs", of_set, "set_metrics_photographs.csv")
        rows.append(row("photographs", "", "", "", *cells))
    return [one.replace("–", " to ") for one in rows]


PAGES = {
    "cityscapes_convergence": cityscapes,
    "inpainting": inpainting,
    "mix_loss": mix_loss,
    "photographs": photographs,
    "pix2pix_capability": capability,
}

if __name__ == "__main__":
    for name, rows_of in PAGES.items():
        print(f"{name}/README.md", *rows_of(), sep="\n")
