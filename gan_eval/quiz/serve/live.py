"""The sessions of a study by link: a page's requests and their responses.

The store has all data. The sessions of open pages are in memory, and can be rebuilt from the store. So a server may be
restarted, and several servers may serve one study.
"""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.base.reading import Address
from gan_eval.quiz.admission import Admitted, Person, reserve, stored_session
from gan_eval.quiz.clock import ReportedClock
from gan_eval.quiz.marks import MarksReport
from gan_eval.quiz.remote import TrialReport
from gan_eval.quiz.room import Room, make_session
from gan_eval.quiz.serve.content import Answer, Content, LiveSession
from gan_eval.quiz.serve.interpreter import Interpreter
from gan_eval.quiz.serve.messages import (
    Arrival,
    InstructionCheck,
    Leaving,
    Message,
    Onset,
    Opening,
    Ready,
    RequestError,
    Withdrawal,
)
from gan_eval.quiz.serve.screening import ATTEMPTS, check_notices, is_nobody, plan_in_frames
from gan_eval.quiz.trial import State
from gan_eval.quiz.wording import Texts
from gan_eval.store import (
    ListTakenError,
    Store,
    StudyFullError,
    forget_in,
    hold_session,
    is_paused,
    places_taken,
    progress_of,
    push_lines,
    require_place,
    require_tab,
    server_secret,
    session_of,
)
from gan_eval.tables.cells import person_of
from gan_eval.tables.frames import Row

Result = TypeVar("Result")
IDLE_S = 600.0
"""Time in seconds without a request after which a session's pictures are released; they can be made again."""
PICTURE_WAITS_S = 0.1
"""Maximum time in seconds that a picture, which a page loads some trials ahead, waits for answers."""
REVIEW_S = 1800.0
"""Time in seconds for which a finished session stays in memory, for its review."""
REPEAT_S = 60.0
"""Time in seconds for which a problem that many pages meet, such as a full disk, is reported once."""


async def result_of(future: Future[Result]) -> Result:
    """Wait for another thread's future, which continues if the waiting request is cancelled; return its result."""
    return await asyncio.shield(asyncio.wrap_future(future))


