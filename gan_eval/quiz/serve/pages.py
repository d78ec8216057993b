"""The HTML of the pages, from `templates/`."""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.quiz.wording import Texts, presented_consent, texts_of, welcome_title
from gan_eval.settings.quiz import QuizSettings

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
_OF_SCRIPTS = (
    "confidence_question counts_title hint_step keys_done keys_unknown participant pause_resume_text pause_text "
    "picture_missing question_missing resume_question start web_check_failed web_full_screen_wait "
    "web_keys_done_touch web_not_you web_offline web_same_link web_saved web_saved_title web_self_test web_too_small "
    "web_window_required web_withdraw_question welcome_back withdraw"
)
"""Names in `texts/` of the texts that the page's scripts show; there, the names are without `web_`."""


@cache
def _templates() -> "Environment":
    """Return the templates, in which every text is escaped; the library is loaded with the first page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    made.policies["json.dumps_kwargs"] = {}  # in the order of the mappings
    return made


def page_html(settings: QuizSettings, *, intro: bool, dealt: Mapping[str, Any] | None = None, policy: str = "") -> str:
    """Return the participants' page with its texts, the same for all sessions.

    Args:
        settings: of the quiz.
        intro: show the pages around the trials.
        dealt: what static/dealt.js knows in place of the server; None: the page has one.
        policy: Content-Security-Policy of a page that gets none from its server.
    """
    texts, words, browser = Texts(settings.language), {**texts_of(settings.language)}, settings.browser
    if browser.for_computers:
        words |= {name: words[f"{name}_computer"] for name in ("web_welcome", "web_keys_text")}
    consent, distance_cm = presented_consent(settings.consent, texts).text, settings.viewing_distance_cm
    facts = {
        "transport": "./transport.js" if dealt is None else "./dealt.js",
        "dealt": dealt,
        "intro": intro,
        "consent": consent,
        "parameters": {"participant": browser.participant_parameters, "others": browser.other_parameters},
        "questions": [question.model_dump() for question in settings.questions],
        "checks": [check.model_dump(exclude={"answer"}) for check in browser.checks],
        "picture": {"degrees": settings.picture_degrees, "distance_cm": distance_cm},
        "fixation_mark": settings.fixation_mark,
        "corner_patch": settings.corner_patch,
        "smallest_window": browser.smallest_window,
        "touch": browser.touch,
    }
    page = {
        **words,
        "language": settings.language,
        "title": welcome_title(settings, texts),
        "facts": facts,
        "page_texts": {name.removeprefix("web_"): words[name] for name in _OF_SCRIPTS.split()},
        "policy": policy,
        "questions": settings.questions,
        "checks": browser.checks,
        "distance": texts("web_distance", distance=f"{distance_cm:g}") if distance_cm else "",
    }
    return _templates().get_template("page.html").render(page)


def experimenter_html(page: str, values: Mapping[str, Any], *, hidden: Collection[str]) -> str:
    """Return a page of the experimenter, `sessions`, `links` or `codes`; `hidden` are links that would lead nowhere."""
    return _templates().get_template(f"{page}.html").render(values, page=page, hidden=hidden)
