"""Files of experiment tools in their own columns: people answer `ANSWERS` to `PICTURES`."""

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from gan_eval.judgements.convert import Imported, import_trials

Played = tuple[int, int, float | None]
"""Number of main trials, of those without an answer, and accuracy."""
ANSWERS = ["real", None, "real", "fake", "fake", "fake"]
"""Answers of each person to real_1, fake_1, real_2, fake_2, real_3, fake_3: 4 of 5 are right, one is missed."""
PICTURES = [f"{kind}_{number}" for number in (1, 2, 3) for kind in ("real", "fake")]
KINDS = ["real", "fake"] * 3
PLAYED: Played = (6, 1, 0.8)
KEYS = {"real": "j", "fake": "f", None: None}


def played(found: Imported) -> Played:
    return played_in(found.trials)


def played_in(trials: pd.DataFrame) -> Played:
    main = trials[trials["phase"] == "main"]
    answered = main[main["response"] != "none"]
    accuracy = (answered["response"] == answered["kind"]).mean() if len(answered) else None
    return len(main), len(main) - len(answered), accuracy


def imported(files: Path | Sequence[Path], **options: Any) -> Imported:
    return import_trials(files, **{"mapping": {}, **options})


def written(tmp_path: Path, name: str, rows: list[dict[str, Any]], **options: Any) -> Path:
    file = tmp_path / name
    pd.DataFrame(rows).to_csv(file, index=False, **options)
    return file


def jspsych(person: str, *, version: int = 8, keys: dict[Any, Any] = KEYS) -> list[dict[str, Any]]:
    """A session: a fixation and a picture each; a missed picture is `null`, as jsPsych writes it."""
    rows: list[dict[str, Any]] = []
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True)):
        key = "null" if answer is None else keys[answer]
        own: dict[str, Any] = {"plugin_version": "2.2.0"} if version == 8 else {"internal_node_id": f"0.0-{at}.0"}
        field = "key_press" if version == 6 else "response"
        common = {"participant": person, **own}
        fixation = {"trial_type": "html-keyboard-response", "stimulus": "+", "rt": "null", field: "null"}
        judged = {"trial_type": "image-keyboard-response", "stimulus": f"img/{picture}.png", field: key, "truth": kind}
        judged |= {"rt": "null" if answer is None else 400 + at, "correct": str(answer == kind).lower()}
        rows += [
            {**common, **fixation, "trial_index": 2 * at, "time_elapsed": 1500 * at + 150},
            {**common, **judged, "trial_index": 2 * at + 1, "time_elapsed": 1500 * at + 1400},
        ]
    return rows


def of_jatos(sessions: Sequence[list[dict[str, Any]]]) -> bytes:
    results = [
        {
            "id": 10 + at,
            "studyState": "FINISHED",
            "workerId": 70 + at,
            "urlQueryParameters": {"PROLIFIC_PID": f"x{at}"},
            "componentResults": [{"id": at, "path": f"/study_result_{10 + at}/comp-result_{at}"}],
        }
        for at in range(len(sessions))
    ]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"data": [{"studyResults": results}]}))
        for at, rows in enumerate(sessions):
            archive.writestr(f"study_result_{10 + at}/comp-result_{at}/data.txt", json.dumps(rows))
    return stream.getvalue()


def labjs(person: str) -> list[dict[str, Any]]:
    rows = [{"participant": person, "sender": "Form", "sender_type": "html.Form", "duration": 500}]
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True)):
        rows.append({"sender": "Fixation", "sender_type": "html.Screen", "duration": 150, "ended_on": "timeout"})
        row = {"sender": "Picture", "sender_type": "html.Screen", "picture": f"img/{picture}.png", "truth": kind}
        row |= {"response": answer, "duration": 900 if answer is None else 300 + at, "correctResponse": kind}
        rows.append({**row, **({} if answer is None else {"correct": str(answer == kind).lower()})})
    return rows


def revisit(person: str) -> list[dict[str, Any]]:
    """A row of tags, a page without a question, then the pictures; words of JavaScript for no value."""
    nothing = {"parameters_image": "undefined", "parameters_kind": "undefined", "answer": "undefined"}
    nothing |= {"participantId": person, "trialOrder": "null", "status": "completed", "cleanedDuration": "undefined"}
    rows = [
        {
            **nothing,
            "trialId": "participantTags",
            "responseId": "participantTags",
            "answer": "[]",
            "status": "undefined",
        }
    ]
    rows.append({**nothing, "trialId": "introduction", "responseId": "", "cleanedDuration": "5120"})
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True)):
        row = {**nothing, "trialId": "judge", "trialOrder": f"1_{at}", "parameters_image": f"img/{picture}.png"}
        row |= {"parameters_kind": kind, "cleanedDuration": str(900 + at)}
        rows.append({**row, "responseId": "verdict" if answer else "", "answer": answer or "undefined"})
    return rows


