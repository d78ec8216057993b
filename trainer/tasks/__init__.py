"""The tasks of a generator: to translate pictures, or to fill holes in them.

Open task.py first: the interface of a task, and translation.
"""

from pathlib import Path

from gan_eval.settings.choices import Direction
from gan_eval.settings.training import TrainingSettings
from trainer.tasks.inpainting import Inpainting
from trainer.tasks.task import Example, Output, Task, Translation

__all__ = ["Example", "Inpainting", "Output", "Task", "Translation", "new_task"]


def new_task(settings: TrainingSettings, *, direction: Direction = "AtoB", root: Path = Path()) -> Task:
    """Return the task described by the settings."""
    return Translation(settings, direction) if settings.inpainting is None else Inpainting(settings, root)
