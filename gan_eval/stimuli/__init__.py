"""Pictures on disk and the stimulus sets that they make."""

from gan_eval.stimuli.sets import (
    FILE_COLUMNS,
    RAW,
    RAW_ENDING,
    TABLE_NAME,
    FileColumn,
    StimulusSet,
    model_name_problem,
    name_problem,
    read_set,
    read_sets,
    read_stimulus_tables,
    stimulus_row,
    write_set,
)

__all__ = [
    "FILE_COLUMNS",
    "RAW",
    "RAW_ENDING",
    "TABLE_NAME",
    "FileColumn",
    "StimulusSet",
    "model_name_problem",
    "name_problem",
    "read_set",
    "read_sets",
    "read_stimulus_tables",
    "stimulus_row",
    "write_set",
]
