"""Fooling rate, false-alarm rate and balanced accuracy of the groups of a scope."""

import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.stats.shares import newcombe
from gan_eval.tables import DETECTION

_NAMES = ("fooling_rate", "false_alarm_rate", "balanced_accuracy")
COLUMNS = ["scope", "id", *(f"{name}{end}" for name in _NAMES for end in ("", "_low", "_high")), "basis"]


def shares(folder: StudyFolder, scope: str) -> pd.DataFrame:
    """Fooling rate, false-alarm rate and balanced accuracy of each group of a scope, with 95 % intervals and `basis`.

    From the table `detection`, whose intervals allow for differences between participants and between pictures;
    groups without such a row have Wilson's intervals from `rates`, and Newcombe's of balanced accuracy.
    """
    detection = folder.table(DETECTION)
    detection = detection.loc[(detection["scope"] == scope) & detection["basis"].notna(), COLUMNS]
    detection = detection.set_index("id", drop=False)
    rates = folder.scope(scope)
    if rates.empty:
        return pd.DataFrame(detection, columns=COLUMNS).reset_index(drop=True)
    rows = []
    for _, row in rates.iterrows():
        if row["id"] in detection.index:
            rows.append(detection.loc[row["id"]].to_dict())
            continue
        cells = {"scope": row["scope"], "id": row["id"], "basis": "independent"}
        for name, kind in (("fooling_rate", "fake"), ("false_alarm_rate", "real")):
            cells |= {name: 1 - row[f"{kind}_correct"]}
            cells |= {f"{name}_low": 1 - row[f"{kind}_high"], f"{name}_high": 1 - row[f"{kind}_low"]}
        if min(row["n_real"], row["n_fake"]) > 0:
            difference = row["hits"] / row["n_fake"] - row["false_alarms"] / row["n_real"]
            low, high = newcombe(row["hits"], row["n_fake"], row["false_alarms"], row["n_real"])
            names = ("balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high")
            cells |= {name: (1 + value) / 2 for name, value in zip(names, (difference, low, high), strict=True)}
        rows.append(cells)
    return pd.DataFrame(rows, columns=COLUMNS).reset_index(drop=True)
