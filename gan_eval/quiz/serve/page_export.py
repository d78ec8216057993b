"""The page without a server, for JATOS and for hosts that only hold files: its lists are dealt beforehand.

A list contains what the server would answer (static/dealt.js), and the truth of practice trials only. Lists and
pictures are encrypted, and files of a kind have one length: otherwise anybody could count in how many lists a picture
is, and with several models real pictures are in more lists. The key, which stays with the experimenter, has the stimuli
of each list; `page_import.py` reads the answers with it.
"""

import hashlib
import hmac
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

import numpy as np

from gan_eval.base.atomic import atomic_path, make_public
from gan_eval.base.errors import UserError
from gan_eval.base.file_sets import replaced_set
from gan_eval.base.output_folders import check_output_file, check_output_folder, claim_output_folder
from gan_eval.quiz.admission import Person, QuizStudy, Reserved
from gan_eval.quiz.clock import ReportedClock, VirtualClock
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.quiz.room import checked_library
from gan_eval.quiz.serve.cipher import sealed
from gan_eval.quiz.serve.content import SCREENED_OUT, Addresses, Answer, Content, LiveSession
from gan_eval.quiz.serve.page_key import (
    SIGNED,
    DealtList,
    PageKey,
    base64_text,
    code_of,
    read_key,
    write_key,
    write_links,
)
from gan_eval.quiz.serve.pages import HERE, page_html
from gan_eval.quiz.serve.pictures import Making, keyed_hash, plain_png
from gan_eval.quiz.serve.screening import ATTEMPTS, NAMES, check_notices, nobody_pattern
from gan_eval.quiz.session import Session
from gan_eval.quiz.wording import Texts, TrialTexts
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Writer
from gan_eval.tables.frames import Row

