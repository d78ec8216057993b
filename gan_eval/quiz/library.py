"""The pictures of a session: where a stimulus and its companions are, and whether they still are what was dealt."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files import sha256_file
from gan_eval.stimuli import FileColumn, StimulusSet
from gan_eval.tabular import Row


@dataclass(frozen=True)
class Companions:
    """The pictures of one item, for the review; None where there is none."""

    label: Path | None
    """What the generator was given."""
    truth: Path | None
    """The real picture."""
    generated: Path | None
    """A generator's output: the one that was shown, else that of the item's first model."""


class Library:
    """The stimuli of one or several sets, by identifier; sets of one data set may share their real pictures."""

    def __init__(self, sets: Sequence[StimulusSet]) -> None:
        self._rows: dict[str, tuple[StimulusSet, Row]] = {}
        self._versions: dict[str, list[str]] = {}
        self.rows = [row for stimuli in sets for row in stimuli.rows]
        for stimuli in sets:
            for row in stimuli.rows:
                if row["stimulus"] not in self._rows:
                    self._versions.setdefault(row["item"], []).append(row["stimulus"])
                    self._rows[row["stimulus"]] = (stimuli, row)

    def path(self, stimulus: str) -> Path:
        """The file of a stimulus.

        Raises:
            UserError: the sets do not hold it.
        """
        path = self._file(stimulus, "file")
        if path is None:
            raise UserError(f"stimulus {stimulus}: dealt to this session, but not in its stimulus set; restore it")
        return path

    def checked(self, plan: Iterable[Row], *, seen: Collection[int] = ()) -> tuple[Row, ...]:
        """The plan with the SHA-256 of each file as it is now; rows of trials that have been `seen` as they are.

        Raises:
            UserError: a file vanished, or is no longer the picture that was dealt.
        """
        return tuple(row if row.get("trial") in seen else self._checked(row) for row in plan)

    def companions(self, stimulus: str) -> Companions:
        """Label picture, ground truth and generated picture of the item that `stimulus` is a version of."""
        _, row = self._rows[stimulus]
        versions = [self._rows[name][1] for name in self._versions[row["item"]]]
        real = [version["stimulus"] for version in versions if version["kind"] == "real"]
        fakes = sorted(version["stimulus"] for version in versions if version["kind"] == "fake")
        generated = stimulus if row["kind"] == "fake" else next(iter(fakes), None)
        sources = [stimulus, *([generated] if generated else []), *real]
        labels = (self._file(name, "input_file") for name in sources)
        truths = [self._file(name, "file") for name in real] or [self._file(stimulus, "reference_file")]
        return Companions(
            label=next((label for label in labels if label), None),
            truth=truths[0],
            generated=self._file(generated, "file") if generated else None,
        )

    def _checked(self, planned: Row) -> Row:
        hashes = {"sha256": self._checked_hash(planned["stimulus"], planned["sha256"])}
        if planned["stimulus_b"] is not None:
            hashes["sha256_b"] = self._checked_hash(planned["stimulus_b"], planned["sha256_b"])
        return {**planned, **hashes}

    def _checked_hash(self, stimulus: str, dealt: str | None) -> str:
        path = self.path(stimulus)
        found = sha256_file(path)
        if dealt not in (None, found):
            raise UserError(
                f"{path}: the picture has changed since it entered the stimulus set (SHA-256); restore it, "
                "or make the stimulus set anew"
            )
        return found

    def _file(self, stimulus: str, column: FileColumn) -> Path | None:
        if stimulus not in self._rows:
            return None
        stimuli, row = self._rows[stimulus]
        return stimuli.path(row, column)
