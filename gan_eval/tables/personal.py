"""Columns that say who a person is: the one list of names and shapes by which they are left out of tables to share.

The names are those in files of Qualtrics, Prolific, MTurk, LimeSurvey, SurveyMonkey, Alchemer, Gorilla, Labvanced,
oTree, REDCap, SoSci Survey, Microsoft and Google Forms, and usual ones of a lab's own questions.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING

from gan_eval.tables.schema import Table

if TYPE_CHECKING:
    import pandas as pd

_WHOSE = "(?:recipient|respondent|participant|contact|subject|your|user)?"
_NAMES = re.compile(
    "|".join(
        (
            f"{_WHOSE}e?mail(?:s|addr|address|adresse|id)?|courriel|correo(?:electr[oó]nico)?",
            "(?:remote|client|user|standard)?ip(?:addr|address|adresse|v4|v6)?|remoteaddr(?:ess)?|xforwardedfor",
            f"{_WHOSE}(?:first|last|full|middle|maiden|given|family|sur|fore)name|(?:recipient|respondent|participant)name",
            "vorname|nachname|familienname|pr[eé]nom|nomdefamille|apellidos?",
            "(?:location|geo|gps|standard)?(?:latitude|longitude)|(?:location|geo|gps|standard)(?:lat|lon|lng|long)",
            "gps|geolocation|latlo?ng?|standardgeopostal",
            "(?:mobile|tele|cell|home|work)?phone(?:number)?|mobile(?:number)?|telefon(?:nummer)?|handy(?:nummer)?",
            "(?:home|postal|mailing|street|billing)address|zip(?:code)?|post(?:al)?code|plz",
            "dateofbirth|birth(?:date|day)|dob|geburtsdatum|ssn|socialsecuritynumber|iban|passport(?:number)?",
            "student(?:id|number)|matrikel(?:nr|nummer)|matriculationnumber|employeeid",
            "prolific(?:pid|id|participantid|sessionid|submissionid)?|submissionid",
            "(?:mturk|amazon)?(?:workerid|assignmentid)|connectid|cloudresearchid|sona(?:id|surveycode)",
            "participantpublicid|participantexternalsessionid|crowdsourcing(?:code|subjid)|participantlabel",
            "external(?:data)?reference|accesscode|redcapsurveyidentifier",
        )
    )
)
"""Names in small letters without spaces and signs: addresses, names, places, birth, and the ids of recruiters."""
_NEXT_TO = {"name": "completiontime", "token": "startlanguage", "serial": "questnnr", "ref": "questnnr"}
_NEXT_TO |= {"lat": "lon", "lon": "lat"} | {"lng": "lat", "long": "lat"}
"""Names that are personal only next to another: those of Microsoft Forms, LimeSurvey and SoSci Survey, and a pair."""
_RECRUITERS_ID = re.compile(r"[0-9a-f]{24}|A[0-9A-Z]{12,14}|3[0-9A-Z]{29}")
"""Ids of people and submissions: of Prolific; of MTurk's workers and assignments."""
_OF_A_PERSON = re.compile(r"(?i)id$|participant|worker|subject|session|submission|assignment|user|person")
_OF_THE_STUDY = re.compile(r"(?i)study|hit|image|picture|stimul|item|trial|project|experiment")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def personal_columns(columns: Mapping[str, Collection[str]]) -> list[str]:
    """Return the columns that say who a person is, by their names or by the shape of most of their cells.

    Args:
        columns: the distinct texts of each column.

    >>> personal_columns({"Recipient.Last.Name": ["Doe"], "Q7": ["ann@lab.example"], "age": ["31"], "Version": ["1.0"]})
    ['Recipient.Last.Name', 'Q7']
    """
    plain = {_plain(name) for name in columns}
    return [name for name, texts in columns.items() if _is_personal(name, texts, plain)]


def is_address(text: str, column: str = "ip") -> bool:
    """Return True for an e-mail address, or a network address in a column of such a name: 120.0.0.0 is a browser, too.

    >>> is_address("ann@lab.example"), is_address("192.0.2.7", "IPAddress"), is_address("120.0.0.0", "Version")
    (True, True, False)
    """
    if "@" in text:
        return _ADDRESS.fullmatch(text.strip()) is not None
    try:
        return bool(ip_address(text.strip()) and re.search("ip|addr", column, re.IGNORECASE))
    except ValueError:
        return False


def without_personal(frame: "pd.DataFrame", table: Table) -> "tuple[pd.DataFrame, list[str]]":
    """Return a table without personal columns that are not its own, or personal questions; and their names."""
    others = {str(name): {*map(str, frame[name].dropna().unique())} for name in frame if name not in table.by_name}
    names = personal_columns(others) if others else []
    frame = frame.drop(columns=names) if names else frame
    if {"question", "answer"} <= table.by_name.keys() and len(frame):
        answers = {str(name): {*map(str, of.dropna())} for name, of in frame.groupby("question")["answer"]}
        if questions := personal_columns(answers):
            names += questions
            frame = frame[~frame["question"].isin(questions)].reset_index(drop=True)
    return frame, names


def without_personal_columns(
    frames: "Mapping[Table, pd.DataFrame]",
) -> "tuple[dict[Table, pd.DataFrame], list[str]]":
    """Return tables as `without_personal` does; and the names of all that is left out."""
    kept = {table: without_personal(frame, table) for table, frame in frames.items()}
    return {table: frame for table, (frame, _) in kept.items()}, [name for _, names in kept.values() for name in names]


def left_out_line(names: Iterable[str]) -> str:
    """Return the line for the user that names what is left out."""
    return f"left out, because they may say who people are: {', '.join(dict.fromkeys(names))}"


def _is_personal(name: str, texts: Collection[str], others: Collection[str]) -> bool:
    forms = {_plain(name), _plain(name.rpartition(".")[2])}
    if any(_NAMES.fullmatch(form) or _NEXT_TO.get(form) in others for form in forms):
        return True
    is_id = _OF_A_PERSON.search(name) and not _OF_THE_STUDY.search(name)
    shaped = sum(is_address(text, name) or bool(is_id and _RECRUITERS_ID.fullmatch(text)) for text in texts)
    return 0 < len(texts) <= 2 * shaped


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
