"""An array that grows by a few values a second: in one piece, not in thousands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Growing:
    """Values of one type, in the order in which they came."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._bytes = bytearray()

    def add(self, values: NDArray[Any]) -> None:
        """Append *values*, flat."""
        self._bytes += np.ascontiguousarray(values, self._dtype).tobytes()

    def array(self) -> NDArray[Any]:
        """All values so far; none may be added while the array is in use."""
        return np.frombuffer(self._bytes, self._dtype)
