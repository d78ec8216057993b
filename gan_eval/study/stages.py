"""The stages of a study: train and generate for each model, audit, metrics, quiz, analyze, training, report."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval import __version__, tables
from gan_eval.base.atomic import OWN_FOLDER, write_bytes, write_json
from gan_eval.base.digests import sha256_bytes, sha256_file, sha256_json
from gan_eval.base.errors import UserError, naming
from gan_eval.base.file_sets import replaced_set
from gan_eval.base.output_folders import claim_output_folder, relative_path
from gan_eval.base.progress import Listener, about
from gan_eval.base.reading import read_bytes
from gan_eval.metrics import Settings
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.weights import cache
from gan_eval.pictures.audit import audit, summary_lines
from gan_eval.pictures.fills import BASELINES, write_fills
from gan_eval.pictures.sets import read_set
from gan_eval.report import write_report
from gan_eval.settings.facts import FACTS
from gan_eval.settings.study import CheckpointKind
from gan_eval.stats.recruitment import waiting_text
from gan_eval.store import open_store
from gan_eval.study.markers import Stage, files_of, hash_result
from gan_eval.study.plan import Plan
from gan_eval.study.sessions import (
    StoredSessions,
    all_sessions_complete,
    all_stimulus_hashes,
    answers_hash,
    draw_warnings,
    is_rehearsal,
    next_participant,
    next_session,
    read_sessions,
    require_one_design,
    require_shown_pictures,
    simulate_missing,
    stimulus_hashes,
)
from gan_eval.study.training import job_of, train_model
from gan_eval.tables import frames as tabular
from gan_eval.tables.names import MODELS_TEX

if TYPE_CHECKING:
    import pandas as pd

PUBLISHED = "published"
"""Name of the folder, and of the set, of the published tables."""
REPORTED_OF_TRAINING = ("config.json", "*.csv", "samples/*.png")
"""Files of a model's training that the report shows."""

OF_OTHER_STAGES = (f"{tables.PLATEAUS.name}.", f"{tables.GIVEAWAYS.name}.", MODELS_TEX)
"""Beginnings of the names of files in `tables/` that the stage `analyze` does not write."""

STATISTICS = "6"
"""Format number of the statistics; tables with an older number are computed again."""

GENERATORS: dict[CheckpointKind, str] = {"last": "generator.safetensors", "best": "best.safetensors"}
"""Files of a run that stimuli are made from."""


def list_stages(plan: Plan) -> list[Stage]:
    """Return all stages of a study in order."""
    models = [stage for model in plan.study.models for stage in (train_stage(plan, model), generate_stage(plan, model))]
    stages = [
        *models,
        audit_stage(plan),
        metrics_stage(plan),
        quiz_stage(plan),
        analyze_stage(plan),
        *([training_stage(plan)] if plan.study.models else []),
        report_stage(plan),
    ]
    return [replace(stage, redo_command=plan.command("--redo", stage.name)) for stage in stages]


def train_stage(plan: Plan, model: str) -> Stage:
    """Return the stage of one model's training."""
    study, dataset = plan.study, plan.study.models[model].data
    data, settings = study.data[dataset], study.training_of(model)
    out = plan.model_folder(model)
    models = list(study.models)
    position = f" (model {models.index(model) + 1} of {len(models)})" if len(models) > 1 else ""
    initial = settings.starts_from if settings.starts_from in study.models else None

    def work(listener: Listener) -> bool:
        show = about(f"train {model}{position}", listener.progress)
        show(0, 0)  # importing torch takes seconds

        train_model(
            job_of(plan, model),
            out,
            on_progress=show,
            on_message=listener.message,
        )
        return True

    def inputs() -> Mapping[str, str]:
        hashes = _picture_hashes(plan, model, data.train_split)
        if (start := plan.initial_file(model)) is not None:
            hashes["initial"] = hash_result(start, f"train-{initial}" if initial else "train")
        if settings.inpainting is not None:
            of_task = plan.task(model).definition().items()  # shapes, masks, a style network
            hashes |= {name: str(value) for name, value in of_task}
        return hashes

    return Stage(
        name=f"train-{model}",
        settings={
            "training": settings.model_dump(mode="json", exclude_defaults=True),
            "direction": data.direction,
            "split": data.train_split,
            "fraction": plan.training_fraction(model),
        },
        inputs=inputs,
        outputs=(out,),
        products=lambda: {out / GENERATORS["last"], out / GENERATORS[study.generate.checkpoint]},
        is_precious=not any((out / "checkpoints").glob("*")),  # the generator comes from the last one
        work=work,
        needs=() if initial is None else (f"train-{initial}",),
    )


