"""What is bought is what the intent says, though services of one name stand at several prices and in any order."""

from __future__ import annotations

import time
from random import Random
from typing import Any

from carriers.easypost import mapping
from carriers.label import Purchased
from connector.labels.choose import Chosen, choose

_SERVICES = ("Ground", "Priority", "Express", "Saver")
_CARRIERS = ("USPS", "UPS")
_ACCOUNTS = ("ca_a", "ca_b", "ca_c")


def shuffled_answers(count: int, seed: int) -> dict[str, Any]:
    """So many shipments: the offer is one account's service, its rates come in any order, and are shuffled again."""
    random = Random(seed)
    began = time.monotonic()
    violations: list[str] = []
    equal_names = 0
    for number in range(count):
        violations += _one(random, number)
        equal_names += 1
    return {
        "part": "answers",
        "seconds": round(time.monotonic() - began, 1),
        "answers": count,
        "bought_as_intended": equal_names - len(violations),
        "violations": violations,
    }


def _one(random: Random, number: int) -> list[str]:
    rates = [
        _rate(f"rate_{number}_{place}", random.choice(_CARRIERS), random.choice(_SERVICES), account, random)
        for place, account in enumerate(random.choice(_ACCOUNTS) for _ in range(random.randint(4, 14)))
    ]
    promised = random.choice(rates)
    random.shuffle(rates)
    created = mapping.created({"id": f"shp_{number}", "mode": "test", "rates": rates, "messages": []})
    as_bought = {
        "carrier": promised["carrier"],
        "service": promised["service"],
        "account": promised["carrier_account_id"],
        "minor": int(promised["rate"].replace(".", "")),
        "currency": "USD",
    }
    chosen = choose(created.rates, as_bought, by_person=False)
    if not isinstance(chosen, Chosen):
        return [f"answer {number}: {chosen.say()}"]
    carrier = {each["id"]: each for each in random.sample(rates, len(rates))}
    booked = mapping.purchased(
        {
            "id": created.handle,
            "mode": "test",
            "rates": random.sample(rates, len(rates)),
            "selected_rate": carrier[chosen.rate.rate_id],
            "postage_label": {"label_url": "https://example.test/label.png"},
            "tracking_code": f"T{number}",
        }
    )
    if not isinstance(booked, Purchased):
        return [f"answer {number}: not bought"]
    same = (booked.rate.key, booked.rate.price, booked.rate.rate_id) == (
        chosen.rate.key,
        chosen.rate.price,
        chosen.rate.rate_id,
    )
    service = (booked.rate.account, booked.rate.carrier, booked.rate.service)
    wanted = (as_bought["account"], as_bought["carrier"], as_bought["service"])
    return [] if same and service == wanted else [f"answer {number}: {booked.rate} instead of {chosen.rate}"]


def _rate(name: str, carrier: str, service: str, account: str, random: Random) -> dict[str, Any]:
    return {
        "id": name,
        "mode": "test",
        "carrier": carrier,
        "service": service,
        "carrier_account_id": account,
        "rate": f"{random.randint(300, 4000) / 100:.2f}",
        "currency": "USD",
    }
