"""What publications found, in words, and below each finding what was measured here on the same matter.

A finding's subject says what it is about: a data set or a loss ratio of the run by its name, or one of `TOPICS`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from gan_eval.metrics.catalogue import METRICS
from gan_eval.report.metrics.data import (
    Measured,
    decimals_of,
    mean_interval,
    picture_summary,
    title_of,
    unit_of,
)
from gan_eval.report.metrics.holes import holes_of_folder
from gan_eval.report.parts.blocks import Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import (
    NARROW,
    interval,
    listed,
    missing,
    number,
    percent,
    plural,
    proportion_interval,
    whole,
)
from gan_eval.report.training.runs import TrainingRun, loss_weights, training_runs
from gan_eval.stats.metrics_and_people.correlations import CORRELATIONS
from gan_eval.tables import PLATEAUS

FINDING_COLUMNS = {"study", "subject", "finding"}
PUBLICATIONS = {
    "mix_loss": "pix2pix_mix_loss",
    "cityscapes_": "cityscapes_convergence",
    "inpainting_": "inpainting_from_scratch",
    "context_encoder": "context_encoder",
}
"""Beginnings of the names of studies whose publication has another name in the published table."""
LABEL_METRICS = tuple(name for name, metric in METRICS.items() if metric.kind == "input")
"""How simple a generator's input is, and how much of the photograph it tells."""
MOST_NAMES = 3
"""More models are counted where the same holds of them."""

Fact = tuple[str, str]
"""Whose it is, a model or a data set, and what was measured."""


def publications_of(study: str) -> list[str]:
    """Under what names the published table may have a study's publication.

    >>> publications_of("inpainting_ablation")
    ['inpainting_ablation', 'inpainting_from_scratch']
    """
    return [study, *(name for beginning, name in PUBLICATIONS.items() if study.startswith(beginning))]


def findings_table(folder: StudyFolder, published: pd.DataFrame, source: str) -> Table:
    """The findings of this study's publication, or all where none is: each with what was measured here.

    Args:
        folder: with the run's tables and trainings.
        published: a table with FINDING_COLUMNS, every cell as text.
        source: its name among the folder's files.
    """
    own = folder.study.study.name if folder.study is not None else ""
    of_study = published[published["study"].isin(publications_of(own))]
    shown = of_study if len(of_study) else published
    here = _Here(folder, training_runs(folder), Measured(folder.tables))
    rows, silent = [], []
    for row in shown.to_dict("records"):
        facts: dict[str, list[str]] = {}
        for name, what in here.facts(row["subject"], row["finding"]):
            facts.setdefault(name, []).append(what)
        whose: dict[str, list[str]] = {}  # by what was measured, which is one and the same of some models
        for name, texts in facts.items():
            whose.setdefault("; ".join(dict.fromkeys(texts)), []).append(name)
        rows.append([row["subject"], "published", row["finding"]])
        for what, names in whose.items():
            of = listed(names) if len(names) <= MOST_NAMES else plural(len(names), "model")
            rows.append([row["subject"], f"here: {of}", what])
        if not whose:
            silent.append(row["subject"])
    notes = [f"Of what the publication calls {listed(silent)} nothing was measured here."] if silent else []
    if any(len(run.log) for run in here.runs):
        notes.append("Four numbers in a row are the means of the four quarters of the training.")
    if of_study.empty and len(published):
        notes.append(f"These are findings of {listed(list(dict.fromkeys(published['study'])))}; none is of this study.")
    head = ["subject", "whose", "what was found"]
    caption = "Findings in words, published and here"
    return Table(caption, head, rows, text_columns=2, last_is_text=True, grouped=True, notes=notes, source=(source,))


def _novelties(run: TrainingRun) -> set[str]:
    """What a training has of what publications propose, in their words: losses, noise, a pre-trained encoder."""
    words = loss_weights(run.settings).keys() - {"L1", "L2"}
    if (run.settings.get("inpainting") or {}).get("fill") == "noise":
        words |= {"noise"}
    return words | {"pre-trained encoder"} if run.settings.get("init_encoder") else words


