"""gan_eval: can people tell generated pictures from photographs, and does a metric agree with them?

The main steps from Python, with frames or paths in and frames out:

- `evaluate`: metrics of stimulus sets or of two folders of pictures;
- `import_trials`, `read_trials`, `analyze`: judgements (of other programs), and every statistic of them;
- `write_report`: the tables as one HTML file;
- `read_table`: any gan_eval table with its dtypes; `open_store`: a results store.

All of these are imported when they are first used: this package alone starts without pandas, torch and Qt.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gan_eval.base.threads import set_waiting_settings as _set_waiting_settings

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from gan_eval.judgements.readers import import_trials as import_trials
    from gan_eval.judgements.readers import read_trials as read_trials
    from gan_eval.metrics import evaluate as evaluate
    from gan_eval.report import write_report as write_report
    from gan_eval.stats.analysis import analyze as analyze
    from gan_eval.store import open_store as open_store

_set_waiting_settings()  # before anything loads PyTorch or NumPy

__version__ = "0.3.0"
__address__ = ""
"""Address of this project, for citations; empty: there is none yet. A test requires the same of pyproject.toml
(`[project.urls]`) and CITATION.cff (`url`)."""
__all__ = ["analyze", "evaluate", "import_trials", "open_store", "read_table", "read_trials", "write_report"]

_MODULE_OF = {
    "analyze": "stats.analysis",
    "evaluate": "metrics",
    "import_trials": "judgements.readers",
    "open_store": "store",
    "read_trials": "judgements.readers",
    "write_report": "report",
}
"""Public names by the module that has them."""


def read_table(source: "Path | str | pd.DataFrame", name: str | None = None) -> "pd.DataFrame":
    """Read a gan_eval table from CSV, Parquet (by suffix) or a frame; every column gets its dtype, also an empty one.

    Args:
        source: the file, or a frame such as `pandas.read_csv` gives.
        name: name of the table, as in docs/tables.md; default: the file's name (`answer/rates.csv` is the table
            `rates`). It is required for a frame.

    Returns:
        The table's columns in their order, then additional columns. Text is `str`, whole numbers are `Int64`, other
        numbers `float64`, true and false `boolean`; instants and JSON are text.

    Raises:
        UserError: no such file or table, a column is missing, or a cell does not fit its column.

    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> file = Path(mkdtemp()) / "rejected.csv"
    >>> _ = file.write_text("row,column,found,reason\\n3,kind,,empty\\n")
    >>> read_table(file).dtypes.astype("str").to_dict()
    {'row': 'Int64', 'column': 'str', 'found': 'str', 'reason': 'str', 'file': 'str'}
    """
    from difflib import get_close_matches
    from pathlib import Path

    from gan_eval import tables
    from gan_eval.base.errors import UserError
    from gan_eval.tables import frames as tabular

    file = Path(source) if isinstance(source, Path | str) else None
    requested = name or (file.stem.rpartition(".")[2] if file else "")
    declared = tables.TABLES
    if requested not in declared:
        from gan_eval.stats.all_tables import ALL_TABLES

        declared = ALL_TABLES
    if file and not file.exists():
        raise UserError(f"{file}: no such file")
    if requested not in declared:
        near = get_close_matches(requested, declared, n=1)
        hint = f"did you mean {near[0]}?" if near else "`gan_eval.tables.TABLES` has their names"
        raise UserError(f"{file or 'read_table of a frame'}: no table {requested!r}; {hint}")
    return tabular.as_table(source, declared[requested])


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"Any", "TYPE_CHECKING", "base", "import_module"})
