"""Folders of real and generated pictures as a whole small study: a set, its audit, metrics, a short quiz, a report."""

import re
import shlex
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER, write_json
from gan_eval.files.digests import sha256_file
from gan_eval.files.locks import refuse_if_held
from gan_eval.files.output_folders import claim_output_folder
from gan_eval.files.reading import read_json
from gan_eval.machine.commands import setup_command
from gan_eval.machine.system_libraries import missing_display
from gan_eval.metrics.catalogue import select
from gan_eval.settings.template import Values, study_name, write_study
from gan_eval.stimuli.importing import import_items
from gan_eval.stimuli.pictures import Fit
from gan_eval.stimuli.sets import TABLE_NAME, read_set
from gan_eval.study import markers
from gan_eval.study.markers import Listener, Stage
from gan_eval.study.plan import make_plan, open_plan
from gan_eval.study.sessions import (
    ask_next_person,
    count_sessions,
    draw_warnings,
    people_have_answered,
    quiz_command,
    unfinished_sessions,
)
from gan_eval.study.stages import list_stages
from gan_eval.tables.frames import Row, read_rows, write_rows
from gan_eval.tables.names import model_name_problem

PICTURES, PICTURES_EACH = 10, 5
"""Pictures of each kind that a person judges: at least the first number, and the second for each model."""
_REAL_WORDS = {"real", "reals", "photo", "photos", "photographs", "truth"}
_FAKE_WORDS = {"fake", "fakes", "generated", "synthetic", "synthesized", "output", "outputs"}
_ROLES = {"real", "reals", "fake", "fakes", "generated"}
"""Folders of these names are called after their part in the comparison; the one above says what is in them."""
CODING = "coding.json"
"""The record, in `.gan-eval/`, of differences in the coding of the first files: a text, or null."""
_STAGE_DONE = re.compile(r"[\w.-]+: (up to date|done in .*)")

Pairs = Mapping[str, Mapping[str, Path]]
"""For each stem its files by role: `real`, and each role of `_roles`."""


def try_folders(
    real: Path,
    fakes: Sequence[Path],
    out: Path,
    listener: Listener,
    *,
    fit: Fit | None = None,
    quiz: bool = True,
    threads: int | None = None,
) -> Path:
    """Import, audit, measure, ask one person where there is a screen, and report; what is done already is kept.

    Args:
        real: folder of the real pictures.
        fakes: a folder for each model, with pictures of the same file stems; the model has the folder's name.
        out: the study's folder; afterwards it is as one that `run` has made of `out/study.toml`.
        listener: receives a message for every step, in a line with its main number.
        fit: how pictures of a pair that differ in shape are brought to one; of one shape, the larger is scaled anyway.
        quiz: open the quiz where there is a screen.
        threads: worker threads of the metrics; default: theirs.

    Returns:
        The report.

    Raises:
        UserError: folders are the same, swapped or without a pair, two models have one name, `out` holds other results,
            or the pictures have changed since a person judged them.
    """
    from gan_eval.metrics import folder_pair

    for fake in fakes:
        _require_two_folders(real, fake)
    models = _model_names(fakes)
    folder = real.resolve()  # what the pictures are called: its name, or where that is `real`, the one above it
    is_called_by_role = folder.name.lower() in _ROLES and folder.parent.name
    dataset = study_name(folder.parent.name if is_called_by_role else folder.name)
    roles = _roles(models)
    items: dict[str, dict[str, Path]] = {}
    unpaired: list[str] = []
    for role, fake in zip(roles, fakes, strict=True):
        both = folder_pair(real, fake, dataset=dataset, model=roles[role])
        unpaired += both.problems
        for row in both.rows:
            if row["kind"] == "fake" and row["reference_file"] and not row["problem"]:
                files = items.setdefault(row["item"].partition("/")[2], {"real": Path(row["reference_file"])})
                files[role] = Path(row["file"])
    pairs: Pairs = {stem: files for stem, files in items.items() if len(files) == 1 + len(roles)}
    if not pairs:
        raise UserError(f"{real}: no picture has a partner in every folder: {', '.join(map(str, fakes))}")
    _claim(out, real, fakes)
    refuse_if_held(*markers.run_lock(out))
    step = _Steps(listener)
    markers.run([_import_stage(pairs, out, real, fit=fit, dataset=dataset, roles=roles)], out, step)
    for line in _import_lines(out, list(dict.fromkeys(unpaired))):
        listener.message(line)
    markers.run([_audit_stage(out, pairs)], out, step)
    for line in _audit_lines(out):
        listener.message(line)
    file = out / "study.toml"
    if not file.is_file():
        write_study(file, _settings(out, dataset, models), sets=[out / "set"])
    plan = make_plan(file, out, threads=threads)
    stages = {stage.name: stage for stage in list_stages(plan)}
    too_few = ""
    try:
        draw_warnings(plan)
    except UserError as error:
        too_few = str(error)
        listener.message(f"quiz: left out, {too_few}")
    if find_spec("torch") is None:
        setup = setup_command("metrics")
        listener.message(f"metrics: left out, PyTorch is not installed; {setup}, then the same command again")
    else:
        markers.run([stages["metrics"]], out, step)
        for model in models:
            listener.message(_metrics_line(out / "metrics", plan.study.metrics.names, model, alone=len(models) == 1))
    if not too_few and not count_sessions(plan)["people"]:
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
    if too_few:
        listener.message("next: add pairs of pictures for the quiz, then give the same command again")
        return out / "report.html"
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


