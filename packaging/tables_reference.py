"""`docs/tables.md`, made from the tables' declarations: python packaging/tables_reference.py > docs/tables.md"""

from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.tables.cells import limits_of


def reference() -> str:
    """The text of `docs/tables.md`."""
    lines = [
        "# The tables",
        "",
        "Made from the declarations by `python packaging/tables_reference.py > docs/tables.md`; do not edit by hand.",
        "",
        "CSV files are UTF-8 with line feeds; a missing value is an empty cell; booleans are `true` and `false`; an",
        "infinite number is `inf`. Times are float milliseconds in columns that end in `_ms`; instants are UTC in",
        "ISO 8601. More columns than those below are welcome and are kept.",
        "",
        "No number has exactly three decimals: 0.875 is written 0.8750. A spreadsheet in German may take the point of",
        "0.875 for a separator of thousands, and save 875. A number outside the range of its unit (`0..1`,",
        "`-1..1`) is refused when a CSV file is read.",
        "",
        "Text that a spreadsheet would run as a formula (it begins with `=`, `+`, `@`, a tab, a line's end, or a `-`",
        "that does not begin a number) is written with an apostrophe before it, also behind apostrophes of its own.",
        "Every command removes one when it reads; so should other programs.",
        "",
        "Identifiers and file names have no invisible characters (controls, marks of direction, zero-width spaces).",
    ]
    for table in ALL_TABLES.values():
        lines += ["", f"## {table.name}", "", table.meaning.replace("`gan-eval ", "`./run "), ""]
        if table.key:
            lines += [f"A row is identified by {', '.join(f'`{name}`' for name in table.key)}.", ""]
        lines += ["| column | type | unit | must be filled | meaning |", "| --- | --- | --- | --- | --- |"]
        for column in table.columns:
            words = f" ({', '.join(column.words)})" if column.words else ""
            words += f" ({limits_of(column)})" if column.least is not None else ""
            need = "yes" if column.filled else ("column may be absent" if column.optional else "")
            meaning = f"{column.meaning}{words}".replace("|", r"\|")
            lines.append(f"| {column.name} | {column.dtype} | {column.unit} | {need} | {meaning} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