class LiveStudy:
    """The sessions of a study by link, and the requests of their pages."""

    def __init__(
        self,
        room: Room,
        *,
        intro: bool = True,
        shared: bool = False,
        push_to: str | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare the study.

        Args:
            room: the study's pictures and store.
            intro: show the pages around the trials; without them no consent is recorded.
            shared: True if other processes may continue a session; always true for a store on a database server.
            push_to: store to which ended sessions are copied; None for a rehearsal.
            say: called with lines for the experimenter.

        Raises:
            UserError: the store cannot be written, there are not enough pictures, their size in degrees cannot be
                computed, or a check cannot be answered.
        """
        room.study.dealer.deal(1)  # fail now, not when the first participant arrives
        room.library.keep_files = False
        self.room = room
        self.study = room.study
        self.settings = room.study.settings
        if self.settings.picture_degrees is not None:
            if self.settings.viewing_distance_cm is None:
                raise UserError(
                    f'picture_size = "{self.settings.picture_size}": degrees need the viewing distance; give '
                    "viewing_distance_cm in [quiz], or --viewing-distance-cm"
                )
            if not intro:
                raise UserError(
                    f'--no-intro: picture_size = "{self.settings.picture_size}" needs the page that measures the '
                    "screen with a bank card; remove --no-intro, or give the size in pixels"
                )
        for line in check_notices(self.settings) if intro else ():
            say(line)
        self.intro = intro
        self.texts = Texts(self.settings.language)
        self.interpreter = Interpreter(self.settings, self.texts, intro)
        self.secret = room.writer.submit(server_secret).result()
        self.content = Content(self.settings, room.library, self.texts, secret=self.secret, intro=intro)
        self._push_to = push_to
        self._say = say
        self._shared = shared or isinstance(room.store, Address)
        self._warned: set[str] = set()
        self._silent: dict[str, float] = {}
        """Time on the monotonic clock before which a problem is not reported again, by its message."""
        self._live: dict[str, LiveSession] = {}
        self._arriving: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._working = asyncio.Semaphore(2)
        self._admitting = asyncio.Semaphore(2)
        self._reading = asyncio.Lock()
        self._requests = 0
        """Number of requests of sessions that are being handled."""
        self._idle = asyncio.Event()
        """Set while there are none."""
        self._idle.set()
        self._held: dict[str, int] = {}
        """Lists of the sessions that are about to begin, by participant."""
        self._tasks: set[asyncio.Task[None]] = set()

    # Requests of a page ---------------------------------------------------------------------------------------------

    async def open(self, message: Opening) -> Answer:
        """Return the first page of a participant who opens the link. Nothing is stored."""
        row = await self._known(message.participant)
        if row is None:
            await self._require_admitting()
            return {"page": "welcome"}
        self._require_continuable(row)
        if row["status"] != "open":
            return await self._end(await self._of_token(self.content.token(row["session"])))

        def counts(store: Store) -> list[int]:
            of_session = (store.rows(table, session=row["session"]) for table in (tables.TRIALS, tables.PLANS))
            return [sum(trial["phase"] != "practice" for trial in rows) for rows in of_session]

        done, planned = await self.store(counts)
        return {"page": "resume", "started_at": row["started_at"], "done": done, "trials": planned}

    async def decline(self, message: Leaving) -> Answer:
        """Return the last page of a participant who does not consent, or whose device is unfit. Nothing is stored."""
        self._person(message.participant)
        if message.unfit is not None:
            return self.content.screened_out("refused", message.unfit)
        return {"page": "end", "text": self.texts("web_declined"), **self.content.return_to("declined")}

    async def begin(self, message: Arrival) -> Answer:
        """Deal a list to a new participant and store session, plan and consent."""
        async with self._lock_of(message.participant):
            if await self._known(message.participant) is not None:
                return await self._resumed(message)
            await self._require_admitting()
            async with self._admitting:
                while (live := await self._begun(message)) is None:  # another process has begun with the same list
                    pass
            if isinstance(live, Admitted):  # another process has begun the session in the meantime
                return await self._resumed(message)
            await self._record_tab(live.id, message.tab)
            for other in self._live.values():
                if time.monotonic() - other.used > IDLE_S:
                    other.release()
            self._live[live.id] = live
            self._say(f"{message.participant}: session begun")
            return await self._setup(live)

    async def resume(self, message: Arrival) -> Answer:
        """Continue a participant's session in this tab; the trial that was on the screen counts as seen."""
        async with self._lock_of(message.participant):
            return await self._resumed(message)

    async def check(self, live: LiveSession, message: InstructionCheck) -> Answer:
        """Check the answers to the questions on the instructions."""
        if live.session.state is State.OVER:
            return await self._end(live)
        row = await self.store(lambda store: self.interpreter.check(store, live.id, message, datetime.now(UTC)))
        if row["verdict"] == "failed":
            return await self._screened_out(live, row)
        left = ATTEMPTS - row["value"]
        return {"passed": True} if row["verdict"] == "ok" else {"passed": False, "left": left}

    async def ready(self, live: LiveSession, message: Ready) -> Answer:
        """Store the answers and the display from the pages before the trials; return the first trial."""
        session, now = live.session, datetime.now(UTC)
        if session.state is State.OVER:
            return await self._end(live)
        if session.row.get("screen_width") is None:
            widths = self.room.library.widths(session.plan)
            job = partial(self.interpreter.ready, session=session.row, message=message, widths=widths, at=now)
            columns, failed = await self.store(job)
            if failed is not None:
                return await self._screened_out(live, failed)
            session.row |= columns
        plan_in_frames(session)
        return {"next": await self._next(live)}

    async def next(self, live: LiveSession, message: Message) -> Answer:
        """Return the next trial; a page asks after a break or a pause, in which it may have lost the session."""
        return {"next": await self._next(live)}

    async def onset(self, live: LiveSession, message: Onset) -> Answer:
        """Record that a trial's first picture is on the screen; from now on the trial counts as seen."""
        self.interpreter.onset(live.session, live.clock, message)
        return {}

    async def trial(self, live: LiveSession, message: TrialReport) -> Answer:
        """Store a trial once; return the next trial and feedback when it is durable."""
        session = live.session
        if message.trial in {row["trial"] for row in session.done}:
            return await self._after(live, message.trial)
        match session.advance():
            case State.FAILED:
                session.retry()
            case State.SAVING:
                pass
            case _:
                self.interpreter.trial(session, live.clock, message)
        await self._settled(live)
        if message.trial not in {row["trial"] for row in session.done}:
            raise RequestError(409, f"trial {message.trial}: it is not the turn of this trial")
        session.shorten()
        return await self._after(live, message.trial)

    async def marks(self, live: LiveSession, message: MarksReport) -> Answer:
        """Store the marks of the last trial once; return the next trial and feedback when they are durable."""
        if live.session.advance() is State.FAILED:
            live.session.retry()
        self.interpreter.marks(live.session, message)
        await self._settled(live)
        return await self._after(live, message.trial)

    async def withdraw(self, live: LiveSession, message: Withdrawal) -> Answer:
        """End a session for good; with `forget`, delete all data of the participant."""
        session, code = live.session, live.session.row["participant"]
        await self._settled(live)
        if session.state not in (State.OVER, State.SAVING) and not message.forget:
            session.abort()
            await self._settled(live)
        name, done = "web_withdrawn", "withdrawn"
        if message.forget:
            await self.store(lambda store: forget_in(store, code, study=self.study.name), alone=True)
            name, done = "web_forgotten", "withdrawn, data deleted"
            if self._push_to is not None and session.row["status"] != "open":  # copied when it ended
                done += f"; give `gan-eval participants forget {code}` for the store of quiz.push_to, too"
        self._live.pop(live.id, None)
        self._say(f"{code}: {done}")
        return {"page": "end", "text": self.texts(name)}

    async def picture(self, token: str, address: str) -> bytes:
        """Return a picture of a session by its address.

        Raises:
            RequestError: a wrong token or address.
        """
        live = await self._of_token(token)
        while (offered := self.content.offered(live, address)) is None:  # given by another process, or before a restart
            async with live.lock:
                if await self._is_current(live):
                    await self._settled(live)
                    await (self._end(live) if live.session.state is State.OVER else self._next(live))
                    offered = self.content.offered(live, address)
                    break
            live = await self._of_token(token)
        if offered is None:
            raise RequestError(404, "no such picture")
        make, ready = offered
        try:
            read = await result_of(make())
        except UserError as error:  # a file is missing or broken
            raise self._unavailable(error) from error
        await asyncio.sleep(ready - time.monotonic())
        came = asyncio.get_running_loop().time()
        async with self._reading:  # one picture in a turn of the loop, so that no answer waits for many
            await asyncio.sleep(0)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(came + PICTURE_WAITS_S):
                    await self._idle.wait()
            return read()

    async def handle_request(self, token: str, tab: str, job: Callable[[LiveSession], Awaitable[Answer]]) -> Answer:
        """Do what the tab that holds a session requests; requests of one session are handled one at a time.

        Raises:
            RequestError: a wrong token, or another tab has taken over the session.
        """
        with self._busy():
            while True:
                live = await self._of_token(token)
                async with live.lock:
                    if await self._is_current(live):
                        if live.tab != tab:
                            raise RequestError(409, self.texts("web_taken_over"), page="refused", reason="taken_over")
                        return await job(live)

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """Let pictures wait for the requests in the block."""
        self._requests += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()

    async def _is_current(self, live: LiveSession) -> bool:
        """Return whether this process has the current state of a session; if not, drop it from memory."""
        session = live.session
        if self._live.get(live.id) is not live:  # the session was resumed while this request waited
            return False
        if session.saving is not None or not (self._shared or session.state is State.FAILED):
            return True
        described = session.row.get("screen_width") is not None
        progress = (live.tab, len(session.done), session.row["status"], described)
        if progress == await self.store(partial(progress_of, session=live.id)):
            return True
        if self._live.get(live.id) is live:
            del self._live[live.id]
        return False

    # Implementation -------------------------------------------------------------------------------------------------

    async def store(self, job: Callable[[Store], Result], *, alone: bool = False) -> Result:
        """Run a job in the store's writer thread; `alone` as in `Writer.submit`.

        Raises:
            RequestError: the store cannot be written.
        """
        try:
            return await result_of(self.room.writer.submit(job, alone=alone))
        except UserError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: UserError) -> RequestError:
        """Return the response while the store or a picture cannot be used; every page repeats its request."""
        text, now = str(error), time.monotonic()
        if now >= self._silent.get(text, now):
            self._silent[text] = now + REPEAT_S
            self._say(text)
        return RequestError(503, self.texts("problem_saved"))

    def _lock_of(self, participant: str) -> asyncio.Lock:
        """Return the lock by which requests of an arriving participant are handled one at a time."""
        return self._arriving.setdefault(person_of(participant), asyncio.Lock())

    def _person(self, code: str) -> Person:
        refusal = RequestError(422, self.texts("web_bad_code"), **self._not_begun)
        if is_nobody(code, self.settings.browser):
            if code not in self._warned:
                self._warned.add(code)
                self._say(
                    f"a link was opened with {code!r}, which is not a participant's code; check it where you recruit"
                )
            raise refusal
        try:
            return Person(code)
        except UserError as error:
            raise refusal from error

    async def _begun(self, message: Arrival) -> LiveSession | Admitted | None:
        """Deal a list and store the new session; return the stored session if there is one, None if the list is taken.

        Nothing is reserved in the store, so a crash or an error of the database uses up no list.
        """
        person = self._person(message.participant)
        try:
            reserved = await self.store(partial(reserve, study=self.study, person=person, held=self._held))
            if isinstance(reserved, Admitted):
                return reserved
            admitted = await self._work(reserved.deal, self.study)
            for line in admitted.warnings:
                if line not in self._warned:  # most warnings are the same for every participant
                    self._warned.add(line)
                    self._say(f"{person.code}: {line}")
            live = await self._made(admitted, message.tab)
            require_free = partial(require_place, session=live.session.row, at_most=self.settings.browser.admit)
            await asyncio.to_thread(self.interpreter.begin, live.session, message, require=require_free)
            return live
        except ListTakenError:
            return None
        except StudyFullError as error:
            raise self._full from error
        except UserError as error:
            raise self._unavailable(error) from error
        finally:
            self._held.pop(person.code, None)

    async def _known(self, participant: str) -> Row | None:
        code = self._person(participant).code
        return await self.store(partial(session_of, study=self.study.name, participant=code))

    async def _require_admitting(self) -> None:
        """Refuse new participants while the study is paused, or when it has enough."""
        if await self.store(partial(is_paused, study=self.study.name)):
            raise RequestError(403, self.texts("web_paused"), **self._not_begun)

        def places(store: Store) -> int:
            with store.transaction() as connection:
                return places_taken(connection, self.study.name)

        admit = self.settings.browser.admit
        if admit is not None and await self.store(places) >= admit:
            raise self._full

    @property
    def _full(self) -> RequestError:
        return RequestError(403, self.texts("web_full"), page="refused", title=self.texts("web_full_title"))

    @property
    def _not_begun(self) -> dict[str, str]:
        """Return the page, with its heading, of someone who cannot begin."""
        return {"page": "refused", "title": self.texts("web_not_begun_title")}

    def _require_continuable(self, row: Row) -> None:
        if row["simulated"] or row["design_hash"] != self.study.design_hash:
            self._say(f"{row['participant']}: the stored session has another design or is simulated; refused")
            raise RequestError(403, self.texts("web_other_design"), page="refused")

    async def _resumed(self, message: Arrival) -> Answer:
        row = await self._known(message.participant)
        if row is None:
            raise RequestError(404, "no session of this participant", page="welcome")
        self._require_continuable(row)
        async with self._lock_of(f"session {row['session']}"):  # requests of the earlier tab then see the new state
            if (before := self._live.pop(row["session"], None)) is not None:
                async with before.lock:
                    with suppress(RequestError):
                        await self._settled(before)
            await self._record_tab(row["session"], message.tab)
            live = await self._rebuilt(row["session"], message.tab)
            if live.session.row["status"] != "open":
                raise RequestError(409, self.texts("end_text"), page="end")
            await self._settled(live)
            self._live[live.id] = live
            return await self._setup(live)

    async def _of_token(self, token: str) -> LiveSession:
        """Return the session of a token, from memory or rebuilt from the store."""
        session, _, _ = token.partition(".")
        live = self._live.get(session)
        right = self.content.token(session) if live is None else live.token
        if not hmac.compare_digest(token.encode(), right.encode()):
            raise RequestError(401, "no such session")
        if live is not None:
            live.used = time.monotonic()
            return live
        async with self._lock_of(f"session {session}"):
            if (live := self._live.get(session)) is not None:
                return live
            live = await self._rebuilt(session, None, still_shown=True)
            live.tab = (await self.store(partial(progress_of, session=session))).tab
            self._live[session] = live
            return live

    async def _record_tab(self, session: str, tab: str) -> None:
        """Record in the store that a tab holds a session."""
        if not await self.store(partial(hold_session, session=session, tab=tab)):
            raise self._gone

    @property
    def _gone(self) -> RequestError:
        return RequestError(410, self.texts("web_forgotten"), page="end")

    async def _rebuilt(self, session: str, tab: str | None, *, still_shown: bool = False) -> LiveSession:
        """Return a session rebuilt from the store; `still_shown` as in `Session.resume`."""

        def stored(store: Store) -> list[Admitted]:
            return [stored_session(store, row) for row in store.rows(tables.SESSIONS, session=session)]

        sessions = await self.store(stored)
        if not sessions:
            raise self._gone
        try:
            return await self._made(sessions[0], tab, still_shown=still_shown)
        except UserError as error:  # a picture has changed
            raise self._unavailable(error) from error

    async def _work(self, job: Callable[..., Result], *arguments: Any, **more: Any) -> Result:
        """Run CPU work in a thread, few at a time so that the thread that answers requests is not blocked."""
        async with self._working:
            return await asyncio.to_thread(job, *arguments, **more)

    async def _made(self, admitted: Admitted, tab: str | None, *, still_shown: bool = False) -> LiveSession:
        clock = ReportedClock()
        make = partial(make_session, admitted, self.room.library, self.settings, self.room.writer, clock)
        session = await self._work(make, still_shown=still_shown)
        ended, token = admitted.row["status"] != "open", self.content.token(admitted.row["session"])
        live = LiveSession(session, token, clock, tab, rested_after=len(session.done), ended=ended)
        if self._shared:  # another process may have given the session to another tab
            session.require_here = lambda connection: require_tab(connection, live.id, live.tab)
        if admitted.stored:
            plan_in_frames(session)
        return live

    async def _settled(self, live: LiveSession) -> None:
        """Wait until everything of a session is stored durably.

        Raises:
            RequestError: the store cannot be written; the page repeats its request.
        """
        session = live.session
        while session.advance() is State.SAVING:
            saving: Future[object] | None = session.saving
            assert saving is not None
            with suppress(UserError):
                await result_of(saving)
        if session.state is State.FAILED:
            assert session.error is not None
            raise self._unavailable(session.error)
        if session.state is State.OVER and not live.ended:
            live.ended = True
            asyncio.get_running_loop().call_later(REVIEW_S, self._live.pop, live.id, None)
            self._say(f"{session.row['participant']}: session {session.row['status']}")
            if self._push_to is not None:
                task = asyncio.create_task(self._push(self._push_to))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _push(self, target: str) -> None:
        for line in await asyncio.to_thread(push_lines, self.room.store, target):
            self._say(line)

    async def _setup(self, live: LiveSession) -> Answer:
        return {**self.content.setup(live), "next": await self._next(live)}

    async def _after(self, live: LiveSession, trial: int) -> Answer:
        """Return what follows a stored trial: its marks, or the next trial with feedback on this one."""
        following = await self._next(live)
        asks = live.session.state is State.MARKING
        return {"next": following, "feedback": None if asks else self.content.feedback(live, trial)}

    async def _next(self, live: LiveSession) -> Answer:
        await self._settled(live)
        if live.session.state is State.MARKING:
            return self.content.marks(live)
        return await self._end(live) if live.session.state is State.OVER else self.content.trial(live)

    async def _end(self, live: LiveSession) -> Answer:
        """Return the last page of a session that is over and stored."""
        if live.session.row["status"] == "complete":
            self._live.setdefault(live.id, live)  # the page still needs the pictures of the review
            return self.content.end(live)
        if failed := await self.store(lambda store: store.rows(tables.CHECKS, session=live.id, verdict="failed")):
            return self.content.screened_out("end", failed[0]["check"])
        return {"page": "end", "text": self.texts("web_withdrawn")}

    async def _screened_out(self, live: LiveSession, row: Row) -> Answer:
        live.session.abort()
        await self._settled(live)
        return self.content.screened_out("refused", row["check"])
