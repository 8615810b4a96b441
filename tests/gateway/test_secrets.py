"""Key files: made once, private, never overwritten."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from catalog.errors import SecretFileError
from gateway.errors import SecretsError
from gateway.secrets import init_keys, load_secrets, new_webhook_key
from gateway.settings import GatewaySettings, SecretsSettings
from media.tokens import SigningKeyError


def settings(folder: Path) -> GatewaySettings:
    """Defaults, with the folder of secrets elsewhere."""
    return GatewaySettings(secrets=SecretsSettings(dir=str(folder)))


def test_init_makes_what_a_start_needs(tmp_path: Path) -> None:
    """After `keys init` the secrets load: a signing key, and a set for each partner."""
    folder = tmp_path / "deep" / "secrets"
    made = init_keys(folder, ["local"])
    assert [(path.name, new) for path, new in made] == [
        ("signing.keys", True),
        ("webhook-local.keys", True),
    ]
    secrets = load_secrets(settings(folder))
    assert secrets.keyring.key_ids == ("k1",)
    assert secrets.webhooks["local"].environment == "local"
    assert len(secrets.webhooks["local"].secrets[0]) == 32


def test_key_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Mode 0600, in a folder of mode 0700."""
    folder = tmp_path / "secrets"
    for path, _ in init_keys(folder, ["local"]):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """A second init keeps the files, and a second `new` is refused."""
    before = {path: path.read_bytes() for path, _ in init_keys(tmp_path, ["local"])}
    assert [new for _, new in init_keys(tmp_path, ["local"])] == [False, False]
    with pytest.raises(SecretsError, match="never overwritten"):
        new_webhook_key(tmp_path, "local")
    assert {path: path.read_bytes() for path in before} == before


def test_two_keys_are_not_the_same(tmp_path: Path) -> None:
    """Each file has a secret of its own."""
    one, two = (new_webhook_key(tmp_path, name).read_text() for name in ("one", "two"))
    assert one != two


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_can_open_is_refused_with_the_mend(tmp_path: Path, mode: int) -> None:
    """The message says which command mends it."""
    init_keys(tmp_path, ["local"])
    path = tmp_path / "signing.keys"
    path.chmod(mode)
    with pytest.raises(SecretsError, match=f"chmod 600 {path}"):
        load_secrets(settings(tmp_path))


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    """Both kinds of file name their command."""
    with pytest.raises(SecretsError, match="tell keys init"):
        load_secrets(settings(tmp_path))
    init_keys(tmp_path, [])
    with pytest.raises(SecretsError, match="tell keys new local"):
        load_secrets(settings(tmp_path))


def test_a_broken_key_file_never_shows_its_content(tmp_path: Path) -> None:
    """The message names file and line, not the key."""
    init_keys(tmp_path, ["local"])
    hidden = base64.b64encode(b"not long enough").decode()
    (tmp_path / "webhook-local.keys").write_text(f"whsec_{hidden}\n")
    with pytest.raises(SecretFileError) as webhook:
        load_secrets(settings(tmp_path))
    (tmp_path / "webhook-local.keys").unlink()
    new_webhook_key(tmp_path, "local")
    (tmp_path / "signing.keys").write_text(f"k1:{hidden}\n")
    with pytest.raises(SigningKeyError) as signing:
        load_secrets(settings(tmp_path))
    assert hidden not in str(webhook.value) + str(signing.value)


def test_a_folder_in_place_of_a_key_file_is_refused(tmp_path: Path) -> None:
    """Only a file holds keys."""
    (tmp_path / "signing.keys").mkdir(mode=0o700)
    with pytest.raises(SecretsError, match="is not a file"):
        load_secrets(settings(tmp_path))
