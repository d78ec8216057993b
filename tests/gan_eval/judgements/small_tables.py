"""Small tables of answers, and how a test imports one."""

from pathlib import Path

import pandas as pd

from gan_eval.judgements.convert import Imported, import_trials

KINDS = ("real", "fake")


def table(people: int = 4, pictures: int = 12, *, name: str = "P{}", **columns: object) -> pd.DataFrame:
    """Each person sees each picture once; every fourth answer is wrong."""
    rows = [
        {
            "participant": name.format(person),
            "stimulus": f"x{n}.png",
            "kind": KINDS[n % 2],
            "response": KINDS[(n + (n + person) % 4 // 3) % 2],
        }
        for person in range(people)
        for n in range(pictures)
    ]
    return pd.DataFrame(rows).assign(**columns)


def imported(
    tmp_path: Path, content: pd.DataFrame | str, mapping: dict[str, str] | None = None, **options: object
) -> Imported:
    text = content if isinstance(content, str) else content.to_csv(index=False)
    (tmp_path / "theirs.csv").write_text(text)
    return import_trials(tmp_path / "theirs.csv", mapping=mapping or {}, **options)  # type: ignore[arg-type]
