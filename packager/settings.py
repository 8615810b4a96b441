"""[packager] and [media] of config.toml: what the packager reads of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from media.settings import MediaSettings, Section, Settings
from packager.encoding.ladder import DEFAULT_LADDER, parse_ladder
from packager.quality.settings import QualitySection


class GarbageSection(Section):
    """[packager.gc]: what `tell-package gc` keeps."""

    keep_versions: Annotated[int, Field(ge=0)] = 2
    keep_days: Annotated[float, Field(ge=0)] = 90.0
    listening_days: Annotated[float, Field(ge=0)] = 14.0


class PackagerSection(Section):
    """[packager]. An empty path means: found by itself (see packager/ffmpeg.py)."""

    ffmpeg: str = ""
    ffprobe: str = ""
    ladder: list[str] = Field(default_factory=lambda: list(DEFAULT_LADDER))
    # 0: as many as the machine has cores.
    processes: Annotated[int, Field(ge=0, le=256)] = 0
    # Empty: the system's folder for temporary files (TMPDIR).
    work_dir: str = ""
    quality: QualitySection = QualitySection()
    gc: GarbageSection = GarbageSection()

    @field_validator("ladder")
    @classmethod
    def _names_rungs(cls, names: list[str]) -> list[str]:
        parse_ladder(names)
        return names


class PackagerSettings(Settings):
    """What `tell-package` reads; the other sections are the gateway's."""

    neighbours: ClassVar[frozenset[str]] = frozenset(
        {
            "server",
            "app",
            "delivery",
            "posters",
            "backups",
            "secrets",
            "database",
            "tokens",
            "purchases",
            "enrichment",
            "partners",
            "logging",
            "events",
            "limits",
            "polling",
            "privacy",
        }
    )

    packager: PackagerSection = PackagerSection()
    media: MediaSettings = MediaSettings()


def config_path(option: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Which file holds the settings: `--config`, else TELL_CONFIG, else ./config.toml if there."""
    if option is not None:
        return option
    if named := environ.get("TELL_CONFIG"):
        return Path(named)
    here = Path("config.toml")
    return here if here.is_file() else None
