"""The form of every box: its size, its kind, and where it has them its version and flags."""

from __future__ import annotations

import struct


def box(kind: bytes, *content: bytes) -> bytes:
    """Join *content* to a box (ISO/IEC 14496-12 4.2)."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Join *content* to a box with version and flags (ISO/IEC 14496-12 4.2)."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)
