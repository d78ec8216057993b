"""Pages that say something and offer buttons: welcome, resume, ready, break, pause, and a problem."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QProgressBar, QWidget

from gan_eval.quiz.app.pages.parts import Look, Page, button
from gan_eval.quiz.wording import Texts


class NoticePage(Page):
    """A title, paragraphs, and buttons of which the last is the main one."""

    def __init__(
        self,
        look: Look,
        texts: Texts,
        name: str,
        lines: Sequence[str],
        *,
        buttons: Sequence[tuple[str, Callable[[], None]]],
        hint: str,
        escape: Callable[[], None] | None = None,
        title: str = "",
        participant: str = "",
        problem: str = "",
        extra: QWidget | None = None,
    ) -> None:
        """Make the page.

        Args:
            name: the page's name; its title is the text `NAME_title`, unless `title` is given.
            lines: its paragraphs.
            buttons: the name of each button's text, and what it calls.
            hint: name of the text below the buttons.
            escape: what Esc calls; None: nothing.
            participant: the participant's code, below the title.
            problem: what is wrong, in the colour of problems; `problem` of the page changes it.
            extra: keys or progress, between the text and the buttons.
        """
        super().__init__(look, texts)
        self.setObjectName(name)
        self.add_text(title or texts(f"{name}_title"), "title")
        if participant:
            self.add_text(texts("participant", participant=participant), "muted")
        for line in lines:
            self.add_text(line)
        if extra is not None:
            self.body.addWidget(extra)
        self.problem = self.add_text(problem, "problem")
        made = [button(texts(text), call, main=place == len(buttons)) for place, (text, call) in enumerate(buttons, 1)]
        self.add_buttons(*made, hint=texts(hint))
        if escape is not None:
            self.on_key("Esc", escape)
        self.first = made[-1]


def progress_bar(look: Look, done: int, trials: int) -> QProgressBar:
    """Return a bar for the share of trials that are done."""
    bar = QProgressBar(maximum=trials, value=done, textVisible=False)
    bar.setFixedHeight(look.px(12))
    return bar
