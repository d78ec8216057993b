"""Two folders of pictures as a whole small study: a set, its audit, metrics, a short quiz and a report, in one go."""

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files import OWN_FOLDER, claim_output_folder, read_json, sha256_file, write_json
from gan_eval.launch import setup_command
from gan_eval.locks import refuse_if_held
from gan_eval.metrics.registry import select
from gan_eval.settings.template import Values, study_name, write_study
from gan_eval.stimuli.importing import import_items
from gan_eval.stimuli.pictures import Fit
from gan_eval.stimuli.sets import TABLE_NAME, model_name_problem, read_set
from gan_eval.study import markers
from gan_eval.study.markers import Listener, Stage
from gan_eval.study.plan import make_plan, open_plan
from gan_eval.study.sessions import (
    ask_next_person,
    count_sessions,
    people_have_answered,
    quiz_command,
    unfinished_sessions,
)
from gan_eval.study.stages import list_stages
from gan_eval.system_libraries import missing_display
from gan_eval.tabular import read_rows, write_rows

REAL, FAKE = 10, 10
"""Pictures of each kind that a person judges."""
_REAL_WORDS = {"real", "reals", "photo", "photos", "photographs", "truth"}
_FAKE_WORDS = {"fake", "fakes", "generated", "synthetic", "synthesized", "output", "outputs"}
_ROLES = {"real", "reals", "fake", "fakes", "generated"}
"""Folders of these names are called after their part in the comparison; the one above says what is in them."""
CODING = "coding.json"
"""The record, in `.gan-eval/`, of what the pictures' first files tell by their coding: a text, or null."""
_STAGE_DONE = re.compile(r"[\w.-]+: (up to date|done in .*)")

Pairs = Mapping[str, Mapping[str, Path]]
"""For each stem the real and the fake picture."""


def try_folders(
    real: Path, fake: Path, out: Path, listener: Listener, *, fit: Fit | None = None, quiz: bool = True
) -> Path:
    """Import, audit, measure, ask one person where there is a screen, and report; what is done already is kept.

    Args:
        real, fake: folders of pictures that are paired by file stem.
        out: the study's folder; afterwards it is as one that `run` has made of `out/study.toml`.
        listener: told of every step, in a line with its main number.
        fit: how pictures of a pair that differ in shape are brought to one; of one shape, the larger is scaled anyway.
        quiz: open the quiz where there is a screen.

    Returns:
        The report.

    Raises:
        UserError: the folders are the same, swapped or without a pair, `out` holds other results, or the pictures have
            changed since a person judged them.
    """
    from gan_eval.metrics import folder_pair

    _require_two_folders(real, fake)
    folder = real.resolve()  # what the pictures are called: its name, or where that is `real`, the one above it
    is_called_by_role = folder.name.lower() in _ROLES and folder.parent.name
    dataset = study_name(folder.parent.name if is_called_by_role else folder.name)
    model = study_name(fake.resolve().name)
    model = "generated" if model.lower() in _ROLES or model_name_problem(model) else model
    both = folder_pair(real, fake, dataset=dataset, model=model)
    fakes = [row for row in both.rows if row["kind"] == "fake" and row["reference_file"] and not row["problem"]]
    pairs: Pairs = {
        row["item"].partition("/")[2]: {"real": Path(row["reference_file"]), "fake": Path(row["file"])} for row in fakes
    }
    _claim(out, real, fake)
    refuse_if_held(*markers.run_lock(out), say=listener.message)
    step = _Steps(listener)
    markers.run([_import_stage(pairs, out, real, fit=fit, dataset=dataset, model=model)], out, step)
    for line in _import_lines(out, both.problems):
        listener.message(line)
    markers.run([_audit_stage(out, pairs)], out, step)
    for line in _audit_lines(out):
        listener.message(line)
    file = out / "study.toml"
    if not file.is_file():
        write_study(file, _settings(out, dataset, model), sets=[out / "set"])
    plan = make_plan(file, out)
    stages = {stage.name: stage for stage in list_stages(plan)}
    if find_spec("torch") is None:
        setup = setup_command("metrics")
        listener.message(f"metrics: left out, PyTorch is not installed; {setup}, then the same command again")
    else:
        markers.run([stages["metrics"]], out, step)
        listener.message(_metrics_line(out / "metrics", plan.study.metrics.names))
    if not count_sessions(plan)["people"]:
        missing = missing_display()
        if quiz and not missing:
            ask_next_person(plan, listener)
        else:
            why = f"there is no screen here ({missing})" if quiz else "as was asked"
            listener.message(f"quiz: left out, {why}")
    last = ("analyze", "report") if plan.store.is_file() else ("report",)
    markers.run([stages[name] for name in last], out, step)
    from gan_eval.report.parts.folder import read_folder
    from gan_eval.report.people.answer import answer

    for sentence in answer(read_folder(out))[:1]:  # that the report begins with; none where nobody has answered
        listener.message(f"answer: {sentence}")
    for line in unfinished_sessions(plan):
        listener.message(line)
    what = "more people" if people_have_answered(plan) else "pictures for you to judge"
    listener.message(f"next: {what}: {quiz_command(plan)}; then the same command again, for the report")
    return out / "report.html"


