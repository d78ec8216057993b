"""Rows for the tests of the store."""

SESSION = {
    "session": "s1",
    "study": "t",
    "participant": "P01",
    "protocol": "quick_response",
    "status": "open",
    "simulated": False,
    "started_at": "2026-01-01T00:00:00Z",
}


def trial(number: int, session: str = "s1") -> dict[str, object]:
    """A trial of `SESSION`, or of another session."""
    return {
        "session": session,
        "study": "t",
        "participant": "P01",
        "trial": number,
        "phase": "main",
        "stimulus": f"d/real/{number}",
        "kind": "real",
        "exposure_ms": 1000.25,
        "correct": True,
        "simulated": False,
    }
