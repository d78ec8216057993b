"""A study on its way into a folder: its plan, its stages, its sessions; and the study file."""

from gan_eval.settings.study import (
    CheckpointKind,
    DataSettings,
    GenerateSettings,
    MetricsSettings,
    ModelSettings,
    StimuliSettings,
    Study,
    StudySettings,
    load_study,
    naming_study,
)
from gan_eval.settings.training import TrainingSettings

__all__ = [
    "CheckpointKind",
    "DataSettings",
    "GenerateSettings",
    "MetricsSettings",
    "ModelSettings",
    "StimuliSettings",
    "Study",
    "StudySettings",
    "TrainingSettings",
    "load_study",
    "naming_study",
]