STATIC = ("page.js", "trial.js", "marks.js", "transport.js", "dealt.js", "cipher.js", "page.css", "icon.svg")
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
    address: str = "ADDRESS"
    """The page's address on its host, with which the links begin."""

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

    A key of the same design is used again, so that one key reads the answers of several pages. Next to the key is the
    table of the participants' links.

    Raises:
        UserError: the study needs a server; its pictures cannot be shown (as `Room`); a place cannot be written; the
            key belongs to another design, or one of its lists is dealt otherwise today.
    """
    require_no_server(study.settings)
    for line in (*study.settings.doubts, *check_notices(study.settings)):
        say(line)
    if to.jatos:
        check_output_file(to.path)
    else:
        check_output_folder(to.path, option="--static")
    check_output_file(key_file, option="--key")
    check_output_file(links_file(key_file), option="--key")
    before = _earlier_key(key_file, study)
    content = DealtContent(study)
    try:
        dealt = [content.deal(number, say) for number in range(1, people + 1)]
        lists = _settled_lists([each for each, _ in dealt], before.lists if before else [], key_file)
        key = before.model_copy(update={"lists": lists}) if before else _new_key(study, lists)
        html = page_html(study.settings, intro=True, dealt=content.facts(to, key, people), policy=to.policy)
        write = partial(_write_archive, page=key.page, title=study.title or study.name) if to.jatos else _write_folder
        write_key(key, key_file)
        if not to.jatos:
            write_links(key, links_file(key_file), address=to.address, people=people)
        write(to.path, content.files(html, key, [answers for _, answers in dealt]))
    finally:
        content.pictures.close()
    return key, len(content.made)


def links_file(key_file: Path) -> Path:
    """Return the file with the links, next to the key.

    >>> links_file(Path("study.key")).name
    'study.links.csv'
    """
    return key_file.with_suffix(".links.csv")


def _earlier_key(file: Path, study: QuizStudy) -> PageKey | None:
    if not file.exists():
        return None
    key = read_key(file)
    if (key.study, key.design_hash) != (study.name, study.design_hash):
        raise UserError(
            f"--key {file}: belongs to another study, or to this one before its pictures or settings changed; "
            "keep it for the answers of that page, and give another --key"
        )
    return key


def _settled_lists(dealt: list[DealtList], before: list[DealtList], key_file: Path) -> list[DealtList]:
    """Return the lists of the key from before and the new ones after them; refuse lists that have changed."""
    for number, (one, other) in enumerate(zip(dealt, before, strict=False), start=1):
        if one.sha256 != other.sha256:
            raise UserError(
                f"--key {key_file}: list {number} has other trials in it, because another version of gan_eval or of a "
                "library dealt it; keep the key for the answers of its page, and give another --key"
            )
    return [*before, *dealt[len(before) :]]


def _new_key(study: QuizStudy, lists: list[DealtList]) -> PageKey:
    return PageKey(
        format=SIGNED,
        page=secrets.token_hex(8),
        secret=secrets.token_hex(16),
        study=study.name,
        design_hash=study.design_hash,
        design=dict(study.design),
        settings=study.settings,
        lists=lists,
    )


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
    """The server's responses in all trials of a list; pictures are files whose names and contents show nothing.

    Names and keys are new in each page, so that two pages do not show which pictures came later.
    """

    def __init__(self, study: QuizStudy) -> None:
        library = checked_library(study)
        library.keep_files = False
        texts, secret = Texts(study.settings.language), secrets.token_bytes(32)
        super().__init__(study.settings, library, texts, secret=secret, intro=True)
        self.study = study
        self.made: dict[str, Making] = {}
        """Function that makes each picture, by file name."""
        self._sizes: set[tuple[int, int]] = set()
        """Width and height of every picture."""
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
        dealt = DealtList(row=admitted.row, plan=plan, widths=self.library.widths(plan))
        return dealt, {"code": code_of(number), "sha256": dealt.sha256, **answers}

    def facts(self, to: Destination, key: PageKey, people: int) -> Answer:
        """Return what static/dealt.js knows besides the lists."""
        texts, browser = self.texts, self.settings.browser
        ends = {"end": "end_text", **{name: f"web_{name}" for name in ("declined", "withdrawn", "forgotten")}}
        pages = {name: {"page": "end", "text": texts(text)} for name, text in ends.items()}
        pages["end"] |= self.return_to("complete")
        pages["declined"] |= self.return_to("declined")
        not_begun = {"page": "refused", "title": texts("web_not_begun_title")}
        return {
            "page": key.page,
            "lists": people,
            "open_to_all": key.open_to_all if to.jatos else None,
            "jatos": to.jatos,
            "post": to.post,
            "datapipe": to.datapipe,
            "checks": [check.choices.index(check.answer) for check in browser.checks],
            "attempts": ATTEMPTS,
            "gate": browser.model_dump(include={"touch", "lowest_refresh_hz", "smallest_window"}),
            "nobody": nobody_pattern(browser),
            "names": sorted(NAMES),
            "pages": {
                **pages,
                **{check: self.screened_out("end", check) for check in SCREENED_OUT},
                "bad_link": {**not_begun, "error": texts("web_bad_link")},
                "bad_code": {**not_begun, "error": texts("web_bad_code")},
                "taken_over": {"page": "refused", "error": texts("web_taken_over")},
                "file": texts("web_file"),
            },
        }

    def files(self, html: str, key: PageKey, lists: list[Answer]) -> Iterator[tuple[str, bytes]]:
        """Yield the files of the page; the order of the pictures shows nothing."""
        yield "index.html", html.encode()
        for name in STATIC:
            yield f"static/{name}", (HERE / "static" / name).read_bytes()
        written = [json.dumps(answers, ensure_ascii=False).encode() for answers in lists]
        longest = max(map(len, written))
        for number, content in enumerate(written, start=1):
            yield f"lists/{number}.bin", sealed(content, key.list_key(number), length=longest, fill=b" ")
        width, height = max(self._sizes, key=lambda size: size[1] * (1 + 3 * size[0]))  # as plain_png writes rows
        longest = len(plain_png(np.zeros((height, width, 3), np.uint8)))
        for name in sorted(self.made):
            yield name, sealed(self.made[name]().result()(), self._key(name), length=longest)

    def _key(self, name: str) -> bytes:
        return hmac.digest(self.secret, f"key\0{name}".encode(), hashlib.sha256)

    def _offered(self, live: LiveSession, planned: Row) -> tuple[Addresses, Addresses]:
        """Return the files of a trial's pictures and of its masks, each with its key behind `#`.

        In practice trials a picture has another name, because it may be in the main trials of another list.
        """
        width, kind, practice = self._width(live), self.settings.mask, str(planned["phase"] == "practice")

        def named(stimulus: str, what: str) -> str:
            name = f"pictures/{keyed_hash(self.secret, what, practice, stimulus)}.bin"
            self.made[name] = partial(self.pictures.stimulus, stimulus, width)
            self._sizes.add(self.pictures.size(stimulus, width))
            if what == "mask":
                self.made[name] = partial(self.pictures.mask, (stimulus,), 0, width, kind, of=(stimulus, 0))
            return f"{name}#{base64_text(self._key(name))}"

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
            stored = zipfile.ZIP_STORED if name.endswith(".bin") else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), content, stored)
