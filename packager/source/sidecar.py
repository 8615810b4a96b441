"""The file beside a source in which the studio says what it delivered.

`film.wav` is described by `film.wav.toml`, with any of two keys: `running_time`, the film's, and
`sha256`, the source's digest.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from packager.errors import SidecarError, TimingError
from packager.source.timing import parse_timecode

_MOST_BYTES = 65_536


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    running_time: str | float | int | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What stands in it; None where it does not say, or is not there."""

    running_time_s: float | None = None
    sha256: str | None = None


def sidecar_path(source: Path) -> Path:
    """Where the description of *source* is looked for."""
    return source.with_name(f"{source.name}.toml")


def read_sidecar(source: Path) -> Sidecar:
    """Read the description of *source*; raises SidecarError. None there is an empty one."""
    path = sidecar_path(source)
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode()
        content = _Content.model_validate(tomllib.loads(text))
        running_time_s = (
            None if content.running_time is None else parse_timecode(str(content.running_time))
        )
    except FileNotFoundError:
        return Sidecar()
    except OSError as error:
        raise SidecarError(str(path), error.strerror or str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SidecarError(str(path), f"{first['loc'][0]}: {first['msg']}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SidecarError(str(path), f"is not TOML: {error}") from error
    except TimingError as error:
        raise SidecarError(str(path), f"running_time: {error.where!r} {error.what}") from error
    return Sidecar(running_time_s, content.sha256.lower() if content.sha256 else None)