def _model_names(fakes: Sequence[Path]) -> list[str]:
    """The name of each folder's model: the folder's, or `generated` where that says no more than that.

    Raises:
        UserError: two folders have one name.
    """
    names = [study_name(fake.resolve().name) for fake in fakes]
    names = ["generated" if name.lower() in _ROLES or model_name_problem(name) else name for name in names]
    folded = [name.casefold() for name in names]  # each becomes a folder, on systems that know no case, too
    for number, name in enumerate(names):
        if folded[number] in folded[:number]:
            other = fakes[folded.index(folded[number])]
            if other.resolve() == fakes[number].resolve():
                raise UserError(f"{other}: given twice; name each model's folder once")
            raise UserError(f"{fakes[number]} and {other}: both models would be called {name}; rename one folder")
    return names


def _roles(models: Sequence[str]) -> dict[str, str]:
    """The model of each role: a role is also the folder, in the set, of its pictures."""
    return {"fake": models[0]} if len(models) == 1 else {f"fake/{model}": model for model in models}


def _claim(out: Path, real: Path, fakes: Sequence[Path]) -> None:
    """Take the folder; it serves these folders alone.

    Raises:
        UserError: it is somebody else's, or holds other results.
    """
    record = out / OWN_FOLDER / "try.json"
    folders = {"real": str(real.resolve()), "fakes": [str(fake.resolve()) for fake in fakes]}
    earlier = read_json(record) if record.is_file() else None
    if earlier is not None and not (isinstance(earlier, dict) and isinstance(earlier.get("fakes"), list)):
        raise UserError(f"{record}: does not say which folders --out {out} was made of; name another --out")
    if earlier not in (None, folders) and (out / "set" / TABLE_NAME).is_file():
        came_of = ", ".join(map(str, (earlier.get("real"), *earlier["fakes"])))
        raise UserError(f"--out {out}: holds what came of {came_of}; name another folder")
    claim_output_folder(out)
    if earlier is None and any(path.name != OWN_FOLDER for path in out.iterdir()):
        raise UserError(f"--out {out}: holds other results of gan_eval; name an empty folder")
    write_json(record, folders)


def _settings(out: Path, dataset: str, models: Sequence[str]) -> Values:
    """The keys of the study file that are not defaults, apart from the set."""
    pictures = max(PICTURES, PICTURES_EACH * len(models))
    made = "generated" if models == ["generated"] else f"from {', '.join(models)}"
    return {
        "study": {
            "name": study_name(out.resolve().name),
            "title": f"{dataset}: real and {made}",
            "question": "Can people tell the generated pictures from the real ones?",
        },
        "quiz": {"real": pictures, "fake": pictures, "participants": 1},
    }


def _import_stage(
    pairs: Pairs, out: Path, real: Path, *, fit: Fit | None, dataset: str, roles: Mapping[str, str]
) -> Stage:
    """The stimulus set; made again where pictures have changed, as long as nobody has judged them."""

    def work(listener: Listener) -> bool:
        if (out / "store.sqlite").is_file() and people_have_answered(open_plan(out / "study.toml", out)):
            raise UserError(
                f"--out {out}: the pictures or their set have changed since people judged them; name another folder"
            )
        import_items(
            pairs,
            out / "set",
            where=str(real),
            dataset=dataset,
            models=roles,
            resize=True,
            fit=fit,
            on_progress=lambda done, total: listener.progress("import", done, total),
        )
        return True

    def inputs() -> Mapping[str, str]:
        digests = {f"{role}/{stem}": sha256_file(path) for stem, files in pairs.items() for role, path in files.items()}
        for role, model in roles.items():
            if all(digests[f"real/{stem}"] == digests[f"{role}/{stem}"] for stem in pairs):
                raise UserError(f"{real}: every picture of {model} is the real one, byte for byte; name another folder")
        return {**digests, "names": f"{dataset} {' '.join(roles.values())}", "fit": fit or ""}

    table = out / "set" / TABLE_NAME
    made = [table, out / "set" / OWN_FOLDER / "import.json"]
    return Stage(
        name="import", settings={}, inputs=inputs, outputs=(table,), products=lambda: made, work=work, derives=True
    )


