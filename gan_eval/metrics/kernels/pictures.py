"""The reason why a metric has no value for a picture or a set."""


class Unmeasurable(Exception):  # noqa: N818 - not an error of the program: the row says why its value is missing
    """A metric is not defined for these pictures (too small, sizes differ, too few).

    The message is the `reason` of the table's row.
    """