def opensesame() -> list[dict[str, Any]]:
    """A practice trial, then the pictures; the flag of practice stays."""
    rows: list[dict[str, Any]] = [
        {"picture": "prac.png", "truth": "real", "response": "j", "correct": 1, "time_block": "NA"}
    ]
    for picture, kind, answer in zip(PICTURES, KINDS, ANSWERS, strict=True):
        key = "None" if answer is None else KEYS[answer]
        rows.append({"picture": f"{picture}.png", "truth": kind, "response": key, "correct": int(answer == kind)})
    rows = [{"time_block": 2071, "response_time": 700, **row, "practice": "yes", "subject_nr": 4} for row in rows]
    return [{**row, "opensesame_version": "3.3.14", "logfile": "x"} for row in rows]


def psychopy(keys: Sequence[Any], correct: Sequence[Any]) -> list[dict[str, Any]]:
    rows = [
        {"picture": f"img/{picture}.png", "truth": kind, "corrAns": KEYS[kind], "resp.keys": key, "resp.corr": right}
        for picture, kind, key, right in zip(PICTURES, KINDS, keys, correct, strict=True)
    ]
    times = [
        None if key in (None, "None") else f"[0.{at}5]" if "[" in key else f"0.{at}5" for at, key in enumerate(keys, 4)
    ]
    rows = [
        {**row, "resp.rt": time, "trials.thisN": at} for at, (row, time) in enumerate(zip(rows, times, strict=True))
    ]
    welcome = {"welcome.keys": "space", "welcome.rt": 2.1}
    return [{**row, "participant": "P1", "session": "001", "expName": "e", "": None} for row in [welcome, *rows]]


def expyriment(file: Path) -> Path:
    lines = ["#Expyriment 0.10.0 (Python 3.6), .xpd-file", "#e mainfile: x.py", "#s id: 1"]
    lines.append("subject_id,trial,picture,truth,key,rt,correct")
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True), start=1):
        key, time = {"real": ("106", "512"), "fake": ("102", "620"), None: ("None", "None")}[answer]
        lines.append(f"1,{at},{picture}.png,{kind},{key},{time},{answer == kind}")
    file.write_text("\n".join(lines))
    return file


def otree(wide: bool) -> list[dict[str, Any]]:
    """Two people; the missed page has 0 in numbers, and no text."""
    people = []
    for person in ("c1", "c2"):
        row: dict[str, Any] = {"participant.code": person, "participant._is_bot": 0, "participant.visited": 1}
        rounds = []
        for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True), start=1):
            cells = {"id_in_group": 1, "image": f"{picture}.png", "truth": kind, "is_real": int(answer == "real")}
            cells |= {"confidence": 0 if answer is None else 3, "rt": None if answer is None else 500 + at}
            rounds.append(cells)
            row |= {f"judge.{at}.player.{name}": cell for name, cell in cells.items()}
        if wide:
            people.append(row)
        else:
            people += [
                {"participant.code": person, "subsession.round_number": at}
                | {f"player.{name}": cell for name, cell in cells.items()}
                for at, cells in enumerate(rounds, start=1)
            ]
    return people


def gorilla(file: Path) -> Path:
    rows = []
    for at, (picture, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True), start=1):
        row = {"Event Index": at, "Participant Private ID": 501, "Trial Number": at, "Task Name": "judge"}
        row |= {"Spreadsheet: picture": f"{picture}.png", "Spreadsheet: truth": kind}
        rows.append({**row, "Screen Name": "fixation", "Reaction Time": 250})
        rows.append({**row, "Screen Name": "judge", "Zone Type": "image", "Reaction Time": 1500})
        rows.append({**row, "Screen Name": "judge", "Zone Type": "continue", "Response": answer and "Next"})
        rows.append({**row, "Screen Name": "judge", "Zone Type": "button", "Response": answer, "Reaction Time": 600})
    pd.DataFrame(rows).to_csv(file, index=False)
    file.write_text(file.read_text() + "END OF FILE\n")
    return file


QUALTRICS = ["StartDate", "Finished", "ResponseId", *(f"Q{number}_1" for number in range(1, 9))]
"""Six pictures, the participant's age and a remark."""