def generate_stage(plan: Plan, model: str) -> Stage:
    """Return the stage of one model's stimuli."""
    study, dataset = plan.study, plan.study.models[model].data
    out = plan.stimuli_folder(model)
    file = plan.model_folder(model) / GENERATORS[study.generate.checkpoint]
    mask_seed = None if study.training_of(model).inpainting is None else study.study.seed
    holes = {} if mask_seed is None else {"mask_seed": mask_seed}

    def work(listener: Listener) -> bool:
        show = about(f"generate {model}", listener.progress)
        show(0, 0)  # importing torch takes seconds
        from trainer.generate import generate

        generate(
            file,
            plan.data_folder(dataset),
            split=plan.split(dataset),
            out=out,
            mode=study.generate.mode,
            limit=study.generate.limit,
            root=plan.data_root or Path(),
            dataset=dataset,
            model=model,
            mask_seed=mask_seed,
            threads=plan.threads,
            on_progress=show,
            on_message=listener.message,
        )
        return True

    def inputs() -> Mapping[str, str]:
        hashes = _picture_hashes(plan, model, plan.split(dataset))
        hashes["generator"] = hash_result(file, f"train-{model}")
        if study.training_of(model).inpainting is not None:
            hashes |= {name: str(value) for name, value in plan.task(model).conditions().items()}
        return hashes

    generation = study.generate.model_dump(mode="json")
    return Stage(
        name=f"generate-{model}",
        settings={"generate": generation, "split": plan.split(dataset), **holes},
        inputs=inputs,
        outputs=(out,),
        work=work,
        needs=(f"train-{model}",),
    )


def metrics_stage(plan: Plan) -> Stage:
    """Return the stage of the metrics of all stimulus sets."""
    out = plan.folder / "metrics"

    def work(listener: Listener) -> bool:
        from gan_eval.metrics.run.runner import missing_values, write_metrics

        sets = list(plan.measured_folders().values())
        if plan.study.metrics.baselines:
            sets += write_fills(sets, claim_output_folder(out) / BASELINES)
        results = write_metrics(
            sets,
            metrics_settings(plan),
            out,
            run_tasks=plan.run_tasks,
            on_progress=about("metrics", listener.progress),
            on_message=listener.message,
        )
        for line in missing_values(results.columns):
            listener.message(line)
        return True

    def inputs() -> Mapping[str, str]:
        files = {
            weights.name: str(file.stat().st_size)
            for weights, file in cache.list_weights()
            if file and weights.of_metrics
        }
        segmenter = plan.segmenter()
        if segmenter is not None:
            files["segmenter"] = sha256_file(segmenter) if segmenter.is_file() else str(segmenter)
        features, networks = plan.sources()
        files |= {f"features {name}": sha256_file(file) for name, file in features.items()}
        for name, file in networks.items():
            tomls = dict.fromkeys(
                (*cache.network_files(file), file.with_name(f"{name}.toml"), file.with_suffix(".toml"))
            )
            files[f"network {name}"] = " ".join(sha256_file(path) for path in tomls if path.is_file())
        return {**stimulus_hashes(plan), "weights": sha256_json(files), "format": "3"}  # 3: KID of different items

    return Stage(
        name="metrics",
        settings=plan.study.metrics.model_dump(mode="json"),
        inputs=inputs,
        outputs=(out,),
        work=work,
        derives=True,
        needs=_generate_names(plan),
        check=lambda redone: require_shown_pictures(plan, redone),
        section="metrics",
    )


def metrics_settings(plan: Plan) -> Settings:
    """Return how a study's pictures are measured."""
    from gan_eval.metrics.run.cache import cache_file

    section, (features, networks) = plan.study.metrics, plan.sources()
    return Settings(
        metrics=tuple(section.names),
        resizer=section.resizer,
        resize=section.resize,
        segmenter=plan.segmenter(),
        features=features,
        networks=networks,
        threads=plan.threads,
        cache=cache_file(),
    )


