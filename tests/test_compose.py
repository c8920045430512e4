"""compose.yaml holds to the Compose specification and to this release; its commands run as it says, on loopback.

No container engine is needed, and none has run it here: what is checked is the file, each of our services' commands
with its own environment against a real PostgreSQL, its health checks, and a stand-in for the proxy that ends TLS.
"""

from __future__ import annotations

import importlib
import re
import ssl
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import httpx2
import pytest
from anyio.streams.tls import TLSListener
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.cli.root import waybill
from connector.settings import OTHER_VARIABLES, PREFIX, Settings
from tests.cli.shell import Shell, started, until
from tests.cli.worlds import DOMAIN
from tests.e2e.processes import ROOT
from tests.e2e.world import free_port

yaml: Any = importlib.import_module("yaml")  # Of the durable engine's children; it has no types.

TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
GIVEN = {"DATABASE_PASSWORD": "letters1", "WAYBILL_DOMAIN": "ship.example.com"}

# Of the Compose specification, github.com/compose-spec/compose-spec, 05-services.md and what it links to.
OF_THE_FILE = {"name", "services", "volumes", "networks", "configs", "secrets", "include"}
OF_A_SERVICE = {
    *("build", "cap_add", "cap_drop", "command", "configs", "container_name", "depends_on", "deploy", "entrypoint"),
    *("env_file", "environment", "expose", "extra_hosts", "healthcheck", "hostname", "image", "init", "labels"),
    *("logging", "networks", "platform", "ports", "profiles", "pull_policy", "read_only", "restart", "secrets"),
    *("security_opt", "shm_size", "stop_grace_period", "stop_signal", "tmpfs", "ulimits", "user", "volumes"),
    "working_dir",
}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
SHORT_DURATION = re.compile(r"(\d+(us|ms|s|m|h))+")


def filled(text: str, given: Mapping[str, str]) -> str:
    """The file with its variables filled in, as Compose does. An unset variable that is required fails."""
    innermost = re.compile(r"(?<!\$)\$\{(\w+)(?:(:-|:\?)([^{}]*))?\}")

    def value(match: re.Match[str]) -> str:
        name, how, rest = match.groups()
        if given.get(name):
            return given[name]
        assert how == ":-", f"{name} is not set: {rest}"
        return rest or ""

    while innermost.search(text):
        text = innermost.sub(value, text)
    return text


FILE: dict[str, Any] = yaml.safe_load(filled(TEXT, GIVEN))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("waybill:")}


def test_the_file_has_only_what_the_specification_knows() -> None:
    assert {key for key in FILE if not key.startswith("x-")} <= OF_THE_FILE
    for name, service in SERVICES.items():
        assert set(service) <= OF_A_SERVICE, name
        assert re.fullmatch(r"[a-zA-Z0-9._-]+", name)
        for key in ("stop_grace_period",):
            assert SHORT_DURATION.fullmatch(service.get(key, "1s"))
        for key in ("interval", "timeout", "start_period"):
            assert SHORT_DURATION.fullmatch(service.get("healthcheck", {}).get(key, "1s"))
        assert service.get("restart", "no") in {"no", "always", "on-failure", "unless-stopped"}
        assert all(isinstance(word, str) for word in service.get("command", []))
        assert all(isinstance(each, str) for each in service.get("environment", {}).values())


def test_services_wait_for_services_that_can_be_waited_for() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            assert how["condition"] in CONDITIONS
            if how["condition"] == "service_healthy":
                check = SERVICES[other].get("healthcheck", {})
                assert not check.get("disable")
                assert check or (other in OURS and "HEALTHCHECK" in DOCKERFILE), other
            if how["condition"] == "service_completed_successfully":
                assert SERVICES[other]["restart"] == "no"
            assert not SERVICES[other].get("profiles"), "what is behind a profile cannot be waited for"


def test_volumes_and_files_are_there() -> None:
    used = set()
    for service in SERVICES.values():
        for volume in service["volumes"]:
            source, target = volume.split(":")[:2]
            assert target.startswith("/")
            if source.startswith("."):
                assert (ROOT / source).is_file(), source
            else:
                used.add(source)
    assert used == set(FILE["volumes"])
    assert all(service["volumes"] == ["waybill:/var/lib/waybill"] for service in OURS.values())
    assert "VOLUME /var/lib/waybill" in DOCKERFILE


def test_nothing_but_the_proxy_is_open_to_the_network() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:") or name == "caddy", f"{name} {port}"
    assert SERVICES["caddy"]["profiles"] == ["tls"]
    for service in OURS.values():
        assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)


def test_the_proxy_leads_to_the_web_process() -> None:
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    assert re.search(r"^\{\$WAYBILL_DOMAIN\} \{$", caddyfile, re.MULTILINE)
    assert "reverse_proxy web:8080" in caddyfile
    command = SERVICES["web"]["command"]
    assert command[command.index("--port") + 1] == "8080"
    assert "127.0.0.1:8080/healthz" in DOCKERFILE
    assert SERVICES["web"].get("healthcheck") is None  # The image's own.


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_of_this_release_with_settings_that_it_takes(name: str) -> None:
    program, command, *arguments = OURS[name]["command"]
    assert program == "waybill"
    waybill.commands[command].make_context(command, list(arguments))
    environment = OURS[name]["environment"]
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    assert set(environment) <= known
    values = {key.removeprefix(PREFIX).lower(): value for key, value in environment.items()}
    assert Settings(**values).public_url == "https://ship.example.com"


