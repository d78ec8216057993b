"""The look of the pages: one sheet, the system's font, calm and neutral."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """The colours of the pages."""

    ink: str
    muted: str
    paper: str
    ground: str
    line: str
    accent: str
    focus: str
    wrong: str


PALETTE = Palette(
    ink="#1f2933",
    muted="#52606d",
    paper="#ffffff",
    ground="#f1f3f5",
    line="#ccd3da",
    accent="#1f5f99",
    focus="#1f5f99",
    wrong="#a32a22",
)


@dataclass(frozen=True)
class Look:
    """Sizes and colours of the pages for one participant on one screen."""

    scale: float = 1.0
    """The factor of all lengths, for the screen."""
    text: float = 1.0
    """The factor of the texts on top of it, for the participant: 1 to 2."""
    palette: Palette = PALETTE

    def px(self, length: float) -> int:
        """A length in logical pixels."""
        return round(length * self.scale)

    def font(self, height: float) -> int:
        """A text's height in logical pixels."""
        return round(height * self.scale * self.text)


def scale_for(height: int) -> float:
    """The pages' size for a window of this height in logical pixels: 1.1 at 768, 1 to 2.5."""
    return min(2.5, max(1.0, height / 700))


def sheet(look: Look) -> str:
    """The style sheet."""
    return _texts(look) + _controls(look) + _areas(look)


def _texts(look: Look) -> str:
    colours = look.palette
    return f"""
    QWidget {{ color: {colours.ink}; font-size: {look.font(16)}px; }}
    QLabel#title {{ font-size: {look.font(27)}px; font-weight: 600; }}
    QLabel#heading {{ font-size: {look.font(18)}px; font-weight: 600; }}
    QLabel#muted {{ color: {colours.muted}; font-size: {look.font(14)}px; }}
    QLabel#number {{ font-size: {look.font(20)}px; font-weight: 600; }}
    QLabel#problem {{ color: {colours.wrong}; font-weight: 600; }}
    QLabel#key {{
        background: {colours.ground}; border: 1px solid {colours.muted};
        border-bottom: {look.px(3)}px solid {colours.muted}; border-radius: {look.px(6)}px;
        font-size: {look.font(20)}px; font-weight: 600; padding: {look.px(4)}px {look.px(14)}px;
    }}
    """


def _controls(look: Look) -> str:
    colours, px, ring = look.palette, look.px, look.px(2)
    return f"""
    QPushButton {{
        background: {colours.paper}; border: 1px solid {colours.muted}; border-radius: {px(6)}px;
        padding: {px(9)}px {px(22)}px; min-width: {px(96)}px;
    }}
    QPushButton#filter {{ padding: {px(5)}px {px(10)}px; min-width: 0; }}
    QPushButton:checked {{ background: {colours.ink}; color: {colours.paper}; border-color: {colours.ink}; }}
    QPushButton, QCheckBox, QRadioButton {{ outline: none; }}
    QPushButton:hover:!checked {{ background: {colours.ground}; }}
    QPushButton:disabled {{ color: {colours.muted}; border-color: {colours.line}; }}
    QPushButton#main {{
        background: {colours.accent}; border-color: {colours.accent}; color: {colours.paper}; font-weight: 600;
    }}
    QPushButton#main:disabled {{
        background: {colours.ground}; border-color: {colours.line}; color: {colours.muted}; font-weight: 400;
    }}
    QPushButton:focus {{ border: {ring}px solid {colours.focus}; }}
    QPushButton#main:focus {{ border: {ring}px solid {colours.ink}; }}
    QCheckBox, QRadioButton {{
        spacing: {px(10)}px; padding: {px(6)}px; border: {ring}px solid transparent; border-radius: {px(6)}px;
    }}
    QCheckBox:focus, QRadioButton:focus {{ border-color: {colours.focus}; }}
    QCheckBox::indicator, QRadioButton::indicator {{ width: {look.font(16)}px; height: {look.font(16)}px; }}
    QLineEdit {{
        background: {colours.paper}; border: 1px solid {colours.muted}; border-radius: {px(6)}px;
        padding: {px(8)}px; selection-background-color: {colours.accent}; selection-color: {colours.paper};
    }}
    QLineEdit:focus {{ border: {ring}px solid {colours.focus}; }}
    """


def _areas(look: Look) -> str:
    colours, px = look.palette, look.px
    return f"""
    QWidget#ground {{ background: {colours.ground}; }}
    QFrame#card {{ background: {colours.paper}; border: 1px solid {colours.line}; border-radius: {px(8)}px; }}
    QFrame#rule {{ background: {colours.line}; border: none; max-height: 1px; }}
    QScrollArea {{ background: {colours.ground}; border: none; }}
    QListView {{
        background: {colours.paper}; border: {look.px(2)}px solid {colours.line}; border-radius: {px(8)}px;
        outline: none;
    }}
    QListView:focus {{ border-color: {colours.focus}; }}
    QProgressBar {{ background: {colours.ground}; border: 1px solid {colours.line}; border-radius: {px(5)}px; }}
    QProgressBar::chunk {{ background: {colours.accent}; border-radius: {px(4)}px; }}
    QScrollBar:vertical {{ background: transparent; width: {px(12)}px; margin: {px(2)}px; }}
    QScrollBar::handle:vertical {{ background: {colours.muted}; border-radius: {px(4)}px; min-height: {px(30)}px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
    """
