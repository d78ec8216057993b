"""Pictures for the screen: decoded before they are needed, at their own pixels."""

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from gan_eval.errors import UserError
from gan_eval.images import read_rgb


def load(path: Path) -> QImage:
    """Decode a picture for the screen, one picture pixel for one physical pixel.

    Raises:
        UserError: the picture is missing or broken.
    """
    pixels = read_rgb(path)
    height, width, _ = pixels.shape
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)  # a copy of its own, in the screen's format


def load_thumbnail(path: Path, size: int, *, ratio: float) -> QImage:
    """A picture that fits into `size` x `size` logical pixels at the device pixel `ratio`, smoothly scaled."""
    fits = QSize(round(size * ratio), round(size * ratio))
    image = load(path).scaled(fits, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    image.setDevicePixelRatio(ratio)
    return image


def require_fit(image: QImage, path: Path, screen: QSize) -> None:
    """Check that a picture fits the window.

    Args:
        image: the picture.
        path: its file, for the error.
        screen: the window's size in physical pixels.

    Raises:
        UserError: it is larger.
    """
    if image.width() > screen.width() or image.height() > screen.height():
        raise UserError(
            f"{path}: {image.width()}x{image.height()} pixels do not fit the window of "
            f"{screen.width()}x{screen.height()}; pictures are shown pixel for pixel: use a larger screen, or make "
            "smaller stimuli"
        )
