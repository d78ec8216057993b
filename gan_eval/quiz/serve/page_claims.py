"""Whose sessions may be imported: a session of a page claims a participant's code and a list, and may prove them.

A participant's own link proves its code. With the one link for all, as in JATOS and in earlier pages, anybody can claim
any code, so no session of such a link takes the place of another one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gan_eval.errors import UserError
from gan_eval.quiz.admission import Person
from gan_eval.quiz.serve.page_key import SIGNED, PageKey
from gan_eval.quiz.serve.screening import is_nobody
from gan_eval.tables.cells import person_of


@dataclass(frozen=True)
class Claim:
    """What the first record of a session says."""

    session: str
    code: str
    """The participant's code."""
    list_number: int
    list_sha256: str | None = None
    proof: str | None = None
    """Proof of the link."""

    def is_own(self, key: PageKey) -> bool:
        """Return whether the session was begun with the participant's own link."""
        return self.proof == key.proof(self.code, self.list_number)


def refused_claims(key: PageKey, claims: Iterable[Claim], stored: Callable[[str], str | None]) -> dict[str, str]:
    """Return the sessions that may not be imported, each with a line that says why.

    Args:
        key: key of the page.
        claims: those of all sessions of an import.
        stored: function that returns the session of a participant in the store, if there is one.
    """
    refused: dict[str, str] = {}
    people: defaultdict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        try:
            check_claim(key, claim)
            people[person_of(claim.code)].append(claim)
        except UserError as error:
            refused[claim.session] = f"session {claim.session}: {error}"
    for those in people.values():
        if len(those) > 1 and stored(those[0].code) is None:  # else the stored session keeps the code
            refused |= _contested(key, those)
    return refused


def check_claim(key: PageKey, claim: Claim) -> None:
    """Refuse a code or a list that the page does not give.

    Raises:
        UserError: the code is none, or stands for nobody; the key lacks the list or has another one; the link that
            began the session is none of the page's.
    """
    code, number = Person(claim.code).code, claim.list_number
    if is_nobody(code, key.settings.browser):
        raise UserError(f"participant {code!r}: a placeholder that was not filled in; nobody has this code")
    if number > len(key.lists):
        raise UserError(f"list {number}: the key has {len(key.lists)}; give the key of the page's last export")
    is_earlier = key.format != SIGNED  # a page that sends neither a proof nor the list's digest
    if claim.list_sha256 != key.lists[number - 1].sha256 and not (is_earlier and claim.list_sha256 is None):
        raise UserError(f"list {number}: its trials are not those of the key; give the key of the page that was used")
    if not (claim.is_own(key) or claim.proof == key.proof_of_all or is_earlier):
        raise UserError(f"participant {code}: begun without a link of this page, perhaps by somebody else")


def _contested(key: PageKey, claims: list[Claim]) -> dict[str, str]:
    """Return the refused ones of several sessions with one code: those without the participant's own link."""
    code, sessions = claims[0].code, sorted(claim.session for claim in claims)
    own = [claim.session for claim in claims if claim.is_own(key)]
    if own:
        reason = f"session {min(own)} has the participant's own link, this one has not"
    else:
        reason = "nothing shows which one is the participant's, so none is imported: leave the others' files out"
    return {
        session: f"session {session}: participant {code} has the sessions {', '.join(sessions)}; {reason}"
        for session in sessions
        if session not in own
    }
