"""What the built program runs: the commands of a lab's desktop, and nothing else."""

import sys
from collections.abc import Sequence

QUIZ_VERBS = ("doctor", "participants", "quiz", "stimuli", "store")
ABOUT = "Can people tell generated pictures from photographs? The quiz, its store and its stimuli."


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status, as `gan_eval.__main__.run` does."""
    if tuple(arguments[:2]) == ("-P", "-c"):  # doctor asks a new interpreter, and here this program is the only one
        exec(arguments[2], {"__name__": "__main__"})
        return 0
    from gan_eval.__main__ import run
    from gan_eval.cli.app import application
    from gan_eval.files import make_private

    make_private()

    verb = arguments[0] if arguments else "--help"
    if not verb.startswith("-") and verb not in QUIZ_VERBS:
        known = ", ".join(QUIZ_VERBS)
        print(f"gan-eval: {verb}: not in this build of the quiz, which has {known}; use an installed gan_eval for it",
              file=sys.stderr)  # fmt: skip
        return 2
    return run(list(arguments), application=application(QUIZ_VERBS, about=ABOUT))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
