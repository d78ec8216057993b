"""The HTML of the pages: files of `templates/` in which `$name` stands for a text or for HTML."""

import json
from collections.abc import Collection, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from gan_eval.quiz.wording import Texts, presented_consent, texts_of, welcome_title
from gan_eval.settings.quiz import QuizSettings

HERE = Path(__file__).parent
_OF_SCRIPTS = {
    "check_failed": "web_check_failed",
    "confidence_question": "confidence_question",
    "counts_title": "counts_title",
    "full_screen_wait": "web_full_screen_wait",
    "hint_step": "hint_step",
    "keys_done": "keys_done",
    "keys_done_touch": "web_keys_done_touch",
    "keys_unknown": "keys_unknown",
    "not_you": "web_not_you",
    "offline": "web_offline",
    "participant": "participant",
    "pause_resume_text": "pause_resume_text",
    "pause_text": "pause_text",
    "picture_missing": "picture_missing",
    "question_missing": "question_missing",
    "resume_question": "resume_question",
    "same_link": "web_same_link",
    "saved": "web_saved",
    "saved_title": "web_saved_title",
    "self_test": "web_self_test",
    "start": "start",
    "withdraw": "withdraw",
    "withdraw_question": "web_withdraw_question",
    "too_small": "web_too_small",
    "welcome_back": "welcome_back",
    "window_required": "web_window_required",
}
"""Texts that the page's scripts show: their names there and in `texts/`."""


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
    checks = [
        f'<fieldset class="question"><legend>{escape(check.text)}</legend>'
        + _choices(f"check-{place}", check.choices, map(str, range(len(check.choices))))
        + "</fieldset>\n"
        for place, check in enumerate(browser.checks)
    ]
    return filled(
        "page.html",
        {**words, "language": settings.language, "title": welcome_title(settings, texts)},
        facts=_script_data(facts),
        page_texts=_script_data({name: words[text] for name, text in _OF_SCRIPTS.items()}),
        policy=policy and f'\n<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        jatos='\n<script src="jatos.js"></script>' if dealt and dealt["jatos"] else "",
        consent="".join(f"<p>{escape(line)}</p>\n" for line in consent.splitlines() if line.strip()),
        questions="".join(_question(place, each, words) for place, each in enumerate(settings.questions)),
        checks="".join(checks),
        distance=f"<p>{escape(texts('web_distance', distance=f'{distance_cm:g}'))}</p>" if distance_cm else "",
    )


def experimenter_html(page: str, texts: Mapping[str, Any], *, hidden: Collection[str], **html: str) -> str:
    """Return a page of the experimenter, `sessions`, `links` or `codes`; `hidden` are links that would lead nowhere."""
    here = {f"at_{name}": ' aria-current="page"' if name == page else "" for name in ("sessions", "links", "codes")}
    main = filled(f"{page}.html", texts, **html)
    here |= {f"{name}_hidden": " hidden" if name in hidden else "" for name in ("answers", "report")}
    return filled("experimenter.html", {**texts, "page": page}, main=main, **here)


def links_html(links: Sequence[tuple[str, str, str]]) -> str:
    """Return the figures of personal links: code, address and the address of the QR code's picture."""
    return "".join(
        f'<figure><img src="{escape(image)}" alt="QR code of {escape(link)}"><figcaption><b>{escape(code)}</b>'
        f'<a href="{escape(link)}">{escape(link)}</a></figcaption></figure>\n'
        for code, link, image in links
    )


def link_notes_html(prolific: str | None, *, is_local: bool) -> str:
    """Return what is below the one link: the address for Prolific, and that the links open on this computer only."""
    notes = ""
    if prolific is not None:
        notes += (
            f'<p class="address"><span>For Prolific</span> <code>{escape(prolific)}</code> '
            f'<button type="button" class="quiet" data-copy="{escape(prolific)}">Copy</button></p>\n'
        )
    if is_local:
        notes += (
            '<p class="note">These links open on this computer only. For other devices start the server with '
            "<code>--host 0.0.0.0</code>, or with <code>--public-url</code> behind a proxy.</p>\n"
        )
    return notes


def codes_html(codes: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """Return the sections of the codes, by status and parameter."""
    sections = []
    for status, lists in codes.items():
        title = ("withdrawn" if status == "aborted" else status).capitalize()
        fields = "".join(_copied(name, "\n".join(values), len(values)) for name, values in lists.items())
        count = len(lists["participant"])
        sections.append(f'<section class="codes">\n<h2>{title}: {count}</h2>\n<div>\n{fields}</div>\n</section>\n')
    return "".join(sections) or '<p class="about">No sessions yet.</p>\n'


def filled(template: str, texts: Mapping[str, Any], **html: str) -> str:
    """Return a file of `templates/` with texts, which are escaped, and HTML in place of its names.

    Raises:
        KeyError: a name of the file is missing.
    """
    content = (HERE / "templates" / template).read_text(encoding="utf-8")
    return Template(content).substitute({name: escape(str(text)) for name, text in texts.items()} | html)


def _script_data(value: Any) -> str:
    """Return a value as JSON that cannot end its script element."""
    return json.dumps(value).replace("<", "\\u003c")


def _question(place: int, question: Any, words: Mapping[str, str]) -> str:
    name = f"question-{place}"
    optional = "" if question.required else f'<p class="muted">{escape(words["question_optional"])}</p>\n'
    field = f'<input type="text" name="{name}" maxlength="2000" autocomplete="off" aria-labelledby="{name}">'
    if question.choices:
        field = _choices(name, question.choices, question.choices)
    legend = f'<legend id="{name}">{escape(question.text)}</legend>'
    return f'<fieldset class="question">\n{legend}\n{optional}{field}\n</fieldset>\n'


def _choices(name: str, choices: Sequence[str], values: Any) -> str:
    return "".join(
        f'\n<label class="choice"><input type="radio" name="{name}" value="{escape(value)}"> '
        f"<span>{escape(choice)}</span></label>"
        for choice, value in zip(choices, values, strict=True)
    )


def _copied(name: str, text: str, lines: int) -> str:
    """Return a text that a button copies."""
    return (
        f'<p><label>{escape(name)} <textarea readonly rows="{min(lines, 8)}" spellcheck="false">{escape(text)}'
        f'</textarea></label>\n<button type="button" class="quiet" data-copy="{escape(text)}">Copy</button></p>\n'
    )
