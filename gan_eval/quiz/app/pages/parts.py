"""What the pages are made of."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget


class Page(QWidget):
    """A page: a white card in the middle of a light ground. Lengths are multiplied by `scale`."""

    def __init__(self, *, scale: float, width: int = 780, fill: bool = False) -> None:
        """Make an empty page.

        Args:
            scale: the factor of all lengths.
            width: the card's largest width.
            fill: the card takes all the height there is, instead of what it needs.
        """
        super().__init__()
        self.setObjectName("ground")
        self.first: QWidget = self
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.scale = scale
        self.card = QFrame()
        self.card.setObjectName("card")
        self.card.setMaximumWidth(self.px(width))
        self.body = QVBoxLayout(self.card)
        self.body.setContentsMargins(self.px(36), self.px(28), self.px(36), self.px(24))
        self.body.setSpacing(self.px(12))
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(self.card, 100)
        across.addStretch(1)
        down = QVBoxLayout(self)
        down.addStretch(1)
        down.addLayout(across, 100 if fill else 0)
        down.addStretch(1)

    def showEvent(self, _: QShowEvent) -> None:  # noqa: N802  (Qt's name)
        """The page's first widget gets the keyboard."""
        self.first.setFocus()

    def px(self, length: float) -> int:
        """A length for this page's scale."""
        return round(length * self.scale)

    def add_text(self, text: str, name: str = "") -> QLabel:
        """Add a paragraph; `name` is its style."""
        label = text_label(text, name)
        self.body.addWidget(label)
        return label

    def add_rule(self) -> None:
        """Add a thin line."""
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedHeight(1)
        self.body.addWidget(rule)

    def add_buttons(self, *buttons: QPushButton, hint: str = "") -> None:
        """Add a row of buttons on the right, with a hint on the left."""
        row = QHBoxLayout()
        row.addWidget(text_label(hint, "muted"), 1)
        for button in buttons:
            row.addWidget(button)
        self.body.addLayout(row)

    def on_key(self, keys: str, call: Callable[[], None]) -> None:
        """Call `call` when `keys` (`Return`, `Esc`, ...) are pressed on this page."""
        shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(call)


def text_label(text: str, name: str = "", *, wrap: bool = True) -> QLabel:
    """A label of plain text; markup in a study's text is shown as it stands."""
    label = QLabel(text)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    return label


def button(text: str, call: Callable[[], None], *, main: bool = False) -> QPushButton:
    """A button; the main one of a page is filled. Enter presses the button that has the focus."""
    made = QPushButton(text)
    made.setObjectName("main" if main else "")
    made.setAutoDefault(True)
    made.clicked.connect(lambda: call())
    return made
