"""Exposures and reaction times of the page that `serve` shows compared with jsPsych's, seen from outside.

    python benchmarks/page_timing.py --trials 200 --presses 200 --picture 256
    python benchmarks/page_timing.py --trials 200 --presses 200 --picture 700
    python benchmarks/page_timing.py --browser firefox --exposures 50,100,150,250,1000 --page-alone
    python benchmarks/page_timing.py --browser webkit --exposures 50,100,150,250,1000 --page-alone

Both run in Chromium, Firefox or WebKitGTK's MiniBrowser, full screen under the same private Xvfb, and show the same
noisy pictures for 100, 250, 500 and 1000 ms (whole frames of 60 Hz), mixed, in alternating blocks; `screen_watch.py`
watches the pixels. Then each shows pictures until a key comes, and `screen_watch.py` presses one a known time after it
has seen the onset. jsPsych preloads its pictures and uses its plugin image-keyboard-response. Figures are milliseconds;
they mean something on a machine that does nothing else. Needs the browser, Xvfb, libX11, libXtst and npm, which fetches
jsPsych; MiniBrowser (Debian: webkit2gtk-driver) also needs openbox, because it fills the screen only under a window
manager.
"""

import argparse
import json
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import quiz_timing
from peers import ROOT
from quiz_timing import EXPOSURES, SCREEN, Environment, Pair, make_stimuli, private_screen, watch_side

from gan_eval import tables
from gan_eval.base.commands import own_command
from gan_eval.store import open_store
from gan_eval.tables.declared import LATE_MS
from gan_eval.tables.frames import Row

JSPSYCH = ("jspsych@8.3.0", "@jspsych/plugin-image-keyboard-response@2.2.0", "@jspsych/plugin-preload@2.1.0")
MAX_S = 900
NEAR_MS = 4.0

HTML = """<!doctype html><html><head><meta charset="utf-8"><title>jsPsych</title>
<script src="node_modules/jspsych/dist/index.browser.min.js"></script>
<script src="node_modules/@jspsych/plugin-image-keyboard-response/dist/index.browser.min.js"></script>
<script src="node_modules/@jspsych/plugin-preload/dist/index.browser.min.js"></script>
<link rel="stylesheet" href="node_modules/jspsych/css/jspsych.css">
<style>body { background: rgb(128, 128, 128); margin: 0; cursor: none }</style></head><body><script>
const plan = PLAN;
const jsPsych = initJsPsych({ on_finish: () => fetch("done", { method: "POST", body: jsPsych.data.get().json() }) });
const trials = plan.map(({ picture, exposure_ms }) => ({
  type: jsPsychImageKeyboardResponse, stimulus: picture, choices: ["f", "j"], post_trial_gap: 500,
  stimulus_duration: exposure_ms, trial_duration: exposure_ms === null ? 4000 : WINDOW_MS,
  response_ends_trial: exposure_ms === null, data: { exposure_ms },
}));
jsPsych.run([{ type: jsPsychPreload, images: plan.map(({ picture }) => picture), post_trial_gap: 1500 }, ...trials]);
</script></body></html>"""


def chromium(address: str, profile: Path) -> list[str]:
    """The command of a full-screen Chromium."""
    options = ["--no-sandbox", "--kiosk", "--no-first-run", "--disable-search-engine-choice-screen"]
    options += [f"--user-data-dir={profile}", f"--window-size={SCREEN[0]},{SCREEN[1]}", "--window-position=0,0"]
    return [_found("chromium", "chromium-browser", "google-chrome"), *options, f"--app={address}"]


def firefox(address: str, profile: Path) -> list[str]:
    """The command of a full-screen Firefox; its profile is made."""
    profile.mkdir(parents=True)
    quiet = ["browser.aboutwelcome.enabled", "browser.shell.checkDefaultBrowser", "app.update.enabled"]
    quiet += ["datareporting.policy.dataSubmissionEnabled", "toolkit.cosmeticAnimations.enabled"]
    (profile / "user.js").write_text("".join(f'user_pref("{name}", false);\n' for name in quiet), encoding="utf-8")
    size = ["--width", str(SCREEN[0]), "--height", str(SCREEN[1])]
    return [_found("firefox-esr", "firefox"), "--no-remote", "--profile", str(profile), *size, "--kiosk", address]


