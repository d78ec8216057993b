"""Content of the server's responses: a session's setup, its next trial, feedback and the last page."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from gan_eval.quiz.clock import ReportedClock
from gan_eval.quiz.library import Library
from gan_eval.quiz.review import review, score_lines
from gan_eval.quiz.serve.pictures import EncodedPictures, Making, kept, keyed_hash
from gan_eval.quiz.session import Session, break_due
from gan_eval.quiz.wording import Texts, TrialTexts, confidence_keys, instructions, keys_in_order, meaning_of
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row

Answer = dict[str, Any]
Offered = tuple[Making, float]
"""Function that makes a picture, and the time on the monotonic clock from which it may be sent."""
Addresses = list[list[str]]
"""Addresses of a trial's pictures, one list for each showing."""
AHEAD = 3
"""Number of trials, from the next one on, whose pictures a page loads."""
PREPARED_S = 0.1
"""Time in seconds after a picture is offered before which it is not sent, so that no page measures its decoding."""
SCREENED_OUT = {
    "comprehension": "web_screened_out",
    "touch": "web_no_touch",
    "window_width": "web_small_window",
    "refresh_rate": "web_slow_display",
}
"""Name of the text for participants who failed a check, by check."""


@dataclass
class LiveSession:
    """A session whose page is open."""

    session: Session
    token: str
    clock: ReportedClock
    tab: str | None
    rested_after: int
    """Number of trials that were done when the page was opened; no break follows at that point."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended: bool = False
    """True once the end was reported to the experimenter."""
    addresses: dict[str, Offered] = field(default_factory=dict)
    """Each picture by the last part of its address."""
    offered: dict[tuple[int, int | None], tuple[Addresses, Addresses]] = field(default_factory=dict)
    """Addresses of each trial's pictures and of its masks, by trial number and picture width."""

    used: float = field(default_factory=time.monotonic)
    """Time of the last request, in seconds on the monotonic clock."""

    def release(self, *, but: Collection[int] = ()) -> None:
        """Release the pictures of all trials except these."""
        for key in [key for key in self.offered if key[0] not in but]:
            for address in (address for groups in self.offered.pop(key) for group in groups for address in group):
                self.addresses.pop(address.rpartition("/")[2], None)

    @property
    def id(self) -> str:
        """The session's identifier."""
        return str(self.session.row["session"])


