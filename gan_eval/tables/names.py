"""Rules for names of models and data sets, which are parts of identifiers."""

import re
from collections.abc import Sequence
from itertools import takewhile

NOT_KNOWN = "not known"
"""Participant of answers that were counted by picture, so that nobody knows whose they are."""
RESERVED_NAMES = {"real": "the ground truth", "all": "the row of all models together"}
"""Names that no model may have, and their meaning."""
REFUSED = re.compile(rf"{'|'.join(RESERVED_NAMES)}|.*\|.*", re.DOTALL)
"""Names that no cell of a column `model` may have."""
BETWEEN_MODELS = "|"
"""Separator of the names of two compared models."""
OF_FILE = "file "
"""Start of a cell `run` of `image_metrics`, before the name of the file of another program that the value is from."""
Role = str
"""The role of an item in a trial: `REAL`, a model's name, or two models' names."""
REAL: Role = ""
"""The role of a real picture; a model's name is never empty."""
MODELS_TEX = "models.tex"
"""File next to `paper.csv`: the report's table of all metrics and the fooling rate by model, as LaTeX."""
RAW = "raw"
"""Folder of the set of raw outputs, in a set of filled pictures."""
RAW_ENDING = f"-{RAW}"
"""End of the name of that set's model, and of no other model."""


def model_name_problem(name: str) -> str | None:
    """Return the problem of a generator's name with its fix; None if the name is valid.

    >>> model_name_problem("pix2pix"), model_name_problem("real")
    (None, 'the name real is reserved for the ground truth; give the model another')
    """
    if name.endswith(RAW_ENDING):
        use = "a generator's output before the known pixels were put back"
        return f"names that end in {RAW_ENDING} are reserved for {use}; give the model another"
    return name_problem(name, "model")


def model_cell_problem(model: object) -> str | None:
    """Return the problem of a cell of a table's column `model`, with its fix; None: valid, as an empty cell.

    >>> model_cell_problem("a|b"), model_cell_problem("a"), model_cell_problem(None)
    ("a model's name has no '|'; give it another", None, None)
    """
    name = str(model or "")
    return name_problem(name, "model") if REFUSED.fullmatch(name) else None  # more is refused in a new model's name


def name_problem(name: str, what: str) -> str | None:
    """Return the problem of the name of a `what` that becomes part of identifiers, with its fix; None: valid.

    >>> name_problem("a|b", "model")
    "a model's name has no '|'; give it another"
    """
    if what == "model" and name in RESERVED_NAMES:
        return f"the name {name} is reserved for {RESERVED_NAMES[name]}; give the model another"
    for separator in ("/", "|"):  # of dataset/model/stem, and of A|B for two models in one trial
        if separator in name:
            return f"a {what}'s name has no {separator!r}; give it another"
    if not name.strip() or not name.isprintable():
        return f"a {what}'s name is text that can be printed; give it another"
    return None


def common_start(texts: Sequence[str]) -> str:
    """Return the text that all begin with.

    >>> common_start(["img_01", "img_02"])
    'img_0'
    """
    return "".join(letters[0] for letters in takewhile(lambda each: len({*each}) == 1, zip(*texts, strict=False)))
