"""Encrypt the files of a page without a server with ChaCha20 (RFC 8439); static/cipher.js decrypts them.

A browser offers its own ciphers to pages with https only, and laboratories use http as well. Nothing authenticates the
files: whoever can change them can change the page's scripts, too.
"""

import secrets

import numpy as np
from numpy.typing import NDArray

NONCE_BYTES = 12
BLOCK_BYTES = 64
_CONSTANTS = np.frombuffer(b"expand 32-byte k", "<u4")


def sealed(content: bytes, key: bytes, *, length: int, fill: bytes = b"\0") -> bytes:
    """Return a random nonce and the encrypted content, filled up to `length` bytes and to a whole block.

    >>> [len(sealed(content, bytes(32), length=100)) - NONCE_BYTES for content in (b"", b"answers")]
    [128, 128]
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + encrypted(content.ljust(length + -length % BLOCK_BYTES, fill), key, nonce)


def encrypted(content: bytes, key: bytes, nonce: bytes) -> bytes:
    """Encrypt or decrypt content; no two contents may have the same key (32 bytes) and nonce (12 bytes).

    >>> encrypted(encrypted(b"answers", bytes(32), bytes(12)), bytes(32), bytes(12))
    b'answers'
    """
    return (np.frombuffer(content, np.uint8) ^ _keystream(key, nonce, len(content))).tobytes()


def _keystream(key: bytes, nonce: bytes, length: int) -> NDArray[np.uint8]:
    """Return `length` bytes of the key stream, from block 0 on; all blocks of 64 bytes are computed at once."""
    blocks = -(-length // BLOCK_BYTES)
    start = np.empty((16, blocks), np.uint32)
    start[:4] = _CONSTANTS[:, None]
    start[4:12] = np.frombuffer(key, "<u4")[:, None]
    start[12] = np.arange(blocks)
    start[13:] = np.frombuffer(nonce, "<u4")[:, None]
    state = start.reshape(4, 4, blocks).copy()
    for _ in range(10):
        _mix(state)
        for row in (1, 2, 3):  # the diagonals become columns
            state[row] = np.roll(state[row], -row, axis=0)
        _mix(state)
        for row in (1, 2, 3):
            state[row] = np.roll(state[row], row, axis=0)
    words = state.reshape(16, blocks) + start
    return words.T.astype("<u4", order="C").view(np.uint8).reshape(-1)[:length]


def _mix(state: NDArray[np.uint32]) -> None:
    """Apply the quarter round to the four columns of each block, in place; `state` is (4, 4, blocks)."""
    a, b, c, d = state
    for to, other, turned, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        to += other
        turned ^= to
        turned[...] = turned << np.uint32(bits) | turned >> np.uint32(32 - bits)
