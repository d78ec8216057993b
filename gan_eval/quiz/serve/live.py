"""The sessions of a study by link: what a page asks for, and what it gets.

Everything lives in the store. The sessions in memory are those of open pages; each can be rebuilt from the store, so
that a server may be restarted, and several may serve one study.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files.sqlite_files import is_address
from gan_eval.quiz.admission import Admitted, Person, admit, reserve
from gan_eval.quiz.clock import ReportedClock
from gan_eval.quiz.remote import TrialReport, nanoseconds, replay
from gan_eval.quiz.review import review, score_lines
from gan_eval.quiz.room import Room, make_session
from gan_eval.quiz.serve.messages import (
    Arrival,
    Check,
    Message,
    Onset,
    Opening,
    Ready,
    RequestError,
    Screen,
    Withdrawal,
)
from gan_eval.quiz.serve.pictures import EncodedPictures, Making, keyed_hash
from gan_eval.quiz.session import Session, break_due
from gan_eval.quiz.station import round_exposure
from gan_eval.quiz.trial import State, answer_rows
from gan_eval.quiz.visual_angle import Viewing, picture_width
from gan_eval.quiz.wording import (
    Texts,
    TrialTexts,
    confidence_keys,
    instructions,
    keys_in_order,
    meaning_of,
    presented_consent,
)
from gan_eval.settings.quiz import ConsentSettings
from gan_eval.store import (
    Store,
    forget_in,
    give_back_list,
    held_by,
    hold_session,
    is_paused,
    progress_of,
    push,
    server_secret,
    session_of,
)
from gan_eval.tables.frames import Row, iso
from gan_eval.tables.names import person_of

Result = TypeVar("Result")
Answer = dict[str, Any]
Addresses = list[list[str]]
"""Of pictures: a list for each showing."""
PRESENTER = "browser"
AHEAD = 3
"""Number of coming trials whose pictures a page loads ahead."""
ATTEMPTS = 2
"""Number of times that the questions on the instructions may be answered."""
SCREENED_OUT = {
    "comprehension": "web_screened_out",
    "touch": "web_no_touch",
    "window_width": "web_small_window",
    "refresh_rate": "web_slow_display",
}
"""The text for participants who failed a check."""
KEPT_S = 1800.0
"""Seconds for which a finished session stays in memory, for its review."""


@dataclass
class LiveSession:
    """A session whose page is open."""

    session: Session
    clock: ReportedClock
    tab: str | None
    rested_after: int
    """Trials that were done when the page was opened; no break comes straight after it."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended: bool = False
    """It is over, and the experimenter was told."""
    addresses: dict[str, Making] = field(default_factory=dict)
    """The pictures of the session by the end of their address."""
    offered: dict[int, tuple[Addresses, Addresses]] = field(default_factory=dict)
    """Addresses of a trial's pictures and masks, by its number."""

    @property
    def id(self) -> str:
        """The session's identifier."""
        return str(self.session.row["session"])


