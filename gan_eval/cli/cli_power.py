"""The command `power`."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_eval.cli.options import Out, given, pairs, tables_as_json
from gan_eval.errors import UserError
from gan_eval.settings.quiz import PAIRS

if TYPE_CHECKING:
    from gan_eval.settings.analysis import PowerSettings
    from gan_eval.settings.study import Study
    from gan_eval.tabular import Row

EFFECTS = ("false_alarm_rate", "fooling_rate", "choice_rate", "sd_participant", "sd_stimulus", "sd_slope")
"""Settings of `[power]` that `--effect` gives, beside fooling_rates.MODEL."""


def power(
    study: Annotated[Path, typer.Argument(help="The study file (TOML).")],
    out: Out,
    participants: Annotated[
        str | None,
        typer.Option(help="Numbers of participants to try, such as 10,20,40; default: those of the section power."),
    ] = None,
    simulations: Annotated[int | None, typer.Option(help="Simulated studies for each number.")] = None,
    effect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="An assumption, repeatable: fooling_rate=0.6, fooling_rates.MODEL=0.5, false_alarm_rate, "
            "choice_rate, sd_participant, sd_stimulus, sd_slope.",
        ),
    ] = None,
    stimuli: Annotated[
        int | None, typer.Option(help="Pictures of each class in the pool; default: those that the study has.")
    ] = None,
    target: Annotated[float | None, typer.Option(help="The power wanted, such as 0.8.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the simulation.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: the usable cores.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The table to stdout as JSON.")] = False,
) -> None:
    """Tell how many people to invite: simulate the study's own design and analyse each simulated study as planned.

    Writes power.csv and power.svg into --out, which may be the study's folder: its stimulus sets are the pool then.
    """
    from gan_eval.settings.study import load_study

    checked = load_study(study)
    settings = _settings(
        checked.power,
        given(participants=_numbers(participants), simulations=simulations, stimuli=stimuli, target=target, seed=seed),
        effect or [],
    )
    from gan_eval.power.pool import require_power_is_defined

    require_power_is_defined(checked.quiz, where=str(study))
    assumed = pairs(effect or [], "--effect").keys()
    _require_effect(assumed, settings, checked.quiz.protocol)
    pool = _pool(checked, study, out, settings.stimuli)
    _require_known_models(settings, pool, where=str(study), assumed=assumed)
    from gan_eval import tables, tabular
    from gan_eval.cli.console import Console
    from gan_eval.file_sets import replaced_set
    from gan_eval.files import claim_output_folder, write_text
    from gan_eval.power import plan_power
    from gan_eval.power.curve import power_curve
    from gan_eval.power.parallel import usable_cores
    from gan_eval.power.words import sentences, table_lines

    claim_output_folder(out)
    with Console() as console:
        plan = plan_power(
            checked,
            pool,
            settings=settings,
            workers=workers or usable_cores(),
            where=str(study),
            on_progress=lambda done, total: console.progress("power", done, total, unit="studies"),
        )
        curve = power_curve(plan)
        with replaced_set(out, "power") as new:
            tabular.write_table(plan.table, new.folder / "power.csv", tables.POWER)
            write_text(new.folder / "power.svg", curve)
    for line in (*table_lines(plan), "", *sentences(plan)):
        typer.echo(line, err=True)
    typer.echo(tables_as_json({"power": plan.table}) if as_json else out)


def _settings(settings: "PowerSettings", options: dict[str, Any], effects: list[str]) -> "PowerSettings":
    """The study's assumptions with those of the command line in their place.

    Raises:
        UserError: an option is not what it must be.
    """
    from gan_eval.settings.analysis import PowerSettings
    from gan_eval.settings.sections import as_flag, check_options

    values = settings.model_dump() | options
    rates = dict(settings.fooling_rates)
    for name, text in pairs(effects, "--effect").items():
        number = _number(name, text)
        if name.startswith("fooling_rates."):
            rates[name.removeprefix("fooling_rates.")] = number
        elif name in EFFECTS:
            values[name] = number
        else:
            raise UserError(f"--effect {name}: wanted one of {', '.join(EFFECTS)}, fooling_rates.MODEL")
    return check_options(
        PowerSettings,
        values | {"fooling_rates": rates},
        spelled=lambda name: f"--effect {name}" if name in (*EFFECTS, "fooling_rates") else as_flag(name),
    )


def _require_effect(assumed: Collection[str], settings: "PowerSettings", protocol: str) -> None:
    """
    Raises:
        UserError: an assumption was given that answers of this protocol do not follow from.
    """
    unused = {"choice_rate": "pairs are chosen from; single pictures are shown"}
    if protocol in PAIRS:
        unused = {"sd_slope": "it is of answers to single pictures; pairs are shown"}
        rates = [*(name for name in assumed if name.startswith("fooling_rates.")), "fooling_rate", "false_alarm_rate"]
        if settings.choice_rate is not None:
            unused |= dict.fromkeys(rates, "choice_rate says how pairs are chosen from")
        elif protocol == "model_vs_model":
            unused["false_alarm_rate"] = "no real pictures are shown"
    for name, why in unused.items():
        if name in assumed:
            raise UserError(f"--effect {name}: has no effect with the protocol {protocol}: {why}")


def _require_known_models(
    settings: "PowerSettings", pool: "list[Row]", *, where: str, assumed: Collection[str]
) -> None:
    models = sorted({str(row["model"]) for row in pool if row["model"]})
    for name in settings.fooling_rates:
        if name not in models:
            place = "--effect " if f"fooling_rates.{name}" in assumed else f"{where}: power."
            raise UserError(f"{place}fooling_rates.{name}: no such model; the study has {', '.join(models)}")


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UserError(f"--effect {name}={text}: wanted a number") from error


def _numbers(text: str | None) -> tuple[int, ...] | None:
    try:
        return None if text is None else tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise UserError(f"--participants {text}: wanted whole numbers with commas, such as 10,20,40") from error


def _pool(study: "Study", file: Path, out: Path, size: int | None) -> "list[Row]":
    """The pool that was asked for, else the study's stimulus sets.

    Raises:
        UserError: there are none yet, and nobody says how many there will be.
    """
    from gan_eval.power.pool import planned_stimuli, versions_of
    from gan_eval.stimuli.sets import TABLE_NAME, read_sets
    from gan_eval.study.plan import Plan

    folders = Plan(study, file, out, None).stimulus_folders()
    there = [folder for folder in folders.values() if (folder / TABLE_NAME).is_file()]
    if size is None:
        if len(there) < len(folders):
            missing = next(folder for folder in folders.values() if folder not in there)
            raise UserError(
                f"{file}: no stimuli in {missing} yet, so the pool's size is unknown; give --stimuli N (pictures of "
                "each class), or stimuli under [power], or --out with the study's folder"
            )
        return list(read_sets(folders.values()).rows)
    known = versions_of(study, read_sets(there).rows if there else ())
    if not known:
        raise UserError(
            f"{file}: no [models.NAME], and none of stimuli.sets is there yet: nobody knows which models are compared"
        )
    return planned_stimuli(known, size)
