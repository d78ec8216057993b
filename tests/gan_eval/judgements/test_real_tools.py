"""Studies that are played in the real tools, which npm and pip fetch; their files give the answers that were played."""

import json
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fetched_tools import fetched, only_tested, python_with
from tool_files import played
from x_screens import x_server

from gan_eval.base.errors import UserError
from gan_eval.judgements.convert import import_trials
from gan_eval.pictures.decode import write_png

pytestmark = pytest.mark.nightly
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
OTHER = {"real": "fake", "fake": "real"}
KEYS = {"real": "j", "fake": "f", None: None}
PLAY = [
    (f"img/{kind}_{number}.png", kind, None if number == 4 else OTHER[kind] if number == 2 else kind)
    for number in (1, 2, 3, 4, 5, 6)
    for kind in ("real", "fake")
]
"""Picture, kind and answer: 8 of 10 answers are right, 2 pictures are missed."""
PLAYED = (12, 2, 0.8)
NEEDS_X = pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if BROWSER is None or DRIVER is None:
        pytest.skip("needs chromium and chromedriver on the PATH")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"):
        options.add_argument(argument)
    options.binary_location = BROWSER
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


def shown(chromium: Any, folder: Path, scripts: list[str], study: str) -> list[str]:
    """Play a study in a page of its own; return what it gives to `finish`."""
    import numpy as np

    for picture, _, _ in PLAY:
        write_png(folder / picture, np.full((8, 8, 3), 90, np.uint8))
    loaded = "".join(f'<script src="node_modules/{script}"></script>' for script in scripts)
    script = f"const PLAY = {json.dumps(PLAY)}, KEYS = {{real: 'j', fake: 'f'}}; {textwrap.dedent(study)}"
    (folder / "page.html").write_text(f"<!doctype html><meta charset=utf-8><body>{loaded}<script>{script}</script>")
    chromium.get((folder / "page.html").as_uri())
    wait = "const done = arguments[0]; setInterval(() => window.result && done(window.result), 50)"
    return list(chromium.execute_async_script(wait))


def scripts_of_jspsych(folder: Path, *plugins: str, version: str = "8.3.0") -> list[str]:
    """Fetch jsPsych with plugins; return the scripts that a page loads."""
    if version[0] != "8":
        only_tested("an older jsPsych")
    plugin = {"8": "@2.1.0", "7": "@1.1.3"}.get(version[0], "")
    packages = [f"jspsych@{version}", *(f"@jspsych/plugin-{name}{plugin}" for name in plugins if plugin)]
    fetched(["npm", "install", "--silent", "--prefix", str(folder), *packages])
    if not plugin:
        return ["jspsych/jspsych.js", *(f"jspsych/plugins/jspsych-{name}.js" for name in plugins)]
    return [f"{package.rpartition('@')[0]}/dist/index.browser.min.js" for package in packages]


@pytest.mark.parametrize(
    ("version", "capital"), [("8.3.0", False), ("8.3.0", True), ("7.3.4", False), ("6.3.1", False)]
)
def test_jspsych_in_a_browser(tmp_path: Path, chromium: Any, version: str, capital: bool) -> None:
    scripts = scripts_of_jspsych(tmp_path, "html-keyboard-response", "image-keyboard-response", version=version)
    study = f"""
        const of6 = window.initJsPsych ? null : jsPsych
        const key = {json.dumps(capital)} ? key => key.toUpperCase() : key => key
        const on_finish = () => {{ window.result = [tool.data.get().csv(), tool.data.get().json()] }}
        const tool = of6 || initJsPsych({{on_finish}})
        tool.data.addProperties({{participant: "P1"}})
        const press = key => ["keydown", "keyup"].forEach(
          kind => tool.getDisplayElement().dispatchEvent(new KeyboardEvent(kind, {{key, bubbles: true}})))
        const timeline = PLAY.flatMap(([picture, truth, answer]) => [
          {{type: of6 ? "html-keyboard-response" : jsPsychHtmlKeyboardResponse, stimulus: "+",
            choices: of6 ? jsPsych.NO_KEYS : "NO_KEYS", trial_duration: 30}},
          {{type: of6 ? "image-keyboard-response" : jsPsychImageKeyboardResponse, stimulus: picture,
            choices: ["f", "j"], trial_duration: 400, data: {{truth}},
            on_load: () => answer && setTimeout(() => press(key(KEYS[answer])), 120),
            on_finish: data => {{ data.correct = tool.pluginAPI.compareKeys(data.response, KEYS[truth]) }}}}])
        of6 ? tool.init({{timeline, on_finish}}) : tool.run(timeline)
    """
    for ending, text in zip((".csv", ".json"), shown(chromium, tmp_path, scripts, study), strict=True):
        file = tmp_path / f"P1{ending}"
        file.write_text(text)
        found = import_trials(file, mapping={})
        assert played(found) == PLAYED
        assert found.trials["reaction_time_ms"].between(100, 400).sum() == 10


