"""A worker whose sandbox carrier takes its time over each purchase, as a real one does."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from carriers.sandbox.connection import SandboxCarrier
from connector.settings import read_settings
from connector.working import work


class SlowCarrier(SandboxCarrier):
    """Sells after a while."""

    purchase_s = 0.9

    async def purchase(self, handle: str, rate: Any, fence: Any) -> Any:
        """The same, later."""
        await asyncio.sleep(self.purchase_s)
        return await super().purchase(handle, rate, fence)


def main() -> None:
    """Work until SIGTERM."""
    from carriers import sandbox
    from connector.wiring import CARRIERS

    SlowCarrier.purchase_s = float(sys.argv[1])
    kind = CARRIERS["sandbox"]
    object.__setattr__(kind, "connect", lambda settings, _outgoing, clock: SlowCarrier(settings, clock))
    assert sandbox.KIND is kind
    sys.exit(asyncio.run(work(read_settings())))


if __name__ == "__main__":
    main()
