"""What making a rung costs against the others, so that the dearest is begun first.

Measured (docs/encoders.md): seconds of one core for an hour of sound. Only their order and their
proportions matter, so another machine's own figures may differ.
"""

from __future__ import annotations

from packager.encoding.ladder import Rung

# Up to these bit rates, and for all above.
_ENCODE_AAC = (48_000, 54.0), (80_000, 32.0), (512_000, 20.0)
_ENCODE_OPUS = 14.0
_VERIFY = {"aac": 4.0, "opus": 7.0}


def encode_cost(rung: Rung) -> float:
    """Cost of encoding *rung*."""
    if rung.codec == "opus":
        return _ENCODE_OPUS
    return next(cost for highest, cost in _ENCODE_AAC if rung.bit_rate_bps <= highest)


def verify_cost(rung: Rung) -> float:
    """Cost of decoding *rung* and comparing it."""
    return _VERIFY[rung.codec]
