"""The page without a server in a real browser: in JATOS (a stand-in of its library), and on a host of files."""

import csv
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gan_eval import tables
from gan_eval.__main__ import run
from gan_eval.settings.template import toml
from gan_eval.store import open_store

pytest.importorskip("selenium.webdriver")
from page_server import NEEDS_BROWSER, answered, make_sets
from visitor import Visit, Visitor

pytestmark = NEEDS_BROWSER

JATOS = """
// A stand-in of the documented functions that the page uses; it has a batch session of its own, and changes can fail.
const post = async (name, body = "") => {
  const response = await fetch(`/jatos/${name}`, { method: "POST", body });
  if (!response.ok) throw new Error(response.status);
};
let batch = { others: 1 };
let refusals = 1;
const loaded = post("load");
window.jatos = {
  studyResultId: "7",
  urlQueryParameters: { PROLIFIC_PID: "P07", STUDY_ID: "s1" },
  onLoad: (callback) => loaded.then(() => setTimeout(callback, 100)),
  appendResultData: (data) => post("append", data),
  endStudy: (successful, message, showEndPage) => post("end", JSON.stringify([successful, message, showEndPage])),
  abortStudy: () => post("abort"),
  batchSession: {
    get: (name) => batch[name],
    set: async (name, value) => {
      if (refusals-- > 0) throw new Error("another participant was faster");
      batch[name] = value;
    },
  },
};
"""