def test_a_button_of_jspsych_is_its_number_and_an_untouched_slider_its_start(tmp_path: Path, chromium: Any) -> None:
    scripts = scripts_of_jspsych(tmp_path, "html-button-response", "html-slider-response")
    study = """
        const jsPsych = initJsPsych({on_finish: () => { window.result = [jsPsych.data.get().json()] }})
        const button = n => document.querySelectorAll(".jspsych-btn")[n]
        const press = n => () => setTimeout(() => button(n).click(), 50)
        const slider = {type: jsPsychHtmlSliderResponse, stimulus: "b", slider_start: 37}
        jsPsych.run([
          {type: jsPsychHtmlButtonResponse, stimulus: "a", choices: ["real", "fake"], on_load: press(1)},
          {...slider, on_load: press(0)},
          {...slider, require_movement: true, trial_duration: 50, on_load() { window.waits = button(0).disabled },
            on_finish(data) { data.waits = window.waits }},
        ])
    """
    (text,) = shown(chromium, tmp_path, scripts, study)
    rows = json.loads(text)
    assert [row["response"] for row in rows][:2] == [1, 37]
    assert rows[2]["waits"]


def test_simulated_sessions_of_jspsych_have_no_mark(tmp_path: Path, chromium: Any) -> None:
    scripts = scripts_of_jspsych(tmp_path, "image-keyboard-response")
    study = """
        const show = (play, trial_duration) => new Promise(done => {
          const jsPsych = initJsPsych({on_finish: () => done(jsPsych.data.get().json())})
          play(jsPsych, PLAY.map(([stimulus, truth]) => (
            {type: jsPsychImageKeyboardResponse, stimulus, choices: ["f", "j"], data: {truth}, trial_duration})))
        })
        show((jsPsych, trials) => jsPsych.simulate(trials)).then(simulated =>
          show((jsPsych, trials) => jsPsych.run(trials), 20).then(played => { window.result = [simulated, played] }))
    """
    texts = shown(chromium, tmp_path, scripts, study)
    simulated, shown_to_people = map(json.loads, texts)
    assert {*simulated[0]} == {*shown_to_people[0]}
    (tmp_path / "P1.json").write_text(texts[0])
    words = {"response": {"f": "fake", "j": "real"}}
    assert any("simulated?" in line for line in import_trials(tmp_path / "P1.json", mapping={}, words=words).doubts)


