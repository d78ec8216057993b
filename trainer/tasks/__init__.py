"""What a generator learns: to translate pictures, or to fill holes in them."""

from pathlib import Path

from gan_eval.settings.training import Direction, TrainingSettings
from trainer.tasks.inpainting import Inpainting
from trainer.tasks.task import Example, Output, Task
from trainer.tasks.translation import Translation

__all__ = ["Example", "Inpainting", "Output", "Task", "Translation", "new_task"]


def new_task(settings: TrainingSettings, *, direction: Direction = "AtoB", root: Path = Path()) -> Task:
    """The task that the settings describe.

    Args:
        direction: of a translation: which half of a picture is the input.
        root: of inpainting: the folder that `shapes` and `mask_folder` are relative to.

    Raises:
        UserError: a folder of shapes or masks is not there, or holds what is none.
    """
    return Translation(settings, direction) if settings.inpainting is None else Inpainting(settings, root)
