"""The page without a server, for JATOS and for hosts that only hold files: its lists are dealt beforehand.

The page contains what the server would answer (static/dealt.js), and the truth of practice trials only. The key, which
stays with the experimenter, has the pictures of each list; `page_import.py` reads the answers with it.
"""

import json
import re
import secrets
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from gan_eval.errors import UserError
from gan_eval.files.atomic import atomic_path, make_public
from gan_eval.files.output_folders import check_output_file, check_output_folder, claim_output_folder
from gan_eval.files.sets import replaced_set
from gan_eval.quiz.admission import Person, QuizStudy, Reserved
from gan_eval.quiz.clock import ReportedClock, VirtualClock
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.quiz.room import checked_library
from gan_eval.quiz.serve.content import SCREENED_OUT, Addresses, Answer, Content, LiveSession
from gan_eval.quiz.serve.page_import import DealtList, PageKey, read_key
from gan_eval.quiz.serve.pages import HERE, page_html
from gan_eval.quiz.serve.pictures import Making, keyed_hash
from gan_eval.quiz.serve.screening import ATTEMPTS, check_notices, nobody_pattern
from gan_eval.quiz.session import Session
from gan_eval.quiz.wording import Texts, TrialTexts
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Writer
from gan_eval.tables.frames import Row

STATIC = ("page.js", "trial.js", "marks.js", "transport.js", "dealt.js", "page.css", "icon.svg")
"""Files of the page next to its document."""
POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self' {connections}; base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy of the document."""
Files = Iterable[tuple[str, bytes]]
"""Names and contents of the files of a page."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A place for the page, and where the page sends the answers."""

    path: Path
    """The folder; for JATOS, the study archive."""
    jatos: bool = False
    """JATOS shows the page and collects the answers."""
    post: str | None = None
    """Address that gets a POST with JSON for each record."""
    datapipe: str | None = None
    """The experiment's ID at DataPipe, which gets one file for each session."""

    @property
    def policy(self) -> str:
        """The policy of a page here; jatos.js inserts scripts and opens a WebSocket."""
        if self.jatos:
            return POLICY.format(scripts=" 'unsafe-inline'", connections="ws: wss:")
        to = urlsplit(self.post or ("https://pipe.jspsych.org" if self.datapipe else ""))
        return POLICY.format(scripts="", connections=f"{to.scheme}://{to.netloc}" if to.netloc else "")


def export_page(
    study: QuizStudy, to: Destination, *, people: int, key_file: Path, say: Callable[[str], None]
) -> tuple[PageKey, int]:
    """Write a study's page with a list for each of `people` participants; return its key and its number of pictures.

    A key of the same design is used again, so that one key reads the answers of several pages.

    Raises:
        UserError: the study needs a server; its pictures cannot be shown (as `Room`); a place cannot be written; the
            key belongs to another design.
    """
    require_no_server(study.settings)
    for line in (*study.settings.doubts, *check_notices(study.settings)):
        say(line)
    if to.jatos:
        check_output_file(to.path)
    else:
        check_output_folder(to.path, option="--static")
    check_output_file(key_file, option="--key")
    page, secret, more = secrets.token_hex(8), secrets.token_hex(16), list[DealtList]()
    if key_file.exists():
        before = read_key(key_file)
        if (before.study, before.design_hash) != (study.name, study.design_hash):
            raise UserError(
                f"--key {key_file}: belongs to another study, or to this one before its pictures or settings changed; "
                "keep it for the answers of that page, and give another --key"
            )
        page, secret, more = before.page, before.secret, before.lists[people:]
    content = DealtContent(study, secret)
    try:
        dealt = [content.deal(number, say) for number in range(1, people + 1)]
        key = PageKey(
            format=1,
            page=page,
            secret=secret,
            study=study.name,
            design_hash=study.design_hash,
            design=dict(study.design),
            settings=study.settings,
            lists=[*(each for each, _ in dealt), *more],
        )
        with atomic_path(key_file) as temporary:
            temporary.chmod(0o600)
            temporary.write_text(key.model_dump_json(exclude_defaults=True, exclude={"settings": {"push_to"}}), "utf-8")
        html = page_html(study.settings, intro=True, dealt=content.facts(to, page, people), policy=to.policy)
        write = partial(_write_archive, page=page, title=study.title or study.name) if to.jatos else _write_folder
        write(to.path, content.files(html, [answers for _, answers in dealt]))
    finally:
        content.pictures.close()
    return key, len(content.made)


def require_no_server(settings: QuizSettings) -> None:
    """Refuse a study whose page needs a server."""
    if settings.facts.adaptive:
        raise UserError(
            f'quiz.protocol = "{settings.protocol}": each exposure depends on whether the answers before it were '
            "correct, so the page would contain the truth; use `gan-eval serve`, or a protocol with fixed exposures"
        )
    if settings.picture_degrees is not None:
        raise UserError(
            f'quiz.picture_size = "{settings.picture_size}": only a server can resize the pictures for each screen; '
            "use `gan-eval serve`, or give the size in pixels"
        )


