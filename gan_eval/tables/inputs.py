"""Tables of a study's inputs: published results, refused rows, data sets, give-aways."""

from gan_eval.tables.schema import DATASET, KINDS, NOTE, Table, ends, integer, number, text

PUBLISHED_QUIZ = Table(
    "published_quiz",
    "Published real-vs-fake judgements, from the literature.",
    (
        text("study", "name of the study", filled=True),
        text("source", "where it was published", filled=True),
        text("dataset", DATASET.meaning, filled=True),
        text("group", "truth of the pictures", words=KINDS, filled=True),
        integer("trials", "number of judgements", filled=True),
        number("percent_correct", "share of correct judgements", unit="%", filled=True),
        NOTE,
    ),
    key=("study", "dataset", "group"),
)

REJECTED = Table(
    "rejected",
    "Rows of a foreign table that could not be taken, as `./run trials import` found them.",
    (
        integer("row", "number of the row, 1 is the first below the header", filled=True),
        text("column", "the column at fault", filled=True),
        text("found", "what stands there"),
        text("reason", "why it cannot be taken", filled=True),
    ),
    key=("row", "column"),
)

GIVEAWAYS = Table(
    "giveaways",
    "Differences between real and generated pictures other than their content, found by `./run stimuli audit`.",
    (
        text("dataset", DATASET.meaning, filled=True),
        text("model", "the generator's name", filled=True),
        text("clue", "what is compared: format, size, brightness, ...", filled=True),
        text("sort", "where it is found: in the file, or in the pixels", words=("metadata", "picture"), filled=True),
        integer("n_real", "real pictures that have it", filled=True),
        integer("n_fake", "generated pictures that have it", filled=True),
        text("real", "real pictures: the value that separates most with its share, or the median"),
        text("fake", "the same in generated pictures"),
        number("auc", "share of (real, fake) pairs in which the fake has the larger value; categories: giveaways.md"),
        *ends("ci"),
        number("certain", "of a category: share of pictures with a value that one class alone has", unit="0..1"),
        number("p", "two-sided, against 0.5"),
        number("p_holm", "after Holm's correction over the clues of one model and data set"),
        text("verdict", "what the interval says", words=("ok", "look", "gives_away")),
        text("reason", "reason for a missing value"),
    ),
    key=("dataset", "model", "clue"),
)
