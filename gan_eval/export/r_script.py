"""A script that reads the CSV files into R with the right types. R's own files (.rds) only R can write."""

from collections.abc import Iterable

from gan_eval.export.dictionary import TIMING
from gan_eval.tables.csv_files import FORMULA
from gan_eval.tables.schema import Column, Table

_HEAD = """\
# Reads the tables of this folder, with types and factor levels: source("read.R", chdir = TRUE)
# {timing}

as_type <- function(cells, type) {{
  if (length(type) > 1) return(factor(cells, levels = type[-1]))
  switch(type,
    int = as.numeric(cells), # R's integers end at 2^31
    float = as.numeric(cells),
    bool = as.logical(cells),
    instant = as.POSIXct(strptime(cells, "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")),
    cells
  )
}}

# the apostrophe that keeps a spreadsheet from running a cell is none of its text
as_meant <- function(cells) sub("^'(?={formula})", "", cells, perl = TRUE)

read_one <- function(name, types) {{
  cells <- read.csv( # encoding, not fileEncoding: the latter loses cells where R's locale is not UTF-8
    paste0(name, ".csv"), colClasses = "character", na.strings = "", check.names = FALSE, encoding = "UTF-8"
  )
  names(cells) <- as_meant(names(cells))
  cells[] <- lapply(cells, as_meant)
  for (column in names(types)) cells[[column]] <- as_type(cells[[column]], types[[column]])
  cells
}}
"""


def r_script(tables: Iterable[Table]) -> str:
    """The text of `read.R`: one data frame for each table, by the table's name."""
    parts = [_HEAD.format(timing=TIMING, formula=FORMULA)]
    for table in tables:
        types = ",\n".join(f"  {column.name} = {_type(column)}" for column in table.columns)
        parts.append(f'{table.name} <- read_one("{table.name}", list(\n{types}\n))\n')
    return "\n".join(parts)


def _type(column: Column) -> str:
    if column.words:
        return "c({})".format(", ".join(f'"{word}"' for word in ("factor", *column.words)))
    return f'"{column.dtype}"'
