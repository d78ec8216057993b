"""Answers that follow from the truth and from whether they were correct."""

from pathlib import Path

import pandas as pd
import pytest
from small_tables import imported

from gan_eval.base.errors import UserError
from gan_eval.judgements.doubts import doubts
from gan_eval.judgements.trials import fill_trials

KEYS = "participant,stimulus,kind,key,correct\n" + "".join(
    f"P1,r{i},real,j,true\nP1,f{i},fake,f,true\nP2,r{i},real,f,{'yes' if i else 'F'}\nP2,f{i},fake,j,1\n"
    for i in range(3)
)
"""P1 has the key f for fake, P2 for real; one of 12 answers is wrong."""


@pytest.mark.parametrize("mapping", [{}, {"response": "key"}])
def test_the_response_follows_where_keys_differ_between_people(tmp_path: Path, mapping: dict[str, str]) -> None:
    found = imported(tmp_path, KEYS + "P1,r4,real,,false\nP2,f4,fake,None,\n", mapping)
    agrees = found.trials["response"] == found.trials["kind"]
    assert agrees.sum() == 11
    assert found.trials["response"].eq("none").sum() == (2 if mapping else 1)
    assert any("response follows from kind and correct" in line for line in found.doubts)


def test_a_word_that_is_no_answer_and_one_that_contradicts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'timeout'.*--word response:timeout=none"):
        imported(tmp_path, KEYS + "P1,r4,real,timeout,no\nP2,f4,fake,timeout,no\n", {"response": "key"})
    known = "".join(f"P{n % 2},r{n},real,{'fake,0' if n % 3 else 'real,1'}\n" for n in range(9))
    with pytest.raises(UserError, match=r"'timeout' is never correct.*--word response:timeout=none"):
        imported(tmp_path, KEYS.partition("\n")[0].replace("key", "response") + f"\n{known}P1,f1,fake,timeout,0\n")
    with pytest.raises(UserError, match=r"5.*--map correct="):
        imported(tmp_path, KEYS, {"response": "key"}, words={"response": {"f": "fake", "j": "real"}})


def test_correctness_is_not_taken_for_the_response(tmp_path: Path) -> None:
    text = KEYS.replace("key,correct", "key,acc")
    with pytest.raises(UserError, match="--map correct=COLUMN"):
        imported(tmp_path, text)
    with pytest.raises(UserError) as error:
        imported(tmp_path, text, {"response": "acc"})
    assert "--map correct=COLUMN" in str(error.value)
    assert "--word response:true" not in str(error.value).lower()


def test_a_wrong_answer_without_a_time_is_none(tmp_path: Path) -> None:
    text = "participant,stimulus,kind,correct,rt\nA,r,real,1,500\nA,f,fake,0,700\nA,g,fake,0,\nA,h,fake,,\n"
    trials = imported(tmp_path, text, {"reaction_time_ms": "rt"}).trials
    assert trials["response"].tolist() == ["real", "real", "none", "none"]
    frame = pd.DataFrame(
        {"participant": "A", "stimulus": ["r", "f"], "kind": ["real", "fake"], "correct": [True, False]}
    )
    assert fill_trials(frame.assign(participant="A"))["response"].tolist() == ["real", "real"]
    assert fill_trials(frame.assign(correct=[1, 0]))["response"].tolist() == ["real", "real"]
    assert fill_trials(frame.assign(correct=[1.0, None]))["response"].tolist() == ["real", "none"]


def test_a_person_far_below_chance_among_others_far_above_is_named() -> None:
    kinds = ["real", "fake"] * 10
    other = {"real": "fake", "fake": "real"}
    rows = [
        {"participant": f"P{person}", "stimulus": f"x{i}", "kind": kind,
         "response": other[kind] if (person == 3) != (i % 10 == person) else kind}
        for person in range(6)
        for i, kind in enumerate(kinds)
    ]  # fmt: skip
    (line,) = doubts(fill_trials(pd.DataFrame(rows)))
    assert "'P3' answered 10% correctly, the others 90%" in line
    says_fake = pd.DataFrame(rows).assign(
        response=lambda frame: frame["response"].where(frame["participant"] != "P3", "fake")
    )
    assert not doubts(fill_trials(says_fake)), "one answer to everything does not mean exchanged keys"
