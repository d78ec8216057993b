"""A store's tables as files for other programs: CSV, Parquet, a Psych-DS dataset, a script for R.

export_store("store.sqlite", Path("out"), formats=["csv", "psych-ds"])
"""

from gan_eval.export.run import FORMATS, Exported, export_store

__all__ = ["FORMATS", "Exported", "export_store"]