def _audit_stage(out: Path, pairs: Pairs) -> Stage:
    """Write what separates real from fake: `giveaways.csv`, and in `CODING` traces of the files' coding."""

    def work(listener: Listener) -> bool:
        from gan_eval.giveaways.audit import audit
        from gan_eval.giveaways.facts import coding_clue

        giveaways = audit(
            [read_set(out / "set")], on_progress=lambda done, total: listener.progress("audit", done, total)
        )
        sources = (source for files in pairs.values() for source in files.items())
        coding = coding_clue(("real" if role == "real" else "fake", path) for role, path in sources)
        write_json(out / OWN_FOLDER / CODING, coding)
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


def _import_lines(out: Path, unpaired: Sequence[str]) -> list[str]:
    rows = read_set(out / "set").rows
    record = read_json(out / "set" / OWN_FOLDER / "import.json")
    sizes = sorted({(row["width"], row["height"]) for row in rows})
    text = " to ".join(f"{width}x{height}" for width, height in dict.fromkeys((sizes[0], sizes[-1])))
    reals = sum(row["kind"] == "real" for row in rows)
    models = (len(rows) - reals) // reals
    what = "pairs" if models == 1 else f"pictures, real and from {models} models,"
    line = f"import: {reals} {what} of {text} pixels in {out / 'set'}"
    if record["resized"]:
        line += f"; {record['resized']} had other sizes and were brought to the smallest (bicubic)"
    lines = [line]
    if unpaired:
        lines.append(f"import: left out, without partner: {len(unpaired)}, such as {unpaired[0]}")
    if problems := record["problems"]:
        lines.append(f"import: left out, unusable: {len(problems)}, such as {problems[0]}")
    return lines


def _audit_lines(out: Path) -> list[str]:
    """For each model what separates real from fake without a look at the content, and the command that removes it."""
    from gan_eval.giveaways.clues import equalise_command
    from gan_eval.giveaways.compare import FEWEST

    of_models: dict[str, list[Row]] = {}
    for row in read_rows(out / "giveaways.csv", tables.GIVEAWAYS):
        of_models.setdefault(row["model"], []).append(row)
    equalise = equalise_command(out / "set", read_set(out / "set").rows)
    lines = []
    for model, rows in of_models.items():
        head = "audit" if len(of_models) == 1 else f"audit, {model}"
        compared = sum(row["auc"] is not None for row in rows)
        certain, telling = (
            [row["clue"] for row in rows if row["verdict"] == verdict] for verdict in ("gives_away", "look")
        )
        pictures = min(max(row[count] for row in rows) for count in ("n_real", "n_fake"))
        if certain:
            lines.append(f"{head}: {', '.join(certain)} give the truth away; even that out: {equalise}")
        elif telling:
            found = f"{len(telling)} of {compared} clues differ, by content or by coding"
            lines.append(f"{head}: {found}: {', '.join(telling)}")
        elif pictures < FEWEST:
            lines.append(f"{head}: too few pictures to tell: {pictures} of each kind, at least {FEWEST} are needed")
        else:
            lines.append(f"{head}: none of {compared} clues separates real from fake")
    if (coding := read_json(out / OWN_FOLDER / CODING)) is not None:
        lines.append(f"audit: {coding}; the same on all: {equalise} --jpeg 75")
    return lines


def _metrics_line(folder: Path, names: Sequence[str], model: str, *, alone: bool) -> str:
    """A model's mean of each picture metric, with that of the reals where they have it; its metrics of the set."""
    values: dict[tuple[str, str], list[float]] = {}
    for row in read_rows(folder / "image_metrics.csv", tables.IMAGE_METRICS):
        if row["model"] in (None, model):
            values.setdefault((row["metric"], row["kind"]), []).append(row["value"])
    for row in read_rows(folder / "set_metrics.csv", tables.SET_METRICS):
        if row["model"] == model:
            values.setdefault((row["metric"], "fake"), []).append(row["value"])

    def mean(metric: str, kind: str) -> str:
        known = [value for value in values.get((metric, kind), ()) if value is not None]
        number = f"{fmean(known):#.3g}".rstrip(".") if known else "–"
        return f"{number} {unit}" if known and (unit := select([metric])[0].unit) else number

    texts = [
        f"{name.upper()} {mean(name, 'fake')}" + (f" (real {reals})" if (reals := mean(name, "real")) != "–" else "")
        for name in names
    ]
    return f"{'metrics' if alone else f'metrics, {model}'}: {', '.join(texts)}"
