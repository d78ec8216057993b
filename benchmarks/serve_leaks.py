"""Try to distinguish real from generated pictures by everything about their responses but the pixels.

    python benchmarks/serve_leaks.py
    python benchmarks/serve_leaks.py --people 60 --size 512

The real pictures are photographs' noise as JPEG, the generated ones are smooth PNG files, so that both take different
times to read and to decode. People answer as fast as they can and fetch each picture once, the first of them from a
server that has just been started. Printed are the numbers of different lengths and headers, the area under the ROC
curve of a classifier over the letters of the addresses and their places in the order of the trials (cross-validated by
session; 0.5 is chance), and that of the response times alone with the p value of a rank test: those of pictures that
nobody has fetched before, those of all pictures, those of the answer after which a picture's address is given, and
those of the answer to a picture.
"""

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import mannwhitneyu

from gan_eval import tables
from gan_eval.pictures.decode import write_png
from gan_eval.pictures.sets import stimulus_row, write_set
from gan_eval.store import open_store

ITEMS = 60
TAB = "tab-0123456789abcdef"
SCREEN = {"width": 1920, "height": 1080, "window_width": 1920, "window_height": 1080, "device_pixel_ratio": 1.0}


def main() -> None:
    """Collect and compare."""
    parser = argparse.ArgumentParser(description="what responses say of their pictures")
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--size", type=int, default=256, help="of the pictures, in pixels")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_set(Path(folder) / "set", arguments.size)
        store = f"{folder}/store.sqlite"
        command = [sys.executable, "-m", "gan_eval", "serve", "--stimuli", f"{folder}/set", "--store", store]
        command += ["--port", "0", "--real", "15", "--fake", "15", "--allow-giveaways", "format,metadata"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline().rsplit(":", 1)[1])
            with open_store(store) as opened:
                found = [each for person in range(arguments.people) for each in collect(port, f"P{person}", opened)]
        finally:
            server.terminate()
            server.wait()
    compare(found)


def make_set(folder: Path, size: int) -> None:
    """Make real pictures that are slow to decode, and generated ones that are quick."""
    generator, made = np.random.default_rng(1), []
    (folder / "real").mkdir(parents=True)
    for number in range(ITEMS):
        real, fake = folder / "real" / f"s{number}.jpg", folder / "fake" / f"s{number}.png"
        Image.fromarray(generator.integers(0, 256, (size, size, 3)).astype(np.uint8)).save(real, quality=95)
        write_png(fake, np.full((size, size, 3), number, np.uint8))
        shared: dict[str, Any] = {"dataset": "d", "stem": f"s{number}", "size": (size, size)}
        made.append(stimulus_row(folder, real, kind="real", **shared))
        made.append(stimulus_row(folder, fake, kind="fake", model="m", reference_file=f"real/s{number}.jpg", **shared))
    write_set(folder, made)


def collect(port: int, code: str, store: Any) -> list[dict[str, Any]]:
    """Take part, and note everything about the response of each picture."""
    talk, look = (http.client.HTTPConnection("127.0.0.1", port) for _ in range(2))
    headers = {"Content-Type": "application/json"}

    def ask(name: str, body: dict[str, Any]) -> dict[str, Any]:
        talk.request("POST", f"/api/{name}", json.dumps(body), headers)
        response = talk.getresponse()
        content = response.read()
        assert response.status == 200, content
        answer: dict[str, Any] = json.loads(content)
        return answer

    setup = ask("begin", {"participant": code, "tab": TAB, "consent": True})
    headers |= {"Authorization": f"Bearer {setup['token']}", "X-Tab": TAB}
    plan = store.rows(tables.PLANS, session=setup["session"])
    following = ask("ready", {"screen": SCREEN})["next"]
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    given_ms = float("nan")
    while following["page"] == "trial":
        for address in following["ahead"]:
            if address in seen:
                continue
            seen.add(address)
            since = time.perf_counter()
            look.request("GET", f"/{address}")
            response = look.getresponse()
            content = response.read()
            took = 1000 * (time.perf_counter() - since)
            sent = tuple((name, value) for name, value in response.getheaders() if name.lower() != "date")
            planned = {name: plan[len(found)][name] for name in ("kind", "stimulus")}
            what = {"session": code, "place": len(found), "end": address.rpartition("/")[2]}
            found.append({**planned, **what, "length": len(content), "headers": sent, "picture_ms": took})
            found[-1]["given_ms"] = given_ms
        trial = following["trial"]
        showings = [{"onset_ms": 1000.0, "offset_ms": 1400.0}]
        report = {"trial": trial, "showings": showings, "presses": [{"key": "f", "at_ms": 1400.0}], "sent_ms": 1500.0}
        since = time.perf_counter()
        following = ask("trial", report)["next"]
        given_ms = 1000 * (time.perf_counter() - since)
        found[trial - 1]["answer_ms"] = given_ms
    return found


def compare(found: list[dict[str, Any]]) -> None:
    """Print what separates the kinds."""
    fake = np.array([each["kind"] == "fake" for each in found])
    lengths, sent = {each["length"] for each in found}, {each["headers"] for each in found}
    print(f"{len(found)} pictures: {len(lengths)} length(s), {len(sent)} set(s) of headers")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    features = np.array([[*(each["end"].count(letter) for letter in letters), each["place"]] for each in found])
    sessions = np.unique([each["session"] for each in found], return_inverse=True)[1]
    scores = np.zeros(len(found))
    for fold in range(5):  # linear discriminants, each judged on the sessions that it has not seen
        test = sessions % 5 == fold
        centred = features - features[~test].mean(axis=0)
        scatter = np.cov(centred[~test].T) + 1e-6 * np.eye(features.shape[1])
        apart = centred[fake & ~test].mean(axis=0) - centred[~fake & ~test].mean(axis=0)
        scores[test] = centred[test] @ np.linalg.solve(scatter, apart)
    area, p = roc(scores, fake)
    print(f"letters and order: area under the curve {area:.3f}, p = {p:.2f}")
    shown: set[str] = set()
    for each in found:
        each["first_ms"] = float("nan") if each["stimulus"] in shown else each["picture_ms"]
        shown.add(each["stimulus"])
    for name in ("first_ms", "picture_ms", "given_ms", "answer_ms"):
        times = np.array([each[name] for each in found])
        known = np.isfinite(times)
        area, p = roc(times[known], fake[known])
        middle = f"median {np.median(times[known & ~fake]):.2f} ms real, {np.median(times[known & fake]):.2f} ms fake"
        print(f"{name}: {middle}; area under the curve {area:.3f}, p = {p:.2f} (N = {known.sum()})")


def roc(values: NDArray[np.float64], fake: NDArray[np.bool_]) -> tuple[float, float]:
    """Area under the ROC curve, and the p value of the rank test."""
    test = mannwhitneyu(values[fake], values[~fake])
    return float(test.statistic / (fake.sum() * (~fake).sum())), float(test.pvalue)


if __name__ == "__main__":
    main()
