#!/usr/bin/env bash
# Expected: merged by majority, one person's "real" with a confidence of 1 and two persons' "fake" with 4 are "fake" with 4; if "real" is kept, then with 1.
# What happens: datumaro 1.13.12's `intersect` merge keeps both labels, with their shares as scores, and gives all attributes to the label that came first:
# "real" (a third) has the confidence of 4 of those who said "fake", and "fake" (two thirds) has none. With the persons in another order "fake" has it.
# Who meets it: whoever merges several annotators' exports of CVAT or Datumaro and then reads confidences, or grades, by label.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check datumaro==1.13.12
cat > merged.py <<'PY'
import warnings
from importlib.metadata import version

warnings.filterwarnings("ignore")
from datumaro import Dataset, DatasetItem
from datumaro.components.annotation import Label
from datumaro.components.hl_ops import HLOps

NAMES = ["real", "fake"]


def of_person(label: str, confidence: int) -> Dataset:
    """The answer of one person to one picture."""
    answer = Label(NAMES.index(label), attributes={"confidence": confidence})
    return Dataset.from_iterable([DatasetItem(id="picture", annotations=[answer])], categories=NAMES)


def merged(*answers: tuple[str, int]) -> dict[str, tuple[float, object]]:
    """Score and confidence of each label of the merged picture."""
    (item,) = HLOps.merge(*(of_person(*answer) for answer in answers), merge_policy="intersect")
    return {
        NAMES[found.label]: (round(found.attributes["score"], 2), found.attributes.get("confidence"))
        for found in item.annotations
    }


print("datumaro", version("datumaro"))
found = merged(("real", 1), ("fake", 4), ("fake", 4)), merged(("fake", 4), ("fake", 4), ("real", 1))
for order, labels in zip(("real first", "real last"), found):
    for name, (score, confidence) in labels.items():
        print(f"{order}: {name}, score {score}, confidence {confidence}")
expected = {"real": (0.33, 4), "fake": (0.67, None)}, {"fake": (0.67, 4), "real": (0.33, None)}
raise SystemExit(0 if found == expected else f"changed: expected {expected}, found {found}")
PY
env/bin/python merged.py