def qualtrics(tmp_path: Path, texts: Sequence[str], *, encoding: str = "utf-8", sep: str = ",") -> Path:
    answers = ["Real" if answer == "real" else "Fake" if answer else "" for answer in ANSWERS]
    rows = [["Start Date", "Finished", "Response ID", *texts, "Your age?", "Any\nremarks?"]]
    rows += [[f'{{"ImportId":"QID{n}"}}' for n in range(len(QUALTRICS))]]
    rows += [["2026-11-28 10:00:00", "True", f"R_{n}", *answers, f"3{n}", "none, really"] for n in range(2)]
    file = tmp_path / "qualtrics.csv"
    pd.DataFrame(rows, columns=QUALTRICS).to_csv(file, index=False, encoding=encoding, sep=sep)
    return file


def google_form() -> pd.DataFrame:
    answers = [answer or "" for answer in ANSWERS]
    frame = pd.DataFrame([[f"2026-11-28 10:0{n}:00", f"u{n}", *answers] for n in range(2)])
    return frame.set_axis(pd.Index(["Timestamp", "Your code", *["Is this picture real?"] * 6]), axis=1)


BATCH = {"HITId": "H", "AssignmentId": "A", "WorkerId": "W1", "AssignmentStatus": "Approved"}


def mturk() -> list[dict[str, Any]]:
    return [
        BATCH | {"Input.image_url": f"https://x.org/{picture}.png", "Input.truth": kind}
        | {f"Answer.choice.{word}": str(answer == word).lower() for word in ("real", "fake")}
        for picture, kind, answer in zip(PICTURES, KINDS, ANSWERS, strict=True)
    ]  # fmt: skip


EPRIME = """*** Header Start ***
VersionPersist: 1
LevelName: Session
LevelName: Block
Experiment: Faces
Subject: {person}
Session: 1
*** Header End ***
{frames}\tLevel: 2
\t*** LogFrame Start ***
\tProcedure: BlockProc
\t*** LogFrame End ***
Level: 1
*** LogFrame Start ***
Experiment: Faces
Clock.Information: <?xml version="1.0"?>
*** LogFrame End ***
"""
_FRAME = """\t\tLevel: 3
\t\t*** LogFrame Start ***
\t\tProcedure: TrialProc
\t\tPicture: {picture}
\t\tRunning: TrialList
\t\tShow.RT: {time}
\t\tShow.RESP: {key}
\t\t*** LogFrame End ***
"""


def eprime(file: Path, person: str) -> None:
    """A log in the form of Cuetask-PILOT-1.txt in tsalo/convert-eprime at 1c56145, and of those in tjmahr/rprime."""
    shown = [(f"{name}.png", KEYS[answer] or "") for name, answer in zip(PICTURES, ANSWERS, strict=True)]
    frames = [_FRAME.format(picture=name, time=512 if key else 0, key=key) for name, key in shown]
    file.write_bytes(EPRIME.format(person=person, frames="".join(frames)).replace("\n", "\r\n").encode("utf-16"))


def presentation(file: Path, person: str) -> None:
    """A log in the form of the samples in tests of public readers, such as nifti2bids: times in steps of 0.1 ms."""
    sizes = "Uncertainty\tDuration\tUncertainty\tReqTime\tReqDur\tStim Type\tPair Index"
    lines = ["Scenario - faces", "Logfile written - 05/04/2012 13:58:56", ""]
    lines += [f"Subject\tTrial\tEvent Type\tCode\tTime\tTTime\t{sizes}", "", f"{person}\t1\tPulse\t55\t9000\t0\t1"]
    for at, (name, kind, answer) in enumerate(zip(PICTURES, KINDS, ANSWERS, strict=True), start=1):
        time, result = 100_000 * at, "miss" if answer is None else "hit" if answer == kind else "incorrect"
        for code, onset, word in (
            ("+", time - 5000, "other"),
            (f"{name}.png", time, result),
            ("+", time + 2000, "other"),
        ):
            lines.append(f"{person}\t{at}\tPicture\t{code}\t{onset}\t0\t1\t5000\t2\t0\t600\t{word}\t{at}")
        keys = ["f"] if answer is None else [KEYS[answer], "x"]  # after a miss: too late
        lines += [f"{person}\t{at}\tResponse\t{key}\t{time + 5120 + n}\t0\t1" for n, key in enumerate(keys)]
    lines += [
        "",
        f"Event Type\tCode\tType\tResponse\tRT\tRT Uncertainty\tTime\t{sizes}",
        "",
        "Picture\treal_1.png\thit\t1",
    ]
    file.write_text("\n".join(lines))
