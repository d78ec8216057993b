"""Which list a participant gets."""

from collections.abc import Collection

from gan_eval.errors import UserError


def lists_of(text: str) -> range:
    """A station's share of the lists.

    >>> lists_of("1-20"), lists_of("7")
    (range(1, 21), range(7, 8))

    Raises:
        UserError: not of this form.
    """
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise UserError(f"--lists {text}: wanted two numbers such as 1-20")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high:
        raise UserError(f"--lists {text}: wanted numbers from 1 up, the smaller one first")
    return range(low, high + 1)


def next_list(taken: Collection[int], wanted: int | None, share: str | None) -> int:
    """The list of the next participant.

    Args:
        taken: the lists that the study's sessions have been dealt.
        wanted: the list that was asked for; it may be dealt again.
        share: the lists of this station; None: all.

    Raises:
        UserError: both were given, or all lists of the station's share are taken.
    """
    if wanted is not None:
        if share is not None:
            raise UserError("--list and --lists: give one of them")
        if wanted < 1:
            raise UserError(f"--list {wanted}: lists are numbered from 1")
        return wanted
    if share is None:
        return len(taken) + 1 if not taken else max(len(taken), max(taken)) + 1
    free = next((number for number in lists_of(share) if number not in taken), None)
    if free is None:
        raise UserError(f"--lists {share}: all of them are taken; give this station further lists")
    return free