class _Steps:
    """A listener that leaves out what `markers.run` says of each stage: a step has its own line."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.progress = listener.progress

    def message(self, text: str) -> None:
        if not _STAGE_DONE.fullmatch(text):
            self._listener.message(text)


def _require_two_folders(real: Path, fake: Path) -> None:
    """Refuse the same folder twice, and folders whose names say that they are swapped."""
    if real.resolve() == fake.resolve():
        raise UserError(f"{fake}: the same folder as REAL; the second is that of the generated pictures")
    first, second = (set(re.split(r"[^a-z]+", folder.resolve().name.lower())) for folder in (real, fake))
    if first & _FAKE_WORDS and second & _REAL_WORDS and not (first & _REAL_WORDS or second & _FAKE_WORDS):
        raise UserError(
            f"{real} and {fake}: by their names they are swapped; real pictures come first: "
            f"{shlex.join(['gan-eval', 'try', str(fake), str(real)])}"
        )


def _claim(out: Path, real: Path, fake: Path) -> None:
    """Take the folder; it serves these two folders alone.

    Raises:
        UserError: it is somebody else's, or holds other results.
    """
    record = out / OWN_FOLDER / "try.json"
    folders = {"real": str(real.resolve()), "fake": str(fake.resolve())}
    earlier = read_json(record) if record.is_file() else None
    if earlier not in (None, folders) and (out / "set" / TABLE_NAME).is_file():
        raise UserError(f"--out {out}: holds what came of {earlier['real']} and {earlier['fake']}; name another folder")
    claim_output_folder(out)
    if earlier is None and any(path.name != OWN_FOLDER for path in out.iterdir()):
        raise UserError(f"--out {out}: holds other results of gan_eval; name an empty folder")
    write_json(record, folders)


def _settings(out: Path, dataset: str, model: str) -> Values:
    """What the study file gives beside the set."""
    return {
        "study": {
            "name": study_name(out.resolve().name),
            "title": f"{dataset}: real and {'generated' if model == 'generated' else f'from {model}'}",
            "question": "Can people tell the generated pictures from the real ones?",
        },
        "quiz": {"real": REAL, "fake": FAKE, "participants": 1},
    }


def _import_stage(pairs: Pairs, out: Path, real: Path, *, fit: Fit | None, dataset: str, model: str) -> Stage:
    """The stimulus set; made again where pictures have changed, as long as nobody has judged them."""

    def work(listener: Listener) -> bool:
        if (out / "store.sqlite").is_file() and people_have_answered(open_plan(out / "study.toml", out)):
            raise UserError(f"--out {out}: the pictures have changed since people judged them; name another folder")
        import_items(
            pairs,
            out / "set",
            where=str(real),
            dataset=dataset,
            model=model,
            resize=True,
            fit=fit,
            on_progress=lambda done, total: listener.progress("import", done, total),
        )
        return True

    def inputs() -> Mapping[str, str]:
        digests = {f"{role}/{stem}": sha256_file(path) for stem, files in pairs.items() for role, path in files.items()}
        if all(digests[f"real/{stem}"] == digests[f"fake/{stem}"] for stem in pairs):
            raise UserError(f"{real}: every real picture is the generated one, byte for byte; name another folder")
        return {**digests, "names": f"{dataset} {model}", "fit": fit or ""}

    table = out / "set" / TABLE_NAME
    return Stage(name="import", settings={}, inputs=inputs, outputs=(table,), work=work, derives=True)


def _audit_stage(out: Path, pairs: Pairs) -> Stage:
    """What gives the pictures away: `giveaways.csv`, and in `CODING` what the files' coding has left in the pixels."""

    def work(listener: Listener) -> bool:
        from gan_eval.giveaways.audit import audit
        from gan_eval.giveaways.equalise import coding_clue, source_of

        giveaways = audit(
            [read_set(out / "set")], on_progress=lambda done, total: listener.progress("audit", done, total)
        )
        sources = []
        for role, path in (entry for files in pairs.values() for entry in files.items()):
            with suppress(UserError):  # the import has named it
                sources.append(source_of(path, role))
        write_json(out / OWN_FOLDER / CODING, coding_clue(sources))
        write_rows(giveaways.rows, out / "giveaways.csv", tables.GIVEAWAYS)
        return True

    return Stage(
        name="audit",
        settings={},
        inputs=lambda: {"set": sha256_file(out / "set" / TABLE_NAME)},
        outputs=(out / "giveaways.csv", out / OWN_FOLDER / CODING),
        work=work,
        derives=True,
    )


