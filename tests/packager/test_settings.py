"""[packager] as it stands in config.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.settings import SettingsError, load_settings
from packager.encoding.ladder import DEFAULT_LADDER
from packager.settings import PackagerSection, PackagerSettings, config_path

REPOSITORY = Path(__file__).parents[2]


def test_shipped_file_shows_every_key_with_its_default() -> None:
    """config.toml says nothing else than the code does."""
    shipped = load_settings(PackagerSettings, REPOSITORY / "config.toml", {})
    assert shipped == PackagerSettings()
    text = (REPOSITORY / "config.toml").read_text(encoding="utf-8")
    section = text.split("[packager]")[1].split("\n[")[0]
    subsections = {"quality", "gc"}
    for key in PackagerSection.model_fields.keys() - subsections:
        assert f"\n{key} = " in section
    for name in subsections:
        assert f"\n[packager.{name}]\n" in text


def test_environment_overrides_the_ladder() -> None:
    """A list is written as in TOML."""
    environ = {"TELL_PACKAGER__LADDER": '["aac-96k"]', "TELL_PACKAGER__PROCESSES": "3"}
    settings = load_settings(PackagerSettings, None, environ).packager
    assert (settings.ladder, settings.processes) == (["aac-96k"], 3)
    assert tuple(PackagerSection().ladder) == DEFAULT_LADDER


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TELL_PACKAGER__LADDER", '["wav-64k"]', r"packager\.ladder.*wav-64k"),
        ("TELL_PACKAGER__PROCESSES", "-1", r"packager\.processes"),
        ("TELL_PACKAGER__PROCESSES", '"2"', r"packager\.processes"),
    ],
)
def test_wrong_value_names_its_key(name: str, value: str, said: str) -> None:
    """A wrong value is refused with section and key."""
    with pytest.raises(SettingsError, match=said):
        load_settings(PackagerSettings, None, {name: value})


def test_settings_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config stands above TELL_CONFIG, that above ./config.toml, and none is fine."""
    monkeypatch.chdir(tmp_path)
    assert config_path(None, {}) is None
    (tmp_path / "config.toml").touch()
    assert config_path(None, {}) == Path("config.toml")
    assert config_path(None, {"TELL_CONFIG": "/etc/tell.toml"}) == Path("/etc/tell.toml")
    assert config_path(Path("mine.toml"), {"TELL_CONFIG": "/etc/tell.toml"}) == Path("mine.toml")
