"""Where the process settings say that label files lie: a folder of this machine, or a bucket."""

from __future__ import annotations

from connector.labels.files import Blobs, FolderBlobs
from connector.labels.store_s3 import Bucket, S3Blobs
from connector.settings import Settings


def blobs_of(settings: Settings) -> Blobs:
    """The place; nothing is opened or made yet."""
    if settings.files is not None:
        return S3Blobs(Bucket.read(settings.files.get_secret_value()))
    return FolderBlobs(settings.label_dir)
