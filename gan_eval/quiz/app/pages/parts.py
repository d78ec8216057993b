"""The look of the pages, their parts and base classes, and pages that only inform."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPaintEvent, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gan_eval.quiz.app.keys import place_of
from gan_eval.quiz.wording import Texts

SETTLE_MS = 500
"""Milliseconds for which a page after a trial ignores keys and clicks that were meant for the trial."""

INK = "#1f2933"
"""Colour of texts."""
MUTED = "#52606d"
"""Colour of remarks."""
PAPER = "#ffffff"
GROUND = "#f1f3f5"
LINE = "#ccd3da"
ACCENT = "#1f5f99"
"""Colour of main buttons and of the focused widget."""
WRONG = "#a32a22"
"""Colour of problems."""


@dataclass(frozen=True)
class PageLook:
    """Sizes of the pages for one participant on one screen."""

    scale: float = 1.0
    """Factor of all lengths, for the screen."""
    text: float = 1.0
    """Additional factor of the texts, for the participant: 1 to 2."""

    def px(self, length: float) -> int:
        """Return a length in logical pixels."""
        return round(length * self.scale)

    def font(self, height: float) -> int:
        """Return a text's height in logical pixels."""
        return round(height * self.scale * self.text)


def scale_for(height: int) -> float:
    """Return the scale of pages for a window of this height in logical pixels: 1.1 at 768, 1 to 2.5."""
    return min(2.5, max(1.0, height / 700))


def sheet(look: PageLook) -> str:
    """Return the style sheet."""
    px, ring = look.px, look.px(2)
    return f"""
    QWidget {{ color: {INK}; font-size: {look.font(16)}px; }}
    QLabel#title {{ font-size: {look.font(27)}px; font-weight: 600; }}
    QLabel#heading {{ font-size: {look.font(18)}px; font-weight: 600; }}
    QLabel#muted {{ color: {MUTED}; font-size: {look.font(14)}px; }}
    QLabel#number {{ font-size: {look.font(20)}px; font-weight: 600; }}
    QLabel#problem {{ color: {WRONG}; font-weight: 600; }}
    QLabel#key {{
        background: {GROUND}; border: 1px solid {MUTED};
        border-bottom: {px(3)}px solid {MUTED}; border-radius: {px(6)}px;
        font-size: {look.font(20)}px; font-weight: 600; padding: {px(4)}px {px(14)}px;
    }}
    QPushButton {{
        background: {PAPER}; border: 1px solid {MUTED}; border-radius: {px(6)}px;
        padding: {px(9)}px {px(22)}px; min-width: {px(96)}px;
    }}
    QPushButton, QCheckBox, QRadioButton {{ outline: none; }}
    QPushButton:hover {{ background: {GROUND}; }}
    QPushButton:disabled {{ color: {MUTED}; border-color: {LINE}; }}
    QPushButton#main {{
        background: {ACCENT}; border-color: {ACCENT}; color: {PAPER}; font-weight: 600;
    }}
    QPushButton#main:disabled {{
        background: {GROUND}; border-color: {LINE}; color: {MUTED}; font-weight: 400;
    }}
    QPushButton:focus {{ border: {ring}px solid {ACCENT}; }}
    QPushButton#main:focus {{ border: {ring}px solid {INK}; }}
    QCheckBox, QRadioButton {{
        spacing: {px(10)}px; padding: {px(6)}px; border: {ring}px solid transparent; border-radius: {px(6)}px;
    }}
    QCheckBox:focus, QRadioButton:focus {{ border-color: {ACCENT}; }}
    QCheckBox::indicator, QRadioButton::indicator {{ width: {look.font(16)}px; height: {look.font(16)}px; }}
    QLineEdit {{
        background: {PAPER}; border: 1px solid {MUTED}; border-radius: {px(6)}px;
        padding: {px(8)}px; selection-background-color: {ACCENT}; selection-color: {PAPER};
    }}
    QLineEdit:focus {{ border: {ring}px solid {ACCENT}; }}
    QWidget#ground {{ background: {GROUND}; }}
    QFrame#card {{ background: {PAPER}; border: 1px solid {LINE}; border-radius: {px(8)}px; }}
    QScrollArea {{ background: {GROUND}; border: none; }}
    QListView {{
        background: {PAPER}; border: {px(2)}px solid {LINE}; border-radius: {px(8)}px;
        outline: none;
    }}
    QListView:focus {{ border-color: {ACCENT}; }}
    QProgressBar {{ background: {GROUND}; border: 1px solid {LINE}; border-radius: {px(5)}px; }}
    QProgressBar::chunk {{ background: {ACCENT}; border-radius: {px(4)}px; }}
    QScrollBar:vertical {{ background: transparent; width: {px(12)}px; margin: {px(2)}px; }}
    QScrollBar::handle:vertical {{ background: {MUTED}; border-radius: {px(4)}px; min-height: {px(30)}px; }}
    QScrollBar:horizontal {{ background: transparent; height: {px(12)}px; margin: {px(2)}px; }}
    QScrollBar::handle:horizontal {{ background: {MUTED}; border-radius: {px(4)}px; min-width: {px(30)}px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
    """


