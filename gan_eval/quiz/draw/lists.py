"""Which list a participant gets."""

from collections.abc import Collection

from gan_eval.errors import UserError

LAST_LIST = 10**9
"""No study has more lists; it keeps numbers within what databases and random generators take."""


def lists_of(text: str) -> range:
    """A station's share of the lists.

    >>> lists_of("1-20"), lists_of("7")
    (range(1, 21), range(7, 8))

    Raises:
        UserError: not of this form.
    """
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise UserError(f"--lists {text[:40]}: wanted two numbers such as 1-20")
    low, high = int(first[:12]), int((last or first)[:12])  # Python refuses to read thousands of digits
    if not 1 <= low <= high <= LAST_LIST:
        raise UserError(f"--lists {text[:40]}: wanted numbers from 1 to {LAST_LIST}, the smaller one first")
    return range(low, high + 1)


def next_list(taken: Collection[int], wanted: int | None, share: str | None) -> int:
    """The list of the next participant.

    Args:
        taken: the lists that the study's sessions have been dealt.
        wanted: the list that was asked for; it may be dealt again.
        share: the lists of this station; None: all.

    Raises:
        UserError: both were given, all lists of the station's share are taken, or a number is too large.
    """
    if wanted is not None:
        if share is not None:
            raise UserError("--list and --lists: give one of them")
        if not 1 <= wanted <= LAST_LIST:
            raise UserError(f"--list {str(wanted)[:40]}: lists are numbered from 1 to {LAST_LIST}")
        return wanted
    if share is None:
        number = max(len(taken), max(taken, default=0)) + 1
        if number > LAST_LIST:
            raise UserError(
                f"list {max(taken)} has been dealt, and lists end at {LAST_LIST}; give --lists, such as 1-20"
            )
        return number
    free = next((number for number in lists_of(share) if number not in taken), None)
    if free is None:
        raise UserError(f"--lists {share}: all of them are taken; give this station further lists")
    return free