class LiveStudy:
    """A study's sessions by link."""

    def __init__(
        self,
        room: Room,
        *,
        intro: bool = True,
        shared: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Set up.

        Args:
            room: the study's pictures and store.
            intro: show the pages around the trials; without, no consent is recorded.
            shared: other processes may continue a session, as they may on a database server.
            say: called with lines for the experimenter.

        Raises:
            UserError: the store cannot be written; there are not enough pictures.
        """
        room.study.deal(1)  # refuse what cannot be dealt before the first participant comes
        self.room = room
        self.study = room.study
        self.settings = room.study.settings
        self.intro = intro
        self.texts = Texts(self.settings.language)
        self.secret = room.writer.submit(server_secret).result()
        self.pictures = EncodedPictures(room.library)
        self._say = say
        self._shared = shared or is_address(room.store)
        self._warned: set[str] = set()
        self._live: dict[str, LiveSession] = {}
        self._arriving: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._working = asyncio.Semaphore(2)
        self._tasks: set[asyncio.Task[None]] = set()

    # What a page asks for -------------------------------------------------------------------------------------------

    async def open(self, message: Opening) -> Answer:
        """A page was opened: say which page comes first. Nothing is stored."""
        row = await self._known(message.participant)
        if row is None:
            await self._require_admitting()
            return {"page": "welcome"}
        self._require_continuable(row)
        if row["status"] != "open":
            return await self._end(await self._of_token(self.token(row["session"])))
        done, planned = await self.store(partial(_counted, session=row["session"]))
        return {"page": "resume", "started_at": row["started_at"], "done": done, "trials": planned}

    async def decline(self, message: Opening) -> Answer:
        """The participant does not agree: nothing is stored, and they are sent on."""
        self._person(message.participant)
        return {"page": "end", "text": self.texts("web_declined"), **self._return("declined")}

    async def begin(self, message: Arrival) -> Answer:
        """Deal a list to a new participant and store session, plan and consent."""
        async with self._door(message.participant):
            if await self._known(message.participant) is not None:
                return await self._resumed(message)
            await self._require_admitting()
            if self.intro and not message.consent:
                raise RequestError(422, "consent: wanted true")
            reserved = await self.store(partial(reserve, study=self.study, person=self._person(message.participant)))
            if isinstance(reserved, Admitted):  # begun by another process in the meantime
                return await self._resumed(message)
            try:
                admitted = await self._work(reserved.deal, self.study)
                for line in admitted.warnings:
                    if line not in self._warned:  # most hold for every participant
                        self._warned.add(line)
                        self._say(f"{message.participant}: {line}")
                live = await self._made(admitted, message.tab)
                live.session.row |= {"presenter": PRESENTER, "language": self.texts.language}
                consent = self.consent if self.intro else None
                wanted = self.settings.browser.other_parameters
                others = {name: message.parameters[name] for name in wanted if name in message.parameters}
                await asyncio.to_thread(live.session.begin, consent, answers=others)
            except UserError as error:
                await self.store(partial(give_back_list, session=reserved.session))
                raise self._unavailable(error) from error
            await self.store(partial(hold_session, session=live.id, tab=message.tab))
            self._live[live.id] = live
            self._say(f"{message.participant}: session begun")
            return await self._setup(live)

    async def resume(self, message: Arrival) -> Answer:
        """Continue a participant's session in this tab; what was on the screen counts as seen."""
        async with self._door(message.participant):
            return await self._resumed(message)

    async def check(self, live: LiveSession, message: Check) -> Answer:
        """Look at the answers to the questions on the instructions."""
        if live.session.state is State.OVER:
            return await self._end(live)
        checks = self.settings.browser.checks
        if len(message.choices) != len(checks):
            raise RequestError(422, f"choices: wanted {len(checks)}")
        correct = [check.choices.index(check.answer) for check in checks]
        if list(message.choices) == correct:
            return {"passed": True}
        failed = await self.store(lambda store: store.rows(tables.CHECKS, session=live.id, unit="attempts"))
        attempts = len(failed) + 1
        if attempts < ATTEMPTS:
            row = _check_row(live.id, f"comprehension_{attempts}", float(attempts), "attempts", "warning")
            await self.store(lambda store: store.add(tables.CHECKS, [row]))
            return {"passed": False, "left": ATTEMPTS - attempts}
        return await self._screened_out(live, "comprehension", float(attempts), "attempts")

    async def ready(self, live: LiveSession, message: Ready) -> Answer:
        """Store what came before the first trial, and give the first trial."""
        session, screen = live.session, message.screen
        if session.state is State.OVER:
            return await self._end(live)
        if session.row.get("screen_width") is None:
            answers = self._checked_answers(message.answers)
            if (problem := self._below_gate(screen)) is not None:
                return await self._screened_out(live, *problem)
            columns = self._columns(screen)
            now = datetime.now(UTC)
            answered = answer_rows(session.row, answers, answered_at=now)
            more = ((tables.PARTICIPANTS, answered), (tables.CHECKS, _checks(live.id, screen)))
            await self.store(lambda store: store.describe(live.id, columns, more=more))
            session.row |= columns
        self._plan_in_frames(session)
        return {"next": await self._next(live)}

    async def onset(self, live: LiveSession, message: Onset) -> Answer:
        """Note that a trial's first picture is on the screen; it counts as seen from now on."""
        session = live.session
        if session.state is State.READY and session.trial.planned["trial"] == message.trial:
            live.clock.receive(nanoseconds(message.sent_ms))
            session.onset(nanoseconds(message.onset_ms))
        return {}

    async def trial(self, live: LiveSession, message: TrialReport) -> Answer:
        """Store a trial, once; answer when it is durable."""
        session = live.session
        if message.trial in {row["trial"] for row in session.done}:
            await self._settled(live)
            return {"next": await self._next(live), "feedback": self._feedback(live, message.trial)}
        match session.advance():
            case State.FAILED:
                session.retry()
            case State.READY | State.PRESENTED if session.trial.planned["trial"] == message.trial:
                if session.row.get("screen_width") is None:
                    raise RequestError(409, "the session has not begun; send ready first")
                live.clock.receive(nanoseconds(message.sent_ms))
                try:
                    replay(session, message)
                except UserError as error:
                    raise RequestError(422, str(error)) from error
            case State.SAVING:
                pass
            case _:
                raise RequestError(409, f"trial {message.trial}: it is not the turn of this trial")
        await self._settled(live)
        if message.trial not in {row["trial"] for row in session.done}:
            raise RequestError(409, f"trial {message.trial}: it is not the turn of this trial")
        return {"next": await self._next(live), "feedback": self._feedback(live, message.trial)}

    async def withdraw(self, live: LiveSession, message: Withdrawal) -> Answer:
        """End a session for good; with `forget`, delete everything that is stored of the participant."""
        session = live.session
        await self._settled(live)
        if session.state not in (State.OVER, State.SAVING):
            session.abort()
            await self._settled(live)
        name = "web_withdrawn"
        if message.forget:
            code, study = session.row["participant"], self.study.name
            await self.store(lambda store: forget_in(store, code, study=study), alone=True)
            name = "web_forgotten"
        self._live.pop(live.id, None)
        self._say(f"{session.row['participant']}: withdrawn{', data deleted' if message.forget else ''}")
        return {"page": "end", "text": self.texts(name)}

    async def picture(self, token: str, address: str) -> bytes:
        """Return a picture of a session by its address.

        Raises:
            RequestError: there is none.
        """
        live = await self._of_token(token)
        while address not in live.addresses:  # given by another process, or before a restart
            async with live.lock:
                if await self._is_current(live):
                    await self._settled(live)
                    await (self._end(live) if live.session.state is State.OVER else self._next(live))
                    break
            live = await self._of_token(token)
        if (make := live.addresses.get(address)) is None:
            raise RequestError(404, "no such picture")
        made = make()
        if made.done():
            return made.result()
        return await asyncio.shield(asyncio.wrap_future(made))

    async def granted(
        self,
        token: str,
        tab: str,
        what: Callable[["LiveStudy", LiveSession, Any], Awaitable[Answer]],
        message: Message,
    ) -> Answer:
        """Grant a request of the page that holds a session; requests of one session come one after the other.

        Raises:
            RequestError: a wrong token, or another tab has taken the session over.
        """
        while True:
            live = await self._of_token(token)
            async with live.lock:
                if await self._is_current(live):
                    if live.tab != tab:
                        raise RequestError(409, self.texts("web_taken_over"), page="refused", reason="taken_over")
                    return await what(self, live, message)

    async def _is_current(self, live: LiveSession) -> bool:
        """Return whether nobody has continued a session elsewhere; if somebody has, forget what is known here."""
        session = live.session
        if self._live.get(live.id) is not live:  # resumed while this request waited
            return False
        if session.saving is not None or not (self._shared or session.state is State.FAILED):
            return True
        described = session.row.get("screen_width") is not None
        known = (live.tab, len(session.done), session.row["status"], described)
        if known == await self.store(partial(progress_of, session=live.id)):
            return True
        if self._live.get(live.id) is live:
            del self._live[live.id]
        return False

    # How it is done -------------------------------------------------------------------------------------------------

    async def store(self, job: Callable[[Store], Result], *, alone: bool = False) -> Result:
        """Do a job in the store's thread.

        Raises:
            RequestError: the store cannot be read or written.
        """
        try:
            return await asyncio.shield(asyncio.wrap_future(self.room.writer.submit(job, alone=alone)))
        except UserError as error:
            raise self._unavailable(error) from error

    def token(self, session: str) -> str:
        """What a page shows to act in a session."""
        return f"{session}.{keyed_hash(self.secret, 'session', session)}"

    @property
    def consent(self) -> ConsentSettings:
        """The consent text that participants see."""
        return presented_consent(self.settings.consent, self.texts)

    def _unavailable(self, error: UserError) -> RequestError:
        self._say(str(error))
        return RequestError(503, self.texts("problem_saved"))

    def _door(self, participant: str) -> asyncio.Lock:
        """One arrival of a participant at a time."""
        return self._arriving.setdefault(person_of(participant), asyncio.Lock())

    def _person(self, code: str) -> Person:
        try:
            return Person(code)
        except UserError as error:
            raise RequestError(422, self.texts("web_bad_code"), page="refused") from error

    async def _known(self, participant: str) -> Row | None:
        code = self._person(participant).code
        return await self.store(partial(session_of, study=self.study.name, participant=code))

    async def _require_admitting(self) -> None:
        """Refuse somebody new while the experimenter has paused the study."""
        if await self.store(partial(is_paused, study=self.study.name)):
            raise RequestError(403, self.texts("web_paused"), page="refused")

    def _require_continuable(self, row: Row) -> None:
        if row["simulated"] or row["design_hash"] != self.study.design_hash:
            self._say(f"{row['participant']}: the stored session has another design or is simulated; refused")
            raise RequestError(403, self.texts("web_other_design"), page="refused")

    async def _resumed(self, message: Arrival) -> Answer:
        row = await self._known(message.participant)
        if row is None:
            raise RequestError(404, "no session of this participant", page="welcome")
        self._require_continuable(row)
        async with self._door(f"session {row['session']}"):  # requests of the tab before find the new state
            if (before := self._live.pop(row["session"], None)) is not None:
                async with before.lock:
                    with suppress(RequestError):
                        await self._settled(before)
            await self.store(partial(hold_session, session=row["session"], tab=message.tab))
            if row["status"] != "open":
                raise RequestError(409, self.texts("end_text"), page="end")
            admitted = await self.store(partial(admit, study=self.study, person=self._person(message.participant)))
            try:
                live = await self._made(admitted, message.tab)
            except UserError as error:  # a picture has changed since
                raise self._unavailable(error) from error
            await self._settled(live)
            self._live[live.id] = live
            return await self._setup(live)

    async def _of_token(self, token: str) -> LiveSession:
        """Return the session of a token, from memory or from the store."""
        session, _, _ = token.partition(".")
        if not hmac.compare_digest(token.encode(), self.token(session).encode()):
            raise RequestError(401, "no such session")
        if (live := self._live.get(session)) is not None:
            return live
        async with self._door(f"session {session}"):
            if (live := self._live.get(session)) is not None:
                return live
            rows = await self.store(lambda store: store.rows(tables.SESSIONS, session=session))
            if not rows:
                raise RequestError(410, self.texts("web_forgotten"), page="end")
            live = await self._rebuilt(rows[0])
            live.tab = await self.store(partial(held_by, session=session))
            self._live[session] = live
            return live

    async def _rebuilt(self, row: Row) -> LiveSession:
        """A session as the store has it; a trial on its page's screen continues."""

        def read(store: Store) -> Admitted:
            rows = [tuple(store.rows(table, session=row["session"])) for table in _OF_SESSION]
            return Admitted(row, rows[0], rows[1], rows[2], (), stored=True)

        try:
            return await self._made(await self.store(read), None, still_shown=True)
        except UserError as error:  # a picture has changed since
            raise self._unavailable(error) from error

    async def _work(self, job: Callable[..., Result], *arguments: Any, **more: Any) -> Result:
        """Do work for the processor in a thread; a few at once, or they keep the thread that answers from running."""
        async with self._working:
            return await asyncio.to_thread(job, *arguments, **more)

    async def _made(self, admitted: Admitted, tab: str | None, *, still_shown: bool = False) -> LiveSession:
        clock = ReportedClock()
        make = partial(make_session, admitted, self.room.library, self.settings, self.room.writer, clock)
        session = await self._work(make, still_shown=still_shown)
        live = LiveSession(session, clock, tab, rested_after=len(session.done), ended=admitted.row["status"] != "open")
        if admitted.stored:
            self._plan_in_frames(session)
        return live

    async def _settled(self, live: LiveSession) -> None:
        """Wait until everything of a session is durable.

        Raises:
            RequestError: the store cannot be written; the page sends the same again.
        """
        session = live.session
        while session.advance() is State.SAVING:
            saving: Future[object] | None = session.saving
            assert saving is not None
            with suppress(UserError):
                await asyncio.shield(asyncio.wrap_future(saving))
        if session.state is State.FAILED:
            assert session.error is not None
            raise self._unavailable(session.error)
        if session.state is State.OVER and not live.ended:
            live.ended = True
            asyncio.get_running_loop().call_later(KEPT_S, self._live.pop, live.id, None)
            self._say(f"{session.row['participant']}: session {session.row['status']}")
            if self.settings.push_to is not None:
                task = asyncio.create_task(self._push())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _push(self) -> None:
        where, address = str(self.room.store), str(self.settings.push_to)
        try:
            for line in (await asyncio.to_thread(push, where, address)).refused:
                self._say(f"quiz.push_to: refused: {line}; the rows are safe in {where}")
        except UserError as error:
            self._say(f"quiz.push_to: {error}; all answers are safe in {where}")

    def _plan_in_frames(self, session: Session) -> None:
        """Plan exposures in whole frames of the participant's display."""
        if session.row.get("refresh_hz") is None:
            return
        session.planned_flash = partial(round_exposure, refresh_hz=session.row["refresh_hz"])
        if session.state is not State.OVER and session.trial_begun:
            session.trial.plan(session.planned_flash)

    # What a page gets -----------------------------------------------------------------------------------------------

    async def _setup(self, live: LiveSession) -> Answer:
        session, settings, texts = live.session, self.settings, self.texts
        keys = settings.keys_of_list(session.row["list"])
        practice = sum(row["phase"] == "practice" for row in session.plan)
        has_truth = any(session.protocol.truth(row) is not None for row in session.plan)
        ready = texts("web_ready_task")
        if practice:
            ready = texts("practice_text" if has_truth else "practice_text_untold", practice=practice)
        return {
            "token": self.token(live.id),
            "session": live.id,
            "ready": session.row.get("screen_width") is not None,
            "answers": [
                {"name": answer, "key": key.lower(), "label": meaning_of(answer, settings, texts)}
                for key, answer in keys_in_order(keys)
            ],
            "instructions": instructions(settings, len(session.plan) - practice, texts, pause="web_pauses"),
            "practice": practice,
            "trials": len(session.plan) - practice,
            "ready_lines": [ready, texts("ready_text")],
            "confidence": settings.confidence,
            "confidence_labels": confidence_keys(settings, texts),
            "blank_ms": settings.blank_ms,
            "feedback_ms": settings.feedback_ms,
            "mask_ms": settings.mask_ms,
            "next": await self._next(live),
        }

    async def _next(self, live: LiveSession) -> Answer:
        """The next trial, or the end."""
        await self._settled(live)
        session = live.session
        if session.state is State.OVER:
            return await self._end(live)
        trial, plan, settings = session.trial, session.plan, self.settings
        place = next(place for place, row in enumerate(plan) if row["trial"] == trial.planned["trial"])
        coming = [self._offered(live, row) for row in plan[place : place + AHEAD]]
        self._prepare(live, plan[place : place + 2 * AHEAD])
        showings, masks = coming[0]
        width = self._width(live)
        names = {answer: key for key, answer in session.protocol.answers.items()}
        words = TrialTexts(self.texts, settings, names)
        flash = trial.timing.flash_ms
        return {
            "page": "trial",
            "trial": trial.planned["trial"],
            "phase": trial.planned["phase"],
            "progress": words.progress(plan, place),
            "cue": words.response_cue,
            "showings": showings,
            "sizes": [
                [self.pictures.size(name, width) for name in showing]
                for showing in session.protocol.showings(trial.planned)
            ],
            "masks": masks,
            "exposure_ms": None if flash is None else session.planned_flash(flash),
            "gap_ms": session.planned_flash(trial.timing.gap_ms) if len(showings) > 1 else 0.0,
            "response_ms": trial.timing.response_ms,
            "ahead": [address for those in coming for group in (*those[0], *those[1]) for address in group],
            "break": self._break(live),
            **self._counts(session),
        }

    def _break(self, live: LiveSession) -> Answer | None:
        session = live.session
        if not self.intro or len(session.done) <= live.rested_after:
            return None
        if not break_due(session.done, session.trial.planned, self.settings):
            return None
        counts = self._counts(session)
        if session.done[-1]["phase"] == "practice":
            has_truth = any(session.protocol.truth(row) is not None for row in session.plan)
            lines = [self.texts("counts_text" if has_truth else "counts_text_untold", trials=counts["trials"])]
            return {"kind": "counts", "lines": lines, **counts}
        return {"kind": "break", "lines": [self.texts("break_text", **counts)], **counts}

    @staticmethod
    def _counts(session: Session) -> dict[str, int]:
        """Trials that are done, and planned in all, practice apart."""
        done, trials = (sum(row["phase"] != "practice" for row in rows) for rows in (session.done, session.plan))
        return {"done": done, "trials": trials}

    def _feedback(self, live: LiveSession, trial: int) -> Answer | None:
        judged = live.session.feedback
        if judged is None or judged["trial"] != trial:
            return None
        words = TrialTexts(self.texts, self.settings, {})
        protocol = live.session.protocol
        captions: list[str] = []
        if protocol.truth(judged) is not None:
            captions = [words.truth_of(judged, name) for showing in protocol.showings(judged) for name in showing]
        return {"text": words.feedback(judged["correct"]), "correct": judged["correct"], "captions": captions}

    def _width(self, live: LiveSession) -> int | None:
        """Width of a session's pictures in pixels; None: their own."""
        if self.settings.picture_size == "native":
            return None
        width: int | None = live.session.row.get("picture_width_px")
        return width

    def _makings(self, live: LiveSession, planned: Row) -> tuple[list[list[Making]], list[list[Making]]]:
        """Return what makes a trial's pictures, and its masks, for each showing."""
        kind, showings = self.settings.mask, live.session.protocol.showings(planned)
        flat = tuple(name for showing in showings for name in showing)
        places = iter(range(len(flat)))

        def stimulus(place: int) -> Making:
            return lambda: self.pictures.stimulus(flat[place], self._width(live))

        def mask(place: int) -> Making:
            return lambda: self.pictures.mask(flat, place, self._width(live), kind, of=(live.id, planned["trial"]))

        numbered = [[next(places) for _ in showing] for showing in showings]
        masks = [[mask(place) for place in those] for those in numbered] if kind != "none" else []
        return [[stimulus(place) for place in those] for those in numbered], masks

    def _offered(self, live: LiveSession, planned: Row) -> tuple[Addresses, Addresses]:
        """Return the addresses of a trial's pictures and of its masks, for each showing."""
        trial = planned["trial"]
        if trial not in live.offered:
            pictures, masks = (
                [
                    [self._address(live, make, what, trial, turn, place) for place, make in enumerate(makings)]
                    for turn, makings in enumerate(showings)
                ]
                for what, showings in zip(("picture", "mask"), self._makings(live, planned), strict=True)
            )
            live.offered[trial] = pictures, masks
        return live.offered[trial]

    def _prepare(self, live: LiveSession, rows: Sequence[Row]) -> None:
        """Make the pictures of coming trials, so that they are there before the page asks for them."""
        for planned in rows:
            for showings in self._makings(live, planned):
                for makings in showings:
                    for make in makings:
                        make()

    def _address(self, live: LiveSession, make: Making, *what: object) -> str:
        end = keyed_hash(self.secret, live.id, *map(str, what))
        live.addresses[end] = make
        return f"picture/{self.token(live.id)}/{end}"

    async def _end(self, live: LiveSession) -> Answer:
        """The last page: of a finished session, after its last answer was committed."""
        session, settings, texts = live.session, self.settings, self.texts
        if session.row["status"] != "complete":
            failed = await self.store(partial(_failed_check, session=live.id))
            if failed is None:
                return {"page": "end", "text": texts("web_withdrawn")}
            return {"page": "end", "text": texts(SCREENED_OUT[failed]), **self._return("screened_out")}
        reviewed = []
        if settings.show_review:
            for number, row in enumerate(review(session.done, self.room.library, texts)):
                panels = [
                    {
                        "caption": panel.caption,
                        "marked": panel.marked,
                        "address": panel.path
                        and self._address(live, partial(self.pictures.file, panel.path), "review", number, place),
                    }
                    for place, panel in enumerate(row.panels)
                ]
                reviewed.append({"lines": row.lines, "panels": panels})
            self._live.setdefault(live.id, live)  # its pictures are still to be seen
        scores = score_lines(session.done, texts) if settings.show_score else []
        return {
            "page": "end",
            "text": texts("end_text"),
            "scores": [{"group": line.group, "value": line.value, "remark": line.remark} for line in scores],
            "review": reviewed,
            **self._return("complete"),
        }

    def _return(self, how: str) -> Answer:
        browser = self.settings.browser
        return {name: getattr(browser, f"{how}_{name}") for name in ("url", "code")}

    # Before the first trial -----------------------------------------------------------------------------------------

    def _checked_answers(self, answers: Mapping[str, str | None]) -> dict[str, str | None]:
        questions = {question.id: question for question in self.settings.questions}
        if unknown := answers.keys() - questions.keys():
            raise RequestError(422, f"answers: no question {sorted(unknown)[0]!r}")
        checked: dict[str, str | None] = {}
        for name, question in questions.items():
            answer = (answers.get(name) or "").strip() or None
            if answer is None and question.required and self.intro:
                raise RequestError(422, self.texts("question_missing"), question=name)
            if answer is not None and question.choices and answer not in question.choices:
                raise RequestError(422, f"answers: {name}: not one of the choices")
            checked[name] = answer
        return checked if self.intro else {}

    def _below_gate(self, screen: Screen) -> tuple[str, float, str] | None:
        """What of a display does not suffice: name, value and unit; None: it does."""
        browser, (width, height) = self.settings.browser, self.settings.browser.smallest_window
        if not browser.touch and screen.touch:
            return "touch", 1.0, ""
        ratio = screen.device_pixel_ratio
        if screen.window_width < width * ratio or screen.window_height < height * ratio:
            return "window_width", screen.window_width / ratio, "px"
        if (screen.refresh_hz or 0.0) < browser.lowest_refresh_hz:
            return "refresh_rate", screen.refresh_hz or 0.0, "Hz"
        return None

    async def _screened_out(self, live: LiveSession, check: str, value: float, unit: str) -> Answer:
        row = _check_row(live.id, check, value, unit, "failed")

        def add(store: Store) -> None:
            if not store.rows(tables.CHECKS, session=live.id, check=check):  # the server may have ended before `abort`
                store.add(tables.CHECKS, [row])

        await self.store(add)
        live.session.abort()
        await self._settled(live)
        return {"page": "refused", "text": self.texts(SCREENED_OUT[check]), **self._return("screened_out")}

    def _columns(self, screen: Screen) -> Row:
        """The columns of the session's row that describe the display."""
        scale = None if screen.pixels_per_cm is None else screen.pixels_per_cm / 10
        distance = self.settings.viewing_distance_cm
        viewing = Viewing(scale, None if distance is None else 10 * distance)
        try:
            width = picture_width(self.settings, viewing)
        except UserError as error:
            raise RequestError(422, self.texts("web_card_missing")) from error
        widths = {self.pictures.size(row["stimulus"], None)[0] for row in self.room.library.rows}
        own = next(iter(widths)) if len(widths) == 1 else None
        return {
            "platform": screen.user_agent or None,
            "screen_width": screen.width,
            "screen_height": screen.height,
            "device_pixel_ratio": screen.device_pixel_ratio,
            "refresh_hz": screen.refresh_hz,
            "rounded": screen.refresh_hz is not None,
            **viewing.columns(width or own),
        }


_OF_SESSION = (tables.PLANS, tables.TRIALS, tables.ONSETS)


def _counted(store: Store, *, session: str) -> tuple[int, int]:
    """Trials that are done, and planned in all, practice apart."""
    done, plan = (
        sum(row["phase"] != "practice" for row in store.rows(table, session=session))
        for table in (tables.TRIALS, tables.PLANS)
    )
    return done, plan


def _failed_check(store: Store, *, session: str) -> str | None:
    """The check for which a participant was screened out; None: they were not."""
    return next((str(row["check"]) for row in store.rows(tables.CHECKS, session=session, verdict="failed")), None)


def _check_row(session: str, check: str, value: float, unit: str, verdict: str) -> Row:
    row = {"session": session, "check": check, "value": value, "unit": unit, "verdict": verdict}
    return row | {"measured_at": iso(datetime.now(UTC)), "simulated": False, "fraction": None}


def _checks(session: str, screen: Screen) -> list[Row]:
    """Rows of `checks`: what the page measured of its display."""
    measured = (
        ("refresh_rate", screen.refresh_hz, "Hz"),
        ("frame_jitter", screen.jitter_ms, "ms"),
        ("dropped_frames", screen.dropped, "share"),
    )
    return [_check_row(session, name, value, unit, "ok") for name, value, unit in measured if value is not None]