@pytest.mark.parametrize("version", ["2018.1.1", "20.2.4"])
def test_labjs_in_a_browser(tmp_path: Path, chromium: Any, version: str) -> None:
    if version.startswith("2018"):
        only_tested("an older lab.js")
    fetched(["npm", "install", "--silent", "--prefix", str(tmp_path), f"lab.js@{version}"])
    study = """
        const press = key => document.documentElement.dispatchEvent(new KeyboardEvent("keypress", {key, bubbles: true}))
        const form = new lab.html.Form({
          title: "Form", content: '<form><input name="participant" value="P7"><button type="submit">a</button></form>'
        })
        form.on("run", () => setTimeout(() => document.querySelector("button").click(), 50))
        const pictures = PLAY.map(([picture, truth, answer]) => {
          const screen = new lab.html.Screen({
            title: "Picture", content: `<img src="${picture}">`, data: {picture, truth}, correctResponse: truth,
            responses: {"keypress(f)": "fake", "keypress(j)": "real"}, timeout: 600})
          screen.on("run", () => answer && setTimeout(() => press(KEYS[answer]), 150))
          return screen
        })
        const study = new lab.flow.Sequence({content: [form, ...pictures]})
        study.options.datastore = new lab.data.Store()
        study.options.el = document.body.appendChild(document.createElement("div"))
        study.on("end", () => setTimeout(() => {
          const store = study.options.datastore
          window.result = [store.exportCsv(), store.exportJson()]
        }, 100))
        study.run()
    """
    texts = shown(chromium, tmp_path, ["lab.js/dist/lab.js"], study)
    rows = json.loads(texts[1])
    assert [row["sender"] for row in rows if row.get("participant")] == ["Form"]
    missed = [row["duration"] for row in rows if row["sender"] == "Picture" and not row.get("response")]
    assert len(missed) == 2
    assert min(missed) > 590, "the limit"
    for ending, text in zip((".csv", ".json"), texts, strict=True):
        file = tmp_path / f"data{ending}"
        file.write_text(text)
        found = import_trials(file, mapping={})
        assert played(found) == PLAYED
        assert set(found.trials["participant"]) == {"P7"}
        assert found.trials["reaction_time_ms"].notna().sum() == 10


def test_psychopys_handlers(tmp_path: Path) -> None:
    needed = "numpy pandas openpyxl scipy pillow requests pyyaml packaging i18next six future json_tricks pyglet<2"
    python = python_with(tmp_path / "venv", *needed.split(), bare="psychopy==2026.2.5")
    study = f"""
        from psychopy import data
        KEYS, PLAY = {KEYS}, {PLAY}
        answers = {{picture: answer for picture, _, answer in PLAY}}
        shown = [dict(picture=picture, truth=truth, corrAns=KEYS[truth]) for picture, truth, _ in PLAY]
        for person, as_list in (("P1", False), ("P2", True)):
            about = {{"participant": person, "session": "001"}}
            study = data.ExperimentHandler(name="e", extraInfo=about, savePickle=False, saveWideText=False)
            trials = data.TrialHandler2(shown, nReps=1, method="random", seed=3, name="trials")
            study.addLoop(trials)
            for trial in trials:
                key = KEYS[answers[trial["picture"]]]
                trials.addData("key_resp.keys", [key] if as_list and key else key)
                trials.addData("key_resp.corr", int(key == trial["corrAns"] and not as_list))
                if key:
                    trials.addData("key_resp.rt", [0.5] if as_list else 0.5)
                trials.addData("slider.response", 3)
                trials.addData("slider.rt", 1.5)
                study.nextEntry()
            study.saveAsWideText(person + ".csv")
            trials.saveAsText(person + "_trials.txt")
    """
    (tmp_path / "study.py").write_text(textwrap.dedent(study))
    done = subprocess.run([python, "study.py"], cwd=tmp_path, capture_output=True, text=True)
    if "ModuleNotFoundError" in done.stderr:
        pytest.skip(f"PsychoPy needs more: {done.stderr.strip().splitlines()[-1]}")
    assert not done.returncode, done.stderr
    for person in ("P1", "P2"):
        found = import_trials(tmp_path / f"{person}.csv", mapping={})
        assert played(found) == PLAYED
        assert found.trials["reaction_time_ms"].dropna().eq(500).all()
        with pytest.raises(UserError, match="wide CSV"):
            import_trials(tmp_path / f"{person}_trials.txt", mapping={})
        text = pd.read_csv(tmp_path / f"{person}_trials.txt", sep="\t")
        assert (text["picture"] != text["picture_raw"]).any()


OTREE = """
    import random
    from otree.api import *

    PLAY = {play}

    class C(BaseConstants):
        NAME_IN_URL, PLAYERS_PER_GROUP, NUM_ROUNDS = "realfake", None, len(PLAY)

    class Subsession(BaseSubsession):
        pass

    class Group(BaseGroup):
        pass

    class Player(BasePlayer):
        picture, truth, rt = models.StringField(), models.StringField(), models.FloatField()
        is_real, confidence = models.BooleanField(), models.IntegerField()

    def creating_session(subsession):
        for player in subsession.get_players():
            player.picture, player.truth, _ = PLAY[subsession.round_number - 1]

    class Judge(Page):
        form_model, form_fields, timeout_seconds = "player", ["is_real", "rt"], 20

    class Sure(Page):
        form_model, form_fields, timeout_seconds = "player", ["confidence"], 20

    page_sequence = [Judge, Sure]
"""