def _import_lines(out: Path, unpaired: tuple[str, ...]) -> list[str]:
    rows = read_set(out / "set").rows
    record = read_json(out / "set" / OWN_FOLDER / "import.json")
    sizes = sorted({(row["width"], row["height"]) for row in rows})
    text = " to ".join(f"{width}x{height}" for width, height in dict.fromkeys((sizes[0], sizes[-1])))
    line = f"import: {len(rows) // 2} pairs of {text} pixels in {out / 'set'}"
    if record["resized"]:
        line += f"; in {record['resized']} the larger picture was brought to the size of the other (bicubic)"
    lines = [line]
    if unpaired:
        lines.append(f"import: left out, without partner: {len(unpaired)}, such as {unpaired[0]}")
    if problems := record["problems"]:
        lines.append(f"import: left out, unusable: {len(problems)}, such as {problems[0]}")
    return lines


def _audit_lines(out: Path) -> list[str]:
    """What tells real from fake, and how it is evened out."""
    from gan_eval.giveaways.clues import CLUES
    from gan_eval.giveaways.form import equalise_command

    rows = read_rows(out / "giveaways.csv", tables.GIVEAWAYS)
    compared = sum(row["auc"] is not None for row in rows)
    certain, telling = (
        [row["clue"] for row in rows if row["verdict"] == verdict] for verdict in ("gives_away", "look")
    )
    telling = [clue for clue in telling if CLUES[clue].follows not in telling]  # which is another measure of that one
    equalise = equalise_command(out / "set", read_set(out / "set").rows)
    if certain:
        lines = [f"audit: {', '.join(certain)} give the truth away; even that out: {equalise}"]
    elif telling:
        lines = [f"audit: {len(telling)} of {compared} clues tell, by content or by coding: {', '.join(telling)}"]
    else:
        lines = [f"audit: none of {compared} clues tells real from fake"]
    if (coding := read_json(out / OWN_FOLDER / CODING)) is not None:
        lines.append(f"audit: {coding}; the same on all: {equalise} --jpeg 75")
    return lines


def _metrics_line(folder: Path, names: Sequence[str]) -> str:
    """The mean of each picture metric, over the fakes and, where they have it, over the reals; the sets' metrics."""
    values: dict[tuple[str, str], list[float]] = {}
    for row in read_rows(folder / "image_metrics.csv", tables.IMAGE_METRICS):
        values.setdefault((row["metric"], row["kind"]), []).append(row["value"])
    for row in read_rows(folder / "set_metrics.csv", tables.SET_METRICS):
        values.setdefault((row["metric"], "fake"), []).append(row["value"])

    def mean(metric: str, kind: str) -> str:
        known = [value for value in values.get((metric, kind), ()) if value is not None]
        number = f"{fmean(known):#.3g}".rstrip(".") if known else "–"
        return f"{number} {unit}" if known and (unit := select([metric])[0].unit) else number

    texts = [
        f"{name.upper()} {mean(name, 'fake')}" + (f" (real {reals})" if (reals := mean(name, "real")) != "–" else "")
        for name in names
    ]
    return f"metrics: {', '.join(texts)}"
