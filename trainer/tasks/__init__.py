"""The tasks of a generator: to translate pictures, or to fill holes in them."""

from pathlib import Path

from gan_eval.settings.training import Direction, TrainingSettings
from gan_eval.stimuli.pixel_formats import RGB8
from trainer.datasets.pairs import Formats
from trainer.tasks.inpainting import Inpainting
from trainer.tasks.task import Example, Output, Task, Translation

__all__ = ["Example", "Inpainting", "Output", "Task", "Translation", "new_task"]


def new_task(
    settings: TrainingSettings, *, direction: Direction = "AtoB", root: Path = Path(), formats: Formats | None = None
) -> Task:
    """The task that the settings describe."""
    if settings.inpainting is not None:
        return Inpainting(settings, root)
    return Translation(settings, direction, formats or (RGB8, RGB8))
