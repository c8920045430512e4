"""Label files as our own: content-addressed, encrypted, on disk. A carrier deletes its copy; ours stays."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from connector.storage.secrets import Keyring
from webhooks.errors import WaybillError


class FileMissing(WaybillError):
    """A label file that was kept is not on disk any more, or is not what it was."""


class LabelShelf:
    """A folder of sealed files, each named by the SHA-256 of its content."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder = folder
        self._keyring = keyring

    def put(self, content: bytes) -> str:
        """Keep content; returns its SHA-256. The file is whole and on disk when this returns."""
        digest = hashlib.sha256(content).hexdigest()
        target = self._path(digest)
        if target.exists():
            return digest
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._keyring.seal(content).encode())
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return digest

    def get(self, digest: str) -> bytes:
        """The content. Raises FileMissing."""
        try:
            content = self._keyring.open(self._path(digest).read_text())
        except FileNotFoundError as error:
            raise FileMissing("The label file is not on disk.", detail=digest) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise FileMissing("The label file is damaged.", detail=digest)
        return content

    def forget(self, digest: str) -> bool:
        """Remove content; False if it was gone."""
        path = self._path(digest)
        existed = path.exists()
        path.unlink(missing_ok=True)
        return existed

    def clear(self, referred_to: Collection[str], older_than_s: float = 86_400) -> int:
        """Remove files that nothing refers to; young ones may wait for their row. Returns how many went."""
        now, count = time.time(), 0
        for path in self._folder.glob("??/*.sealed"):
            if path.name.removesuffix(".sealed") not in referred_to and now - path.stat().st_mtime >= older_than_s:
                path.unlink(missing_ok=True)
                count += 1
        return count

    def reseal(self) -> int:
        """Encrypt every file with the newest key; how many there are."""
        count = 0
        for path in sorted(self._folder.glob("??/*.sealed")):
            sealed = self._keyring.rotate(path.read_text())
            temporary = path.with_suffix(".new")
            temporary.write_text(sealed)
            temporary.replace(path)
            count += 1
        return count

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.sealed"