def test_otree_with_bots(tmp_path: Path) -> None:
    python = python_with(tmp_path / "venv", "otree==6.0.15", "requests")
    project = tmp_path / "project"
    for name in ("realfake", "_static", "_templates"):
        (project / name).mkdir(parents=True)
    app = project / "realfake"
    (app / "__init__.py").write_text(textwrap.dedent(OTREE).format(play=PLAY))
    for page in ("Judge", "Sure"):
        (app / f"{page}.html").write_text("{{ block content }}{{ formfields }}{{ next_button }}{{ endblock }}")
    bot = """
        from otree.api import *
        from . import PLAY, Judge, Sure

        class PlayerBot(Bot):
            def play_round(self):
                answer = PLAY[self.round_number - 1][2]
                given = dict(is_real=answer == "real", rt=500.0 + self.round_number) if answer else {}
                yield Submission(Judge, given, timeout_happened=answer is None, check_html=False)
                given = dict(confidence=3) if answer and self.round_number != 1 else {}
                yield Submission(Sure, given, timeout_happened=not given, check_html=False)
    """
    (app / "tests.py").write_text(textwrap.dedent(bot))
    settings = """
        SESSION_CONFIGS = [dict(name="realfake", app_sequence=["realfake"], num_demo_participants=3)]
        SESSION_CONFIG_DEFAULTS = dict(real_world_currency_per_point=1.0, participation_fee=0.0)
        LANGUAGE_CODE, REAL_WORLD_CURRENCY_CODE, USE_POINTS, SECRET_KEY = "en", "USD", True, "made"
    """
    (project / "settings.py").write_text(textwrap.dedent(settings))
    otree = str(Path(python).with_name("otree"))
    done = subprocess.run([otree, "test", "realfake", "--export=out"], cwd=project, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-2000:]
    rows = pd.read_csv(project / "out" / "realfake.csv")
    missed = rows["player.picture"].str.contains("_4")
    assert rows.loc[missed, ["player.is_real", "player.confidence", "player.rt"]].eq(0).all(axis=None)
    for name in ("realfake.csv", "all_apps_wide.csv"):
        found = import_trials(project / "out" / name, mapping={})
        assert played(found) == (36, 6, 0.8)
        assert found.trials["confidence"].value_counts().to_dict() == {3: 27, 0: 3}
        assert any("3 confidences are 0" in line for line in found.doubts)
        assert found.trials["simulated"].all()


def shown_in_a_window(python: str, folder: Path, study: str) -> None:
    """Play a study whose code presses keys by `press(key)` a second later."""
    press = """
        import subprocess, threading

        def press(key):
            if key:
                threading.Timer(1, subprocess.run, [["xdotool", "key", key]]).start()
    """
    given = f"KEYS, PLAY = {KEYS}, {PLAY}\n"
    (folder / "study.py").write_text(given + textwrap.dedent(press) + textwrap.dedent(study))
    with x_server(1024, 768) as screen:
        environment = {**screen, "SDL_AUDIODRIVER": "dummy"}
        command = [python, "-X", "faulthandler", "study.py"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-2000:]


