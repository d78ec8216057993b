"""Names of pictures in another program's table."""

from collections.abc import Callable
from unicodedata import normalize
from urllib.parse import unquote

import pandas as pd

PICTURE_FILE = r"\.(?i:png|jpe?g|webp|bmp|tiff?|gif|avif)$"


def distinct_names(trials: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rename pictures that share a name to `dataset/real/STEM` and `dataset/model/STEM`; the name is their item.

    If fewer than half of the names are real in some rows and fake in others, these rows are mistakes, and
    `require_agreement` refuses them.
    """
    single = trials["kind"].notna()
    version = trials["model"].where(trials["kind"] == "fake").fillna(trials["kind"])
    version = (trials["dataset"] + "/").fillna("") + version
    versions = version[single].groupby(trials["stimulus"][single]).nunique()
    kinds = trials["kind"][single].groupby(trials["stimulus"][single]).nunique()
    mistaken = kinds.index[kinds > 1] if (kinds > 1).mean() < 0.5 else kinds.index[:0]
    shared = versions.index[versions > 1].difference(mistaken)
    if shared.empty:
        return trials, ()
    several = single & trials["stimulus"].isin(shared)
    stem = by_distinct(trials["stimulus"], lambda names: names.str.replace(PICTURE_FILE, "", regex=True))
    if stem.nunique() < trials["stimulus"].nunique():  # a.png differs from a.jpg
        stem = trials["stimulus"]
    own_name = trials["stimulus"].mask(several, version + "/" + stem)
    item = trials["item"].fillna(trials["stimulus"].where(single))
    return trials.assign(stimulus=own_name, item=item), tuple(map(str, shared))


def clean_names(names: pd.Series) -> pd.Series:
    """Return names without HTML tags, codes of an address (%20), spaces, quotes and queries; endings in lower case."""
    return by_distinct(names, _clean)


def by_distinct(names: pd.Series, change: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Return names after a change of each distinct one."""
    code, distinct = pd.factorize(names)
    texts = change(pd.Series(distinct, dtype="object").astype("str"))
    return pd.Series([*texts, None], dtype="str").take(code).set_axis(names.index)


def _clean(texts: pd.Series) -> pd.Series:
    source = texts.str.extract(r"""(?i)<[^>]*\bsrc\s*=\s*["']?([^"'\s>]+)""", expand=False)
    texts = source.fillna(texts.str.replace(r"<[^>]*>", "", regex=True)).str.strip(" \t\"'")
    texts = texts.str.replace(f"({PICTURE_FILE.removesuffix('$')})[?#&].*$", r"\1", regex=True)
    texts = texts.map(lambda text: normalize("NFC", unquote(text)))  # macOS writes é as two characters
    return texts.str.replace(PICTURE_FILE, lambda found: found.group().lower(), regex=True)
