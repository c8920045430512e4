"""Label files in a bucket behave as those in a folder, on a real S3 server on loopback; what leaves us is sealed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from minio import Minio
from moto.server import ThreadedMotoServer

from connector.labels.files import FileMissing, FilesUnreachable, LabelShelf
from connector.labels.store_s3 import Bucket, S3Blobs
from connector.settings import Settings
from connector.storage.secrets import Keyring, new_key

LABEL = b"%PDF-1.4 to Jana Novakova"


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """An S3 server of this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address, port = server.get_host_and_port()
        place = f"{address}:{port}"
        Minio(place, access_key="key", secret_key="secret", secure=False, region="us-east-1").make_bucket("labels")
        yield place
    finally:
        server.stop()


@pytest.fixture(params=["folder", "bucket"])
def blobs_place(request: pytest.FixtureRequest, host: str, tmp_path: Path) -> Path | S3Blobs:
    """Each of both places, empty."""
    if request.param == "folder":
        return tmp_path / "labels"
    return S3Blobs(Bucket.read(f"s3://key:secret@{host}/labels/{tmp_path.name}?tls=no"))


def test_a_file_comes_back_as_it_was_and_lies_sealed(blobs_place: Path | S3Blobs) -> None:
    shelf = LabelShelf(blobs_place, Keyring.from_keys([new_key()]))
    digest = shelf.put(LABEL)
    assert shelf.put(LABEL) == digest
    assert shelf.get(digest) == LABEL
    ((known, sealed),) = shelf.sealed()
    assert known == digest
    assert b"Novakova" not in sealed
    assert b"PDF" not in sealed


def test_a_file_goes_when_it_is_forgotten(blobs_place: Path | S3Blobs) -> None:
    shelf = LabelShelf(blobs_place, Keyring.from_keys([new_key()]))
    digest = shelf.put(LABEL)
    assert shelf.forget(digest)
    assert not shelf.forget(digest)
    with pytest.raises(FileMissing):
        shelf.get(digest)


def test_what_nothing_refers_to_goes_and_the_rest_stays(blobs_place: Path | S3Blobs) -> None:
    shelf = LabelShelf(blobs_place, Keyring.from_keys([new_key()]))
    kept, stray = shelf.put(LABEL), shelf.put(b"another")
    assert shelf.clear({kept}, older_than_s=3600) == 0
    assert shelf.clear({kept}, older_than_s=-3600) == 1
    assert shelf.get(kept) == LABEL
    with pytest.raises(FileMissing):
        shelf.get(stray)


def test_files_are_sealed_anew_when_keys_change(blobs_place: Path | S3Blobs) -> None:
    old, new = new_key(), new_key()
    digest = LabelShelf(blobs_place, Keyring.from_keys([old])).put(LABEL)
    assert LabelShelf(blobs_place, Keyring.from_keys([new, old])).reseal() == 1
    assert LabelShelf(blobs_place, Keyring.from_keys([new])).get(digest) == LABEL


def test_files_move_from_a_folder_to_a_bucket(host: str, tmp_path: Path) -> None:
    keyring = Keyring.from_keys([new_key()])
    folder = LabelShelf(tmp_path, keyring)
    digest = folder.put(LABEL)
    bucket = LabelShelf(S3Blobs(Bucket.read(f"s3://key:secret@{host}/labels/moved?tls=no")), keyring)
    for known, sealed in folder.sealed():
        bucket.put_sealed(known, sealed)
    assert bucket.get(digest) == LABEL


def test_a_bucket_that_is_not_there_is_told_without_the_secret(host: str) -> None:
    blobs = S3Blobs(Bucket.read(f"s3://key:very-secret@{host}/nowhere?tls=no"))
    with pytest.raises(FilesUnreachable, match="There is no bucket nowhere") as told:
        blobs.look()
    assert "very-secret" not in repr(told.value)
    with pytest.raises(FilesUnreachable) as told:
        blobs.write("0" * 64, b"sealed")
    assert told.value.detail == "NoSuchBucket"


def test_a_server_that_does_not_answer_is_told() -> None:
    blobs = S3Blobs(Bucket.read("s3://key:secret@127.0.0.1:9/labels?tls=no"))
    with pytest.raises(FilesUnreachable):
        blobs.read("0" * 64)


@pytest.mark.parametrize(
    "text",
    ["", "s3://host/bucket", "https://key:secret@host/bucket", "s3://key:secret@host", "s3://k:s@h/b?tls=maybe",
     "s3://k:s@h/b?colour=red"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"s3|tls"):
        Bucket.read(text)


def test_the_secret_is_in_no_picture_of_the_settings() -> None:
    settings = Settings.model_validate({"files": "s3://key:very-secret@host/bucket"})
    assert "very-secret" not in repr(settings)
    assert "very-secret" not in repr(Bucket.read("s3://key:very-secret@host/bucket"))
    assert Bucket.read("s3://k%2Fy:a%40b@host:9000/b/in/folder?region=eu-1").secret_key == "a@b"
