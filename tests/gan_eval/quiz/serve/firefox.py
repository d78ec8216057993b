"""Firefox, driven by WebDriver BiDi over its own socket: Debian has no geckodriver."""

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hooked import Hooked
from numpy.typing import NDArray
from PIL import Image

PROGRAM = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
NEEDS_FIREFOX = pytest.mark.skipif(PROGRAM is None, reason="needs firefox on the PATH")
QUIET = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.cosmeticAnimations.enabled": False,
}
KEYS = {
    "Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004", "ArrowLeft": "\ue012", "ArrowUp": "\ue013",
}  # fmt: skip


class Firefox(Hooked):
    """A browser with a new profile."""

    def __init__(self, profile: Path, **preferences: Any) -> None:
        from websocket import create_connection  # comes with selenium

        assert PROGRAM is not None
        profile.mkdir()
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in (QUIET | preferences).items()
        ]
        (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
        command = [PROGRAM, "--no-remote", "--headless", "--profile", str(profile), "--remote-debugging-port", "0"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert self._process.stderr is not None
        address = next(line.split()[-1] for line in self._process.stderr if "BiDi listening on" in line)
        self._socket = create_connection(f"{address}/session", suppress_origin=True, timeout=30)
        self._number = 0
        self.errors: list[str] = []
        """Messages of the console that are errors."""
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded"])
        self.tab = self.open_tab()  # the first one has the focus in its address bar

    def quit(self) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(20)

    def send(self, method: str, **parameters: Any) -> Any:
        """Send a command, and return its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv())).get("id") != self._number:
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.errors.append(answer["params"]["text"])
        assert answer["type"] == "success", answer
        return answer["result"]

    def open_tab(self) -> str:
        """Open a window, which gets the focus, and return it."""
        return str(self.send("browsingContext.create", type="window")["context"])

    def get(self, address: str) -> None:
        self.send("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def script(self, code: str) -> Any:
        """Return the value of an expression, which may be a promise."""
        answer = self.send(
            "script.evaluate",
            expression=f"Promise.resolve({code}).then(JSON.stringify)",
            target={"context": self.tab},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"].get("value", "null"))

    def key(self, key: str) -> None:
        actions = [{"type": kind, "value": KEYS.get(key, key)} for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": actions})

    def click(self, selector: str) -> None:
        """Click the middle of an element."""
        place = self.script(
            f"(({{left, top, width, height}}) => ({{x: left + width / 2, y: top + height / 2}}))"
            f"([...document.querySelectorAll({json.dumps(selector)})].find((each) => each.checkVisibility())"
            ".getBoundingClientRect())"
        )
        actions = [{"type": "pointerMove", "x": round(place["x"]), "y": round(place["y"])}]
        actions += [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        self._act({"type": "pointer", "id": "mouse", "actions": actions})

    def _act(self, source: Mapping[str, Any]) -> None:
        self.send("input.performActions", context=self.tab, actions=[source])

    def window(self, width: int, height: int, *, ratio: float | None = None) -> None:
        more = {} if ratio is None else {"devicePixelRatio": ratio}
        size = {"width": width, "height": height}
        self.send("browsingContext.setViewport", context=self.tab, viewport=size, **more)

    def screenshot(self) -> NDArray[np.uint8]:
        data = self.send("browsingContext.captureScreenshot", context=self.tab)["data"]
        return np.asarray(Image.open(BytesIO(base64.b64decode(data))).convert("RGB"))
