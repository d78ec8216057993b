"""A user's files before anything is malformed: pictures, a set, tables, a store, a study, trained generators.

Made once, by the commands themselves, as bytes: an attack takes what it needs and breaks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attack.attack import Commands
from gan_eval.files.atomic import OWN_FOLDER
from gan_eval.pictures import decode as images
from gan_eval.tables import IMAGE_METRICS, PARTICIPANTS, SESSIONS, SET_METRICS, STIMULI
from gan_eval.tables.frames import read_rows, write_rows

ITEMS = 8
SIDE = 32

QUIZ = (
    *("quiz", "--stimuli", "set", "--real", "4", "--fake", "4", "--participant", "P01", "--simulate", "default"),
    *("--store", "room.sqlite"),
)
Contents = Mapping[str, bytes]


@dataclass(frozen=True, repr=False)  # pytest and hypothesis show it with every failure
class World:
    """Files by what they are, each by its path below the working folder."""

    pictures: Contents
    """`results/real/N.png` and `results/fake/N.png`."""
    set: Contents
    """`set/stimuli.csv` and its pictures."""
    tables: Contents
    """`trials.csv`, `sessions.csv`, `participants.csv`, `image_metrics.csv`, `set_metrics.csv`, `values.csv`."""
    analysis: Contents
    """`study/tables/NAME.csv`: the tables of an analysis, and `study/metrics/`."""
    record: Contents
    """`study/tables/.gan-eval/`: what the analysis noted of its tables."""
    data: Contents
    """`data/train/N.png` and `data/test/N.png`: A|B pictures."""


def make_world(commands: Commands, room: Path) -> World:
    """Make everything in `room`."""
    work = room / "home" / "user" / "work"
    work.mkdir(parents=True)
    (room / "tmp").mkdir()

    def give(*arguments: str) -> None:
        ended = commands.run(arguments, room)
        assert ended.status == 0, ended.err

    _draw_pictures(work)
    give("stimuli", "import", "results", "--out", "set", "--dataset", "d", "--model", "m")
    for person in ("P01", "P02", "P03"):
        give(*(person if word == "P01" else word for word in QUIZ))
    give("export", "--store", "room.sqlite", "--out", "export")
    for name in ("trials.csv", "sessions.csv"):
        (work / "export" / name).rename(work / name)
    asked = [
        {name: row[name] for name in ("session", "participant", "simulated")} | {"question": "age", "answer": "33"}
        for row in read_rows(work / "sessions.csv", SESSIONS)
    ]
    write_rows(asked, work / "participants.csv", PARTICIPANTS)
    _make_up_metrics(work)
    give(
        *("analyze", "trials.csv", "--out", "study/tables"),
        *("--image-metrics", "image_metrics.csv", "--set-metrics", "set_metrics.csv"),
    )
    names = ("trials", "sessions", "participants", "image_metrics", "set_metrics", "values")
    tables = {name: data for each in names for name, data in _files(work, f"{each}.csv").items()}
    study = _files(work, "study")
    record = {name: data for name, data in study.items() if OWN_FOLDER in Path(name).parts}
    return World(
        pictures=_files(work, "results"),
        set=_files(work, "set"),
        tables=tables,
        analysis={
            **{name: data for name, data in study.items() if name.endswith(".csv")},  # what the report reads
            **{f"study/metrics/{name}": data for name, data in tables.items() if name.endswith("_metrics.csv")},
        },
        record=record,
        data=_files(work, "data"),
    )  # fmt: skip


def _draw_pictures(work: Path) -> None:
    rng = np.random.default_rng(0)
    for stem in range(ITEMS):
        content = rng.integers(40, 200, (SIDE, SIDE, 3))
        for kind in ("real", "fake"):
            noise = rng.integers(-20, 20, content.shape) if kind == "fake" else 0
            images.write_png(work / "results" / kind / f"{stem}.png", (content + noise).astype(np.uint8))
    for name in ("train/0", "train/1", "test/0", "test/1"):
        pair = rng.integers(0, 256, (SIDE, 2 * SIDE, 3), dtype=np.uint8)
        images.write_png(work / "data" / f"{name}.png", pair)


def _make_up_metrics(work: Path) -> None:
    rng = np.random.default_rng(1)
    stimuli = [row for row in read_rows(work / "set" / "stimuli.csv", STIMULI) if row["kind"] == "fake"]
    kept = ("stimulus", "item", "kind", "model", "dataset")
    values = [
        {**{name: row[name] for name in kept}, "metric": metric, "value": float(rng.normal(level, 1))}
        for row in stimuli
        for metric, level in (("psnr", 25), ("ssim", 5))
    ]
    write_rows(values, work / "image_metrics.csv", IMAGE_METRICS)
    of_set = {"model": "m", "dataset": "d", "metric": "fid", "value": 61.5, "n_real": ITEMS, "n_fake": ITEMS}
    write_rows([of_set], work / "set_metrics.csv", SET_METRICS)
    (work / "values.csv").write_text(
        "model,dataset,metric,value,source,note\nm,d,psnr,25.5,other 1.0,\nm,d,fid,60,other 1.0,\n", encoding="utf-8"
    )


def _files(work: Path, name: str) -> dict[str, bytes]:
    below = [work / name] if (work / name).is_file() else sorted((work / name).rglob("*"))
    return {path.relative_to(work).as_posix(): path.read_bytes() for path in below if path.is_file()}
