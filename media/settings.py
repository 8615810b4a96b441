"""Reading config.toml and the environment into checked settings.

One file shows every key with its default. The environment overrides a key as
`TELL_<SECTION>__<KEY>`; a name that fits no key is refused, and nothing is coerced: `port = "80"`
in the file is an error. A value from the environment is taken as it stands where the key is a
string, and read as TOML (`8080`, `true`, `["a", "b"]`) everywhere else.

Each program reads the sections that it needs and names those of its neighbours that it passes over.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from media.s3_address import is_s3, parse_s3

ENVIRONMENT_PREFIX = "TELL_"
# Names with the prefix that are not keys of config.toml.
_NOT_KEYS = frozenset({"TELL_CONFIG"})


class SettingsError(Exception):
    """A setting is missing, unknown or of the wrong form; the message names it and the mend."""

    code = "settings"


class Section(BaseModel):
    """Base of every section: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)


class S3Settings(Section):
    """[media.s3]: how a bucket is reached; credentials come from the environment alone."""

    # Empty: Amazon's own for the region.
    endpoint: Annotated[str, Field(pattern=r"^(https?://[A-Za-z0-9.\-\[\]:]+)?$")] = ""
    # Empty: AWS_REGION, else us-east-1.
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,40}$")] = ""
    conditional_put: bool = True
    lease_s: Annotated[float, Field(ge=3)] = 60.0
    timeout_s: Annotated[float, Field(gt=0)] = 30.0


class CacheSettings(Section):
    """[media.cache]: what this machine's disk keeps of a bucket; an empty `dir` keeps nothing."""

    dir: str = "var/cache"
    max_mb: Annotated[int, Field(ge=1)] = 4096
    pointers_patience_s: Annotated[float, Field(gt=0)] = 2.0


class MediaSettings(Section):
    """[media]: where the tracks lie, a folder or s3://<bucket>/<prefix>."""

    root: Annotated[str, Field(min_length=1)] = "var/media"
    pointers_fresh_s: Annotated[float, Field(ge=0)] = 1.0
    s3: S3Settings = S3Settings()
    cache: CacheSettings = CacheSettings()

    @field_validator("root")
    @classmethod
    def _is_folder_or_bucket(cls, root: str) -> str:
        if is_s3(root):
            parse_s3(root)
        elif "://" in root:
            raise ValueError(f"{root!r} is neither a folder nor s3://<bucket>/<prefix>")
        return root


class Settings(BaseModel):
    """Base of a program's settings; its fields are the sections that it reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    neighbours: ClassVar[frozenset[str]] = frozenset()


S = TypeVar("S", bound=Settings)


def load_settings(model: type[S], path: Path | None, environ: Mapping[str, str]) -> S:
    """Read *path* (None: defaults alone), lay the environment over it and check all of it.

    Raises SettingsError that names `section.key`.
    """
    values: dict[str, Any] = {} if path is None else _read(path)
    for name, text in environ.items():
        if name.startswith(ENVIRONMENT_PREFIX) and name not in _NOT_KEYS:
            _override(model, values, name, text)
    for section in model.neighbours:
        values.pop(section, None)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error, path)) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from error


def _override(model: type[Settings], values: dict[str, Any], name: str, text: str) -> None:
    keys = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
    if keys[0] in model.neighbours:
        return
    annotation: Any = model
    for key in keys:
        annotation = _annotation_of(annotation, key)
        if annotation is None:
            raise SettingsError(
                f"environment variable {name}: there is no setting {'.'.join(keys)}; "
                "write TELL_<SECTION>__<KEY> with a section and key of config.toml"
            )
    target = values
    for key in keys[:-1]:
        target = target.setdefault(key, {})
    target[keys[-1]] = text if annotation is str else _literal(name, text)


def _annotation_of(annotation: Any, key: str) -> Any:
    """Type of *key* inside a section, or of a value in a table of sections; None if unknown."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(key)
        return None if field is None else field.annotation
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    return None


def _literal(name: str, text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"environment variable {name}: {text!r} is not a TOML value; "
            'write a number, true, false, or a list such as ["a", "b"]'
        ) from error


def _explain(error: ValidationError, path: Path | None) -> str:
    where = "the settings" if path is None else str(path)
    lines = []
    for item in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            lines.append(f"{where}: {key}: there is no such setting; remove it or mend its name")
        elif item["type"] == "missing":
            lines.append(f"{where}: {key}: is missing; add it")
        else:
            lines.append(f"{where}: {key}: {item['msg']}")
    return "\n".join(lines)
