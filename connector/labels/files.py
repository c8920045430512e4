"""Label files as our own: content-addressed, encrypted, on disk or in a bucket. A carrier deletes its own."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from connector.storage.secrets import Keyring, SealError
from webhooks.errors import WaybillError


class FileMissing(WaybillError):
    """A label file that was kept is not there any more, or is not what it was."""


class FilesUnreachable(WaybillError):
    """The place where label files are kept does not answer, or refuses; the same may work later."""


@dataclass(frozen=True, slots=True)
class KeptBlob:
    """A sealed file: the SHA-256 of what it holds, and for how many seconds it has been there."""

    digest: str
    age_s: float


class Blobs(Protocol):
    """Where sealed files lie, by the SHA-256 of their content. Calls block; they raise FilesUnreachable or OSError."""

    def write(self, digest: str, sealed: bytes, *, replace: bool = False) -> None:
        """Keep it; the file is whole and safe when this returns. What is there stays, unless it is to be replaced."""
        ...

    def read(self, digest: str) -> bytes | None:
        """The sealed file, or None."""
        ...

    def remove(self, digest: str) -> bool:
        """Take it away; False if it was gone."""
        ...

    def every(self) -> Iterator[KeptBlob]:
        """All of them."""
        ...


class FolderBlobs:
    """Sealed files in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, digest: str, sealed: bytes, *, replace: bool = False) -> None:
        """See Blobs."""
        target = self._path(digest)
        if target.exists() and not replace:
            return
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def read(self, digest: str) -> bytes | None:
        """See Blobs."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, digest: str) -> bool:
        """See Blobs."""
        path = self._path(digest)
        existed = path.exists()
        path.unlink(missing_ok=True)
        return existed

    def every(self) -> Iterator[KeptBlob]:
        """See Blobs."""
        now = time.time()
        for path in sorted(self._folder.glob("??/*.sealed")):
            try:
                yield KeptBlob(path.name.removesuffix(".sealed"), now - path.stat().st_mtime)
            except FileNotFoundError:
                continue

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.sealed"


class LabelShelf:
    """Sealed files, each named by the SHA-256 of its content. Every call blocks: call it from a thread."""

    def __init__(self, place: Path | Blobs, keyring: Keyring) -> None:
        self._blobs = FolderBlobs(place) if isinstance(place, Path) else place
        self._keyring = keyring

    def put(self, content: bytes) -> str:
        """Keep content; returns its SHA-256. The file is whole and safe when this returns."""
        digest = hashlib.sha256(content).hexdigest()
        self._blobs.write(digest, self._keyring.seal(content).encode(), replace=True)
        return digest

    def get(self, digest: str) -> bytes:
        """The content. Raises FileMissing, or FilesUnreachable."""
        try:
            sealed = self._blobs.read(digest)
        except OSError as error:
            raise FilesUnreachable("The label file cannot be read.", detail=type(error).__name__) from error
        if sealed is None:
            raise FileMissing("The label file is not there any more.", detail=digest)
        try:
            content = self._keyring.open(sealed.decode())
        except (SealError, UnicodeDecodeError) as error:
            raise FileMissing("The label file is damaged, or its key is gone.", detail=digest) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise FileMissing("The label file is damaged.", detail=digest)
        return content

    def forget(self, digest: str) -> bool:
        """Remove content; False if it was gone."""
        return self._blobs.remove(digest)

    def clear(self, referred_to: Collection[str], older_than_s: float = 86_400) -> int:
        """Remove files that nothing refers to; young ones may wait for their row. Returns how many went."""
        old = [
            each.digest for each in self._blobs.every() if each.digest not in referred_to and each.age_s >= older_than_s
        ]
        return sum(self._blobs.remove(digest) for digest in old)

    def reseal(self) -> int:
        """Encrypt every file with the newest key; how many there are."""
        count = 0
        for each in list(self._blobs.every()):
            sealed = self._blobs.read(each.digest)
            if sealed is not None:
                self._blobs.write(each.digest, self._keyring.rotate(sealed.decode()).encode(), replace=True)
                count += 1
        return count

    def sealed(self) -> Iterator[tuple[str, bytes]]:
        """Digest and sealed content of every file, for a backup."""
        for each in self._blobs.every():
            content = self._blobs.read(each.digest)
            if content is not None:
                yield each.digest, content

    def put_sealed(self, digest: str, sealed: bytes) -> None:
        """Put back what `sealed` gave."""
        self._blobs.write(digest, sealed)
