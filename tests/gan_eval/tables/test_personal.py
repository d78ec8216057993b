"""Columns that say who a person is: left out of every table that is made to be shared, by one list, and named."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from commands import Command

from gan_eval.tables import PARTICIPANTS, TRIALS
from gan_eval.tables.personal import personal_columns, without_personal

FILES = {
    "Qualtrics": "IPAddress RecipientLastName RecipientFirstName RecipientEmail ExternalReference LocationLatitude "
    "LocationLongitude",
    "Prolific": "PROLIFIC_PID prolific_id",
    "MTurk": "WorkerId AssignmentId",
    "SurveyMonkey": "IP.Address Email.Address First.Name Last.Name",
    "LimeSurvey": "ipaddr firstname lastname email token",
    "Alchemer": "STANDARD_IP STANDARD_LONG STANDARD_LAT STANDARD_GEOPOSTAL",
    "Gorilla": "Participant_Public_ID Participant_External_Session_ID",
    "Labvanced": "Crowdsourcing_Code Crowdsourcing_SubjId",
    "oTree": "participant.label participant.mturk_worker_id participant.mturk_assignment_id",
    "REDCap": "first_name last_name email phone dob redcap_survey_identifier",
    "SoSci": "SERIAL REF IP",
    "Microsoft": "Name Email",
    "a lab": "Vorname Nachname E-Mail matrikelnummer lat lon date_of_birth full_name gps",
}
KEPT = {
    "Qualtrics": "StartDate EndDate Status Progress Duration Finished ResponseId DistributionChannel UserLanguage Q1",
    "Prolific": "STUDY_ID Age Sex",
    "MTurk": "HITId Input.image_url Answer.choice",
    "LimeSurvey": "submitdate lastpage startlanguage seed",
    "Gorilla": "Participant_Private_ID Participant_Device_Type Trial_Number Zone_Name",
    "oTree": "participant.code session.code player.rt",
    "SoSci": "CASE QUESTNNR MODE STARTED TIME001",
    "Microsoft": "Completion_time Start_time",
    "a lab": "latency_ms file_name mouse_x token_count ip_version_note reference name_of_picture language age address",
}


@pytest.mark.parametrize("tool", FILES)
def test_the_columns_of_a_tool_that_say_who_a_person_is_are_found_and_no_others(tool):
    names, others = FILES[tool].split(), KEPT.get(tool, "").split()
    assert personal_columns({name: ["12", "13"] for name in [*others, *names]}) == names


def test_cells_tell_where_a_name_does_not():
    assert personal_columns(
        {
            "Q7": ["ann@lab.example", "bo@lab.example", "none"],
            "Q8": ["write to ann@lab.example, please", "no", "no"],
            "my_ip": ["192.0.2.7", "2001:db8::1"],
            "version": ["120.0.0.0"],
            "SESSION_ID": ["5f1e2d3c4b5a69788796a5b4"],
            "STUDY_ID": ["5f1e2d3c4b5a69788796a5b4"],
            "image_id": ["5f1e2d3c4b5a69788796a5b4"],
            "session_id": ["day1", "day2"],
        }
    ) == ["Q7", "my_ip", "SESSION_ID"]


def test_columns_of_the_table_itself_stay_and_personal_questions_go():
    trials = pd.DataFrame({"participant": ["ann@lab.example"], "session": ["s"], "Email": ["x"], "age": ["3"]})
    assert [*without_personal(trials, TRIALS)[0]] == ["participant", "session", "age"]
    rows = [("PROLIFIC_PID", "5f1e2d3c4b5a69788796a5b4"), ("age", "31"), ("contact", "ann@lab.example")]
    answers = pd.DataFrame([{"session": "s", "question": name, "answer": text} for name, text in rows])
    kept, left_out = without_personal(answers, PARTICIPANTS)
    assert (kept["question"].tolist(), left_out) == (["age"], ["PROLIFIC_PID", "contact"])


HEAD = "participant,stimulus,kind,response,Email,IPAddress,RecipientLastName,LocationLatitude,workerId,age\n"
ROW = "P{0},{1},{1},{2},p{0}@lab.example,192.0.2.{0},Doe{0},5{0}.5,A1B2C3D4E5F6G{0},3{0}\n"
SECRETS = ("lab.example", "192.0.2", "Doe", "A1B2C3D4E5F6G", "Email", "IPAddress", "LocationLatitude", "workerId")
LINE = "left out, because they may say who people are: Email, IPAddress, RecipientLastName, LocationLatitude, workerId"


def written(folder: Path) -> bytes:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    tables = [pd.read_parquet(path).to_csv().encode() for path in files if path.suffix == ".parquet"]
    return b"".join([*tables, *(path.read_bytes() for path in files)])


def test_import_analyze_export_and_report_leave_personal_columns_out_and_name_them(tmp_path, command: Command):
    rows = [ROW.format(n, kind, "real") for n in range(1, 5) for kind in ("real", "fake")]
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "t.csv"
    source.write_text(HEAD + "".join(rows))
    status, _, errors = command("trials", "import", str(source), "--out", str(tmp_path / "imported" / "t.csv"))
    assert (status, LINE in errors) == (0, True)
    status, _, errors = command("analyze", str(source), "--out", str(tmp_path / "analysis"))
    assert (status, LINE in " ".join(errors.split())) == (0, True)
    earlier = tmp_path / "earlier"  # an analysis that has these columns, as of an earlier version
    command("analyze", str(source), "--out", str(earlier))
    frame = pd.read_csv(earlier / "trials.csv").assign(Email="p@lab.example", workerId="A1B2C3D4E5F6G1")
    frame.to_csv(earlier / "trials.csv", index=False)
    status, _, errors = command("export", str(earlier), "--format", "r", "--out", str(tmp_path / "r"))
    assert (status, "left out" in errors, "Email, workerId" in errors) == (0, True, True)
    shutil.rmtree(earlier / ".gan-eval")  # else a report refuses a table that has changed
    page = tmp_path / "pages" / "report.html"
    page.parent.mkdir()
    assert command("report", str(earlier), "--out", str(page), "--with-raw-tables")[0] == 0
    text = page.read_text()
    assert "may say who people are: Email, workerId" in text
    for folder in ("imported", "analysis", "r"):
        content = written(tmp_path / folder)
        assert [secret for secret in SECRETS if secret.encode() in content] == []
        assert b"age" in content
