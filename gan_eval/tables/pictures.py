"""What can be shown: stimulus sets, data sets of pairs, and what gives pictures away."""

from gan_eval.tables.schema import Table, integer, number, text
from gan_eval.tables.shared import DATASET, FRACTION, ITEM, KIND, KINDS, MODEL, STIMULUS, STYLE_NETWORK, ends

STIMULI = Table(
    "stimuli",
    "The pictures that can be shown. Files are relative to the table and stay below it.",
    (
        STIMULUS,
        text("item", ITEM.meaning, filled=True),
        text("kind", KIND.meaning, words=KINDS, filled=True),
        MODEL,
        text("dataset", DATASET.meaning, filled=True),
        text("split", "the part of the data set: train, val, test"),
        text("file", "the picture", filled=True),
        text("input_file", "the label picture that the generator was given"),
        text("reference_file", "the ground truth of a generated picture"),
        integer("width", "width of the picture", unit="pixel"),
        integer("height", "height of the picture", unit="pixel"),
        text("sha256", "SHA-256 of the picture's file"),
        text("mask_kind", "inpainting: how the hole was made"),
        number("mask_area", "inpainting: share of the picture that is hole", unit="0..1"),
        text("mask_file", "inpainting: the mask picture, white is hole"),
        STYLE_NETWORK,
        FRACTION,
    ),
    key=("stimulus",),
)

_PLACE = (
    text("split", "the part of the data set: train, val, test", filled=True),
    text("file", "the picture, relative to the data set's folder", filled=True),
)
_HEIGHT = integer("height", "height of the picture", unit="pixel")
_UNUSABLE = text("reason", "why the picture cannot be used")

PAIRS = Table(
    "pairs",
    "The pictures of a data set in the A|B layout, as `data check` found them.",
    (
        *_PLACE,
        integer("width", "width of the whole picture, both halves", unit="pixel"),
        _HEIGHT,
        number("flat_a", "share of neighbouring pixels of A with nearly the same grey level", unit="0..1"),
        number("flat_b", "the same share of B; the drawn half (labels, map, edges) has the larger one", unit="0..1"),
        text("pixels_a", "hash of A's decoded pixels: equal in equal pictures"),
        text("pixels_b", "hash of B's decoded pixels"),
        _UNUSABLE,
    ),
    key=("file",),
)

PHOTOGRAPHS = Table(
    "photographs",
    "The pictures of a set of single photographs, as `data check --photographs` found them.",
    (
        *_PLACE,
        integer("width", "width of the picture", unit="pixel"),
        _HEIGHT,
        text("pixels", "hash of the decoded pixels: equal in equal pictures"),
        _UNUSABLE,
    ),
    key=("file",),
)

GIVEAWAYS = Table(
    "giveaways",
    "What tells real from generated pictures without a look at their content, as `stimuli audit` found it.",
    (
        text("dataset", DATASET.meaning, filled=True),
        text("model", "the generator's name", filled=True),
        text("clue", "what is compared: format, jpeg_tables, brightness, ...", filled=True),
        text("sort", "where it is found: in the file, or in the pixels", words=("metadata", "picture"), filled=True),
        integer("n_real", "real pictures that have it", filled=True),
        integer("n_fake", "generated pictures that have it", filled=True),
        text("real", "the clue in real pictures: the value that tells most with its share, or the median"),
        text("fake", "the same in generated pictures"),
        number("auc", "share of (real, fake) pairs in which the fake has the larger value; categories: giveaways.md"),
        *ends("ci"),
        number("certain", "of a category: share of pictures with a value that one class alone has", unit="0..1"),
        number("p", "two-sided, against 0.5"),
        number("p_holm", "after Holm's correction over the clues of one model and data set"),
        text("verdict", "what the interval says", words=("ok", "look", "gives_away")),
        text("reason", "why there is no value"),
    ),
    key=("dataset", "model", "clue"),
)