def audit_stage(plan: Plan) -> Stage:
    """Return the stage that writes `tables/giveaways.csv`: clues to real or fake other than the content."""
    out = plan.folder / "tables" / f"{tables.GIVEAWAYS.name}.csv"

    def work(listener: Listener) -> bool:
        sets = [read_set(folder) for folder in plan.stimulus_folders().values()]
        try:
            giveaways = audit(sets, on_progress=about("audit", listener.progress))
        except UserError as error:  # for example two models without real pictures
            listener.message(f"audit: skipped, {error}")
            return False
        claim_output_folder(out.parent, private=True)
        tabular.write_rows(giveaways.rows, out, tables.GIVEAWAYS)
        for line in summary_lines(giveaways):
            listener.message(f"audit: {line}")
        return True

    return Stage(
        name="audit",
        settings={},
        inputs=lambda: stimulus_hashes(plan),
        outputs=(out,),
        work=work,
        needs=_generate_names(plan),
        derives=True,
    )


def quiz_stage(plan: Plan) -> Stage:
    """Return the stage of the sessions: of people, or simulated in a rehearsal."""

    def work(listener: Listener) -> bool:
        study = require_one_design(plan, plan.store)
        for line in plan.study.quiz.doubts:
            listener.message(line)
        stored = read_sessions(plan)
        if is_rehearsal(plan, stored):
            simulate_missing(plan, study, stored, listener)
            stored = read_sessions(plan)
        if all_sessions_complete(plan, stored):
            return True
        if plan.simulate is not None:
            listener.message("quiz: people have answered, so no session is simulated")
        study.dealer.deal(1)  # refuses pools that are too small for any session
        return False

    return Stage(
        name="quiz",
        settings=plan.study.design,
        inputs=lambda: {**all_stimulus_hashes(plan), "participants": str(plan.study.quiz.participants)},
        outputs=(plan.store,),
        products=list,  # answers are added and removed, so the store's bytes are not compared
        is_precious=True,
        traces=tuple(plan.store.with_name(plan.store.name + suffix) for suffix in ("-wal", "-shm")),
        work=work,
        needs=_generate_names(plan),
        derives=True,  # more people may be invited
        is_finished=lambda: all_sessions_complete(plan, read_sessions(plan)),
    )


def analyze_stage(plan: Plan) -> Stage:
    """Return the stage of the tables of the statistics."""
    out = plan.folder / "tables"

    def inputs() -> Mapping[str, str]:
        metric_files = {
            path.name: sha256_file(path) for path in sorted((plan.folder / "metrics").glob("*_metrics.csv"))
        }
        facts = {"statistics": STATISTICS, "participants": str(plan.study.quiz.participants)}
        return {**facts, **metric_files, **stimulus_hashes(plan), "trials": answers_hash(plan)}

    return Stage(
        name="analyze",
        settings=plan.study.analysis.model_dump(mode="json"),
        inputs=inputs,
        outputs=(out,),
        products=lambda: [path for path in files_of(out) if not path.name.startswith(OF_OTHER_STAGES)],
        work=partial(_analyze, plan, out),
        derives=True,
        needs=("metrics", "quiz"),
        is_finished=lambda: all_sessions_complete(plan, read_sessions(plan)),
        section="analysis",
    )


def _analyze(plan: Plan, out: Path, listener: Listener) -> bool:
    """Write the tables of the study's answers into `out`; False without an answer."""
    from gan_eval.judgements.readers import stored_tables
    from gan_eval.stats.analysis import Answers, analyze_study
    from gan_eval.stats.writing import write_analysis

    stored: dict[tables.Table, pd.DataFrame] = {}
    if plan.store.is_file():
        with open_store(plan.store, create=False) as store:
            stored = stored_tables(store, plan.study.study.name)
    if not stored or stored[tables.TRIALS].empty:
        listener.message("analyze: no trials yet")
        if out.is_dir():  # tables of people who have been forgotten since
            write_analysis({}, out, given={})
        return False
    image_metrics, set_metrics = (
        file if (file := plan.folder / "metrics" / f"{table.name}.csv").is_file() else None
        for table in (tables.IMAGE_METRICS, tables.SET_METRICS)
    )
    maps, shown = None, list(plan.stimulus_folders().values())
    if len(stored[tables.MARKS]):
        from gan_eval.metrics.maps import PictureMaps
        from gan_eval.metrics.run.inputs import stimuli_of_sets

        maps = PictureMaps(stimuli_of_sets(shown))
    with naming(f"{plan.file}: ", only="analysis."):  # they are known only from the tables
        results, _ = analyze_study(
            Answers(stored, plan.study, plan.study.quiz.participants, store=plan.store),
            out,
            stimuli=shown,
            maps=maps,
            image_metrics=image_metrics,
            set_metrics=set_metrics,
            on_message=listener.message,
        )
    if words := waiting_text(results.get("recruitment")):
        listener.message(f"analyze: {words}")
    return True


