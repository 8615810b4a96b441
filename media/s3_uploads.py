"""Multipart uploads that were begun and never finished: listing and aborting them.

A killed packager leaves its parts in the bucket, in no list of objects and paid for. The client
library has no call for them, so these two requests are signed here (AWS Signature Version 4 in the
query: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters").
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from media.errors import StorageError
from media.settings import S3Settings
from media.storage import Unfinished

_DEFAULT_REGION = "us-east-1"
_EXPIRES_S = 60
_MOST_PAGES = 100


class _Upload(NamedTuple):
    key: str
    upload_id: str


class Uploads:
    """The unfinished uploads below *prefix* of a *bucket*.

    Without AWS_ACCESS_KEY_ID in *environ* (a machine's own role, say) nothing is listed; a
    lifecycle rule of the bucket does the same work then.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        settings: S3Settings,
        environ: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._region = settings.region or environ.get("AWS_REGION", "") or _DEFAULT_REGION
        if settings.endpoint:
            self._base = f"{settings.endpoint}/{bucket}"
        else:
            self._base = f"https://{bucket}.s3.{self._region}.amazonaws.com"
        self._prefix = f"{prefix}/" if prefix else ""
        self._timeout_s = settings.timeout_s
        self._key_id = environ.get("AWS_ACCESS_KEY_ID", "")
        self._secret = environ.get("AWS_SECRET_ACCESS_KEY", "")
        self._session = environ.get("AWS_SESSION_TOKEN", "")
        self._clock = clock

    async def unfinished(self, prefix: str) -> list[Unfinished]:
        """Each by its key; their size would be a request for each, so it is told as 0."""
        return [Unfinished(f"upload of {each.key}", 0) for each in await self._all(prefix)]

    async def abort(self, prefix: str) -> None:
        """Abort all of them (AbortMultipartUpload)."""
        for upload in await self._all(prefix):
            path = f"/{quote(upload.key)}"
            await self._request("DELETE", path, {"uploadId": upload.upload_id})

    async def _all(self, prefix: str) -> list[_Upload]:
        """ListMultipartUploads, page by page."""
        if not self._key_id:
            return []
        uploads: list[_Upload] = []
        marker: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            query = {"uploads": "", "prefix": f"{self._prefix}{prefix}/", **marker}
            answer = await self._request("GET", "", query)
            # It comes from the server that our tracks are trusted to, by a signed request.
            root = ElementTree.fromstring(answer)  # noqa: S314
            space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
            found = [
                _Upload(each.findtext(f"{space}Key", ""), each.findtext(f"{space}UploadId", ""))
                for each in root.iter(f"{space}Upload")
            ]
            # Not every server honours the prefix.
            uploads.extend(each for each in found if each.key.startswith(query["prefix"]))
            if root.findtext(f"{space}IsTruncated") != "true":
                break
            marker = {
                "key-marker": root.findtext(f"{space}NextKeyMarker", ""),
                "upload-id-marker": root.findtext(f"{space}NextUploadIdMarker", ""),
            }
        return uploads

    async def _request(self, method: str, path: str, query: Mapping[str, str]) -> bytes:
        url = self._signed(method, path, query)
        return await asyncio.to_thread(self._send, method, url)

    def _send(self, method: str, url: str) -> bytes:
        # The scheme is that of media.s3.endpoint, http or https.
        request = urllib.request.Request(url, method=method)  # noqa: S310
        where = self._prefix or "uploads"
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            with error:
                raise StorageError(where, f"the S3 server answers {error.code}") from None
        except OSError as error:
            # Its text may hold the signed URL, so it goes no further.
            raise StorageError(where, "the S3 server cannot be reached") from error

    def _signed(self, method: str, path: str, query: Mapping[str, str]) -> str:
        """URL with its signature, good for a minute."""
        base = urlsplit(self._base)
        now = self._clock()
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{self._region}/s3/aws4_request"
        fields = {
            **query,
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self._key_id}/{scope}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(_EXPIRES_S),
            "X-Amz-SignedHeaders": "host",
        }
        if self._session:
            fields["X-Amz-Security-Token"] = self._session
        encoded = "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}"
            for name, value in sorted(fields.items())
        )
        full_path = f"{base.path}{path}" or "/"
        canonical = "\n".join(
            (method, full_path, encoded, f"host:{base.netloc}", "", "host", "UNSIGNED-PAYLOAD")
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, digest))
        key = f"AWS4{self._secret}".encode()
        for part in (stamp[:8], self._region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        return f"{base.scheme}://{base.netloc}{full_path}?{encoded}&X-Amz-Signature={signature}"
