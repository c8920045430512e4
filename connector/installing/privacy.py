"""What a platform's privacy requests and a removed app make us do; all of it in the transaction of its delivery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from connector.attention.board import need_person
from connector.labels.retention import count_files, forget_of
from connector.labels.tables import parcels
from connector.orders.first import forget_buyers
from connector.storage import audit, persons
from connector.storage.audit import Actor
from connector.storage.schema import JSON
from connector.storage.secrets import Keyring
from connector.storage.shops import drop_credentials, mark_gone, note_redacted
from connector.store import PrivacyRequest
from connector.words.reason import Reason
from webhooks.inbox import Inbox

BY_STORE = Actor("store", "webhook")


@dataclass(frozen=True, slots=True)
class Departures:
    """Obeys privacy requests and lets shops go. Every act may be repeated, and come in any order."""

    keyring: Keyring
    inbox: Inbox
    now: Callable[[], datetime]

    def obey(self, connection: Connection, shop_id: str, delivery_id: str, request: PrivacyRequest) -> None:
        """Forget, or tell the merchant what is held. `delivery_id` names the request on the list of matters."""
        now = self.now()
        orders = None if request.scope == "shop" else request.order_ids
        held = _persons_of(connection, shop_id, orders)
        detail: dict[str, JSON] = {"scope": request.scope, "orders": list[JSON](request.order_ids)}
        if request.kind == "export":
            files = count_files(connection, shop_id, orders)
            detail |= {"persons": list[JSON](sorted(held)), "files": files}
            params = {"orders": len(request.order_ids), "persons": len(held), "files": files}
            need_person(connection, shop_id, delivery_id, Reason("data_requested", params), now)
        else:
            forget_buyers(connection, shop_id, orders)
            erased = sum(persons.forget(connection, shop_id, person_id) for person_id in held)
            if orders is None:
                erased += persons.forget_shop(connection, shop_id)
                note_redacted(connection, shop_id, now)
                detail["credentials"] = drop_credentials(connection, self.keyring, shop_id, asked_only=True)
            detail |= {
                "erased": erased,
                "files": forget_of(connection, shop_id, orders),
                "bodies": self.inbox.forget_bodies(connection, shop_id),
            }
        audit.record(
            connection,
            now=now,
            actor=BY_STORE,
            action=f"privacy.{request.kind}",
            subject=shop_id,
            shop_id=shop_id,
            detail=detail,
        )

    def let_go(self, connection: Connection, shop_id: str) -> None:
        """The merchant removed the app: off, tokens dropped; credentials too, if that was asked for before."""
        mark_gone(connection, shop_id, BY_STORE, self.now())
        drop_credentials(connection, self.keyring, shop_id, asked_only=True)


def _persons_of(connection: Connection, shop_id: str, orders: tuple[str, ...] | None) -> set[str]:
    """Ids of the persons that are recipients of these orders, or with None of any order."""
    chosen = parcels.select(shop_id, parcels.c.person_id, parcels.c.verified).where(parcels.c.person_id.is_not(None))
    if orders is not None:
        chosen = chosen.where(parcels.c.order_external_id.in_(orders))
    rows = connection.execute(chosen).all()
    named = {str(row.person_id) for row in rows}
    named |= {str(row.verified["proposal"]) for row in rows if row.verified and row.verified.get("proposal")}
    return persons.known(connection, shop_id, named)
