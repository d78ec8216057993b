"""Time of each published study on 1, 8 and 64 machines: tasks that sleep, in `run --cluster`'s own order.

    python benchmarks/cluster.py --write docs/cluster.md

A training sleeps as long as the steps that results/README.md measured would take, divided so that the longest chain of
trainings takes a few seconds here. Generations, minutes against days, are tasks that end immediately; metrics come
after them. The workers are threads of this process, and Dask's scheduler is the real one.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

from distributed import LocalCluster

from gan_eval.base.atomic import write_text
from gan_eval.settings.study import Study, load_study
from gan_eval.study.cluster import ClusterTask, Origin, connected
from gan_eval.study.commands.console import Console

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- cluster: begin -->", "<!-- cluster: end -->"
"""Marks around the part of a page that is written here."""
MACHINES = (1, 8, 64)
COSTS: Mapping[str, Mapping[str, float]] = {
    "cityscapes_convergence": {"": 50_000 * 0.57},
    "cityscapes_segmentation": {"l1": 50_000 * 0.33, "cgan": 50_000 * 0.58, "l1_cgan": 50_000 * 0.62},
    "mix_loss": {"": 8_000 * 0.56},
    "pix2pix_capability": {
        "pix2pix_facades": 40_000 * 0.59, "pix2pix_maps": 109_600 * 0.59, "pix2pix_edges2shoes": 4_980_000 * 0.59,
    },
    "context_encoder": {"": 31_260 * 1.9},
    "context_encoder_imagenet": {"": 50_060 * 20},
    "inpainting_landscapes_paintings": {"landscapes": 568_000 * 8.1, "paintings": 21_300 * 8.1},
    "inpainting_ablation": {"": 114_000 * 8.1, "no_skips": 114_000 * 6.8, "no_style": 114_000 * 2.9},
}  # fmt: skip
"""Seconds of each model's training by study and model; "": of the study's other models (results/README.md)."""


def main() -> None:
    """Run the tasks of each study on each number of machines, and print or write the table."""
    parser = argparse.ArgumentParser(description="time of the published studies on a cluster")
    parser.add_argument("--seconds", type=float, default=3.0, help="that the longest chain of trainings takes here")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table there, between the two marks")
    options = parser.parse_args()
    lines = ["| study | longest chain | " + " | ".join(f"{n} machine{'s' * (n > 1)}" for n in MACHINES) + " |"]
    lines += ["| --- " * (2 + len(MACHINES)) + "|"]
    for name, costs in COSTS.items():
        study = load_study(ROOT / "studies" / f"{name}.toml")
        seconds = {model: costs[model] if model in costs else costs[""] for model in study.models}
        chain = max(chain_of(study, model, seconds) for model in study.models)
        tasks = tasks_of(study, {model: cost * options.seconds / chain for model, cost in seconds.items()})
        times = [wall_time(tasks, machines) * chain / options.seconds for machines in MACHINES]
        lines.append(f"| {name} | {' | '.join(map(words, (chain, *times)))} |")
        print(lines[-1], flush=True)
    if options.write:
        before, rest = options.write.read_text(encoding="utf-8").split(BEGIN)
        write_text(options.write, "\n".join([before + BEGIN, *lines, END + rest.split(END)[1]]))


def chain_of(study: Study, model: str, seconds: Mapping[str, float]) -> float:
    """Return the seconds of a training after those that it starts from."""
    first = study.training_of(model).starts_from
    return seconds[model] + (chain_of(study, first, seconds) if first in study.models else 0.0)


def tasks_of(study: Study, seconds: Mapping[str, float]) -> list[ClusterTask]:
    """Return the tasks that `run --cluster` does, as tasks that sleep."""
    trainings = [
        ClusterTask(f"train-{model}", sleep, (cost,), needs=(f"train-{study.training_of(model).starts_from}",))
        for model, cost in seconds.items()
    ]
    generations = [ClusterTask(f"generate-{model}", sleep, (0.0,), needs=(f"train-{model}",)) for model in seconds]
    return [*trainings, *generations]


def sleep(_origin: Origin, seconds: float) -> None:
    """Wait in place of computing."""
    time.sleep(seconds)


def wall_time(tasks: list[ClusterTask], machines: int) -> float:
    """Return the seconds that all tasks take on as many workers."""
    made = LocalCluster(
        n_workers=machines, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=None
    )
    with made, connected(made.scheduler_address, None, Console()) as cluster:
        started = time.monotonic()
        cluster.run(tasks, progress=lambda *_, **__: None)
        return time.monotonic() - started


def words(seconds: float) -> str:
    """Return a time in hours, or in days from two days on."""
    return f"{seconds / 3600:.1f} hours" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"


if __name__ == "__main__":
    main()
