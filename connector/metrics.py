"""What Prometheus can read of a process; `docs/metrics.md` lists every name."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

UNKNOWN = "unknown"
"""Stands for a shop that the request did not prove to be, so that strangers cannot make new series."""

# Seconds: fine below the soft deadline of a quote, then up to the platform's patience.
_ANSWER_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0)
_CALL_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_ERROR_BUCKETS = (0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 50.0)
_JOB_BUCKETS = (0.01, 0.05, 0.25, 1.0, 4.0, 16.0, 64.0, 256.0)


class Metrics:
    """One process's counters on a registry of its own. Labels are ids and codes, never personal data."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rate_requests = Counter(
            "waybill_rate_requests",
            "Rate requests by shop and outcome: answered, empty, backup, refused, not_found, too_large, too_slow, "
            "gone, timed_out, not_ready, failed.",
            ["shop", "outcome"],
            registry=self.registry,
        )
        self.rate_seconds = Histogram(
            "waybill_rate_answer_seconds",
            "Seconds from a rate request's head to its answer, for requests of known shops, by what answered it: "
            "repeat, live, held, cached, learned, table, safety, backup, not_served, or why it was not.",
            ["source"],
            buckets=_ANSWER_BUCKETS,
            registry=self.registry,
        )
        self.rate_signatures = Counter(
            "waybill_rate_signatures",
            "How rate requests were signed: valid, absent, wrong, unsigned (the platform signs nothing).",
            ["shop", "result"],
            registry=self.registry,
        )
        self.storefront = Counter(
            "waybill_storefront_requests",
            "Questions of pages before the checkout by shop and outcome: offers, not_served, unknown, refused, "
            "pressed, not_found, forbidden, forged, too_large, too_slow, gone, not_ready, failed.",
            ["shop", "outcome"],
            registry=self.registry,
        )
        self.deliveries = Counter(
            "waybill_webhook_deliveries",
            "Webhooks by endpoint kind (store, carrier, app) and outcome: accepted, forged, refused, not_found, "
            "too_large, too_slow, gone, busy, timed_out, not_ready, failed.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.delivery_seconds = Histogram(
            "waybill_webhook_seconds",
            "Seconds from a webhook's head to its answer, by endpoint kind.",
            ["kind"],
            buckets=_ANSWER_BUCKETS,
            registry=self.registry,
        )
        self.errors = Counter(
            "waybill_http_errors", "Requests that ended in a 500; each is in the log.", registry=self.registry
        )
        self.jobs = Counter(
            "waybill_jobs",
            "Runs of durable jobs by name and outcome: done, later, failed, parked.",
            ["job", "outcome"],
            registry=self.registry,
        )
        self.job_seconds = Histogram(
            "waybill_job_seconds", "Seconds that a run took, by job.", ["job"], buckets=_JOB_BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.carrier_calls = Counter(
            "waybill_carrier_calls",
            "Calls to carriers by carrier, call (rates, create, purchase, look_up, void, track, file) and outcome: "
            "ok or the code of the problem.",
            ["carrier", "call", "outcome"],
            registry=self.registry,
        )
        self.carrier_seconds = Histogram(
            "waybill_carrier_call_seconds", "Seconds that a carrier took to answer, by carrier and call.",
            ["carrier", "call"], buckets=_CALL_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.unknown_parcels = Counter(
            "waybill_unknown_parcel_events",
            "Tracking events of parcels that we do not know, by carrier; they are kept.",
            ["carrier"],
            registry=self.registry,
        )
        self.stand_ins = Counter(
            "waybill_stand_in_offers",
            "Offers shown without a live price of now, by what stood in: held, cached, learned, safety.",
            ["source"],
            registry=self.registry,
        )
        self.learned_error = Histogram(
            "waybill_learned_error_percent",
            "How far a learned price was from the live one that came later, in percent, by carrier account.",
            ["account"],
            buckets=_ERROR_BUCKETS,
            registry=self.registry,
        )
        self.account_rates = Counter(
            "waybill_account_rates",
            "Calls for prices by carrier account and outcome: ok or the code of the problem.",
            ["account", "outcome"],
            registry=self.registry,
        )
        self.account_seconds = Histogram(
            "waybill_account_rate_seconds", "Seconds that a carrier account took to name prices.", ["account"],
            buckets=_CALL_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.breaker = Gauge(
            "waybill_account_breaker",
            "The circuit breaker of a carrier account when it was last asked: 0 closed, 1 half open, 2 open.",
            ["account"],
            registry=self.registry,
        )
        self.ledger_lost = Counter(
            "waybill_ledger_rows_lost",
            "Rows of the quote ledger that were let go because the database was away for too long.",
            registry=self.registry,
        )
        self.ready = Gauge("waybill_ready", "1 once the shops' settings are in memory.", registry=self.registry)
        self.database_up = Gauge(
            "waybill_database_up", "1 if the database answered when last asked.", registry=self.registry
        )
        self.migrations_current = Gauge(
            "waybill_migrations_current", "1 if the schema is this release's.", registry=self.registry
        )
        self.worker_heartbeat_age = Gauge(
            "waybill_worker_heartbeat_age_seconds",
            "Seconds since a worker last gave a sign of life; NaN if none ever did.",
            registry=self.registry,
        )
        self.failed_work = Gauge(
            "waybill_failed_work", "Jobs that ended as failed or were parked and wait for a person.",
            registry=self.registry,
        )  # fmt: skip

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
