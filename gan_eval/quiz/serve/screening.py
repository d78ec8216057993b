"""Checks before the first trial: answers to the study's questions, and the participant's display."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from gan_eval.base.errors import UserError
from gan_eval.quiz.serve.messages import RequestError, Screen
from gan_eval.quiz.session import Session
from gan_eval.quiz.station import round_exposure
from gan_eval.quiz.trial import State
from gan_eval.quiz.visual_angle import Viewing, picture_width
from gan_eval.quiz.wording import Texts
from gan_eval.settings.browser import BrowserSettings
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row, iso

PRESENTER = "browser"
"""Presenter of sessions in a browser."""
COMPREHENSION = "comprehension"
"""Name of the questions on the instructions in the table `checks`."""
ATTEMPTS = 2
"""Number of attempts at the questions on the instructions."""
_EMPTY = r"(undefined|null|none|nil|nan|false|true|unknown|empty|anonymous|placeholder|x{3,})*"
"""Words that links hold in place of a participant's code, also several in a row; without separators."""
_LABEL = (
    "(your|my|the|insert|enter|preview|prolific|sona|connect|cloudresearch|mturk|lucid|worker|"
    "participant|subject|respondent|panelist|member|user|external|survey|session|study|assignment|submission|hit|"
    "transaction)*(id|pid|uid|rid|psid|code|number|participant|subject|user|username|preview|turksubmitto)"
    "(here|preview|placeholder|mode)?"
)
"""Names of parameters and forms of "insert your code here", without separators."""
NAMES = {"Nan", "Null", "Nil", "Rid"}
"""People's names, which differ from such words by their capital letter only."""


def is_nobody(code: str, browser: BrowserSettings) -> bool:
    """Return whether a code belongs to nobody, but is what a recruiter's preview or a broken link sends to everybody.

    >>> [is_nobody(code, BrowserSettings()) for code in ("__PROLIFIC_PID__", "YOUR_ID_HERE", "P01", "5f3a9c", "Nan")]
    [True, True, False, False, False]
    """

    return code not in NAMES and re.fullmatch(nobody_pattern(browser), _reduced(code)) is not None


def nobody_pattern(browser: BrowserSettings) -> str:
    """Return the regular expression of codes that belong to nobody, in lower case and without separators."""
    parameters = map(_reduced, (*browser.participant_parameters, *browser.other_parameters))
    return "|".join((_EMPTY, _LABEL, ".*notavailable", *parameters))


