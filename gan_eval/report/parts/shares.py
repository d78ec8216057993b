"""How often pictures passed, and how often they were judged rightly: the shares that the report speaks of."""

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
    table = folder.table(DETECTION)
    found = table.loc[(table["scope"] == scope) & table["basis"].notna(), COLUMNS].set_index("id", drop=False)
    rates = folder.scope(scope)
    rows = [
        found.loc[row["id"]].to_dict() if row["id"] in found.index else _from_counts(row) for _, row in rates.iterrows()
    ]
    return pd.DataFrame(rows if len(rates) else found, columns=COLUMNS).reset_index(drop=True)


def _from_counts(row: pd.Series) -> dict[str, object]:
    """All answers taken as independent."""
    told: dict[str, object] = {"scope": row["scope"], "id": row["id"], "basis": "independent"}
    for name, kind in (("fooling_rate", "fake"), ("false_alarm_rate", "real")):
        told |= {name: 1 - row[f"{kind}_correct"]}
        told |= {f"{name}_low": 1 - row[f"{kind}_high"], f"{name}_high": 1 - row[f"{kind}_low"]}
    if min(row["n_real"], row["n_fake"]) > 0:
        difference = row["hits"] / row["n_fake"] - row["false_alarms"] / row["n_real"]
        low, high = newcombe(row["hits"], row["n_fake"], row["false_alarms"], row["n_real"])
        told |= {"balanced_accuracy": (1 + difference) / 2}
        told |= {"balanced_accuracy_low": (1 + low) / 2, "balanced_accuracy_high": (1 + high) / 2}
    return told
