"""Look at everything, as far as it can be looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import anyio
import anyio.to_thread

from carriers.carrier import CarrierKind
from connector.checkup.asked import Platform
from connector.doctor import machine, outside
from connector.doctor.diagnosis import Diagnosis
from connector.doctor.outside import ReadEnd, certificate_end
from connector.doctor.stored import Stored, look_at_database
from connector.settings import Settings, SettingsError, read_settings
from connector.storage.shops import ShopRecord
from connector.wiring import CARRIERS, PLATFORMS
from connector.words.reason import Reason
from webhooks.outgoing import Outgoing, OutgoingClient


def _present() -> datetime:
    return datetime.now(UTC)


async def examine() -> list[Diagnosis]:
    """Every diagnosis, in the order in which to read them. Makes nothing: no key, no database, no folder."""
    found = machine.versions()
    what = Reason("doctor_settings")
    try:
        settings = read_settings()
    except SettingsError as error:
        why = Reason("doctor_settings_bad", {"said": error.message})
        return [*found, Diagnosis("settings", what, "broken", why=why)]
    outgoing = OutgoingClient(allow_private=True)  # It is our own settings that lead there.
    try:
        return [*found, Diagnosis("settings", what, "ok"), *await look(settings, outgoing)]
    finally:
        await outgoing.aclose()


async def look(
    settings: Settings,
    outgoing: Outgoing,
    now: Callable[[], datetime] = _present,
    read_end: ReadEnd = certificate_end,
) -> list[Diagnosis]:
    """Everything that settings lead to. `now` is the machine's clock, `read_end` asks for a certificate's end."""
    found: list[Diagnosis] = []
    if settings.test_clock is not None:
        why = Reason("doctor_clock_moved", {"value": settings.test_clock})
        found.append(Diagnosis("test clock", Reason("doctor_test_clock"), "look", why=why))
    stored = await anyio.to_thread.run_sync(look_at_database, settings)
    return [
        *found,
        *machine.key_file(settings),
        *stored.found,
        *machine.file_system(settings),
        *disk(settings),
        *await anyio.to_thread.run_sync(machine.port, settings),
        *await anyio.to_thread.run_sync(machine.fonts, settings),
        *await anyio.to_thread.run_sync(machine.label_files, settings),
        *await _outside(settings, outgoing, stored, now, read_end),
    ]


def disk(settings: Settings) -> list[Diagnosis]:
    """See `machine.disk`; a folder that cannot be looked at is said to be one."""
    try:
        return machine.disk(settings)
    except OSError as error:
        why = Reason("doctor_disk_unseen", {"said": error.strerror or type(error).__name__})
        return [Diagnosis("disk", Reason("doctor_disk"), "not_checked", why=why)]


async def _outside(
    settings: Settings, outgoing: Outgoing, stored: Stored, now: Callable[[], datetime], read_end: ReadEnd
) -> list[Diagnosis]:
    """All that waits for others, at once."""
    has_stores = any(_calls_from_outside(PLATFORMS, shop) for shop in stored.shops)
    hosts = known_hosts(stored, CARRIERS)
    results: dict[int, list[Diagnosis]] = {}

    async def address() -> list[Diagnosis]:
        return await outside.address(settings, outgoing, has_stores=has_stores)

    async def certificate() -> list[Diagnosis]:
        return await outside.certificate(settings, now(), read_end)

    async def clock() -> list[Diagnosis]:
        return await outside.clock(outgoing, hosts, now)

    async def mail() -> list[Diagnosis]:
        return await outside.mail(settings)

    async def run(place: int, look: Callable[[], Awaitable[list[Diagnosis]]]) -> None:
        results[place] = await look()

    looks = (address, certificate, clock, mail)
    async with anyio.create_task_group() as group:
        for place, look in enumerate(looks):
            group.start_soon(run, place, look)
    return [diagnosis for place in range(len(looks)) for diagnosis in results[place]]


def known_hosts(stored: Stored, carriers: Mapping[str, CarrierKind]) -> Sequence[str]:
    """Where the connected stores and carriers are: parties that this installation calls anyway."""
    found = [_store_base(shop) for shop in stored.shops]
    for name, base in stored.carriers:
        kind = carriers.get(name)
        usual = kind.settings.model_fields.get("api_base") if kind is not None else None
        found.append(base or (str(usual.default) if usual is not None else ""))
    return list(dict.fromkeys(base.rstrip("/") for base in found if base))


def _store_base(shop: ShopRecord) -> str:
    if "path" in shop.credentials:  # A pretend store on this machine.
        return ""
    return shop.credentials.get("api_base") or f"https://{shop.domain}"


def _calls_from_outside(platforms: Mapping[str, Platform], shop: ShopRecord) -> bool:
    platform = platforms.get(shop.platform)
    return platform is None or platform.calls_from_outside
