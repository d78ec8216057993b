"""A listener that remembers."""


class Ear:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def message(self, text: str) -> None:
        self.heard.append(text)

    def progress(self, what: str, done: int, total: int, detail: str = "", *, unit: str = "") -> None: ...