class Content:
    """Maker of the server's responses about the sessions of one study."""

    def __init__(self, settings: QuizSettings, library: Library, texts: Texts, *, secret: bytes, intro: bool) -> None:
        """Set up; arguments as in `LiveStudy`. `secret` is the key of tokens and addresses, which cannot be guessed."""
        self.settings = settings
        self.library = library
        self.texts = texts
        self.pictures = EncodedPictures(library)
        self._reviewed: dict[str, Offered] = {}
        """Each picture of a review by the last part of its address; sessions share it."""
        self._review_address = cache(self._new_review_address)
        self._cue = cache(lambda keys: TrialTexts(texts, settings, dict(keys)).response_cue)
        """Function from an answer's keys, as pairs, to the question with these keys."""
        self.secret = secret
        self.intro = intro

    def token(self, session: str) -> str:
        """Return the token that grants a page access to a session."""
        return f"{session}.{keyed_hash(self.secret, 'session', session)}"

    def setup(self, live: LiveSession) -> Answer:
        """Return the content of the pages before the trials."""
        session, settings, texts = live.session, self.settings, self.texts
        return {
            "token": live.token,
            "session": live.id,
            "ready": session.row.get("screen_width") is not None,
            "answers": [
                {"name": answer, "key": key.lower(), "label": meaning_of(answer, settings, texts)}
                for key, answer in keys_in_order(session.protocol.keys)
            ],
            **self._introduction(session),
            "touch": self._introduction(session, touch=True),
            "confidence": settings.confidence,
            "confidence_labels": confidence_keys(settings, texts),
            "blank_ms": settings.blank_ms,
            "feedback_ms": settings.feedback_ms,
            "mask_ms": settings.mask_ms,
        }

    def _introduction(self, session: Session, *, touch: bool = False) -> Answer:
        """Return the lines of the instructions and of the page before the first trial, for keys or for touch."""
        texts, by = self.texts, "_touch" if touch else ""
        _, trials = session.counted
        by_keys = self.settings.browser.for_computers and not touch
        ready = texts("ready_task" if by_keys else f"web_ready_task{by}")
        if practice := len(session.plan) - trials:
            ready = texts("practice_text" if session.has_truth else "practice_text_no_truth", practice=practice)
        return {
            "instructions": instructions(self.settings, trials, texts, pause=f"web_pauses{by}", touch=touch),
            "ready_lines": [ready, texts("ready_text")],
        }

    def trial(self, live: LiveSession) -> Answer:
        """Return a session's next trial, and start to make its pictures and those of the following trials."""
        session, settings = live.session, self.settings
        trial, plan = session.trial, session.plan
        index, coming = self._coming(live, trial.planned["trial"])
        showings, masks = coming[0]
        width = self._width(live)
        requested = trial.timing.requested_exposure_ms
        done, trials = session.counted
        ready = session.row.get("screen_width") is not None  # before, the page only loads the pictures
        return {
            "page": "trial",
            "trial": trial.planned["trial"],
            "phase": trial.planned["phase"],
            "progress": TrialTexts(self.texts, settings, {}).progress(plan, index),
            "cue": self._cue(tuple(session.protocol.keys.items())),
            "cue_touch": self._cue(()).strip(),
            "caption": self.library.caption(trial.planned) if settings.show_caption and ready else "",
            "showings": showings,
            "sizes": [
                [self.pictures.size(name, width) for name in showing]
                for showing in session.protocol.showings(trial.planned)
            ],
            "masks": masks,
            "planned_exposure_ms": None if requested is None else session.planned_exposure(requested),
            "gap_ms": session.planned_exposure(trial.timing.gap_ms) if len(showings) > 1 else 0.0,
            "response_ms": trial.timing.response_ms,
            "ahead": [address for those in coming[:AHEAD] for group in (*those[0], *those[1]) for address in group],
            "break": self._break(live),
            "done": done,
            "trials": trials,
        }

    def marks(self, live: LiveSession) -> Answer:
        """Return the question where the participant saw it, about a picture of the last trial."""
        session, row = live.session, live.session.done[-1]
        assert session.to_mark is not None
        _, coming = self._coming(live, row["trial"])
        shown = [name for showing in session.protocol.showings(row) for name in showing]
        addresses = [address for showing in coming[0][0] for address in showing]
        done, trials = session.counted
        asked = {"page": "marks", "trial": row["trial"], "phase": row["phase"], "done": done, "trials": trials}
        address, size = addresses[shown.index(session.to_mark)], self.pictures.size(session.to_mark, self._width(live))
        return {**asked, "address": address, "size": size, **self.mark_settings()}

    def mark_settings(self) -> Answer:
        """Return what every question about marks shares."""
        words = TrialTexts(self.texts, self.settings, {})
        return {"limit": self.settings.marks, "limit_ms": self.settings.marks_ms, "question": words.mark_question}

    def _coming(self, live: LiveSession, trial: int) -> tuple[int, list[tuple[Addresses, Addresses]]]:
        """Return a trial's place in the plan, and the addresses of its pictures and of those of the trials after it."""
        plan = live.session.plan
        index = next(index for index, row in enumerate(plan) if row["trial"] == trial)
        ahead = plan[index : index + AHEAD + 1]
        live.release(but={row["trial"] for row in ahead})
        return index, [self._offered(live, row) for row in ahead]

    def end(self, live: LiveSession) -> Answer:
        """Return the last page of a complete session: score, review, and the address to return to."""
        session, settings, texts = live.session, self.settings, self.texts
        live.release()
        reviewed = []
        if settings.show_review:
            for row in review(session.done, self.library, texts):
                panels = [
                    {
                        "caption": panel.caption,
                        "marked": panel.marked,
                        "address": panel.path and f"picture/{live.token}/{self._review_address(panel.path)}",
                    }
                    for panel in row.panels
                ]
                reviewed.append({"lines": row.lines, "panels": panels})
        scores = score_lines(session.done, texts) if settings.show_score else []
        return {
            "page": "end",
            "text": texts("end_text"),
            "scores": [{"group": line.group, "value": line.value, "remark": line.remark} for line in scores],
            "review": reviewed,
            **self.return_to("complete"),
        }

    def screened_out(self, page: str, check: str) -> Answer:
        """Return the page of a participant who failed a check."""
        return {"page": page, "text": self.texts(SCREENED_OUT[check]), **self.return_to("screened_out")}

    def return_to(self, how: str) -> Answer:
        """Return the study's return address and code for `complete`, `screened_out` or `declined` participants."""
        browser = self.settings.browser
        return {name: getattr(browser, f"{how}_{name}") for name in ("url", "code")}

    def _break(self, live: LiveSession) -> Answer | None:
        session = live.session
        if not self.intro or not break_due(session.done, session.trial.planned, self.settings):
            return None
        done, trials = session.counted
        counts = {"done": done, "trials": trials}
        if session.done[-1]["phase"] == "practice":
            lines = [self.texts("counts_text" if session.has_truth else "counts_text_no_truth", trials=trials)]
            return {"kind": "counts", "lines": lines, **counts}
        if len(session.done) <= live.rested_after:
            return None
        return {"kind": "break", "lines": [self.texts("break_text", **counts)], **counts}

    def feedback(self, live: LiveSession, trial: int) -> Answer | None:
        """Return the feedback on the last trial; None if `trial` is not the last one or gets no feedback."""
        row = live.session.feedback
        if row is None or row["trial"] != trial:
            return None
        words = TrialTexts(self.texts, self.settings, {})
        protocol = live.session.protocol
        captions: list[str] = []
        if protocol.truth(row) is not None:
            captions = [words.truth_of(row, name) for showing in protocol.showings(row) for name in showing]
        return {"text": words.feedback(row["correct"]), "correct": row["correct"], "captions": captions}

    def _width(self, live: LiveSession) -> int | None:
        """Return the width of a session's pictures in pixels; None: their own width."""
        size = self.settings.picture_size
        if isinstance(size, int):
            return size
        return None if size == "native" else live.session.row.get("picture_width_px")

    def _offered(self, live: LiveSession, planned: Row) -> tuple[Addresses, Addresses]:
        """Return the addresses of a trial's pictures and of its masks; start to make these before the page asks."""
        trial, width = planned["trial"], self._width(live)
        if (trial, width) not in live.offered:
            showings = live.session.protocol.showings(planned)
            shown = tuple(name for showing in showings for name in showing)
            numbers = iter(range(len(shown)))
            numbered = [[next(numbers) for _ in showing] for showing in showings]

            def picture(number: int) -> str:
                make = partial(self.pictures.stimulus, shown[number], width)
                return self._address(live, kept(make), "picture", trial, number)

            def mask(number: int) -> str:
                make = partial(self.pictures.mask, shown, number, width, self.settings.mask, of=(live.id, trial))
                # noise takes the same time for every picture, so it need not be made before the page asks
                return self._address(live, make if self.settings.mask == "noise" else kept(make), "mask", trial, number)

            masked = [] if self.settings.mask == "none" else numbered
            live.offered[trial, width] = (
                [[picture(place) for place in those] for those in numbered],
                [[mask(place) for place in those] for those in masked],
            )
        return live.offered[trial, width]

    def offered(self, live: LiveSession, address: str) -> Offered | None:
        """Return a session's picture by the last part of its address; None: there is none."""
        complete = live.session.row["status"] == "complete"
        return live.addresses.get(address) or (self._reviewed.get(address) if complete else None)

    def _new_review_address(self, path: Path) -> str:
        """Return the last part of a reviewed picture's address."""
        end = keyed_hash(self.secret, "review", str(path))
        self._reviewed[end] = partial(self.pictures.file, path), 0.0
        return end

    def _address(self, live: LiveSession, make: Making, *what: object) -> str:
        end = keyed_hash(self.secret, live.id, *map(str, what))
        live.addresses[end] = make, time.monotonic() + PREPARED_S
        return f"picture/{live.token}/{end}"
