"""One browser and one site for all browser tests; each test has a window of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from connector.storage.logins.people import User
from tests.browser import rig
from tests.cli.worlds import make_shop


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Run a test in the browser's thread."""
    names = pyfuncitem._fixtureinfo.argnames
    rig.STAGE.submit(pyfuncitem.obj, **{name: pyfuncitem.funcargs[name] for name in names}).result()
    return True


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    rig.browser_or_skip()
    with rig.on_stage(rig.chromium()) as browser:
        yield browser


@pytest.fixture(scope="session")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.Site]:
    """A house that serves, with a sandbox shop and carrier."""
    steady = make_shop(tmp_path_factory.mktemp("steady")).folder
    with rig.site(steady, tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest.fixture(scope="session")
def owner(site: rig.Site) -> User:
    """Who owns the installation."""
    return site.world.add_user("anna@example.com", "owner")


@pytest.fixture(scope="session")
def packer(site: rig.Site) -> User:
    """Who packs in the shop."""
    return site.world.add_user("paul@example.com", "packer", site.world.shop_id, "Paul")


@pytest.fixture
def visitor(browser: Browser, site: rig.Site, owner: User) -> Iterator[rig.Visitor]:
    """The owner before the browser."""
    with rig.on_stage(rig.visitor(browser, site, owner)) as person:
        yield person