def _reduced(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def check_notices(settings: QuizSettings) -> list[str]:
    """Return a line for each check that some participants cannot answer.

    Raises:
        UserError: a check asks for a key, and keys are counterbalanced: half of the participants have other keys.
    """
    notices = []
    keys = {key.lower() for key in settings.keys.values() if not key.isdecimal()}
    example = ", ".join(f'"{{{answer}}}"' for answer in settings.keys)
    fix = f"write choices = [{example}], shown as each person's own keys, on touch screens as the buttons"
    for check in settings.browser.checks:
        where = f"browser.checks: {check.text!r}"
        if unknown := set(re.findall(r"\{(\w+)\}", " ".join((check.text, *check.choices)))) - settings.keys.keys():
            answers = ", ".join(settings.keys)
            notices.append(f"{where}: {{{min(unknown)}}} is shown unchanged; the answers of this study: {answers}")
        if keys.issuperset(map(str.lower, check.choices)):
            if settings.counterbalance_keys:
                raise UserError(f"{where}: with counterbalance_keys every second person has other keys; {fix}")
            if settings.browser.touch:
                notices.append(f"{where}: touch screens show no keys; {fix}")
    return notices


def checked_answers(answers: Mapping[str, str | None], settings: QuizSettings, texts: Texts) -> dict[str, str | None]:
    """Return the answers to the study's questions, by their id.

    Raises:
        RequestError: a required answer is missing, is not one of the choices, or has no question.
    """
    questions = {question.id: question for question in settings.questions}
    if unknown := answers.keys() - questions.keys():
        raise RequestError(422, f"answers: no question {sorted(unknown)[0]!r}")
    checked: dict[str, str | None] = {}
    for name, question in questions.items():
        answer = (answers.get(name) or "").strip() or None
        if answer is None and question.required:
            raise RequestError(422, texts("question_missing"), question=name)
        if answer is not None and question.choices and answer not in question.choices:
            raise RequestError(422, f"answers: {name}: not one of the choices")
        checked[name] = answer
    return checked


def attempt_row(
    session: str, choices: Sequence[int], earlier: Collection[Row], browser: BrowserSettings, at: datetime
) -> Row:
    """Return the row of `checks` for an attempt at the questions on the instructions, after these `earlier` ones."""
    attempts = float(len(earlier) + 1)
    right = list(choices) == [check.choices.index(check.answer) for check in browser.checks]
    if attempts < ATTEMPTS and not right:
        return check_row(session, f"{COMPREHENSION}_{attempts:.0f}", attempts, "attempts", "warning", at)
    verdict = "ok" if right and attempts <= ATTEMPTS else "failed"
    return check_row(session, COMPREHENSION, attempts, "attempts", verdict, at)


def passed(attempts: Iterable[Row]) -> bool:
    """Return whether one of these rows of `checks` says that the participant has passed."""
    return any(row["verdict"] == "ok" for row in attempts)


def below_gate(screen: Screen, browser: BrowserSettings) -> tuple[str, float, str] | None:
    """Return the first check that a display fails, as name, value and unit; None if it passes all."""
    width, height = browser.smallest_window
    if not browser.touch and screen.touch:
        return "touch", 1.0, ""
    ratio = screen.device_pixel_ratio
    # int, because the page rounds its sizes to whole pixels
    if screen.window_width < int(width * ratio) or screen.window_height < int(height * ratio):
        return "window_width", screen.window_width / ratio, "px"
    if (screen.refresh_hz or 0.0) < browser.lowest_refresh_hz:
        return "refresh_rate", screen.refresh_hz or 0.0, "Hz"
    return None


def columns_of(screen: Screen, settings: QuizSettings, texts: Texts, widths: set[int]) -> Row:
    """Return the columns of `sessions` that describe the display; `widths`: the pictures' own widths.

    Raises:
        RequestError: the study's picture size is in degrees, and the participant has not measured the display.
    """
    scale = None if screen.pixels_per_cm is None else screen.pixels_per_cm / 10
    distance = settings.viewing_distance_cm
    viewing = Viewing(scale, None if distance is None else 10 * distance)
    try:
        width = picture_width(settings, viewing)
    except UserError as error:
        raise RequestError(422, texts("web_card_missing")) from error
    common_width = next(iter(widths)) if len(widths) == 1 else None
    return {
        "platform": screen.user_agent or None,
        "screen_width": screen.width,
        "screen_height": screen.height,
        "device_pixel_ratio": screen.device_pixel_ratio,
        "refresh_hz": screen.refresh_hz,
        "rounded": screen.refresh_hz is not None,
        **viewing.columns(width or common_width),
    }


def check_row(session: str, check: str, value: float, unit: str, verdict: str, at: datetime) -> Row:
    """Return a row of `checks`, measured at a time of day."""
    row = {"session": session, "check": check, "value": value, "unit": unit, "verdict": verdict}
    return row | {"measured_at": iso(at), "simulated": False, "fraction": None}


def plan_in_frames(session: Session) -> None:
    """Plan a session's exposures in whole frames of the participant's display."""
    if session.row.get("refresh_hz") is None:
        return
    session.planned_exposure = partial(round_exposure, refresh_hz=session.row["refresh_hz"])
    if session.state is not State.OVER and session.trial_begun:
        session.trial.plan(session.planned_exposure)


def checks_of(session: str, screen: Screen, at: datetime) -> list[Row]:
    """Return the rows of `checks` with the page's measurements of its display."""
    measured = (
        ("refresh_rate", screen.refresh_hz, "Hz"),
        ("frame_jitter", screen.jitter_ms, "ms"),
        ("dropped_frames", screen.dropped, "share"),
    )
    return [check_row(session, name, value, unit, "ok", at) for name, value, unit in measured if value is not None]