def training_stage(plan: Plan) -> Stage:
    """Return the stage that finds when each model's validation metrics stopped improving."""
    out = plan.folder / "tables" / "plateaus.csv"
    files = {model: plan.model_folder(model) / "validation.csv" for model in plan.study.models}

    def work(_: Listener) -> bool:
        from gan_eval.stats.tables.plateau import all_plateaus

        validation = {
            name: tabular.read_table(file, tables.VALIDATION) for name, file in files.items() if file.is_file()
        }
        plateaus = all_plateaus(
            validation,
            datasets={name: model.data for name, model in plan.study.models.items()},
            higher_is_better={name: metric.higher_is_better for name, metric in METRICS.items()},
        )
        tabular.write_table(plateaus, out, tables.PLATEAUS, also=[out.with_suffix(".parquet")])
        return True

    return Stage(
        name="training",
        settings={},
        inputs=lambda: {model: sha256_file(file) for model, file in files.items() if file.is_file()},
        outputs=(out, out.with_suffix(".parquet")),
        work=work,
        derives=True,
        needs=tuple(f"train-{model}" for model in plan.study.models),
    )


def report_stage(plan: Plan) -> Stage:
    """Return the stage of the report, with the published tables copied next to it."""
    out, text = plan.folder / "report.html", read_bytes(plan.file) if plan.text is None else plan.text

    def work(listener: Listener) -> bool:
        write_bytes(plan.folder / "study.toml", text)
        write_json(plan.folder / OWN_FOLDER / FACTS, _report_facts(plan, read_sessions(plan)))
        with replaced_set(plan.folder, PUBLISHED) as new:  # tables that the study no longer names are removed
            for number, path in enumerate(plan.published().values(), start=1):
                write_bytes(new.folder / PUBLISHED / f"{number}_{path.name}", path.read_bytes())
        write_report(plan.folder, out)
        return True

    def inputs() -> Mapping[str, str]:
        files = [*(plan.folder / "tables").glob("*.csv"), *(plan.folder / "metrics").glob("*.csv")]
        for model in plan.study.models:
            files += [path for pattern in REPORTED_OF_TRAINING for path in plan.model_folder(model).glob(pattern)]
        hashes = {str(path.relative_to(plan.folder)): sha256_file(path) for path in sorted(files)}
        published = {name: sha256_file(path) for name, path in plan.published().items()}
        stored = read_sessions(plan)
        facts = _report_facts(plan, stored)
        if facts["sessions"]["next"]:
            facts["sessions"]["next"] = next_participant(plan)  # a command has paths
        of_study = {"study file": sha256_bytes(text), "facts": sha256_json(facts)}
        return {**hashes, **published, **stimulus_hashes(plan), **of_study}

    return Stage(
        name="report",
        settings={},  # the study file is an input: changed words only change the page
        inputs=inputs,
        outputs=(out,),
        products=lambda: [
            out,
            plan.folder / "tables" / MODELS_TEX,
            plan.folder / "study.toml",
            plan.folder / OWN_FOLDER / FACTS,
            *files_of(plan.folder / PUBLISHED),
        ],
        work=work,
        derives=True,
        needs=("audit", "analyze", "training"),
        is_finished=lambda: all_sessions_complete(plan, read_sessions(plan)),
    )


def _picture_hashes(plan: Plan, model: str, split: str) -> dict[str, str]:
    """Return the SHA-256 of each picture of a split of the model's data set, by path within the data set."""
    folder = plan.data_folder(plan.study.models[model].data)
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in plan.pictures(model, split)}


def _generate_names(plan: Plan) -> tuple[str, ...]:
    return tuple(f"generate-{model}" for model in plan.study.models)


def _report_facts(plan: Plan, stored: StoredSessions) -> dict[str, Any]:
    """Return facts for the report that are in no table."""
    study = plan.study
    try:
        notes = draw_warnings(plan)
    except UserError as error:  # too small for any session
        notes = [str(error)]
    return {
        "fraction": plan.fraction if study.models and not plan.smoke else None,
        "smoke": plan.smoke,
        "sessions": {**stored.counts, "wanted": study.quiz.participants, "next": next_session(plan, stored)},
        "notes": notes,
        "imported_sets": [relative_path(plan.file.parent / name, plan.folder) for name in study.stimuli.sets],
        "software": f"gan_eval {__version__}",
    }
