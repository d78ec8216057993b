"""Everything that a report says, before it is set as a page or as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gan_eval.report.downloads import Download, downloads
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.notes import common_notes, without_common_notes
from gan_eval.report.parts.words import plural
from gan_eval.report.people import rates
from gan_eval.report.people.answer import answer
from gan_eval.report.people.design import badges, design_facts, notes
from gan_eval.report.people.figures import Picture
from gan_eval.report.people.methods import methods
from gan_eval.report.people.paper import paper_methods
from gan_eval.report.people.participants import counted_participants
from gan_eval.report.people.pictures_ import Samples, samples
from gan_eval.report.sections import Section, sections


@dataclass(frozen=True)
class Content:
    """A report's texts, tables, figures and files; every part may be empty but the title."""

    title: str
    simulated: bool
    badges: Sequence[str]
    answer: Sequence[str]
    facts: Sequence[tuple[str, str]]
    samples: Mapping[str, Samples]
    sections: Sequence[Section]
    notes: Sequence[str]
    methods: str
    paper: str
    versions: Sequence[tuple[str, str]]
    downloads: Sequence[Download]

    @property
    def figures(self) -> list[Picture]:
        """Every figure, in reading order."""
        return [picture for section in self.sections for picture in section.figures]

    @property
    def headings(self) -> list[tuple[str, str]]:
        """Identifier and heading of every section that is there."""
        before = [("answer", "The answer", self.answer), ("design", "What was done", self.facts)]
        shown = [("pictures", "What was shown", self.samples)]
        after = [
            ("notes", "What to bear in mind", self.notes),
            ("methods", "Method", self.methods or self.paper),
            ("files", "All tables", self.downloads),
            ("versions", "Versions and hashes", self.versions),
        ]
        return [
            *((name, heading) for name, heading, there in [*before, *shown] if there),
            *((section.id, section.heading) for section in self.sections),
            *((name, heading) for name, heading, there in after if there),
        ]


def content(folder: StudyFolder, *, title: str | None = None, with_raw_tables: bool = False) -> Content:
    """What the folder's tables say.

    Args:
        folder: as read.
        title: heading; default: the study's title, else its name, else how many took part, else the folder's name.
        with_raw_tables: hand on the tables of single sessions too.
    """
    shown = without_common_notes(folder)
    return Content(
        title=title or _title(folder),
        simulated=folder.simulated,
        badges=badges(folder),
        answer=answer(folder),
        facts=design_facts(folder),
        samples=samples(folder),
        sections=sections(shown),
        notes=[*notes(shown), *(f"Of several tables: {note}." for note in common_notes(folder))],
        methods=methods(folder),
        paper=paper_methods(folder),
        versions=rates.versions(folder),
        downloads=downloads(folder, with_raw_tables=with_raw_tables),
    )


def _title(folder: StudyFolder) -> str:
    if folder.facts.get("title"):
        return str(folder.facts["title"])
    if folder.study is not None:
        return folder.study.study.title or folder.study.study.name
    count = counted_participants(folder)
    who = "simulated participant" if folder.simulated else "participant"
    return f"Real or fake? {plural(count, who)}" if count else folder.path.resolve().name
