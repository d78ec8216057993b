"""Studies to begin with, by the name of `study new --template`: what each sets, beyond the defaults."""

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]
"""Content of a study file, as `tomllib` reads it."""

TRAINING: Values = {
    "data": {"facades": {"direction": "BtoA"}},
    "models": {"pix2pix": {"data": "facades"}},
    "training": {"epochs": 200},
}
"""The models of a study without pictures: the published training on facades (`gan-eval data fetch`)."""

TEMPLATES: Mapping[str, Values] = {
    "pairs": {  # the test of pix2pix (Isola et al. 2017)
        "study": {"question": "Which picture of each pair is real?"},
        "quiz": {
            "protocol": "paired",
            "pairs": 40,
            "layout": "one_after_other",
            "exposure_ms": 1000.0,
            "gap_ms": 300.0,
            "response_ms": "unlimited",
        },
    },
    "staircase": {  # HYPE_time (Zhou et al. 2019)
        "study": {"question": "How long must people look at a picture to tell if it is real?"},
        "quiz": {
            "protocol": "staircase",
            "real": 50,
            "fake": 50,
            "mask": "noise",
            "mask_ms": 150.0,
            "response_ms": "unlimited",
            "staircase": {
                "start_ms": 500.0,
                "shortest_ms": 100.0,
                "longest_ms": 1000.0,
                "down_ms": 10.0,
                "up_ms": 30.0,
            },
        },
    },
    "grades": {
        "study": {"question": "How real do the pictures look, from 1 to 5?"},
        "quiz": {"protocol": "rating", "real": 20, "fake": 40, "grades": 5, "response_ms": "unlimited"},
    },
    "inpainting": {
        "study": {"question": "Do people see which pictures had a hole that a model filled?"},
        "data": {"landscapes": {}},
        "models": {"filler": {"data": "landscapes"}},
        "training": {
            "epochs": 100,
            "generator": "channelwise_unet",
            "image_size": 256,
            "batch_size": 8,
            "jitter": False,
            "inpainting": {"masks": {"centre": 1, "blocks": 2, "region": 2}, "fill": "noise"},
        },
        "quiz": {"marks": 3, "marks_after": "fake"},
        "metrics": {"names": ["l1_hole", "psnr_hole", "ssim_hole", "fid", "kid"]},
    },
    "online": {  # by link, with Prolific
        "quiz": {
            "participants": 40,
            "questions": [{"id": "expertise", "text": "Do you work with pictures?", "choices": ["yes", "no"]}],
            "browser": {
                "admit": 40,
                "complete_url": "https://app.prolific.com/submissions/complete?cc=CODE1",
                "screened_out_url": "https://app.prolific.com/submissions/complete?cc=CODE2",
                "declined_url": "https://app.prolific.com/submissions/complete?cc=CODE3",
                "smallest_window": [900, 700],
                "lowest_refresh_hz": 50.0,
                "touch": False,
                "checks": [
                    {
                        "text": "What do you press for a photograph?",
                        "choices": ["{fake}", "{real}"],
                        "answer": "{real}",
                    }
                ],
            },
        },
    },
}
