"""`waybill up --tunnel`: a stand-in program gives the address; web and worker have it, follow it, and end with it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from connector.supervisor import Child
from connector.tunnel import children, find_program, known_programs
from tests.cli.shell import Process, Shell, shell_in, started, until
from tests.e2e.world import free_port

STAND_IN = """
import sys, time
from pathlib import Path
folder = Path(sys.argv[1])
lives = folder / "lives"
number = int(lives.read_text()) + 1 if lives.exists() else 1
lives.write_text(str(number))
print("reading my settings", flush=True)
print(f"forwarding https://run-{number}.tunnel.example/ to 127.0.0.1:{sys.argv[2]}", flush=True)
while not (folder / f"end-{number}").exists():
    time.sleep(0.05)
sys.exit(3)
"""

PRINTED = {
    "cloudflared": [
        "INF Thank you for trying Cloudflare Tunnel: https://developers.cloudflare.com/tunnel/terms",
        "INF Requesting new quick Tunnel on https://api.trycloudflare.com/tunnel ...",
        "INF |  https://quiet-words-here.trycloudflare.com  |",
    ],
    "ngrok": [
        't=2026-11-22T01:00:00 lvl=info msg="update available" link=https://ngrok.example/download',
        't=2026-11-22T01:00:00 lvl=info msg="started tunnel" addr=http://localhost:8080 url=https://4f2.ngrok-free.app',
    ],
    "tailscale": ["Available on the internet:", "", "https://desk.tail1234.ts.net/", "|-- proxy http://127.0.0.1:8080"],
}
"""The form of what each program prints, without anybody's words."""

ADDRESSES = {
    "cloudflared": "https://quiet-words-here.trycloudflare.com",
    "ngrok": "https://4f2.ngrok-free.app",
    "tailscale": "https://desk.tail1234.ts.net",
}


@pytest.mark.parametrize("name", known_programs())
def test_a_program_that_is_installed_is_found_and_its_address_is_read(name: str) -> None:
    program = find_program(8080, None, lambda asked: f"/usr/bin/{asked}" if asked == name else None)
    assert program is not None
    assert program.command[0] == f"/usr/bin/{name}"
    assert any("8080" in word for word in program.command)
    found = [match for line in PRINTED[name] if (match := program.address.search(line))]
    assert [match[program.address.groups] for match in found] == [ADDRESSES[name]]


def test_the_merchants_own_command_comes_first() -> None:
    program = find_program(81, "'/opt/my tunnel' --to {port} -v", lambda asked: f"/usr/bin/{asked}")
    assert program is not None
    assert program.command == ("/opt/my tunnel", "--to", "81", "-v")


def test_an_address_of_an_earlier_run_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    folder = tmp_path / "tunnel"
    folder.mkdir()
    (folder / "address").write_text("https://old.example")
    program = find_program(81, "tunnel {port}")
    assert program is not None
    made = children(program, folder, [Child("web", ("waybill", "serve"))])
    assert [each.name for each in made] == ["tunnel", "web"]
    assert not list(folder.iterdir())
    assert folder.stat().st_mode & 0o777 == 0o700


def environment_of(process: Process, name: str) -> str:
    """The public address that the latest process of this name runs with; empty while it has none."""
    starts = [match[1] for line in process.log if (match := re.search(rf"up: {name}: started as process (\d+)", line))]
    if not starts:
        return ""
    try:
        environ = Path(f"/proc/{starts[-1]}/environ").read_bytes().decode().split("\0")
    except OSError:
        return ""
    return next((each.partition("=")[2] for each in environ if each.startswith("WAYBILL_PUBLIC_URL=")), "")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process was started with")
def test_web_and_worker_have_the_tunnels_address_follow_it_and_end_with_it(tmp_path: Path) -> None:
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    command = f"{sys.executable} {script} {tmp_path} {{port}}"
    shell = shell_in(tmp_path / "data", tunnel_command=command)
    port = free_port()
    with started(shell, "up", "--tunnel", "--port", str(port)) as process:
        assert process.line().endswith("gets it a public address, which the log names.")
        for number in (1, 2):
            address = f"https://run-{number}.tunnel.example"
            until(lambda: f"waybill tunnel: the public address of this run is {address}" in process.log, address)  # noqa: B023
            for name in ("web", "worker"):
                until(lambda: environment_of(process, name) == address, f"{name} to have {address}")  # noqa: B023
            serving = f"running on http://127.0.0.1:{port}"
            until(lambda: sum(serving in line for line in process.log) == number, "the web process to serve")  # noqa: B023
            if number == 1:
                (tmp_path / "end-1").touch()
        assert process.stop() == 0
    pids = [int(match[1]) for line in process.log if (match := re.search(r"started as process (\d+)", line))]
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not _runs(script)


def _runs(script: Path) -> bool:
    """Whether a process runs this script."""
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(script).encode() in cmdline.read_bytes():
                return True
        except OSError:
            continue
    return False


def test_without_a_tunnel_program_the_start_is_refused_with_the_cure(tmp_path: Path) -> None:
    empty = tmp_path / "path"
    empty.mkdir()
    shell = Shell({"WAYBILL_DATA_DIR": str(tmp_path / "data"), "PATH": str(empty)})
    assert "cloudflared, ngrok, tailscale" in shell.refused("up", "--tunnel")
    assert "needs a port that is known" in shell.refused("up", "--tunnel", "--port", "0")
    missing = shell_in(tmp_path / "data", tunnel_command="no-such-program {port}")
    assert "no-such-program" in missing.refused("up", "--tunnel")
    assert not (tmp_path / "data" / "waybill.db").exists()