class DealtContent(Content):
    """The server's responses in all trials of a list; pictures are files whose names show nothing."""

    def __init__(self, study: QuizStudy, secret: str) -> None:
        library = checked_library(study)
        library.keep_files = False
        super().__init__(study.settings, library, Texts(study.settings.language), secret=secret.encode(), intro=True)
        self.study = study
        self.made: dict[str, Making] = {}
        """Function that makes each picture, by file name."""
        self._said: set[str] = set()

    def deal(self, number: int, say: Callable[[str], None]) -> tuple[DealtList, Answer]:
        """Deal a list: its plan for the key, and the responses for the page."""
        admitted = Reserved("", Person("page"), number, ()).deal(self.study)
        for line in {*admitted.warnings} - self._said:  # most warnings are the same for every list
            self._said.add(line)
            say(line)
        plan = self.library.checked(admitted.plan)
        protocol = QuizProtocol(self.settings, list_number=number)
        described = {**admitted.row, "screen_width": 1}  # as after the pages before the trials

        def live(done: int) -> LiveSession:
            clock, writer = VirtualClock(datetime.now(UTC)), cast(Writer, None)  # nothing is stored
            session = Session(described, plan, protocol, writer, clock, done=plan[:done])
            session.resume(())
            return LiveSession(session, "", ReportedClock(), None, rested_after=-1)

        answers = {
            "setup": {name: value for name, value in self.setup(live(0)).items() if name not in ("token", "session")},
            "trials": [self.trial(live(done)) for done in range(len(plan))],
            "marks": {**self.mark_settings(), "every": self.settings.marks_after == "every"},
            "feedback": {row["trial"]: self._feedback(row, protocol) for row in plan if row["phase"] == "practice"},
        }
        return DealtList(row=admitted.row, plan=plan, widths=self.library.widths(plan)), answers

    def facts(self, to: Destination, page: str, people: int) -> Answer:
        """Return what static/dealt.js knows besides the lists."""
        texts, browser = self.texts, self.settings.browser
        ends = {"end": "end_text", **{name: f"web_{name}" for name in ("declined", "withdrawn", "forgotten")}}
        pages = {name: {"page": "end", "text": texts(text)} for name, text in ends.items()}
        pages["end"] |= self.return_to("complete")
        pages["declined"] |= self.return_to("declined")
        return {
            "page": page,
            "lists": people,
            "jatos": to.jatos,
            "post": to.post,
            "datapipe": to.datapipe,
            "checks": [check.choices.index(check.answer) for check in browser.checks],
            "attempts": ATTEMPTS,
            "gate": browser.model_dump(include={"touch", "lowest_refresh_hz", "smallest_window"}),
            "nobody": nobody_pattern(browser),
            "pages": {
                **pages,
                **{check: self.screened_out("end", check) for check in SCREENED_OUT},
                "taken_over": {"page": "refused", "error": texts("web_taken_over")},
                "bad_code": {"page": "refused", "title": texts("web_not_begun_title"), "error": texts("web_bad_code")},
                "file": texts("web_file"),
            },
        }

    def files(self, html: str, lists: list[Answer]) -> Iterator[tuple[str, bytes]]:
        """Yield the files of the page; the order of the pictures shows nothing."""
        yield "index.html", html.encode()
        for name in STATIC:
            yield f"static/{name}", (HERE / "static" / name).read_bytes()
        for number, answers in enumerate(lists, start=1):
            yield f"lists/{number}.json", json.dumps(answers, ensure_ascii=False).encode()
        for name in sorted(self.made):
            yield name, self.made[name]().result()()

    def _offered(self, live: LiveSession, planned: Row) -> tuple[Addresses, Addresses]:
        """Return the files of a trial's pictures and of its masks.

        In practice trials a picture has another name, because it may be in the main trials of another list.
        """
        width, kind, practice = self._width(live), self.settings.mask, str(planned["phase"] == "practice")

        def named(stimulus: str, what: str) -> str:
            name = f"pictures/p{keyed_hash(self.secret, what, practice, stimulus)}.png"
            self.made[name] = partial(self.pictures.stimulus, stimulus, width)
            if what == "mask":
                self.made[name] = partial(self.pictures.mask, (stimulus,), 0, width, kind, of=(stimulus, 0))
            return name

        def all_named(what: str) -> Addresses:
            return [[named(each, what) for each in those] for those in live.session.protocol.showings(planned)]

        return all_named("picture"), [] if kind == "none" else all_named("mask")

    def _feedback(self, planned: Row, protocol: QuizProtocol) -> Answer:
        """Return the feedback on a practice trial for each answer."""
        words, truth = TrialTexts(self.texts, self.settings, {}), protocol.truth(planned)
        shown = [name for showing in protocol.showings(planned) for name in showing]
        captions = [] if truth is None else [words.truth_of(planned, name) for name in shown]
        texts = {name: words.feedback(value) for name, value in {"right": True, "wrong": False, "none": None}.items()}
        return {"truth": truth, "captions": captions, **texts}


def _write_folder(folder: Path, files: Files) -> None:
    claim_output_folder(folder, option="--static")
    with replaced_set(folder, "page") as new:
        for name, data in files:
            (new.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (new.folder / name).write_bytes(data)
    make_public(folder)


def _write_archive(file: Path, files: Files, *, page: str, title: str) -> None:
    """Write a JATOS study archive: one folder, and one `.jas` file of version 3 (JATOS 3.10.4, `StudyDeserializer`)."""
    folder = f"gan_eval_{page}"
    shared = {"title": re.sub(r"[<>&]+", " ", title)[:255], "comments": ""}  # JATOS refuses markup
    ids = {what: str(uuid.uuid5(uuid.NAMESPACE_OID, f"{what} {page}")) for what in ("study", "component")}
    component = {"htmlFilePath": "index.html", "reloadable": True, "active": True, "componentInput": None}
    data = {
        **shared,
        "uuid": ids["study"],
        "description": "",
        "dirName": folder,
        **dict.fromkeys(("groupStudy", "linearStudy", "allowPreview"), False),
        **dict.fromkeys(("studyInput", "endRedirectUrl", "studyEntryMsg")),
        "componentList": [{**shared, "uuid": ids["component"], **component}],
        "batchList": [],
    }
    with atomic_path(file) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{folder}.jas"), json.dumps({"version": "3", "data": data}, indent=1))
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), content, zipfile.ZIP_DEFLATED)
