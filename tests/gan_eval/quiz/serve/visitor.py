"""A participant at a real browser: walks through a session by the page's hooks, and notes every answer given."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from selenium.webdriver import Chrome

Hooks = dict[str, str]
RECORD = """
window.seen = [];
addEventListener("DOMContentLoaded", () => {
  const main = document.querySelector("main");
  const note = () => seen.push({...main.dataset, at: String(performance.now())});
  note();
  new MutationObserver(note).observe(main, {attributes: true});
});
"""
"""Keeps every state of the hooks, from the first on."""
FIND = """
const wanted = `[data-action="${arguments[0]}"]`;
const button = [...document.querySelectorAll(wanted)].find((each) => each.checkVisibility());
if (!button) return null;
button.scrollIntoView({block: "nearest"});
const {left, top, width, height} = button.getBoundingClientRect();
const [x, y] = [left + width / 2, top + height / 2];
return {x, y, disabled: button.disabled, open: button.contains(document.elementFromPoint(x, y))};
"""
LAYOUT = """
const problems = [];
const page = document.documentElement;
if (page.scrollWidth > innerWidth) problems.push(`the page is ${page.scrollWidth} px wide, the window ${innerWidth}`);
for (const button of document.querySelectorAll("button, a[href], label")) {
  const {left, right, width, height} = button.getBoundingClientRect();
  if (!width || !height || !button.checkVisibility()) continue;
  const name = button.dataset.action ?? button.textContent;
  if (height < 44 || width < 44) problems.push(`${name} is ${width} x ${height} px`);
  if (button.scrollWidth > button.clientWidth + 1) problems.push(`${name}: its text is wider than itself`);
  if (left < 0 || right > innerWidth) problems.push(`${name} reaches out of the window`);
}
return problems;
"""
CODES = {"Enter": 13, "Escape": 27, "Tab": 9}


def by_turns(trial: int, names: list[str]) -> str:
    """An answer for each trial: all of them in turn."""
    return names[trial % len(names)]


@dataclass
class Visitor:
    """One participant in one tab.

    `choose(trial, names)` gives the answer of a trial, None for no answer.
    """

    driver: Chrome
    touch: bool = False
    choose: Callable[[int, list[str]], str | None] = by_turns
    answers: dict[str, str] = field(default_factory=dict)
    """Answers to the study's questions and comprehension checks, by their text."""
    given: dict[int, str] = field(default_factory=dict)
    """The answer of each trial."""
    confidence: dict[int, int] = field(default_factory=dict)
    marked: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    """Marks of each trial, as shares of the picture's sides."""
    pointed: dict[int, int] = field(default_factory=dict)
    """The place of the marked picture among those of its trial."""
    pages: list[str] = field(default_factory=list)
    """Pages seen by the walk, each in its turn."""
    expected: tuple[str, ...] = ()
    """Parts of messages in the browser's console that this test provokes."""

    def __post_init__(self) -> None:
        self.driver.switch_to.new_window("tab")
        self.handle = self.driver.current_window_handle
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=RECORD)
        self.cdp("Emulation.setFocusEmulationEnabled", enabled=True)
        if self.touch:
            self.window(390, 844, ratio=3)

    def cdp(self, command: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, parameters)

    def script(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def window(self, width: int, height: int, *, ratio: float = 1) -> None:
        """Emulate a window of this size in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": ratio}
        self.cdp("Emulation.setDeviceMetricsOverride", mobile=self.touch, **size)
        if self.touch:
            self.cdp("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=1)

    def offline(self, offline: bool) -> None:
        self.cdp("Network.enable")
        self.cdp(
            "Network.emulateNetworkConditions", offline=offline, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    @property
    def hooks(self) -> Hooks:
        hooks: Hooks = self.script("return {...document.querySelector('main')?.dataset}")
        return hooks

    @property
    def seen(self) -> list[Hooks]:
        seen: list[Hooks] = self.script("return seen")
        return seen

    @property
    def text(self) -> str:
        return str(self.script("return document.body.innerText"))

    def wait(self, until: Callable[[Hooks], bool], *, seconds: float = 20) -> Hooks:
        ends = time.monotonic() + seconds
        while not until(hooks := self.hooks):
            assert time.monotonic() < ends, (hooks, self.text)
            time.sleep(0.005)
        return hooks

    def page(self, *names: str, seconds: float = 20) -> Hooks:
        return self.wait(lambda hooks: hooks.get("page") in names, seconds=seconds)

    def state(self, *names: str) -> Hooks:
        return self.wait(lambda hooks: hooks.get("state") in names)

    def key(self, key: str, *, code: str = "") -> None:
        """Press a key; `code` names its place on a US keyboard."""
        event: dict[str, Any] = {"key": key, "code": code, "windowsVirtualKeyCode": CODES.get(key, ord(key.upper()[0]))}
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        self.cdp("Input.dispatchKeyEvent", type="keyDown", **event, **text)
        self.cdp("Input.dispatchKeyEvent", type="keyUp", **event)

    def press(self, action: str) -> None:
        """Touch or click a button that is visible, enabled and not covered."""
        button = self.script(FIND, action)
        usable = button and button["open"] and not button["disabled"]
        assert usable, (action, button, self.hooks)
        self.click(button["x"], button["y"])

    def click(self, x: float, y: float) -> None:
        """Touch or click a place of the window."""
        place = {"x": x, "y": y}
        if self.touch:
            self.cdp("Input.dispatchTouchEvent", type="touchStart", touchPoints=[place])
            self.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        else:
            for kind in ("mousePressed", "mouseReleased"):
                self.cdp("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def board(self) -> dict[str, float]:
        """The rectangle of the picture to mark, in CSS pixels."""
        box: dict[str, float] = self.script(
            "const {left, top, width, height} = document.querySelector('.board img').getBoundingClientRect();"
            "return {left, top, width, height}"
        )
        return box

    def point(self, x: float, y: float) -> None:
        """Click or touch a place in the picture to mark."""
        box = self.board()
        self.click(box["left"] + x * box["width"], box["top"] + y * box["height"])

    def go_on(self) -> None:
        if self.touch:
            self.press("continue")
        else:
            self.key("Enter")

    def reply(self, name: str) -> None:
        if self.touch:
            self.press(f"answer-{name}")
        else:
            self.key(self.buttons()[name])

    def pause(self) -> None:
        if self.touch:
            self.press("pause")
        else:
            self.key("Escape")
        self.page("paused")

    @contextmanager
    def there(self) -> Iterator[None]:
        """Look at this visitor's tab for a moment."""
        now = self.driver.current_window_handle
        self.driver.switch_to.window(self.handle)
        yield
        self.driver.switch_to.window(now)

    def buttons(self) -> dict[str, str]:
        """Visible answer buttons and the key of each."""
        found = self.script(
            "return [...document.querySelectorAll('[data-action^=answer-]')].filter((each) => each.checkVisibility())"
            ".map((each) => [each.dataset.action.slice(7), each.dataset.key])"
        )
        return dict(found)

    def check_layout(self) -> None:
        """Nothing is wider than the window, too small to touch, or cut off."""
        problems = self.script(LAYOUT)
        assert not problems, (self.hooks, problems)

    def screenshot(self) -> NDArray[np.uint8]:
        return np.asarray(Image.open(BytesIO(self.driver.get_screenshot_as_png())).convert("RGB"))

    def walk(self, until: Callable[[Hooks], bool] = lambda _: False, *, seconds: float = 120) -> Hooks:
        """Do what each page asks for until a state of the hooks, or until a page that ends the session."""
        ends = time.monotonic() + seconds
        while True:
            hooks = self.hooks
            assert time.monotonic() < ends, (hooks, self.text)
            page = hooks.get("page", "")
            if page and page != (self.pages or [""])[-1]:
                self.pages.append(page)
                self.check_layout()
            if until(hooks) or page in ("end", "refused", "paused", "review"):
                return hooks
            if page in ("trial", "confidence"):
                self._answer(hooks)
            elif page in ("", "feedback"):
                time.sleep(0.005)
            else:
                if page == "keys":
                    self._try_keys()
                elif page in ("questions", "instructions"):
                    self.fill_in()
                self.go_on()
                self.wait(lambda now, page=page: now.get("page") != page)  # type: ignore[misc]

    def walk_to(self, page: str) -> None:
        """Do what each page asks for until this one."""
        self.walk(lambda hooks: hooks.get("page") == page)

    def begin(self, trial: int) -> None:
        """Sit until this trial's picture is on the screen and its onset is stored."""
        self.walk(lambda hooks: (hooks.get("trial"), hooks.get("state")) == (str(trial), "shown"))
        time.sleep(0.2)

    def _answer(self, hooks: Hooks) -> None:
        trial = int(hooks["trial"])
        if hooks["page"] == "confidence":
            self.confidence[trial] = 1 + trial % len(self.buttons())
            self.reply(str(self.confidence[trial]))
            self.wait(lambda now: now.get("page") != "confidence")
            return
        showings = self.script("return document.querySelectorAll('.plate:not(:has(.mask))').length")
        onsets = [one for one in self.seen if one.get("trial") == hooks["trial"] and one.get("state") == "shown"]
        if hooks.get("state") == "marking":
            self.check_layout()
            self.pointed[trial] = self.script(
                "const shown = [...document.querySelectorAll('.plate:not(:has(.mask)) img')].map(({ src }) => src);"
                "return shown.indexOf(document.querySelector('.board img').src);"
            )
            self.point(0.25, 0.75)
            self.press("continue")
            self.marked[trial] = [(0.25, 0.75)]
            self.wait(lambda now: now.get("state") != "marking")
            return
        if hooks["state"] not in ("shown", "hidden") or trial in self.given or len(onsets) < showings:
            time.sleep(0.005)
            return
        self.check_layout()
        answer = self.choose(trial, list(self.buttons()))
        self.given[trial] = answer or "none"
        if answer is not None:
            time.sleep(0.12)  # an answer within 100 ms is flagged
            self.reply(answer)

    def _try_keys(self) -> None:
        """Try each answer; `continue` and the word of its key wait for all of them."""
        closed = "const of = (name) => document.querySelector(name);"
        closed += "return [of('[data-action=continue]').disabled, of('.hint').textContent.includes('Enter')]"
        for name in self.buttons():
            assert self.script(closed) == [True, False]
            self.reply(name)
        assert self.script(closed) == [False, True]

    def fill_in(self) -> None:
        for text, answer in self.answers.items():
            self.script(
                """
                const [text, answer] = arguments;
                const asked = [...document.querySelectorAll("fieldset")].find((each) => each.innerText.includes(text));
                if (!asked) return;
                const field = asked.querySelector("input[type=text]");
                if (field) field.value = answer;
                else [...asked.querySelectorAll("label")].find((each) => each.innerText.trim() === answer).click();
                """,
                text,
                answer,
            )


Visit = Callable[..., Visitor]
"""The fixture that brings a participant in a tab of their own."""