@NEEDS_X
def test_expyriment_in_a_window(tmp_path: Path) -> None:
    python = python_with(tmp_path / "venv", "expyriment==1.0.1")
    study = """
        from expyriment import control, design, misc, stimuli

        control.set_develop_mode(True)
        control.defaults.opengl = 0  # Mesa's renderer without a GPU crashed now and then as it took a text's pixels
        experiment = design.Experiment(name="Real or fake")
        control.initialize(experiment)
        experiment.add_data_variable_names(["picture", "truth", "key", "rt", "correct"])
        control.start(experiment, subject_id=7, skip_ready_screen=True)
        codes = {None: None, "f": misc.constants.K_f, "j": misc.constants.K_j}
        for picture, truth, answer in PLAY:
            stimuli.Rectangle((64, 64)).present()
            press(KEYS[answer])
            key, time = experiment.keyboard.wait([codes["f"], codes["j"]], duration=9000 if answer else 600)
            experiment.data.add([picture, truth, key, time, key == codes[KEYS[truth]]])
        control.end()
    """
    shown_in_a_window(python, tmp_path, study)
    (file,) = (tmp_path / "data").glob("*.xpd")
    assert file.read_text().startswith("#Expyriment 1.0.1 ")
    words = {"response": {"102": "fake", "106": "real"}}
    for found in (import_trials(file, mapping={}), import_trials(file, mapping={"correct": ""}, words=words)):
        assert played(found) == PLAYED
        assert {*found.trials["participant"]} == {"7"}
        assert found.trials["reaction_time_ms"].dropna().between(100, 9000).sum() == 10


OPENSESAME = """
    define sequence experiment
        run practice_loop True
        run block True
    define sequence block
        run main_loop True
    define sequence trial
        run show True
        run press_key True
        run key True
        run missed "response_key == None"
        run press_two "picture != 'practice.png'"
        run confidence "picture != 'practice.png'"
        run logger True
    define sketchpad missed
        set duration 0
    define sketchpad show
        set duration 0
        draw circle x=0 y=0 r=50
    define inline_script press_key
        ___run__
        press(pressed)
        __end__
    define keyboard_response key
        set timeout [limit]
        set allowed_responses "f;j"
    define inline_script press_two
        ___run__
        press("2")
        __end__
    define keyboard_response confidence
        set timeout 9000
        set allowed_responses "1;2"
    define logger logger
        set auto_log yes
"""


def loop(name: str, rows: list[dict[str, Any]]) -> str:
    """Return a loop of OpenSesame that shows a trial for each row."""
    cells = [f'setcycle {at} {column} "{cell}"' for at, row in enumerate(rows) for column, cell in row.items()]
    lines = ["set item trial", f"set cycles {len(rows)}", *cells, "run trial"]
    return "\n\t".join([f"define loop {name}", *lines]) + "\n"


@NEEDS_X
def test_opensesame_in_a_window(tmp_path: Path) -> None:
    needed = "pygame pyyaml datamatrix python-pseudorandom webcolors markdown numpy pillow"
    python = python_with(tmp_path / "venv", *needed.split(), bare="opensesame-core==4.1.22")
    rows = [
        {
            "picture": picture,
            "truth": truth,
            "correct_response": KEYS[truth],
            "pressed": KEYS[answer] or "",
            "limit": 9000 if answer else 600,
        }
        for picture, truth, answer in PLAY
    ]
    kinds = ("canvas", "keyboard", "mouse", "sampler", "clock", "color")
    head = ["---", "API: 3", "---", "set start experiment", *(f"set {kind}_backend legacy" for kind in kinds), ""]
    script = (
        "\n".join(head)
        + loop("practice_loop", [rows[0] | {"practice": "yes", "picture": "practice.png"}])
        + loop("main_loop", rows)
    )
    (tmp_path / "study.osexp").write_text(script + textwrap.dedent(OPENSESAME).replace("    ", "\t"))
    study = """
        from libopensesame.experiment import Experiment

        study = Experiment(string="study.osexp", logfile="subject-4.csv", subject_nr=4, experiment_path=".")
        study.python_workspace["press"] = press
        study.run()
        study.end()
    """
    shown_in_a_window(python, tmp_path, study)
    written = pd.read_csv(tmp_path / "subject-4.csv")
    assert written["response"].tolist() == ["j"] + ["2"] * 12, "that of the last question"
    assert {*written["practice"]} == {"yes"}, "the flag stays after the practice"
    assert written["response_time_key"][written["response_key"].isna()].between(600, 1000).sum() == 2, "the limit"
    found = import_trials(tmp_path / "subject-4.csv", mapping={})
    assert played(found) == PLAYED
    assert found.trials["phase"].tolist() == ["practice"] + ["main"] * 12
    assert {*found.trials["participant"]} == {"4"}
    assert found.trials["reaction_time_ms"].dropna().between(100, 9000).sum() == 11
