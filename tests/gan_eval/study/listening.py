"""A listener that remembers."""


class Ear:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def message(self, text: str) -> None:
        self.heard.append(text)

    def progress(self, done: int, total: int, what: str = "", *_: object, **__: object) -> None: ...
