"""Sealed label files in a bucket of any S3-compatible store, for installations of several machines.

The client blocks and has its own pool; callers are in worker threads. What leaves this process is sealed already.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, unquote, urlsplit

from connector.labels.files import FilesUnreachable, KeptBlob

if TYPE_CHECKING:
    from minio import Minio

_CONNECT_S, _READ_S = 5.0, 20.0
_TRIES = 2
_GONE = frozenset({"NoSuchKey", "NoSuchObject"})


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the files lie. `prefix` is a folder in the bucket, without slashes around it."""

    host: str
    name: str
    access_key: str
    secret_key: str = field(repr=False)
    prefix: str = ""
    region: str = "us-east-1"
    secure: bool = True

    @classmethod
    def read(cls, text: str) -> Self:
        """From `s3://KEY:SECRET@HOST[:PORT]/BUCKET[/FOLDER][?region=…&tls=no]`. Raises ValueError without a secret."""
        parts = urlsplit(text)
        query = parse_qs(parts.query)
        name, _, prefix = parts.path.strip("/").partition("/")
        if parts.scheme != "s3" or not parts.hostname or not parts.username or not parts.password or not name:
            raise ValueError("this must be s3://KEY:SECRET@HOST/BUCKET, perhaps with a folder, ?region= and &tls=no")
        if unknown := set(query) - {"region", "tls"}:
            raise ValueError(f"{', '.join(sorted(unknown))}: an S3 address knows region and tls")
        tls = query.get("tls", ["yes"])[-1]
        if tls not in {"yes", "no"}:
            raise ValueError("tls is yes or no")
        host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        return cls(
            host=host,
            name=name,
            access_key=unquote(parts.username),
            secret_key=unquote(parts.password),
            prefix=prefix,
            region=query.get("region", ["us-east-1"])[-1],
            secure=tls == "yes",
        )


class S3Blobs:
    """connector.labels.files.Blobs in a bucket. Every outside fault is FilesUnreachable."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._made: Minio | None = None

    def write(self, digest: str, sealed: bytes, *, replace: bool = False) -> None:
        """See Blobs. An object is there whole or not at all; the same name always holds the same content."""
        if not replace and self._there(digest):
            return
        with _told("kept"):
            self._client.put_object(
                self._bucket.name, self._key(digest), io.BytesIO(sealed), len(sealed), "application/octet-stream"
            )

    def read(self, digest: str) -> bytes | None:
        """See Blobs."""
        from minio.error import S3Error

        with _told("read"):
            try:
                answer = self._client.get_object(self._bucket.name, self._key(digest))
            except S3Error as error:
                if error.code in _GONE:
                    return None
                raise
            try:
                return bytes(answer.read())
            finally:
                answer.close()
                answer.release_conn()

    def remove(self, digest: str) -> bool:
        """See Blobs."""
        there = self._there(digest)
        with _told("removed"):
            self._client.remove_object(self._bucket.name, self._key(digest))
        return there

    def every(self) -> Iterator[KeptBlob]:
        """See Blobs."""
        now = datetime.now(UTC)
        with _told("listed"):
            for each in self._client.list_objects(self._bucket.name, prefix=self._folder, recursive=True):
                name = (each.object_name or "").rpartition("/")[2]
                if name.endswith(".sealed"):
                    since = each.last_modified or now
                    yield KeptBlob(name.removesuffix(".sealed"), (now - since).total_seconds())

    def look(self) -> None:
        """Whether the bucket is there and the key may use it. Raises FilesUnreachable, saying what is wrong."""
        with _told("found"):
            there = self._client.bucket_exists(self._bucket.name)
        if not there:
            raise FilesUnreachable(f"There is no bucket {self._bucket.name} at {self._bucket.host}.")

    def _there(self, digest: str) -> bool:
        from minio.error import S3Error

        with _told("looked for"):
            try:
                self._client.stat_object(self._bucket.name, self._key(digest))
            except S3Error as error:
                if error.code in _GONE:
                    return False
                raise
        return True

    @property
    def _client(self) -> Minio:
        """Made at first use: a process that touches no label file need not load it."""
        if self._made is None:
            import urllib3
            from minio import Minio

            bucket = self._bucket
            pool = urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S),
                maxsize=16,
                retries=urllib3.Retry(total=_TRIES - 1, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)),
            )
            self._made = Minio(
                bucket.host,
                access_key=bucket.access_key,
                secret_key=bucket.secret_key,
                secure=bucket.secure,
                region=bucket.region,
                http_client=pool,
            )
        return self._made

    @property
    def _folder(self) -> str:
        return f"{self._bucket.prefix}/" if self._bucket.prefix else ""

    def _key(self, digest: str) -> str:
        return f"{self._folder}{digest[:2]}/{digest}.sealed"


class _told:  # noqa: N801 - used as a verb.
    """Turns the client's many exceptions into one of ours, with the party's own code."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        import urllib3
        from minio.error import MinioException

        if isinstance(error, MinioException | urllib3.exceptions.HTTPError | OSError | ValueError):
            code = getattr(error, "code", "") or type(error).__name__
            message = f"Label files could not be {self._what} in the bucket."
            raise FilesUnreachable(message, detail=str(code)) from error
