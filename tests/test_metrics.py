"""Every metric is documented, and nothing else is."""

from __future__ import annotations

from pathlib import Path

from connector.metrics import Metrics

DOCS = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"


def rows() -> list[str]:
    """The table of the page, as it has to be."""
    lines = []
    for metric in vars(Metrics()).values():
        if not hasattr(metric, "describe"):
            continue
        (family,) = metric.describe()
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in metric._labelnames)
        lines.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return lines


def test_the_page_lists_every_metric_and_no_other() -> None:
    documented = [line for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    assert sorted(documented) == sorted(rows())


def test_processes_do_not_share_counters() -> None:
    first, second = Metrics(), Metrics()
    first.errors.inc()
    assert b"waybill_http_errors_total 1.0" in first.text()
    assert b"waybill_http_errors_total 0.0" in second.text()
