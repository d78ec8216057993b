"""A browser with a tab on the page, in whatever way a program drives it, and what tests of several browsers share."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Hooked(ABC):
    """A browser; the page's hooks say where the page is."""

    @abstractmethod
    def get(self, address: str) -> None:
        """Open an address."""

    @abstractmethod
    def script(self, code: str) -> Any:
        """Return the value of an expression."""

    @abstractmethod
    def key(self, key: str) -> None:
        """Press and release a key."""

    @abstractmethod
    def click(self, selector: str) -> None:
        """Click the middle of an element."""

    def wait(self, **wanted: str) -> Mapping[str, str]:
        """Wait until the page's hooks have these values, and return all of them."""
        ends = time.monotonic() + 30
        while any((hooks := self.hooks).get(name) != value for name, value in wanted.items()):
            assert time.monotonic() < ends, (wanted, hooks, self.text)
            time.sleep(0.02)
        return hooks

    def until(self, expression: str) -> None:
        """Wait until an expression is true."""
        ends = time.monotonic() + 30
        while not self.script(expression):
            assert time.monotonic() < ends, (expression, self.text)
            time.sleep(0.02)

    @property
    def hooks(self) -> Mapping[str, str]:
        hooks: Mapping[str, str] = self.script("({...document.querySelector('main')?.dataset})")
        return hooks

    @property
    def text(self) -> str:
        return str(self.script("document.body.innerText"))

    def walk_to_ready(self, link: str) -> None:
        """Open a link and go to the page before the first trial."""
        self.get(link)
        for page in ("welcome", "consent", "instructions"):
            self.wait(page=page)
            self.key("Enter")
        self.wait(page="keys")
        self.click(".caps [data-key=f]")
        self.click(".caps [data-key=j]")
        self.key("Enter")  # after a click on a button that stays
        self.wait(page="ready")

    def answer(self, *trials: int) -> None:
        """Press F in each of these trials."""
        for trial in trials:
            self.wait(trial=str(trial), state="shown")
            time.sleep(0.15)
            self.key("f")
