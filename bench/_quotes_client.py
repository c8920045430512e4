"""An HTTP client that costs little: raw sockets, kept open, one request at a time on each; and what it measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path


class Line:
    """One kept connection to a server on loopback."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> tuple[int, bytes]:
        """Status and body."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
        lines += [f"content-length: {len(body)}", *(f"{name}: {value}" for name, value in headers)]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        at = head.lower().index(b"content-length:") + 15
        length = int(head[at : head.index(b"\r", at)])
        return status, await self._reader.readexactly(length)

    def close(self) -> None:
        """Let go of the connection."""
        if self._writer is not None:
            self._writer.close()
            self._reader = self._writer = None


Ask = Callable[[Line, int], Awaitable[None]]


async def closed_loop(port: int, connections: int, count: int, ask: Ask) -> tuple[list[float], float]:
    """So many requests over so many connections, each as soon as the one before is answered: seconds each, in all."""
    numbers = iter(range(count))
    times: list[float] = []

    async def one() -> None:
        line = Line(port)
        for number in numbers:
            began = time.perf_counter()
            await ask(line, number)
            times.append(time.perf_counter() - began)
        line.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return times, time.perf_counter() - began


async def open_loop(port: int, per_s: float, seconds: float, ask: Ask, round_trip_s: float = 0.0) -> list[float]:
    """Requests at a steady pace whatever the answers do; seconds each, with the added round trip."""
    free: list[Line] = []
    times: list[float] = []
    running: set[asyncio.Task[None]] = set()

    async def one(number: int) -> None:
        began = time.perf_counter()
        await asyncio.sleep(round_trip_s / 2)
        line = free.pop() if free else Line(port)
        await ask(line, number)
        free.append(line)
        await asyncio.sleep(round_trip_s / 2)
        times.append(time.perf_counter() - began)

    began = time.perf_counter()
    for number in range(int(per_s * seconds)):
        wait = began + number / per_s - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(number))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    for line in free:
        line.close()
    return times


def share(values: Sequence[float], part: float) -> float:
    """The value that so large a part does not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * part))]


def cpu_s(pid: int) -> float:
    """Processor seconds of all threads of a process so far."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            spent += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return spent / 1e9


def rss_mb(pid: int) -> float:
    """Resident memory in MB (2**20 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024
