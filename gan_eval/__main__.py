"""`python -m gan_eval VERB …` and `gan-eval VERB …`: run a command, turn errors into lines and exit statuses."""

import gc
import signal
import sys
import traceback
import warnings

PUBLIC_VERBS = {"data", "weights"}
"""Commands whose files may be shared by all users of a computer; other commands write private files."""
YOUNG_OBJECTS = 50_000
"""New objects after which the quiz looks for cycles among them; with 700, its first page comes a tenth later."""
TRAINING_VERBS = {"demo", "run", "train"}
"""Commands that train, and keep freed memory for the next step."""
RESUMING_VERBS = {"data", "demo", "metrics", "quiz", "run", "serve", "train", "try", "weights"}
"""Commands that resume when they are rerun; other commands begin again."""


def main() -> None:
    """Run the command line: 0 done, 1 internal error, 2 bad input or usage, 3 rows were rejected, 130 interrupted."""
    try:
        status = _start()
    except KeyboardInterrupt:  # before the command, or after its end
        status = 130
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C during Python's shutdown would end it by the signal
    from gan_eval.base.start import exit_process

    exit_process(status)


def _start() -> int:
    """Prepare the process and run its command; return the exit status."""
    from gan_eval.base.start import (
        accept_any_text,
        keep_freed_memory,
        open_closed_streams,
        release_nothing_at_exit,
        remove_current_folder_from_path,
    )

    release_nothing_at_exit()
    from gan_eval.base.atomic import make_private

    if sys.argv[1:2] == ["quiz"]:
        gc.set_threshold(YOUNG_OBJECTS, 10, 10)
    if set(sys.argv[1:2]) & TRAINING_VERBS:
        keep_freed_memory()
    remove_current_folder_from_path()
    open_closed_streams()
    accept_any_text()
    if not set(sys.argv[1:2]) & PUBLIC_VERBS:
        make_private()
    warnings.filterwarnings("ignore", module=r"PIL\.")  # unreadable pictures have their own message
    return run(sys.argv[1:])


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    from gan_eval.base.errors import UserError

    try:
        from gan_eval.base.commands import VERBS, program
        from gan_eval.study.commands import app

        verbs = arguments[:1] if arguments and arguments[0] in VERBS else VERBS
        subcommand = len(arguments) > 1 and not arguments[1].startswith("-")
        status = (
            app.application(verbs, subcommand=subcommand)(arguments, prog_name=program(), standalone_mode=False) or 0
        )
        sys.stdout.flush()  # report a full disk here, not when the process ends
        return _interrupted(arguments) if status == 130 else int(status)
    except UserError as error:
        return _fail(str(error), 2)
    except KeyboardInterrupt:
        return _interrupted(arguments)
    except SystemExit as exit_:  # typer exits like this if the reader has closed the pipe
        return 0 if isinstance(exit_.__context__, BrokenPipeError) else int(exit_.code or 0)
    except ModuleNotFoundError as error:
        return _missing_library(error)
    except Exception as error:
        if hasattr(error, "exit_code"):  # a usage error of typer, or its Exit
            return _usage(error)
        if type(error).__name__ == "Abort":  # Ctrl-C or the end of the input at a question
            return _interrupted(arguments)
        if (line := _system_message(error)) is not None:
            return _fail(str(UserError(line)), 2)
        traceback.print_exc()
        return _fail("this is an error of the program, not of your input; please report it with the lines above", 1)


def _interrupted(arguments: list[str]) -> int:
    resumes = not RESUMING_VERBS.isdisjoint(arguments[:1])
    return _fail(f"interrupted; rerun the command{' to continue; finished work is kept' if resumes else ''}", 130)


def _usage(error: Exception) -> int:
    from gan_eval.base.errors import UserError

    status = int(error.exit_code)  # type: ignore[attr-defined]
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error)
        return status
    if not hasattr(error, "format_message"):
        return status
    context = getattr(error, "ctx", None)
    is_bad_value = getattr(error, "message", "") and hasattr(error, "param_hint")
    if context and not is_bad_value:
        print(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n", file=sys.stderr)
    verb = getattr(context, "info_name", None)
    line = error.format_message().replace("Value error, ", "")
    return _fail(str(UserError(f"{verb}: {line}" if verb and is_bad_value else line)), status)


def _system_message(error: Exception) -> str | None:
    """Return the message for an error of the system that no other message covers; else None."""
    from gan_eval.base.atomic import write_error
    from gan_eval.base.errors import shortened

    if isinstance(error, OSError) and error.errno is not None:
        name = error.filename if error.filename is not None else "a file or a stream"
        return str(write_error(name, error, "used"))
    if isinstance(error, UnicodeEncodeError):
        return f"{shortened(error.object, 200)}: not UTF-8; rename the file, or give another name"
    if isinstance(error, UnicodeDecodeError):
        return f"a file's text is not UTF-8 ({shortened(repr(error.object[:40]), 60)}); save it in UTF-8"
    if isinstance(error, ValueError) and "embedded null" in str(error):
        return "a file's name has a character of code 0; give another"
    return None


def _missing_library(error: ModuleNotFoundError) -> int:
    """Name the extra that contains a missing library; return the exit status."""
    from gan_eval.base.commands import setup_command

    of_metrics = ("torch", "torchmetrics", "torchvision", "safetensors", "numba", "piq", "lpips", "sklearn")
    extras = {**dict.fromkeys(of_metrics, "metrics"), "skimage": "train"}
    name = (error.name or "").split(".")[0]
    if name not in extras:
        traceback.print_exc()
        return _fail(f"the library {name or error} is missing; gan-eval doctor lists what is missing", 1)
    return _fail(f"this command needs {name}; install it with: {setup_command(extras[name])}", 2)


def _fail(message: str, status: int) -> int:
    """Print the message and return the status."""
    from gan_eval.base.commands import as_typed

    print(f"gan-eval: {as_typed(message)}", file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
