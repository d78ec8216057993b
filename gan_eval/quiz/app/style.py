"""The look of the pages: one sheet, the system's font, calm and neutral."""

from dataclasses import dataclass

INK, MUTED = "#1f2933", "#52606d"
"""Colours of texts."""
PAPER, GROUND, LINE = "#ffffff", "#f1f3f5", "#ccd3da"
ACCENT, WRONG = "#1f5f99", "#a32a22"
"""Colours of main buttons and of what has the keyboard, and of problems."""


@dataclass(frozen=True)
class Look:
    """Sizes of the pages for one participant on one screen."""

    scale: float = 1.0
    """The factor of all lengths, for the screen."""
    text: float = 1.0
    """The factor of the texts on top of it, for the participant: 1 to 2."""

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
    QFrame#rule {{ background: {LINE}; border: none; max-height: 1px; }}
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
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
    """
