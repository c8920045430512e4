"""The sign of life may be asked from several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from connector.storage.database import open_database
from connector.work.liveness import SessionSign


def test_threads_may_ask_for_the_sign_of_life_at_once(postgres_url: str) -> None:
    database = open_database(postgres_url, pool_size=2)
    sign = SessionSign(database, "ex_threads", 15)
    try:
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _: sign.is_held(), range(20_000)))
    finally:
        sign.release()
        database.close()
    assert all(answers)