class Host(ThreadingHTTPServer):
    """A web host of files, which keeps what is posted to it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(Files, directory=str(folder)))
        self.folder = folder
        self.posted: list[tuple[str, str]] = []
        self.refuses = False
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def link(self, participant: str = "", more: str = "") -> str:
        """Return the link of a participant, by default the one for all, as the command wrote it."""
        with (self.folder.parent / "study.links.csv").open() as file:
            (link,) = (row["link"] for row in csv.DictReader(file) if row["participant"] == participant)
        return str(link).replace("ADDRESS/", f"{self.url}/{more}")

    def bodies(self, name: str) -> list[str]:
        """Return the bodies posted to an address."""
        return [body for path, body in self.posted if path == name]


class Files(SimpleHTTPRequestHandler):
    server: Host

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self.server.refuses:
            self.server.posted.append((self.path, body))
        self.send_response(503 if self.server.refuses else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


Export = Callable[..., Host]


@pytest.fixture
def export(tmp_path: Path) -> Iterator[Export]:
    """Write the page of a study with these settings; its host."""
    hosts: list[Host] = []

    def make(*options: str, jatos: bool = False, **quiz: Any) -> Host:
        make_sets(tmp_path, None)
        quiz = {"real": 2, "fake": 2, "blank_ms": 100, "feedback_ms": 300, **quiz}
        study = {"study": {"name": "tiles", "seed": 5}, "stimuli": {"sets": ["tiles"]}, "quiz": quiz}
        (tmp_path / "study.toml").write_text("\n".join(f"{name} = {toml(value)}" for name, value in study.items()))
        hosts.append(Host(tmp_path / "web"))
        options = tuple(option.format(url=hosts[-1].url) for option in options)
        to = ("--out", str(tmp_path / "study.jzip")) if jatos else ("--static", str(tmp_path / "web"))
        assert run(["export", "page", str(tmp_path / "study.toml"), *to, "--people", "3", *options]) == 0
        if jatos:  # as JATOS unpacks and shows it
            with zipfile.ZipFile(tmp_path / "study.jzip") as archive:
                archive.extractall(tmp_path / "unpacked")
            (folder,) = (path for path in (tmp_path / "unpacked").iterdir() if path.is_dir())
            folder.rename(tmp_path / "web")
            (tmp_path / "web" / "jatos.js").write_text(JATOS)
        return hosts[-1]

    yield make
    for host in hosts:
        host.shutdown()
        host.server_close()


def imported(folder: Path, *results: Path) -> Path:
    """The store with the answers in these files, which are imported twice."""
    store = folder / "imported.sqlite"
    for _ in range(2):
        words = ["store", "import-page", *map(str, results), "--key", str(folder / "study.key"), "--store", str(store)]
        assert run(words) == 0
    return store


def check_rows(store: Path, visitor: Visitor, *, cut_off: int | None = None) -> None:
    """The store has the answers that were given, each once."""
    with open_store(store) as opened:
        rows = opened.rows(tables.TRIALS)
        (session,) = opened.rows(tables.SESSIONS)
    none = {} if cut_off is None else {cut_off: "none"}
    assert {row["trial"]: answered(row) for row in rows} == {**none, **visitor.given}
    assert (session["status"], session["presenter"]) == ("complete", "browser")
    given = [row for row in rows if answered(row) != "none"]
    for row in given:
        assert row["correct"] == (row["choice"] == "a" if row["choice"] else row["response"] == row["kind"])


def saved(visitor: Visitor, folder: Path) -> Path:
    """Press the button that saves the answers; the file."""
    visitor.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    visitor.driver.find_element("css selector", "a.save").click()
    visitor.wait(lambda _: any(folder.glob("*-*.json")))
    return next(folder.glob("*-*.json"))


def test_a_session_in_jatos_with_a_reload(export: Export, visit: Visit, tmp_path: Path) -> None:
    host = export(jatos=True, practice=1, exposure_ms=200, response_ms=1500, mask="noise", marks=2)
    visitor = visit(host.url)
    visitor.begin(3)
    visitor.driver.refresh()
    visitor.page("resume")
    assert visitor.walk()["page"] == "end"
    assert "feedback" in visitor.pages
    assert host.bodies("/jatos/end") == ['[true,"",false]']
    results = tmp_path / "results.zip"
    runs: list[str] = []
    for path, body in host.posted:
        if path == "/jatos/load":
            runs.append("")
        elif path == "/jatos/append":
            runs[-1] += body
    with zipfile.ZipFile(results, "w") as archive:
        for number, text in enumerate(runs):
            archive.writestr(f"study_result_7/comp-result_{number}/data.txt", text)
    assert len(runs) == 2
    store = imported(tmp_path, results)
    check_rows(store, visitor, cut_off=3)
    with open_store(store) as opened:
        (session,) = opened.rows(tables.SESSIONS)
        assert (session["participant"], session["list"]) == ("P07", 1)
        flagged = {row["trial"]: row["flags"] or "" for row in opened.rows(tables.TRIALS)}
        assert [row["answer"] for row in opened.rows(tables.PARTICIPANTS)] == ["s1"]
        marks = {row["trial"]: [(round(row["x"], 2), round(row["y"], 2))] for row in opened.rows(tables.MARKS)}
    assert marks == visitor.marked
    assert marks.keys() == {trial for trial, answer in visitor.given.items() if answer == "fake"}
    assert "killed" in flagged[3] or "hidden_tab" in flagged[3]
    assert "resumed" in flagged[4]


PIPE = """
const real = window.fetch;
window.fetch = (address, options) => {
  if (!String(address).startsWith("https://pipe.jspsych.org/api/data/")) return real(address, options);
  return real("/pipe", options);
};
"""
"""Sends to the host what is for DataPipe."""


@pytest.mark.nightly
def test_answers_are_posted_and_a_file_is_offered_if_that_fails(export: Export, visit: Visit, tmp_path: Path) -> None:
    host = export("--post", "{url}/answers", protocol="paired", pairs=3, marks=1, browser={"complete_code": "C0DE"})
    script = tmp_path / "web" / "static" / "dealt.js"
    script.write_text(script.read_text().replace("LAST_WAIT_MS = 15000", "LAST_WAIT_MS = 500"))
    visitor = visit(host.link("P02"), expected=("503",))
    visitor.begin(2)
    host.refuses = True
    assert visitor.walk()["page"] == "end"
    assert "C0DE" not in visitor.text
    posted = [json.loads(body) for body in host.bodies("/answers")]
    assert [record["name"] for record in posted] == ["begin", "ready", "trial", "marks"]
    (tmp_path / "posted.json").write_text(json.dumps(posted))
    check_rows(imported(tmp_path, saved(visitor, tmp_path), tmp_path / "posted.json"), visitor)
    assert visitor.pointed == {trial: ["right", "left"].index(answer) for trial, answer in visitor.given.items()}
    host.refuses = False
    visitor.wait(lambda _: "C0DE" in visitor.text)
    posted = [json.loads(body) for body in host.bodies("/answers")]
    assert [record["n"] for record in posted] == list(range(8)), "begin, ready, three trials and their marks, once each"


@pytest.mark.nightly
def test_datapipe_gets_one_file_and_nobody_s_code_gets_nothing(export: Export, visit: Visit, tmp_path: Path) -> None:
    host = export("--datapipe", "abc123", protocol="rating")
    visitor = visit()
    visitor.cdp("Page.addScriptToEvaluateOnNewDocument", source=PIPE)
    visitor.driver.get(host.link(more="?PROLIFIC_PID=PROLIFIC_PID"))
    visitor.page("refused")
    visitor.driver.get(host.link())
    assert visitor.walk()["page"] == "end"
    (sent,) = (json.loads(body) for body in host.bodies("/pipe"))
    assert sent["experimentID"] == "abc123"
    assert sent["filename"].endswith(".json")
    (tmp_path / "osf.json").write_text(sent["data"])
    store = imported(tmp_path, tmp_path / "osf.json")
    with open_store(store) as opened:
        assert len(opened.rows(tables.TRIALS)) == len(visitor.given) == 4


@pytest.mark.nightly
@pytest.mark.parametrize("jatos", [False, True])
def test_a_phone_is_turned_away_before_a_list_is_dealt(export: Export, visit: Visit, jatos: bool) -> None:
    host = (
        export("--post", "{url}/answers", browser={"touch": False})
        if not jatos
        else export(jatos=True, browser={"touch": False})
    )
    visitor = visit(f"{host.url}/?participant=P01&list=2", touch=True)
    visitor.page("refused")
    assert "needs a computer with a keyboard" in visitor.text
    assert "open the same link on a computer" in visitor.text
    assert visitor.script("return Object.keys(localStorage)") == []
    assert [path for path, _ in host.posted] == (["/jatos/load", "/jatos/end"] if jatos else [])


@pytest.mark.nightly
def test_two_tabs_and_a_withdrawal(export: Export, visit: Visit, tmp_path: Path) -> None:
    host = export("--post", "{url}/answers", response_ms="unlimited")
    first = visit(host.link("P01"))
    first.begin(1)
    second = visit(host.link("P01"))
    second.begin(2)
    with first.there():
        first.reply("fake")
        first.page("refused")
    second.pause()
    second.press("withdraw")
    second.press("withdraw")
    second.page("end")
    (tmp_path / "posted.json").write_text("\n".join(host.bodies("/answers")))
    with open_store(imported(tmp_path, tmp_path / "posted.json")) as opened:
        assert [row["status"] for row in opened.rows(tables.SESSIONS)] == ["aborted"]
        assert [row["response"] for row in opened.rows(tables.TRIALS)] == ["none", "none"]


def test_a_link_opens_its_own_list_and_two_tabs_are_one_session(export: Export, visit: Visit, tmp_path: Path) -> None:
    """Both tabs show the welcome page before one of them begins."""
    host = export("--post", "{url}/answers", response_ms="unlimited")
    link = host.link("P02")
    first = visit(link.partition("#")[0])
    for wrong in ("", link.replace("P02", "P01"), link.replace("list=2", "list=1"), link.replace("&list=2", "")):
        first.driver.get(wrong or first.driver.current_url)
        first.page("refused")
    first.driver.get(link.partition("#")[0])
    first.page("refused")
    first.driver.get(link)  # only what is behind # differs
    first.page("welcome")
    second = visit(link)
    second.begin(2)
    with first.there():
        first.begin(
            3
        )  # it continues with the session of the other tab; the trial that was on the screen counts as seen
    with second.there():
        second.reply("fake")
        second.page("refused")
    with first.there():
        assert first.walk()["page"] == "end"
    posted = [json.loads(body) for body in host.bodies("/answers")]
    assert len({record["session"] for record in posted}) == 1
    (tmp_path / "posted.json").write_text(json.dumps(posted))
    with open_store(imported(tmp_path, tmp_path / "posted.json")) as opened:
        (session,) = opened.rows(tables.SESSIONS)
        assert (session["participant"], session["list"], session["status"]) == ("P02", 2, "complete")
        given = {row["trial"]: answered(row) for row in opened.rows(tables.TRIALS)}
    assert given == {**second.given, 2: "none", **first.given}