class Page(QWidget):
    """A page: a card in the middle of a plain background; it scrolls if it does not fit.

    Enter presses the focused button, else the page's main one; Page Up and Page Down scroll.
    """

    def __init__(self, look: PageLook, texts: Texts, *, width: int = 780, fill: bool = False) -> None:
        """Make an empty page; `width` is the card's maximum width at 100%; with `fill` it uses the whole height."""
        super().__init__()
        self.look = look
        self.texts = texts
        self.first: QWidget = self
        """Widget that gets the focus when the page is shown."""
        self._unseen = False
        self._calls: dict[str, Callable[[], None]] = {}
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(look.px(10))
        self._main: QPushButton | None = None
        self.card = QFrame()
        self.card.setObjectName("card")
        self.card.setMaximumWidth(look.font(width))
        self.body = QVBoxLayout(self.card)
        self.body.setContentsMargins(look.px(36), look.px(28), look.px(36), look.px(24))
        self.body.setSpacing(look.px(12))
        ground = QWidget()
        ground.setObjectName("ground")
        ground.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(self.card, 100)
        across.addStretch(1)
        self._around = QVBoxLayout(ground)
        self._around.addStretch(1)
        self._around.addLayout(across, 100 if fill else 0)
        self._around.addStretch(1)
        self._area = QScrollArea(widgetResizable=True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(ground)
        self._whole = QVBoxLayout(self)
        self._whole.setContentsMargins(0, 0, 0, 0)
        self._whole.setSpacing(0)
        self._whole.addWidget(self._area)
        self._pinned = False
        """True if the buttons are below the part that scrolls."""
        self._place = 0
        """Place of the buttons in the body."""
        for keys in ("Return", "Enter"):
            self.on_key(keys, self._enter)
        self.on_key("PgDown", lambda: self._scroll(1), held=True)
        self.on_key("PgUp", lambda: self._scroll(-1), held=True)

    def showEvent(self, _: QShowEvent) -> None:  # noqa: N802  (Qt's name)
        """Give the focus to the page's first widget; only now its height is known."""
        self._keep_buttons_visible()
        self.first.setFocus()

    def resizeEvent(self, _: QResizeEvent) -> None:  # noqa: N802
        """Fit the page to the window: wrap the texts of choices, and keep the buttons visible.

        A page that is too wide has its buttons below each other, at the left; of one that is too high the rest scrolls.
        """
        self._wrap_choices()
        self._arrange_buttons()
        self._keep_buttons_visible()

    def _wrap_choices(self) -> None:
        """Break the texts of boxes and choices into lines that fit the window, which Qt does not do."""
        around, inside = self._around.contentsMargins(), self.body.contentsMargins()
        room = min(self.card.maximumWidth(), self.width() - around.left() - around.right())
        room -= inside.left() + inside.right() + self.look.px(4)
        for choice in (*self.findChildren(QCheckBox), *self.findChildren(QRadioButton)):
            whole = str(choice.property("whole") or choice.text())
            choice.setProperty("whole", whole)
            choice.setText(whole)
            length = choice.fontMetrics().horizontalAdvance
            most = room - (choice.sizeHint().width() - length(whole))
            choice.setText("\n".join(wrapped(whole, length, most)))

    def _keep_buttons_visible(self) -> None:
        """Move the buttons below the part that scrolls if the page is higher than the window, else back."""
        if self._main is None:
            return
        height = self._around.totalHeightForWidth(self.width())
        if self._pinned:
            height += self.buttons.sizeHint().height() + self.body.spacing()
        if (pinned := height > self.height()) == self._pinned:
            return
        self._pinned, focused = pinned, self.focusWidget() or self.first
        (self.body if pinned else self._whole).removeItem(self.buttons)
        self.buttons.setParent(None)
        margin = self.look.px(10) * pinned
        self.buttons.setContentsMargins(margin, margin, margin, margin)
        if pinned:
            self._whole.addLayout(self.buttons)
        else:
            self.body.insertLayout(self._place, self.buttons)
        for each in self.findChildren(QPushButton):
            each.show()  # else Qt shows it later, and another widget has the focus
        focused.setFocus()

    def _arrange_buttons(self) -> None:
        buttons, margins = self.findChildren(QPushButton), self._around.contentsMargins()
        for each in buttons:
            each.setMinimumWidth(each.sizeHint().width())  # a long text needs more than the style's minimum
        self.buttons.setDirection(QHBoxLayout.Direction.LeftToRight)
        for layout in (self.buttons, self.body):
            layout.invalidate()
        if is_wide := self.card.minimumSizeHint().width() + margins.left() + margins.right() > self.width():
            self.buttons.setDirection(QHBoxLayout.Direction.TopToBottom)
        for each in buttons:
            self.buttons.setAlignment(each, Qt.AlignmentFlag.AlignLeft if is_wide else Qt.AlignmentFlag(0))

    def settle(self) -> None:
        """Ignore keys and clicks until the page has been visible for `SETTLE_MS`."""
        self._unseen = True
        self.setEnabled(False)

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802
        """Start the time of `settle` after the page has been painted, which may take long."""
        if self._unseen:
            self._unseen = False
            QTimer.singleShot(0, self, lambda: QTimer.singleShot(SETTLE_MS, self, self._wake))

    def _wake(self) -> None:
        self.setEnabled(True)
        self.first.setFocus()

    def add_text(self, text: str, name: str = "") -> QLabel:
        """Add a paragraph; `name` is its style."""
        label = text_label(text, name)
        self.body.addWidget(label)
        return label

    def add_buttons(self, *buttons: QPushButton, hint: str = "") -> None:
        """Add a row of buttons, with the main one last, and a hint below."""
        self.buttons.addStretch(1)
        for button in buttons:
            self.buttons.addWidget(button)
        self.body.addSpacing(self.look.px(6))
        self._place = self.body.count()
        self.body.addLayout(self.buttons)
        if hint:
            self.hint = self.add_text(hint, "muted")
        self._main = buttons[-1]

    def bring_into_view(self, widget: QWidget) -> None:
        """Scroll until a part of the page is visible."""
        self._area.ensureWidgetVisible(widget)

    def on_key(self, keys: str, call: Callable[[], None], *, held: bool = False) -> None:
        """Call `call` when `keys` (`Return`, `Esc`, ...) are pressed here; only with `held` does a held key repeat."""
        shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.setAutoRepeat(held)
        shortcut.activated.connect(call)
        self._calls[keys] = call

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Accept a number key by its place, too."""
        call = self._calls.get(place_of(event))
        if call is None or event.isAutoRepeat():
            super().keyPressEvent(event)
        else:
            call()

    def _enter(self) -> None:
        focused = self.focusWidget()
        chosen = focused if isinstance(focused, QPushButton) else self._main
        if chosen is not None:
            chosen.click()

    def _scroll(self, direction: int) -> None:
        bar = self._area.verticalScrollBar()
        bar.setValue(bar.value() + direction * bar.pageStep())


def text_label(text: str, name: str = "", *, wrap: bool = True) -> QLabel:
    """Return a label of plain text; markup in a study's text is shown literally."""
    label = QLabel(text)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    return label


def wrapped(text: str, length: Callable[[str], int], most: int) -> list[str]:
    """Return a text in lines of at most this length, broken at spaces; a longer word is broken within.

    >>> wrapped("I have read this", len, 9)
    ['I have', 'read this']
    """
    for number in range(len(text), 1, -1):
        lines = textwrap.wrap(text, number)
        if all(length(line) <= most for line in lines):
            return lines
    return list(text)


def button(text: str, call: Callable[[], None], *, main: bool = False) -> QPushButton:
    """Return a button; the main one of a page is filled."""
    push_button = QPushButton(literal(text))
    push_button.setObjectName("main" if main else "")
    push_button.clicked.connect(lambda: call())
    return push_button


def literal(text: str) -> str:
    """Return a text for a button with `&` escaped, which would mark a shortcut."""
    return text.replace("&", "&&")


class StepPage(Page):
    """A page before the first trial."""

    continued = Signal()
    went_back = Signal()

    def add_navigation(self, *, hint: str = "hint_step") -> None:
        """Add the buttons Back and Continue, and a hint by the name of its text; Esc goes back."""
        self.continue_button = button(self.texts("continue"), self.submit, main=True)
        self.add_buttons(button(self.texts("back"), self.went_back.emit), self.continue_button, hint=self.texts(hint))
        self.on_key("Esc", self.went_back.emit)
        self.first = self.continue_button

    def submit(self) -> None:
        """Continue to the next page; a page without a required answer asks for it instead."""
        self.continued.emit()


class NoticePage(Page):
    """A page with a title, paragraphs and buttons, the main one last: welcome, ready, break, pause, a problem."""

    def __init__(
        self,
        look: PageLook,
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
            look: sizes.
            texts: the texts in the participant's language.
            name: name of the page and of its title's text, `NAME_title`.
            lines: paragraphs.
            buttons: name of each button's text, and its function.
            hint: name of the text below the buttons.
            escape: function of Esc; None: nothing.
            title: title instead of the text.
            participant: participant code, below the title.
            problem: first text of the label `problem`.
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
        last = len(buttons) - 1
        made = [button(texts(text), call, main=index == last) for index, (text, call) in enumerate(buttons)]
        self.add_buttons(*made, hint=texts(hint))
        if escape is not None:
            self.on_key("Esc", escape)
        self.first = made[-1]


def progress_bar(look: PageLook, done: int, trials: int) -> QProgressBar:
    """Return a bar for the share of trials that are done."""
    bar = QProgressBar(maximum=trials, value=done, textVisible=False)
    bar.setFixedHeight(look.px(12))
    return bar
