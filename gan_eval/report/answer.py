"""The answer first: one plain sentence with its numbers, then one for each data set."""

import pandas as pd

from gan_eval.report.folder import StudyFolder
from gan_eval.report.words import number, percent, percent_interval, plural
from gan_eval.tables import MIXED_MODELS

UNEVEN = 1.2
"""From this ratio of reals to fakes on, 50 % is not what a leaning guesser reaches."""


def answer(folder: StudyFolder) -> list[str]:
    """The sentences, or none where there are no rates."""
    everything = folder.scope("all")
    if everything.empty:
        return []
    row = everything.iloc[0]
    if pd.isna(row["accuracy"]):
        return ["There is no answer yet: no trial has been judged."]
    sentences = [_overall(folder, row), *_by_dataset(folder.scope("dataset"))]
    caution = _caution(row)
    return [*sentences, caution] if caution else sentences


def _overall(folder: StudyFolder, row: pd.Series) -> str:
    who = _who(folder)
    judged = plural(int(row["n_real"] + row["n_fake"]), "picture")
    right = (
        f"{who} judged {judged} and {'was' if who.startswith('One ') else 'were'} right in {percent(row['accuracy'])} "
        f"(95 % interval {percent_interval(row['accuracy_low'], row['accuracy_high'])}; guessing gives 50 %): "
        f"{_verdict(folder, row)}."
    )
    if pd.isna(row["fake_correct"]):
        return right
    fooled = (
        f"{percent(1 - row['fake_correct'])} of the generated pictures passed as real "
        f"({percent_interval(1 - row['fake_high'], 1 - row['fake_low'])})"
    )
    if pd.isna(row["real_correct"]):
        return f"{right} {fooled}."
    taken = f"{percent(1 - row['real_correct'])} of the real ones were taken for generated"
    return (
        f"{right} {fooled}, and {taken} ({percent_interval(1 - row['real_high'], 1 - row['real_low'])}); "
        f"sensitivity d′ = {number(row['dprime'])}."
    )


def _who(folder: StudyFolder) -> str:
    count = len(folder.scope("participant"))
    noun = "simulated participant" if folder.simulated else "participant"
    return f"One {noun}" if count == 1 else plural(count, noun)


def _verdict(folder: StudyFolder, row: pd.Series) -> str:
    """What the numbers say of telling real from generated; the crossed model decides where it could be fitted."""
    models = folder.table(MIXED_MODELS)
    plain = models[models["formula"].str.startswith("correct ~ 1 +") & models["ci_low"].notna()] if len(models) else models
    if len(plain):
        low, high = plain.iloc[0]["ci_low"], plain.iloc[0]["ci_high"]
        by = "allowing for differences between participants and between pictures, "
    else:
        low, high, by = row["accuracy_low"] - 0.5, row["accuracy_high"] - 0.5, ""
    if low > 0:
        return f"{by}real and generated pictures were told apart better than by guessing"
    if high < 0:
        return f"{by}the answers were wrong more often than guesses would be"
    return f"{by}this does not show whether real and generated pictures can be told apart"


def _by_dataset(rates: pd.DataFrame) -> list[str]:
    if len(rates) < 2:
        return []
    return [
        f"{row['id']}: {percent(row['accuracy'])} right "
        f"({percent_interval(row['accuracy_low'], row['accuracy_high'])}); "
        + (
            "no generated picture was judged."
            if pd.isna(row["fake_correct"])
            else f"{percent(1 - row['fake_correct'])} of the generated pictures passed as real "
            f"({percent_interval(1 - row['fake_high'], 1 - row['fake_low'])})."
        )
        for _, row in rates.iterrows()
        if not pd.isna(row["accuracy"])
    ]


def _caution(row: pd.Series) -> str:
    real, fake = int(row["n_real"]), int(row["n_fake"])
    if min(real, fake) == 0:
        kind = "real" if real == 0 else "generated"
        return f"No {kind} picture was judged, so a leaning to one answer cannot be told from skill."
    if max(real, fake) / min(real, fake) >= UNEVEN:
        return (
            f"Real ({real}) and generated ({fake}) pictures were not equally many: whoever leans to one answer is not at "
            "50 % when guessing; d′ allows for that."
        )
    return ""