@dataclass(frozen=True)
class _Here:
    """What the run knows."""

    folder: StudyFolder
    runs: list[TrainingRun]
    measured: Measured

    def facts(self, subject: str, finding: str) -> Iterator[Fact]:
        """All that was measured on a subject."""
        for dataset in self.measured.datasets:
            if re.search(rf"\b{re.escape(dataset)}\b", subject):
                yield from self._judged("dataset", dataset)
        if re.search(r"\blabels\b", subject):
            yield from self._label_metrics()
        named = re.search(r"\b(L1|L2|SSIM)\b\D*?([\d.]+):([\d.]+)", subject)
        ratio = f"GAN:{named[1]} {named[2]}:{named[3]}" if named else "GAN alone" if "alone" in subject else ""
        proposed = finding if subject == "future work" else ""
        for run in self.runs:
            if run.ratio == ratio or any(re.search(rf"\b{re.escape(word)}\b", proposed) for word in _novelties(run)):
                yield from self.values(run)
        for pattern, of_run in TOPICS.items():
            if found := re.search(pattern, subject):
                yield from (fact for run in self.runs for fact in of_run(self, run, found[0]))

    def _label_metrics(self) -> Iterator[Fact]:
        """How simple the inputs are and how much they tell, and how either goes with being taken for real."""
        correlations = self.folder.table(CORRELATIONS)
        for dataset in self.measured.datasets:
            for metric in LABEL_METRICS:
                models = self.measured.models(dataset)
                summary = next(
                    (found for model in models if (found := self.measured.summary(dataset, metric, model)).n), None
                )
                if summary is None:
                    continue
                text = f"{title_of(metric)} {mean_interval(summary, digits=decimals_of([summary]))}"
                of_metric = correlations[(correlations["metric"] == metric) & (correlations["dataset"] == dataset)]
                of_metric = of_metric[(of_metric["level"] == "stimulus") & (of_metric["measure"] == "fooling_rate")]
                for row in of_metric[of_metric["within"].notna()].to_dict("records"):
                    text += (
                        f", rank correlation within models with being taken for real {number(row['within'])} "
                        f"({interval(row['within_low'], row['within_high'])}) over {plural(row['n'], 'picture')}"
                    )
                yield dataset, text

    def _judged(self, scope: str, name: str) -> Iterator[Fact]:
        """How often pictures of a data set or a model were judged rightly."""
        rates = self.folder.scope(scope)
        for row in rates[rates["id"] == name].to_dict("records"):
            parts = [
                f"{proportion_interval(row[f'{kind}_correct'], row[f'{kind}_low'], row[f'{kind}_high'])} of "
                f"{plural(row[f'n_{kind}'], 'answer')} to {noun} pictures right"
                for kind, noun in (("real", "real"), ("fake", "generated"))
                if not missing(row[f"{kind}_correct"])
            ]
            if parts:
                yield name, "; ".join(parts)

    def values(self, run: TrainingRun, _: str = "") -> Iterator[Fact]:
        """A model's metrics, how its pictures were judged, and without a reconstruction the norm of its gradient."""
        for dataset in self.measured.datasets:
            summaries = {
                metric: summary
                for metric in self.measured.metrics(dataset)
                if (summary := self.measured.summary(dataset, metric, run.model)).is_known
            }
            texts = [
                f"{title_of(metric)} {number(summary.value, digits=decimals_of([summary]))} {unit_of(metric)}".strip()
                for metric, summary in summaries.items()
            ]
            if texts:
                yield run.model, f"on {dataset}: {', '.join(texts)}"
        rates = self.folder.scope("model")
        for row in rates[(rates["id"] == run.model) & rates["fake_correct"].notna()].to_dict("records"):
            yield run.model, f"{percent(1 - row['fake_correct'])} of {plural(row['n_fake'], 'answer')} took it for real"
        if not loss_weights(run.settings):
            yield from self._quarters(run, "g_gradient_norm", "norm of the generator's gradient")
            largest = run.log[(run.log["term"] == "g_gradient_norm_max") & run.log["value"].notna()]
            if len(largest):
                highest = largest.sort_values("value").iloc[-1]
                peak, step = number(highest["value"], digits=3), whole(highest["step"])
                yield run.model, f"its largest norm: {peak}, in the log's row of step {step}"

    def _quarters(self, run: TrainingRun, term: str, name: str) -> Iterator[Fact]:
        """The means of a logged term over the four quarters of the run."""
        rows = run.log[(run.log["term"] == term) & run.log["value"].notna()]
        if len(rows) < 4:
            return
        place = ((rows["step"] - 1) * 4 // rows["step"].max()).clip(0, 3)
        means = rows["value"].astype(float).groupby(place).mean()
        yield run.model, f"{name}: {', '.join(number(mean, digits=3) for mean in means)}"

    def losses(self, run: TrainingRun, _: str) -> Iterator[Fact]:
        """The loss terms on the way."""
        for term, name in (("g_l1", "L1"), ("g_adversarial", "adversarial loss of the generator")):
            yield from self._quarters(run, term, name)

    def share(self, run: TrainingRun, topic: str) -> Iterator[Fact]:
        """L1 on the way, of the models in whose loss it weighs more than the GAN's, or does not."""
        weights = loss_weights(run.settings)
        if set(weights) == {"L1"} and (weights["L1"] > float(run.settings["adversarial_weight"])) == ("high" in topic):
            yield from self._quarters(run, "g_l1", f"{run.ratio}, L1")

    def discriminator(self, run: TrainingRun, _: str) -> Iterator[Fact]:
        """Its accuracy, and whether the training warned."""
        yield from self._quarters(run, "d_accuracy", "accuracy of the discriminator")
        steps = run.warnings.loc[run.warnings["warning"] == "discriminator_overpowers", "step"]
        if (run.log["term"] == "d_accuracy").any():
            when = f"warned at step {whole(steps.iloc[0])}" if len(steps) else "no warning"
            yield run.model, f"{when} that it overpowers"

    def pictures(self, run: TrainingRun, _: str) -> Iterator[Fact]:
        """When the validation metrics no longer improved, and the pictures' diversity at the first and last one."""
        plateaus = self.folder.table(PLATEAUS)
        found = plateaus[(plateaus["model"] == run.model) & (plateaus["verdict"] == "plateau")]
        for row in found.to_dict("records"):
            step = f"{whole(row['plateau_step'])} ({whole(row['ci_low'])} to {whole(row['ci_high'])})"
            yield run.model, f"{title_of(row['metric'])} in {row['mode']} mode no longer improves after step {step}"
        rows = run.validation[(run.validation["metric"] == "diversity") & (run.validation["mode"] == "train")]
        rows = rows[rows["value"].notna() & (rows["step"] > 0)].sort_values("step")
        if len(rows):
            ends = [f"{number(row['value'])} at step {whole(row['step'])}" for _, row in rows.iloc[[0, -1]].iterrows()]
            yield run.model, f"diversity of the pictures (1: that of the ground truths) {' and '.join(ends)}"

    def masks(self, run: TrainingRun, _: str) -> Iterator[Fact]:
        """PSNR in the hole by its kind."""
        holes = holes_of_folder(self.folder)
        for dataset in self.measured.datasets:
            rows = self.measured.rows(dataset, "psnr_hole", run.model)
            kinds = {stimulus: hole.kind for stimulus, hole in holes.items()}
            grouped = rows.groupby(rows["stimulus"].map(kinds), sort=True)
            texts = [f"{kind} {number(picture_summary(part).value, digits=1)}" for kind, part in grouped]
            if texts:
                yield run.model, f"PSNR in the hole on {dataset}, dB: {', '.join(texts)}"

    def source_size(self, run: TrainingRun, _: str) -> Iterator[Fact]:
        """PSNR in the hole, with the side of the photographs that were filled."""
        side = (run.settings.get("inpainting") or {}).get("source_size") or run.settings.get("image_size")
        for dataset in self.measured.datasets:
            if (summary := self.measured.summary(dataset, "psnr_hole", run.model)).is_known:
                value = number(summary.value, digits=decimals_of([summary]))
                yield run.model, f"photographs of {side} pixels: PSNR in the hole on {dataset} {value} dB"

    def protocol(self, run: TrainingRun, _: str) -> Iterator[Fact]:
        """How it was trained."""
        found = run.settings
        if not found or run.log.empty:
            return
        steps, fractions = int(run.log["step"].max()), run.log["fraction"].dropna().unique()
        shorter = [f" ({float(fraction):.3g} of the planned way)" for fraction in fractions if fraction < 1]
        pairs = run.log["images"].max()
        judged = ", no discriminator"
        if found["adversarial_weight"]:
            judged = f", the discriminator's two losses times {found['d_loss_factor']:g}"
        yield (
            run.model,
            f"{plural(steps, 'step')}{''.join(shorter)}, {whole(pairs)} pictures in batches of {found['batch_size']}, "
            f"{found['image_size']}{NARROW}px; Adam {found['learning_rate']:g} ({found['beta1']:g}, "
            f"{found['beta2']:g}){judged}",
        )


TOPICS: dict[str, Callable[[_Here, TrainingRun, str], Iterator[Fact]]] = {
    r"\bprotocol\b|\bdata\b": _Here.protocol,
    r"\blosses\b": _Here.losses,
    r"\b(high|low) L1 share\b": _Here.share,
    r"\bpictures\b": _Here.pictures,
    r"\bdiscriminator\b": _Here.discriminator,
    r"\bmasks\b": _Here.masks,
    r"\bsource size\b": _Here.source_size,
    r"\bchanges\b|\blambda_": _Here.values,
}
"""Words of a subject, and what of a training speaks to it."""
