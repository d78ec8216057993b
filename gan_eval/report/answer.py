"""The answer first: one plain sentence with its numbers, then one for each data set."""

import pandas as pd

from gan_eval.report.folder import StudyFolder
from gan_eval.report.words import number, percent, percent_interval, plural
from gan_eval.stats.rates import UNEVEN
from gan_eval.tables import MIXED_MODELS


def answer(folder: StudyFolder) -> list[str]:
    """The sentences, the answer itself first, or none where there are no rates."""
    everything = folder.scope("all")
    if everything.empty:
        return []
    row = everything.iloc[0]
    if pd.isna(row["accuracy"]):
        return ["There is no answer yet: no trial has been judged."]
    crossed = _crossed_interval(folder)
    low, high = crossed or (row["accuracy_low"] - 0.5, row["accuracy_high"] - 0.5)
    sentences = [
        f"{_verdict(_who(folder), low, high)}: {percent(row['accuracy'])} of "
        f"{plural(int(row['n_real'] + row['n_fake']), 'answer')} were right (95 % interval "
        f"{percent_interval(row['accuracy_low'], row['accuracy_high'])}; guessing gives 50 %).",
        _errors(row),
        *_by_dataset(folder.scope("dataset")),
        _caution(row),
    ]
    if crossed:
        sentences.append("The verdict allows for differences between participants and between pictures.")
    if folder.simulated:
        sentences.append("No person answered: this rehearses the study and says nothing of people.")
    return [sentence for sentence in sentences if sentence]


def _who(folder: StudyFolder) -> str:
    count = len(folder.scope("participant"))
    noun = "simulated participant" if folder.simulated else "participant"
    return f"One {noun}" if count == 1 else plural(count, noun)


def _crossed_interval(folder: StudyFolder) -> tuple[float, float] | None:
    """The crossed model's interval of the log-odds of a right answer, where it could be fitted."""
    models = folder.table(MIXED_MODELS)
    if models.empty:
        return None
    plain = models[models["formula"].str.startswith("correct ~ 1 +") & models["ci_low"].notna()]
    return (plain.iloc[0]["ci_low"], plain.iloc[0]["ci_high"]) if len(plain) else None


def _verdict(who: str, low: float, high: float) -> str:
    """What an interval around guessing, which is 0, says."""
    if low > 0:
        return f"{who} told real from generated pictures better than by guessing"
    if high < 0:
        return f"{who} mistook real and generated pictures for each other more often than guesses would"
    return f"The answers of {who[0].lower() + who[1:]} do not show that real and generated pictures can be told apart"


def _errors(row: pd.Series) -> str:
    """Both error rates and d′: accuracy alone hides a leaning to one answer."""
    parts = []
    if not pd.isna(row["fake_correct"]):
        parts.append(
            f"{percent(1 - row['fake_correct'])} of the generated pictures passed as real "
            f"({percent_interval(1 - row['fake_high'], 1 - row['fake_low'])})"
        )
    if not pd.isna(row["real_correct"]):
        parts.append(
            f"{percent(1 - row['real_correct'])} of the real ones were taken for generated "
            f"({percent_interval(1 - row['real_high'], 1 - row['real_low'])})"
        )
    if not pd.isna(row["dprime"]):
        parts.append(f"sensitivity d′ = {number(row['dprime'])}")
    return "; ".join(parts) + "."


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
            f"Real ({real}) and generated ({fake}) pictures were not equally many: whoever leans to one answer is not "
            "at 50 % when guessing; d′ allows for that."
        )
    return ""
