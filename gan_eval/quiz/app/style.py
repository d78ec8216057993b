"""The look of the pages: one sheet, the system's font, light and neutral."""

INK = "#1f2933"
MUTED = "#52606d"
PAPER = "#ffffff"
GROUND = "#f1f3f5"
LINE = "#ccd3da"
ACCENT = "#1f5f99"
RIGHT = "#1b6b3a"
WRONG = "#a32a22"


def scale_for(height: int) -> float:
    """The pages' size for a window of so many logical pixels in height: 1 at 768, at most 2.5."""
    return min(2.5, max(1.0, height / 800))


def sheet(scale: float) -> str:
    """The style sheet, with lengths for `scale`."""

    def px(length: float) -> str:
        return f"{round(length * scale)}px"

    return f"""
    QWidget {{ color: {INK}; font-size: {px(16)}; }}
    QWidget#ground {{ background: {GROUND}; }}
    QFrame#card {{ background: {PAPER}; border: 1px solid {LINE}; border-radius: {px(8)}; }}
    QLabel#title {{ font-size: {px(27)}; font-weight: 600; }}
    QLabel#heading {{ font-size: {px(18)}; font-weight: 600; }}
    QLabel#muted {{ color: {MUTED}; font-size: {px(14)}; }}
    QLabel#number {{ font-size: {px(22)}; font-weight: 600; }}
    QLabel#problem {{ color: {WRONG}; }}
    QLabel#key {{
        background: {GROUND}; border: 1px solid {MUTED}; border-bottom: {px(3)} solid {MUTED};
        border-radius: {px(6)}; font-size: {px(20)}; font-weight: 600; padding: {px(4)} {px(14)};
    }}
    QFrame#rule {{ background: {LINE}; border: none; max-height: 1px; }}
    QCheckBox {{ spacing: {px(10)}; padding: {px(6)}; border: {px(2)} solid transparent; border-radius: {px(6)}; }}
    QCheckBox:focus {{ border-color: {ACCENT}; }}
    QCheckBox::indicator {{ width: {px(20)}; height: {px(20)}; }}
    QPushButton {{
        background: {PAPER}; border: 1px solid {MUTED}; border-radius: {px(6)};
        padding: {px(9)} {px(22)}; min-width: {px(110)};
    }}
    QPushButton, QCheckBox {{ outline: none; }}
    QPushButton:hover {{ background: {GROUND}; }}
    QPushButton:focus {{ border: {px(2)} solid {ACCENT}; }}
    QPushButton#main {{ background: {ACCENT}; border-color: {ACCENT}; color: {PAPER}; font-weight: 600; }}
    QPushButton#main:focus {{ border: {px(2)} solid {INK}; }}
    QPushButton#main:disabled {{ background: {LINE}; border-color: {LINE}; color: {MUTED}; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: {PAPER}; border: none; }}
    QListView {{ background: {PAPER}; border: 1px solid {LINE}; border-radius: {px(8)}; outline: none; }}
    QScrollBar:vertical {{ background: {PAPER}; width: {px(12)}; margin: {px(2)}; }}
    QScrollBar::handle:vertical {{ background: {LINE}; border-radius: {px(4)}; min-height: {px(30)}; }}
    QScrollBar::handle:vertical:hover {{ background: {MUTED}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
    QListView:focus {{ border: {px(2)} solid {ACCENT}; }}
    """
