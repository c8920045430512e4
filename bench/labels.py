"""The label desk's numbers, one after the other: papers, batches, and the ledger of a year."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench import labels_batch, labels_ledger, labels_merge


def main(arguments: Sequence[str]) -> int:
    """Measure and print; all take `--json`, papers `--labels`, the ledger `--parcels=N`. 1 where amounts do not tie."""
    own = [each for each in arguments if not each.startswith("--parcels")]
    labels_merge.main(own)
    labels_batch.main(own)
    return labels_ledger.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
