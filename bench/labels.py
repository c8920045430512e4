"""The label desk: merging 500 labels, and a batch of 500 with and without kills (labels_merge, labels_batch)."""

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
