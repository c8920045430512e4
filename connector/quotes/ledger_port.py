"""What quoting needs of a ledger, whoever keeps it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from connector.quotes.behind import Difference, LiveAnswer
from connector.quotes.ledger import LedgerRow


class Ledger(Protocol):
    """Where answers are kept. Nothing here waits or fails."""

    def put(self, row: LedgerRow) -> None:
        """Take a row in."""
        ...

    def repeat(self, shop_id: str, quote_id: str, at: datetime) -> None:
        """An answer was given again."""
        ...

    def live(self, answer: LiveAnswer) -> None:
        """A carrier answered."""
        ...

    def difference(self, difference: Difference) -> None:
        """A later live answer is not what was shown."""
        ...
