"""[packager.quality] as it stands in config.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.settings import SettingsError, load_settings
from packager.quality.settings import CODES, QualitySection, SeveritiesSection
from packager.settings import PackagerSettings

REPOSITORY = Path(__file__).parents[3]


def _section(name: str) -> str:
    text = (REPOSITORY / "config.toml").read_text(encoding="utf-8")
    return text.split(f"\n[{name}]")[1].split("\n[")[0]


def test_every_key_is_explained() -> None:
    """config.toml shows each limit and each severity; its defaults are compared elsewhere."""
    limits = _section("packager.quality")
    for key in QualitySection.model_fields.keys() - {"severities"}:
        assert f"\n{key} = " in limits
    severities = _section("packager.quality.severities")
    for key in SeveritiesSection.model_fields:
        assert f"\n{key} = " in severities


def test_every_finding_is_in_the_manual() -> None:
    """docs/sources.md has a line for each code, with its meaning and its mend."""
    manual = (REPOSITORY / "docs" / "sources.md").read_text(encoding="utf-8")
    listed = {line.split("`")[1] for line in manual.splitlines() if line.startswith("| `")}
    assert listed >= CODES


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TELL_PACKAGER__QUALITY__TARGET_LUFS", "-5.0", "packager.quality.target_lufs"),
        ("TELL_PACKAGER__QUALITY__FILM_FRAME_RATE", "fast", "film_frame_rate.*24000/1001"),
        ("TELL_PACKAGER__QUALITY__FILM_FRAME_RATE", "24/0", "film_frame_rate"),
        ("TELL_PACKAGER__QUALITY__SEVERITIES__CLIPPING", '"ignore"', "severities.clipping"),
        ("TELL_PACKAGER__QUALITY__SEVERITIES__CLIPING", '"note"', "there is no setting"),
    ],
)
def test_wrong_value_names_its_key(name: str, value: str, said: str) -> None:
    """A wrong limit, severity or code is refused with section and key."""
    with pytest.raises(SettingsError, match=said):
        load_settings(PackagerSettings, None, {name: value})
