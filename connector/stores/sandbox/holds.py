"""Our own hold on a group of the sandbox platform: one of its texts, known by how it begins."""

from __future__ import annotations

from collections.abc import Callable

from connector.store import HoldReason
from connector.stores.sandbox.client import PretendPlatform, group_of
from connector.stores.sandbox.documents import OrderJSON
from connector.stores.sandbox.errors import SaidNo, error_of
from webhooks.ports import Fence


class SandboxHolds:
    """See `connector.store.StoreHolds`."""

    def __init__(self, platform: PretendPlatform) -> None:
        self._platform = platform

    async def find(self, group_id: str) -> bool:
        """Whether ours is among them."""
        try:
            order = await self._platform.order(group_id)
            group = None if order is None else group_of(order, group_id)
            return group is not None and len(group.others_holds) < len(group.holds)
        except SaidNo as said:
            raise error_of(said) from None

    async def hold(self, group_id: str, reason: HoldReason, note: str, fence: Fence) -> None:
        """Add ours."""

        def change(order: OrderJSON) -> None:
            group_of(order, group_id).holds.append(f"waybill ({reason}): {note}")

        await self._change(group_id, change, fence)

    async def release(self, group_id: str, fence: Fence) -> bool:
        """Take ours off."""
        there = await self.find(group_id)

        def change(order: OrderJSON) -> None:
            group = group_of(order, group_id)
            group.holds = group.others_holds

        if there:
            await self._change(group_id, change, fence)
        return there

    async def _change(self, group_id: str, change: Callable[[OrderJSON], None], fence: Fence) -> None:
        try:
            await self._platform.change(group_id, change, fence)
        except SaidNo as said:
            raise error_of(said) from None
