"""The same trials as the quiz's, shown by PsychoPy; started by `quiz_timing.py` in an environment that has it.

    python benchmarks/psychopy_side.py plan.json trials.csv

The plan is a list of {"picture", "exposure_ms"}; where the exposure is null, a picture stays until a key is pressed. A
picture is kept on by the wait that PsychoPy recommends where flips do not wait for the screen: all of it spent in a
loop on its clock, then one flip.

Keys are read by `psychopy.event`. `psychopy.hardware.keyboard`, whose times are nearer to the press, needs
psychtoolbox, which the environment that `quiz_timing.py` makes leaves out; without it that class falls back on
`psychopy.event` alone.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Any

BLANK_S = 0.5
MAX_S = 4.0
KEYS = ("f", "j")


def main(plan_file: str, out: str) -> None:
    """Show a plan and write what PsychoPy says of it."""
    import psychopy
    from psychopy import core, event, visual

    core.rush(True, realtime=True)  # as the quiz does where it may
    window = visual.Window(fullscr=True, color=0, colorSpace="rgb", allowGUI=False, checkTiming=False)
    plan: list[dict[str, Any]] = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    clock = core.Clock()
    rows = []
    window.flip()
    core.wait(1.0)
    for trial in plan:
        picture = visual.ImageStim(window, image=trial["picture"], units="pix")
        window.flip()
        core.wait(BLANK_S)
        event.clearEvents()
        picture.draw()
        window.callOnFlip(clock.reset)
        window.flip()
        exposure, key, reaction = trial["exposure_ms"], "", None
        if exposure is None:
            pressed = event.waitKeys(maxWait=MAX_S, keyList=list(KEYS), timeStamped=clock)
            if pressed:
                key, reaction = pressed[0][0], pressed[0][1] * 1000
        else:
            core.wait(exposure / 1000 - clock.getTime(), hogCPUperiod=exposure / 1000)
        window.flip()
        rows.append({"requested_exposure_ms": exposure, "key": key, "reaction_time_ms": reaction})
    core.wait(BLANK_S)
    with Path(out).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    print(psychopy.__version__)
    window.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
