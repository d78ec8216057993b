# Reads the tables of this folder, with types and factor levels: source("read.R", chdir = TRUE)
# TIMING

as_type <- function(cells, type) {
  if (length(type) > 1) return(factor(cells, levels = type[-1]))
  switch(type,
    int = as.numeric(cells), # R's integers end at 2^31
    float = as.numeric(cells),
    bool = as.logical(cells),
    instant = as.POSIXct(strptime(cells, "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")),
    cells
  )
}

# the apostrophe that keeps a spreadsheet from running a cell is not part of its text
as_meant <- function(cells) sub("^'(?=FORMULA)", "", cells, perl = TRUE)

read_one <- function(name, types) {
  cells <- read.csv( # encoding, not fileEncoding: the latter loses cells where R's locale is not UTF-8
    paste0(name, ".csv"), colClasses = "character", na.strings = "", check.names = FALSE, encoding = "UTF-8"
  )
  names(cells) <- as_meant(names(cells))
  cells[] <- lapply(cells, as_meant)
  for (column in names(types)) cells[[column]] <- as_type(cells[[column]], types[[column]])
  cells
}
