"""An S3 bucket as the storage of tracks: streamed multipart uploads and conditional swaps."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore import exceptions as s3_errors
from obstore.store import S3Store

from media.errors import ConflictError, ObjectNotFoundError, RangeError, StorageError
from media.lease import Lease
from media.s3_uploads import Uploads
from media.settings import S3Settings
from media.storage import Tagged, Unfinished, check_key

if TYPE_CHECKING:
    from obstore.store import ClientConfig

# S3 takes up to 10,000 parts of a file, each of 5 MiB or more (the last may be shorter).
_PART_BYTES = 8 * 1024 * 1024
# Parts in memory at the same time.
_PARTS_AT_ONCE = 4
_MEDIA_TYPES = {
    ".json": "application/json",
    ".mp4": "audio/mp4",
    ".html": "text/html; charset=utf-8",
}
_ERROR_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,80})</Code>")
_STATUS = re.compile(r"status code: (\d{3} [A-Za-z -]{1,40})")
_LOCK_NAME = "lock.json"


class S3Storage:
    """The objects below *prefix* of a *bucket*; credentials come from the environment alone.

    They are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or what else the AWS
    tools take from it (a web identity, the machine's own role).
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        settings: S3Settings,
        environ: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._root = f"s3://{bucket}/{prefix}".rstrip("/")
        self._clock = clock
        self._lease = timedelta(seconds=settings.lease_s)
        self._has_conditions = settings.conditional_put
        client: ClientConfig = {
            # A request of ours is a part of 8 MiB at most.
            "timeout": timedelta(seconds=settings.timeout_s),
            "connect_timeout": timedelta(seconds=min(5.0, settings.timeout_s)),
        }
        if settings.endpoint.startswith("http://"):
            client["allow_http"] = True
        config = {
            "region": settings.region or None,
            "endpoint": settings.endpoint or None,
            "access_key_id": environ.get("AWS_ACCESS_KEY_ID"),
            "secret_access_key": environ.get("AWS_SECRET_ACCESS_KEY"),
            "session_token": environ.get("AWS_SESSION_TOKEN"),
            # A server of one's own has one name for all buckets.
            "virtual_hosted_style_request": False if settings.endpoint else None,
        }
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            client_options=client,
            retry_config={
                "max_retries": 3,
                "retry_timeout": timedelta(seconds=settings.timeout_s),
            },
            **{key: value for key, value in config.items() if value is not None},  # type: ignore[arg-type]  # a TypedDict cannot be filtered
        )
        self._uploads = Uploads(bucket, prefix, settings, environ, clock)

    def where(self, key: str) -> str:
        """URL of the object."""
        return f"{self._root}/{key}"

    async def read(self, key: str) -> bytes:
        """Whole object."""
        return (await self.read_tagged(key)).data

    async def read_tagged(self, key: str) -> Tagged:
        """Whole object; the tag is its ETag."""
        with _failures(key):
            found = await obstore.get_async(self._store, check_key(key))
            data = bytes(await found.bytes_async())
            return Tagged(data, found.meta["e_tag"] or "")

    async def read_range(self, key: str, start: int, size: int) -> bytes:
        """Up to *size* bytes from *start*."""
        if start < 0:
            raise RangeError(key, start, await self.size(key))
        try:
            piece = await obstore.get_range_async(
                self._store, check_key(key), start=start, length=size
            )
        except s3_errors.GenericError as error:
            # 416 (RFC 9110 15.5.17) tells no size.
            if "416" not in str(error):
                raise _failed(key, error) from error
            raise RangeError(key, start, await self.size(key)) from error
        except (s3_errors.BaseError, OSError) as error:
            raise _failed(key, error) from error
        return bytes(piece)

    async def presigned(self, key: str, lasts: timedelta) -> str:
        """An address by which anybody gets the object for that long: a secret."""
        with _failures(key):
            return await obstore.sign_async(self._store, "GET", check_key(key), lasts)

    async def size(self, key: str) -> int:
        """Size in bytes."""
        with _failures(key):
            return int((await obstore.head_async(self._store, check_key(key)))["size"])

    async def list(self, prefix: str) -> list[str]:
        """All keys below a folder."""
        keys: list[str] = []
        with _failures(prefix):
            async for batch in obstore.list(self._store, check_key(prefix)):
                keys.extend(found["path"] for found in batch)
        return sorted(key for key in keys if not key.endswith(f"/{_LOCK_NAME}"))

    async def folders(self, prefix: str) -> Sequence[str]:
        """Names of the folders directly below *prefix*."""
        with _failures(prefix):
            found = await obstore.list_with_delimiter_async(self._store, check_key(prefix))
            return sorted(folder.rpartition("/")[2] for folder in found["common_prefixes"])

    async def put_file(self, key: str, source: Path) -> None:
        """Upload a file in parts; it is there when the last part is confirmed, and whole."""
        if not await asyncio.to_thread(source.is_file):
            raise StorageError(key, f"{source.name}: No such file")
        with _failures(key):
            await obstore.put_async(
                self._store,
                check_key(key),
                source,
                attributes=_attributes(key),
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )

    async def replace(self, key: str, data: bytes) -> None:
        """Write a small object."""
        with _failures(key):
            await obstore.put_async(
                self._store,
                check_key(key),
                data,
                attributes=_attributes(key),
                use_multipart=False,
            )

    async def swap(self, key: str, data: bytes, tag: str | None) -> None:
        """Replace the object that still has *tag* (If-Match, If-None-Match: RFC 9110 13.1)."""
        if not self._has_conditions:
            await self._swap_without_conditions(key, data, tag)
            return
        try:
            with _failures(key):
                await obstore.put_async(
                    self._store,
                    check_key(key),
                    data,
                    attributes=_attributes(key),
                    mode="create" if tag is None else {"e_tag": tag},
                )
        except ObjectNotFoundError as error:
            # Some servers say so where the object that must match is gone.
            raise ConflictError(key) from error

    async def delete(self, key: str) -> None:
        """Remove the object; S3 itself does not say whether there was one."""
        await self.size(key)
        with _failures(key):
            await obstore.delete_async(self._store, check_key(key))

    def lock(self, prefix: str, owner: str) -> Lease:
        """Lock a folder by an object in it that must be renewed."""
        return Lease(self, f"{prefix}/{_LOCK_NAME}", owner, self._clock, self._lease)

    async def unfinished(self, prefix: str) -> Sequence[Unfinished]:
        """Multipart uploads that nobody finished: in no list, and paid for."""
        return await self._uploads.unfinished(check_key(prefix))

    async def remove_unfinished(self, prefix: str) -> None:
        """Abort them."""
        await self._uploads.abort(check_key(prefix))

    async def _swap_without_conditions(self, key: str, data: bytes, tag: str | None) -> None:
        """Look, then write: the lock alone keeps two writers apart."""
        try:
            found: str | None = (await self.read_tagged(key)).tag
        except ObjectNotFoundError:
            found = None
        if found != tag:
            raise ConflictError(key)
        await self.replace(key, data)


def _attributes(key: str) -> dict[str, str]:
    media_type = _MEDIA_TYPES.get(Path(key).suffix)
    return {} if media_type is None else {"Content-Type": media_type}


@contextmanager
def _failures(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectNotFoundError(key) from error
    except (s3_errors.AlreadyExistsError, s3_errors.PreconditionError) as error:
        raise ConflictError(key) from error
    except (s3_errors.BaseError, OSError) as error:
        raise _failed(key, error) from error


def _failed(key: str, error: Exception) -> StorageError:
    """What the server said, and no more: its whole answer may repeat what a request was signed by.

    A FileNotFoundError that gets here is of the server, not of the local file system.
    """
    if isinstance(error, FileNotFoundError):
        return ObjectNotFoundError(key)
    text = str(error)
    if (code := _ERROR_CODE.search(text)) is not None:
        return StorageError(key, f"the S3 server answers {code[1]}")
    if (status := _STATUS.search(text)) is not None:
        return StorageError(key, f"the S3 server answers {status[1].strip()}")
    if isinstance(error, OSError) and error.strerror:
        return StorageError(key, error.strerror)
    return StorageError(key, f"the S3 server cannot be reached or used ({type(error).__name__})")
