"""Label files show who gets the parcel: they go after a time, or at once when the recipient is to be forgotten.

The row lets go of its file first; what no row refers to is then taken off the shelf, also after a crash in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_

from connector.labels.desk_tables import manifests
from connector.labels.tables import label_files, labels, parcels

KEEP = timedelta(days=180)
"""Longer than any carrier takes claims; EasyPost itself keeps label images so long."""


def forget_old(connection: Connection, before: datetime) -> int:
    """Let go of every file that was fetched before that time; how many."""
    old = label_files.c.sha256.is_not(None) & (label_files.c.fetched_at < before)
    rows = connection.execute(label_files.across_shops(label_files.c.shop_id, label_files.c.id).where(old)).all()
    for shop_id, file_id in rows:
        connection.execute(label_files.update(shop_id).where(label_files.c.id == file_id).values(sha256=None, url=""))
    return len(rows)


def forget_of(connection: Connection, shop_id: str, order_ids: Sequence[str] | None) -> int:
    """Let go of the files of these orders (the store's ids), or with None of the whole shop; how many."""
    change = label_files.update(shop_id).where(_kept(shop_id, order_ids))
    return connection.execute(change.values(sha256=None, url="")).rowcount


def count_files(connection: Connection, shop_id: str, order_ids: Sequence[str] | None) -> int:
    """How many files of these orders (the store's ids), or with None of the whole shop, are kept."""
    return len(connection.execute(label_files.select(shop_id, label_files.c.id).where(_kept(shop_id, order_ids))).all())


def _kept(shop_id: str, order_ids: Sequence[str] | None) -> ColumnElement[bool]:
    chosen = parcels.select(shop_id, parcels.c.id)
    if order_ids is not None:
        chosen = chosen.where(parcels.c.order_external_id.in_(order_ids))
    owned = labels.select(shop_id, labels.c.id).where(labels.c.parcel_id.in_(chosen))
    return and_(label_files.c.label_id.in_(owned), label_files.c.sha256.is_not(None))


def referred_to(connection: Connection) -> set[str]:
    """The digests that rows still refer to: documents of labels, and papers of manifests."""
    asked = (
        label_files.across_shops(label_files.c.sha256).where(label_files.c.sha256.is_not(None)),
        manifests.across_shops(manifests.c.sha256).where(manifests.c.sha256.is_not(None)),
    )
    return {str(digest) for each in asked for (digest,) in connection.execute(each).all()}
