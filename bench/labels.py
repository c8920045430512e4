"""The label desk's numbers, one after the other: the ledger of a year, papers and batches."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench import labels_batch, labels_merge


def main(arguments: Sequence[str]) -> None:
    """Measure and print; both take `--json` and `--labels`."""
    labels_merge.main(arguments)
    labels_batch.main(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
