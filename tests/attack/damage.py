"""Damage that can happen to a file of any content."""

import gzip

from hypothesis import strategies as st

SHORTEST_DAMAGED = 16


@st.composite
def damaged(draw: st.DrawFn, data: bytes, *, head: int = 64) -> tuple[str, bytes]:
    """Return a description of the damage and the damaged bytes; half of the damage is to the first `head` bytes."""
    end = len(data) if draw(st.booleans()) else min(head, len(data))
    place = draw(st.integers(0, max(end - 1, 0)))
    kind = draw(st.sampled_from(["truncated", "flipped", "overwritten", "zeroed", "cut out", "put in", "twice"]))
    few = st.binary(min_size=1, max_size=64)
    match kind:
        case "truncated":
            return kind, data[:place]
        case "flipped":
            return kind, data[:place] + bytes([data[place] ^ 1 << draw(st.integers(0, 7))]) + data[place + 1 :]
        case "overwritten":
            noise = draw(few)
            return kind, data[:place] + noise + data[place + len(noise) :]
        case "zeroed":
            length = draw(st.integers(1, 4096))
            return kind, data[:place] + bytes(min(length, len(data) - place)) + data[place + length :]
        case "cut out":
            return kind, data[:place] + data[place + draw(st.integers(1, 64)) :]
        case "put in":
            return kind, data[:place] + draw(few) + data[place:]
        case _:
            return kind, data + data


@st.composite
def something_else(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file that is another thing altogether."""
    noise = draw(st.binary(max_size=200))
    choices = {
        "empty": b"",
        "noise": noise,
        "zeros": bytes(8192),
        "text": b"Just some words, which nobody asked for.\n",
        "web page": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
        "gzip": gzip.compress(b"x" * 1000),
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n",
        "UTF-16": "name,value\na,1\n".encode("utf-16"),
        "script": b"#!/bin/sh\ntouch PWNED\n",
    }
    kind = draw(st.sampled_from(sorted(choices)))
    return kind, choices[kind]
