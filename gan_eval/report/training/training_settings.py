"""The settings that the models of a study's folder were trained with."""

from collections.abc import Mapping
from typing import Any

from gan_eval.errors import UserError
from gan_eval.files import read_json
from gan_eval.report.parts.folder import StudyFolder


def training_settings(folder: StudyFolder) -> dict[str, Mapping[str, Any]]:
    """By model: `settings` of `models/NAME/config.json`, else what study.toml says; models without either are absent.

    Raises:
        UserError: a config.json that holds no settings.
    """
    found: dict[str, Mapping[str, Any]] = {}
    if folder.study is not None:
        found = {name: folder.study.training_of(name).model_dump(mode="json") for name in folder.study.models}
    for config in sorted((folder.path / "models").glob("*/config.json")):
        settings = read_json(config).get("settings", {})
        if not isinstance(settings, dict):
            raise UserError(f"{config}: settings: found {settings!r}; wanted a table of the training settings")
        found[config.parent.name] = settings
    return found


def fills_holes(settings: Mapping[str, Any]) -> bool:
    """The settings are those of a generator that fills holes."""
    return settings.get("inpainting") is not None