def webkit(address: str, profile: Path) -> list[str]:
    """The command of a full-screen MiniBrowser, which keeps nothing."""
    programs = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    return [str(programs[-1]) if programs else "MiniBrowser", "--private", "--full-screen", address]


BROWSERS = {"chromium": chromium, "firefox": firefox, "webkit": webkit}


def window_ms(exposures: Sequence[int]) -> int:
    """The response window of flashes: a second, or the longest exposure."""
    return max(1000, *exposures)


def _found(*names: str) -> str:
    return next((found for name in names if (found := shutil.which(name))), names[0])


@contextmanager
def browsing(browser: str, address: str, environment: Environment, folder: Path) -> Iterator[None]:
    """A full-screen browser with a profile of its own; for MiniBrowser a window manager is started before."""
    commands = [BROWSERS[browser](address, folder / "profile")]
    if browser == "webkit":
        commands.insert(0, [_found("openbox")])
    quiet: dict[str, Any] = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = []
    try:
        for command in commands:
            if shutil.which(command[0]) is None:
                raise SystemExit(f"--browser {browser}: {command[0]} is not installed")
            processes.append(subprocess.Popen(command, **quiet))
        yield
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(20)


class Page:
    """Our side."""

    name = "page"

    def __init__(self, folder: Path, browser: str, exposures: Sequence[int]) -> None:
        self._folder, self._browser, self._exposures = folder, browser, exposures

    def run(self, environment: Environment, block: str, trials: int, *, flashes: bool) -> list[Row]:
        """One session; its trials."""
        store, each = self._folder / f"{block}.sqlite", str(trials // 2)
        command = ["serve", "--stimuli", str(self._folder / "set"), "--store", str(store), "--port", "0", "--no-intro"]
        command += ["--real", each, "--fake", each]
        flash = ["--protocol", "yes_no", "--exposure-ms", ",".join(map(str, self._exposures))]
        flash += ["--response-ms", str(window_ms(self._exposures))]
        command += flash if flashes else ["--response-ms", "4000"]
        log = self._folder / f"{block}.log"
        with log.open("w") as said:
            server = subprocess.Popen(own_command(*command), stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            assert server.stdout is not None
            serving = server.stdout.readline().split()
            if not serving:
                raise SystemExit(f"the page cannot be served: {log.read_text().strip()}")
            address = serving[-1]
            with browsing(self._browser, f"{address}/?participant=P01", environment, self._folder / block):
                for _ in range(MAX_S):
                    time.sleep(1)
                    with open_store(store, create=False) as opened:
                        if opened.rows(tables.SESSIONS, status="complete"):
                            return opened.rows(tables.TRIALS)
        finally:
            server.terminate()
            server.wait(20)
        raise SystemExit(f"{block}: the session did not end")


class JsPsych:
    """The other side."""

    name = JSPSYCH[0].replace("@", " ")

    def __init__(self, folder: Path, browser: str, exposures: Sequence[int]) -> None:
        self._folder, self._browser, self._exposures = folder, browser, exposures

    def run(self, environment: Environment, block: str, trials: int, *, flashes: bool) -> list[Row]:
        """One block of the same pictures and exposures."""
        pictures = sorted(self._folder.glob("set/*/*.png"))[:trials]
        exposures = [self._exposures[number % len(self._exposures)] if flashes else None for number in range(trials)]
        random.Random(block).shuffle(exposures)
        plan = [
            {"picture": path.relative_to(self._folder).as_posix(), "exposure_ms": exposure}
            for path, exposure in zip(pictures, exposures, strict=True)
        ]
        html = HTML.replace("PLAN", json.dumps(plan)).replace("WINDOW_MS", str(window_ms(self._exposures)))
        (self._folder / "index.html").write_text(html, encoding="utf-8")
        done: list[list[Row]] = []

        class Handler(SimpleHTTPRequestHandler):
            def do_POST(self) -> None:
                done.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        def handler(*arguments: object) -> Handler:
            return Handler(*arguments, directory=str(self._folder))  # type: ignore[arg-type]

        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            with browsing(self._browser, f"http://127.0.0.1:{server.server_port}/", environment, self._folder / block):
                for _ in range(MAX_S):
                    time.sleep(1)
                    if done:
                        break
            server.shutdown()
        rows = [row for row in done[0] if row["trial_type"] == "image-keyboard-response"]
        return [
            {"requested_exposure_ms": row["exposure_ms"], "reaction_time_ms": row["rt"], "key": row["response"]}
            for row in rows
        ]


Side = Page | JsPsych


def line(title: str, values: Sequence[float]) -> None:
    """Print one line of figures."""
    near = 100 * sum(abs(value) <= NEAR_MS for value in values) / len(values)
    figures = f"{fmean(values):>9.2f}{pstdev(values):>8.2f}{max(map(abs, values)):>9.2f}{near:>9.1f}"
    print(f"  {title:<38}{len(values):>5}{figures}")


def compare(folder: Path, sides: Sequence[Side], options: argparse.Namespace) -> None:
    """Run all blocks of both sides by turns, and print the figures."""
    exposures: dict[str, list[Pair]] = {side.name: [] for side in sides}
    reactions: dict[str, list[Pair]] = {side.name: [] for side in sides}
    with private_screen() as environment:
        for number in range(options.blocks):
            for kind in ("flashes", "presses"):
                for side in sides:
                    trials = (options.trials if kind == "flashes" else options.presses) // options.blocks
                    block = f"{side.name.split()[0]}-{kind}-{number}"
                    if trials:
                        found = watch_side(side, environment, folder, block, trials, flashes=kind == "flashes")
                        (exposures if kind == "flashes" else reactions)[side.name] += found
    print(
        f"  {f'{options.browser}, {options.picture} px; milliseconds':<38}{'n':>5}{'mean':>9}{'sd':>8}{'largest':>9}"
        f"{'% ≤ 4':>9}"
    )
    for name, pairs in exposures.items():
        if pairs:
            line(f"{name}: exposure, seen - requested", [_excess(pair) for pair in pairs])
            for exposure in options.exposures:
                chosen = [pair for pair in pairs if pair.number("requested_exposure_ms") == exposure]
                line(f"    {exposure} ms", [_excess(pair) for pair in chosen])
            off = [str(pair.recorded.get("flags")) for pair in pairs if abs(_excess(pair)) > LATE_MS]
            late = sum("late" in each for each in off)
            print(f"    off by more than {LATE_MS:g} ms: {len(off)}, of which flagged: {late}")
    for name, pairs in reactions.items():
        if pairs:
            answered = [pair for pair in pairs if pair.recorded["reaction_time_ms"] is not None]
            errors = [pair.number("reaction_time_ms") - pair.true_reaction for pair in answered]
            line(f"{name}: reaction time, recorded - true", errors)
            print(f"    keys lost: {len(pairs) - len(answered)} of {len(pairs)}")


def _excess(pair: Pair) -> float:
    return pair.seen_exposure - pair.number("requested_exposure_ms")


def _whole_numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def main() -> None:
    """Read the options, run both sides, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200, help="of mixed exposures, a side; 0: none")
    parser.add_argument("--presses", type=int, default=200, help="a side; 0: none")
    parser.add_argument("--blocks", type=int, default=2, help="the sides take turns so often")
    parser.add_argument("--picture", type=int, default=256, help="width and height in pixels")
    parser.add_argument("--browser", choices=BROWSERS, default="chromium")
    parser.add_argument("--exposures", type=_whole_numbers, default=EXPOSURES, help="in ms, such as 50,100,250")
    parser.add_argument("--jspsych", type=Path, default=ROOT / "build" / "jspsych", help="folder that npm fills")
    parser.add_argument("--page-alone", action="store_true", help="leave jsPsych out")
    options = parser.parse_args()
    quiz_timing.PICTURE = options.picture
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_stimuli(folder / "set", max(options.trials, options.presses) // options.blocks)
        sides: list[Side] = [Page(folder, options.browser, options.exposures)]
        if not options.page_alone:
            if not (options.jspsych / "node_modules").is_dir():
                options.jspsych.mkdir(parents=True, exist_ok=True)
                install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(options.jspsych), *JSPSYCH]
                subprocess.run(install, check=True)
            (folder / "node_modules").symlink_to((options.jspsych / "node_modules").resolve())
            sides.append(JsPsych(folder, options.browser, options.exposures))
        compare(folder, sides, options)


if __name__ == "__main__":
    main()
