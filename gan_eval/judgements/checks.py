"""Checks of judgements that may not be what their table says: a row each, and the only place of the thresholds.

`gan_eval.judgements.doubts` asks, `gan_eval.judgements.contradictions` refuses; `gan_eval.judgements` has the checks of
files of other programs.
"""

from gan_eval.tables.checks import Check

PLAUSIBLE_MS = {
    "reaction_time_ms": (100.0, 180_000.0),
    "requested_exposure_ms": (4.0, 60_000.0),
    "planned_exposure_ms": (4.0, 60_000.0),
    "exposure_ms": (4.0, 180_000.0),
    "second_exposure_ms": (8.0, 180_000.0),
}
"""Lowest and highest plausible median of a column of times; others are of another unit."""
CODES = (1, 9, 77, 88, 98, 99, 777, 888, 998, 999, 9999)
"""Numbers that surveys write for a missing answer, most of them also below 0."""

# fmt: off
_ROWS = (
    Check("two_people", "participants of one session", 1, "refuses",
          "participant {one}, in row {first} of the same session participant {other}; a session is one person's: give "
          "each a session of their own, or remove the column (trials import --map session=)"),
    Check("two_pictures", "kinds, models, data sets or items of one picture", 1, "refuses",
          "stimulus {stimulus} has {name} {one}, in row {first} {name} {other}{of_pair}; {fix}"),
    Check("other_name", "pictures named `dataset/real/…` that are generated, `dataset/model/…` of another model", 0,
          "refuses", "stimulus {stimulus} has {said}; pictures named dataset/real/... are real, those named "
          "dataset/model/... are that model's: correct the row"),
    Check("unnamed_models", "pairs of two models whose model is not `A|B`, or not that of their pictures", 0, "refuses",
          "model is {model}; for model_vs_model it must be A|B, the names of stimulus's and of stimulus_b's model"),
    Check("not_correct", "answers to single pictures whose `correct` differs from answer and truth", 0, "refuses",
          "correct is {correct}, which contradicts response {response} and kind {kind} ({count} such rows). Usual "
          "causes: keys that differ between people (give response no --word, and it follows from kind and correct), or "
          "exchanged meanings in --word. Else correct the rows; if the column is of something else, trials import "
          "--map correct="),
    Check("not_correct_choice", "choices whose `correct` differs from choice and truth", 0, "refuses",
          "correct is {correct}, which contradicts choice {choice} (a is the real picture) ({count} such rows). Usual "
          "causes: the question was which picture is fake (trials import --asked fake), or the sides are exchanged "
          "(stimulus is the real picture; trials import --map left=COLUMN --map right=COLUMN --map real_side=COLUMN). "
          "Else correct the rows; if the column is of something else, trials import --map correct="),
    Check("unit_of_person", "ratio of a person's median time and that of the others, which is plausible", 100,
          "refuses", "column {name}: the median is {median:.4g} ms for participant {people}, {usual:.4g} ms for "
          "others: seconds and milliseconds in one column? Write all times in milliseconds, or leave these people out "
          "(trials import --where {column}!={person})"),
    Check("unit", "median time outside 100 ms to 3 min, median exposure outside 4 ms to 1 min (`PLAUSIBLE_MS`)", 0,
          "refuses", "column {name}: the median is {median:.4g} ms, {asked} trials import --map \"{name}={source}\" "
          "{does}"),
    Check("no_answer_at_all", "answers in a file", 1, "refuses",
          "column {column}: no answer in any of {n} rows; nothing to import (Excel: cells with formulas have no value "
          "before the file was opened and saved in a spreadsheet)"),
    Check("one_name", "share of the names of pictures that stand for several (real and generated, of several models): "
          "each then gets a name of its own, fewer are mistakes, which two_pictures refuses", 0.5, "asks",
          "{names} for several pictures (real and generated, or of several models); each picture has its own now, such "
          "as {own}"),
    Check("one_time_stamp", "rows of a wide table with the time stamp of another one as their participant", 1, "asks",
          "participant: {count} rows have a time stamp that another row has; each row is taken for a person, such as "
          "{example}"),
    Check("names_by_ending", "ratio of the numbers of pictures without and with the endings of their names", 0.9,
          "asks",
          "{before} names of pictures are {after} without their endings: kept apart (--picture-names stem joins them)"),
    Check("names_by_code", "share of names judged by one participant, which are half as many without their codes", 0.9,
          "asks", "{before} names of pictures, each judged by one participant, are {after} without their numbers or "
          "codes: if these are the same pictures, remove them from the column", 1, 0.5),
    Check("no_main_trial", "main trials in a file", 1, "asks",
          "no row is a main trial ({counts}), so there is nothing to analyse; --map phase= takes all rows as main"),
    Check("people_without_answers", "answers of a participant who has trials", 1, "asks",
          "participants {people} have no answer in any of their {n} trials, others have: was a column not filled?"),
    Check("alike_codes", "spellings of a code of a person, or of a model, that differ in case, spaces or zeros", 2,
          "asks", "{column}s {names} differ only in case, spaces or zeros in front and are counted as different "
          "{what}; if they are one, write one name"),
    Check("no_model", "generated pictures without a model, where others have one", 1, "asks",
          "column model is empty in {count} of {n} trials of generated pictures, which count as a model of their own; "
          "fill it in"),
    Check("shared_image", "ratio of the numbers of pictures and of values of a column called image, photo, scene, ..., "
          "of which each picture has one", 2, "asks",
          "column {name} has {count} values for {n} pictures: if each is a photograph of which several pictures are "
          "made, they are no independent pictures, and intervals are too narrow; add --map item={name}", 5),
    Check("no_time", "share of the answers without a reaction time above 0, where others have one", 0.5, "asks",
          "{count} of {n} answers have no reaction time above 0{first}: the answers count, their times do not; if "
          "nobody answered there, as on pages that timed out, leave them out (trials import --where '{source}>0')"),
    Check("short_times", "reaction times in ms of rows that may be in seconds, in more than 1 % of the rows", 10,
          "asks",
          "column {name}: {count} of {n} are below {least:g} ms, the first is {first:g} in row {row}: are these "
          "seconds? Bring all rows to milliseconds", 3, 0.01),
    Check("short_exposures", "exposures in ms of rows that may be in frames, in more than 1 % of the rows", 4, "asks",
          "column {name}: {count} of {n} are below {least:g} ms, the first is {first:g} in row {row}: are these "
          "seconds or frames? Bring all rows to milliseconds", 3, 0.01),
    Check("since_start", "range in ms of a session's times, of which 90 % are longer than the one before", 10_000,
          "asks",
          "column reaction_time_ms: {share:.0%} of the times are longer than the one before: times since the start of "
          "the session? Give the time from onset to answer", 20, 0.9),
    Check("longest_time", "ratio of the numbers of answers with the longest time, 1 % of all, and with another one", 3,
          "asks", "column reaction_time_ms: {count} of {n} answers have the longest time, {time:g} ms: a time limit, "
          "or a code for no answer? They count; if nobody answered there, leave these rows out (trials import --where)",
          3, 0.01),
    Check("equal_sessions", "equal times of equal pictures in two sessions", 3, "asks",
          "sessions {sessions} have the same pictures with equal reaction times: one session under two names? remove "
          "one of them"),
    Check("code", "distance of a code such as 99 or -1 from the other grades, in ranges of these", 1, "asks",
          "column {name}: {count} are {code:g}, the others {low:g} to {high:g}: a code for no answer? It counts as a "
          "number; trials import --word {name}:{code:g}= leaves it out", 3),
    Check("other_scale", "ratio of a person's highest grade and the middle one of all people's", 3, "asks",
          "column rating: participants {people} have grades up to {highest:g}, the others up to {usual:g}: another "
          "scale? Bring all to one"),
    Check("reversed_scale", "level of the question over all people, of 5 or more with 5 grades of each kind", 0.05,
          "asks",
          "column rating: participants {people} graded real and generated pictures the other way round than most: was "
          "their scale reversed?", 5),
    Check("exchanged_keys", "share of correct answers of a person, with a chance of 2.5 % by guessing; of the others "
          "it is above 1 less that", 0.35, "asks",
          "participants {people} answered {share:.0%} correctly, the others {others:.0%}: were their keys exchanged?",
          10, 0.025),
    Check("exchanged_choice", "level at which answers to pairs are below chance", 0.05, "asks",
          "{share:.0%} of {n} answers are correct, below chance: if they were to choose the fake one, import with "
          "--asked fake"),
    Check("exchanged_meaning", "level at which answers to single pictures are below chance", 0.001, "asks",
          "{share:.0%} of {n} answers are correct, below chance: are the meanings of real and fake exchanged?"),
    Check("stopped_early", "level of the correlation of people's numbers of answers with their answers, of 5 or more "
          "people with numbers whose SD is 10 % of the mean or more", 0.005, "asks",
          "participants with more answers {how} (r = {r:.2f}, {people} people): did some stop early because of this? "
          "Where it matters, paper and comparisons count each participant once; report who stopped, and why", 5, 0.1),
    Check("no_direction", "ratings of which nothing says whose are high", 1, "asks",
          "nothing says whether real or generated pictures get high ratings, so no direction is reported; add "
          "--rating-high real or --rating-high fake"),
    Check("faster_than_possible", "ratio of the sum of a jsPsych session's times and its duration", 1.02, "asks",
          "the reaction times of {sessions} ({rows} rows) add up to more than the session lasted ({total:.0f} ms in "
          "{last:.0f}): simulated? jsPsych writes no mark; --map 'simulated=@\"true\"' marks all rows of an import"),
    Check("untouched", "ratings of jsPsych that are the slider's start value", 1, "asks",
          "{count} of {n} ratings are the slider's start value: jsPsych writes it for a slider that was not touched "
          "(require_movement)"),
    Check("zero_confidence", "confidences of 0 in oTree, where others are not", 1, "asks",
          "{count} confidences are 0, as on a page that timed out; --word confidence:0= leaves them out"),
    Check("without_value", "number of a model's judged pictures without a value, where others of the model have one", 1,
          "asks",
          "{count} of {n} judged pictures of this model have no value, such as {first}: if the file numbers pictures "
          "from another number, each value may be that of its neighbour; rename them"),
    Check("other_numbers", "share of the numbers from the first to the last that a model's judged pictures have, where "
          "theirs begin with 1 and those of another program's file with 0, or the other way", 0.8, "asks",
          "its pictures are numbered {other} to {other_last}, the judged ones {first} to {last}: if its {other} is "
          "their {first}, each value is that of a neighbour; rename the pictures in the file", 4),
    Check("finite_psnr", "pictures whose PSNR is that of equal ones in pyiqa, piq or libvmaf (60, 72, 80, 84, 100)", 2,
          "asks", "{metric} is exactly {value:g} for {count} pictures; pyiqa, piq and libvmaf write it where a picture "
          "equals its reference and PSNR is infinite; if so, write inf"),
    Check("far_value", "distance of a value that several pictures have from all others, in ranges of these", 1, "asks",
          "{metric} is {value:g} for {count} pictures, the others {low:g} to {high:g}: a code for a missing value? It "
          "counts; leave these cells empty", 5),
    Check("other_sessions", "sessions without an answer to a covariate, where answers are of other sessions", 1, "asks",
          "covariate {name}: {missing} of {n} sessions have no answer, the first is {first}, and {others} answers are "
          "of other sessions, such as {other}; write the sessions as in the trials"),
    Check("mixed_covariate", "share of a covariate's answers that are numbers, where others are words", 0.8, "asks",
          "covariate {name}: {count} of {n} answers are numbers, that of {person} is {answer}: all count as words; "
          "write numbers with a decimal point, and leave other cells empty"),
    Check("code_of_covariate", "ratio of a code such as 99 and the highest other answer to a covariate, with 3 others",
          2, "asks", "covariate {name}: {count} answers are {code:g}, the others {low:g} to {high:g}: a code for no "
          "answer? It counts as a number; leave these cells empty", 3),
    Check("alike_answers", "spellings of an answer to a covariate that differ in case", 2, "asks",
          "covariate {name}: {words} differ only in case and count as different answers; write one of them"),
)
# fmt: on
CHECKS = {check.id: check for check in _ROWS}
"""All checks by their identifiers."""
