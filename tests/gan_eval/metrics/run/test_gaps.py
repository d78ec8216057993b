"""Ten thousand missing values become a few lines."""

import numpy as np
import pandas as pd

from gan_eval import tables
from gan_eval.metrics.run.tables import first_lines, missing_values
from gan_eval.tables.frames import frame_of


def _images(*rows):
    return pd.DataFrame(rows, columns=["stimulus", "metric", "value", "reason"])


def _sets(*rows):
    return pd.DataFrame(rows, columns=["model", "dataset", "metric", "value", "reason"])


def _lines(images=None, sets=None, **options):
    given = {
        "image_metrics": frame_of([], tables.IMAGE_METRICS) if images is None else images,
        "set_metrics": frame_of([], tables.SET_METRICS) if sets is None else sets,
    }
    return missing_values(given, **options)


def test_reasons_that_differ_in_names_and_numbers_are_one_line():
    rows = [(f"d/m/{n}", "niqe", np.nan, f"a picture of {n}x64 has 0 blocks; NIQE needs two") for n in range(5_000)]
    rows += [(f"d/m/x{n}", "psnr", np.nan, f"no picture with the stem 'x{n}' in /real") for n in range(7)]
    rows += [(f"d/m/y{n}", "psnr", np.nan, f"/a: b/y {n}.JPG: the picture is transparent") for n in range(9)]
    assert _lines(_images(*rows)) == [
        "5000 pictures: no niqe; the first, d/m/0: a picture of 0x64 has 0 blocks; NIQE needs two",
        "9 pictures: no psnr; the first, d/m/y0: /a: b/y 0.JPG: the picture is transparent",
        "7 pictures: no psnr; the first, d/m/x0: no picture with the stem 'x0' in /real",
    ]


def test_sets_come_first_and_are_told_together():
    reason = "weights inception: not in the cache; `gan-eval weights fetch inception`"
    sets = _sets(
        ("m", "d", "fid", np.nan, reason),
        ("m", "d", "kid", np.nan, reason),
        ("n", "d", "fid", np.nan, reason),
        ("n", "d", "kid", 3.0, None),
    )
    frame = _images(("d/m/1", "psnr", np.nan, "no reference_file"))
    assert _lines(frame, sets) == [
        f"2 sets: no fid, kid; the first, m on d: {reason}",
        "d/m/1: no psnr: no reference_file",
    ]
    assert _lines(sets=sets[:2]) == [f"m on d: no fid, kid: {reason}"]


def test_there_are_no_more_lines_than_wanted():
    rows = [(f"d/m/{word}", "psnr", np.nan, f"reason {word}") for word in "abcdefg"]
    lines = _lines(_images(*rows), most=3)
    assert lines == [*(f"d/m/{word}: no psnr: reason {word}" for word in "abc"), "... and 4 more"]
    assert first_lines(lines, most=4) == lines
    assert _lines() == []
