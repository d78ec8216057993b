"""Settings as options of the command line. This starts without pydantic."""


def as_flag(name: str) -> str:
    """Return the option of a setting.

    >>> as_flag("batch_size")
    '--batch-size'
    """
    return f"--{name.replace('_', '-')}"