def test_every_variable_is_explained() -> None:
    example = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name in set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT)):
        assert f"{name}=" in example or f"`{name}`" in settings, name
    for line in example.splitlines():
        name = line.partition("=")[0]
        if name.startswith(PREFIX):
            assert name in OTHER_VARIABLES or name.removeprefix(PREFIX).lower() in Settings.model_fields
    with pytest.raises(AssertionError, match="DATABASE_PASSWORD is not set"):
        filled(TEXT, {})
    assert "https://localhost" in filled(TEXT, {"DATABASE_PASSWORD": "x"})


# --- tried by hand, on loopback ---------------------------------------------------------------------------------------


def beside(service: str, folder: Path, url: str, **instead: str) -> Shell:
    """A service's own environment, with this machine's folder, database and ports in place of the containers'."""
    own = dict(OURS[service]["environment"])
    assert own["WAYBILL_DATABASE_URL"] == "postgresql://waybill:letters1@postgres/waybill"
    return Shell(own | {"WAYBILL_DATA_DIR": str(folder), "WAYBILL_DATABASE_URL": url} | instead)


def health(command: list[str], old_port: int, port: int) -> bool:
    """Run a health check as the engine would, with another port."""
    words = [sys.executable if word == "python" else word.replace(f":{old_port}/", f":{port}/") for word in command]
    done = subprocess.run(words, check=False, timeout=60, stderr=subprocess.DEVNULL)  # noqa: S603 - the file's own.
    return done.returncode == 0


@pytest.mark.slow
def test_the_services_run_as_the_file_says_and_behind_tls(tmp_path: Path, postgres_url: str) -> None:
    web_port, worker_port = free_port(), free_port()
    assert beside("migrate", tmp_path, postgres_url).json("migrate") == {"schema": "current"}
    web = beside("web", tmp_path, postgres_url)
    worker = beside("worker", tmp_path, postgres_url, WAYBILL_WORKER_PORT=str(worker_port))
    serve = [word.replace("8080", str(web_port)).replace("0.0.0.0", "127.0.0.1") for word in OURS["web"]["command"][1:]]  # noqa: S104
    image_check = re.search(r"HEALTHCHECK .*?CMD (\[.+\])", DOCKERFILE)
    assert image_check is not None
    with ExitStack() as stack:
        stack.enter_context(started(web, *serve))
        stack.enter_context(started(worker, *OURS["worker"]["command"][1:]))
        until(lambda: health(yaml.safe_load(image_check[1]), 8080, web_port), "the web service to be healthy")
        check = OURS["worker"]["healthcheck"]["test"][1:]
        until(lambda: health(check, 8081, worker_port), "the worker to be healthy")
        added = web.json("shop", "add", "sandbox", "--domain", DOMAIN)
        assert added["rate_url"].startswith("https://ship.example.com/rates/")
        anyio.run(_through_tls, tmp_path, web_port)


async def _through_tls(folder: Path, port: int) -> None:
    """A stand-in for the proxy ends TLS for the domain; what it passes on is answered the same."""
    certificate = _certificate(folder, "ship.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
    listener = TLSListener(plain, context, standard_compatible=False)

    async def pass_on(stream: anyio.abc.ByteStream) -> None:
        async with stream, await anyio.connect_tcp("127.0.0.1", port) as inner, anyio.create_task_group() as group:
            group.start_soon(_pipe, stream, inner)
            await _pipe(inner, stream)
            group.cancel_scope.cancel()

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, pass_on)
        trusting = ssl.create_default_context(cafile=str(certificate))
        outside = f"https://127.0.0.1:{plain.extra(anyio.abc.SocketAttribute.local_port)}"  # noqa: S610 - not Django's.
        async with httpx2.AsyncClient(verify=trusting, trust_env=False, timeout=60) as client:
            name = {"extensions": {"sni_hostname": "ship.example.com"}, "headers": {"host": "ship.example.com"}}
            ready = await client.get(f"{outside}/readyz", **name)  # type: ignore[arg-type]  # As its request takes it.
            wrong = await client.post(f"{outside}/rates/shop_none/token", content=b"{}", **name)  # type: ignore[arg-type]
        group.cancel_scope.cancel()
    assert ready.status_code == 200
    assert ready.json()["database"] == "up"
    assert wrong.status_code == 404


async def _pipe(source: anyio.abc.ByteStream, target: anyio.abc.ByteStream) -> None:
    try:
        while True:
            await target.send(await source.receive())
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        return


def _certificate(folder: Path, host: str) -> Path:
    """A self-signed certificate with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "proxy.pem"
    file.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return file
