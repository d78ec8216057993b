"""Whether the trial window still stands on the screen that was measured and described."""

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QScreen, QWindow


class ScreenWatch(QObject):
    """Tells when a window comes to another screen (its own was unplugged, say), or its screen is driven otherwise."""

    changed = Signal()

    def __init__(self, window: QWindow) -> None:
        super().__init__(window)
        self._window = window
        self._screen: QScreen | None = None
        self._known = self._facts()
        self._first: tuple[object, ...] | None = None
        self._listen(window.screen())
        window.screenChanged.connect(self._listen)
        window.installEventFilter(self)

    def remember(self) -> None:
        """From now on a change is one from what is the case now."""
        self._known = self._facts()
        if self._first is None:
            self._first = self._known

    @property
    def differs(self) -> bool:
        """Whether the screen is another, or driven otherwise, than when it was remembered for the first time."""
        return self._first is not None and self._known != self._first

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Take note of another scaling, leave everything to the window."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._compare()
        return False

    def _listen(self, screen: QScreen | None) -> None:
        """Another screen: compare, and hear of its changes from now on."""
        if screen is not None and screen is not self._screen:
            screen.geometryChanged.connect(self._compare)
            screen.refreshRateChanged.connect(self._compare)
            screen.logicalDotsPerInchChanged.connect(self._compare)
        self._screen = screen
        self._compare()

    def _compare(self) -> None:
        found = self._facts()
        if found != self._known:
            self._known = found
            self.changed.emit()

    def _facts(self) -> tuple[object, ...]:
        screen = self._window.screen()
        if screen is None:
            return ()
        area = screen.geometry().getRect()
        return screen.name(), area, screen.refreshRate(), screen.logicalDotsPerInch(), self._window.devicePixelRatio()
