import re

import pandas as pd

from gan_eval.report.power_curve import power_curve


def test_each_question_has_its_line_in_colours_of_its_own():
    rows = [
        {"question": question, "stimuli": 40, "participants": n, "power": n / 40, "ci_low": n / 50, "ci_high": n / 35}
        for question in ("told apart", "a $ b")
        for n in (8, 16, 24)
    ]
    svg = power_curve(pd.DataFrame(rows), questions=["told apart", "a $ b"], target=0.8)
    assert {"told apart", "a $ b"} <= set(re.findall(r">([^<]*)</text>", svg))
    assert "Dotted: 80 %" in svg
    assert "var(" not in svg
