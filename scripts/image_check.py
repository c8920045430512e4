"""Build the image and try it: in a container engine, or without one in a debootstrap root (as root).

The root gets this machine's pip settings, certificates and resolver only while RUN lines run; nothing of them is kept.
"""

from __future__ import annotations

import ast
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

TREE = Path(__file__).resolve().parent.parent
PLACE = TREE / "build" / "image"
BASE = PLACE / "base"
ROOT = PLACE / "root"
IMAGE = "debian:12-slim"
SUITE = "bookworm"
START_S = 60
STOP_S = 30
KNOWN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Fault(Exception):
    """Why the image is not as it should be."""


def say(text: str) -> None:
    """One line of progress."""
    print(f"image-check: {text}", flush=True)


def run(*command: str | Path, **options: object) -> None:
    """Run a command; a failure ends the check."""
    done = subprocess.run([str(part) for part in command], check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise Fault(f"{command[0]} ended with {done.returncode}: {shlex.join(map(str, command))[:300]}")


def quietly(command: Sequence[str]) -> None:
    """Run a command and show what it printed only if it failed."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Fault(f"it ended with {done.returncode}:\n{done.stdout[-3000:]}")


# --- the Dockerfile -----------------------------------------------------------------------------------------------


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction and its arguments, continuation lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        yield word.upper(), rest.strip()


def context() -> list[str]:
    """The files that .dockerignore lets into the image, relative to the tree."""
    rules = [line.strip() for line in (TREE / ".dockerignore").read_text().splitlines()]
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TREE,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")

    def wanted(name: str) -> bool:
        kept = True
        for rule in rules:
            pattern = rule.removeprefix("!")
            path = PurePosixPath(name)
            if rule and not rule.startswith("#") and any(fnmatch(str(p), pattern) for p in (path, *path.parents)):
                kept = rule.startswith("!")
        return kept

    return [name for name in listed if name and wanted(name) and (TREE / name).is_file()]


@dataclass
class Image:
    """What the instructions have set so far."""

    env: dict[str, str] = field(default_factory=lambda: {"PATH": KNOWN_PATH})
    folder: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def inside(self, command: Sequence[str], extra: dict[str, str] | None = None) -> list[str]:
        """The command line that runs `command` in the root as the image's user, with the image's environment only."""
        env = {"HOME": "/root" if self.user == "root" else self.folder, **self.env, **(extra or {})}
        enter = f"cd {shlex.quote(self.folder)} && exec {shlex.join(command)}"
        pairs = [f"{name}={value}" for name, value in env.items()]
        return [
            "chroot",
            f"--userspec={self.user}:{self.user}",
            str(ROOT),
            "/usr/bin/env",
            "-i",
            *pairs,
            "sh",
            "-c",
            enter,
        ]

    def place(self, target: str) -> Path:
        """Where a path of the image is on this machine."""
        return ROOT / str(PurePosixPath(self.folder) / target).lstrip("/")


def follow(image: Image, word: str, rest: str, lent: dict[str, str]) -> None:  # noqa: C901 one case for each word
    """Do what one instruction says."""
    match word:
        case "FROM":
            if rest != IMAGE:
                raise Fault(f"the check knows {IMAGE} only, not {rest}")
        case "ENV":
            image.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        case "RUN":
            say(f"RUN {rest[:90]}")
            quietly(image.inside(["sh", "-c", rest], lent))
        case "COPY":
            *sources, target = rest.split()
            copy(sources, image.place(target))
        case "WORKDIR":
            image.folder = rest
            image.place(".").mkdir(parents=True, exist_ok=True)
        case "USER":
            image.user = rest
        case "HEALTHCHECK":
            image.health = json.loads(rest[rest.index("CMD") + 3 :])
        case "CMD":
            image.command = json.loads(rest)
        case "EXPOSE" | "VOLUME":
            pass
        case _:
            raise Fault(f"the check does not know {word}")


def copy(sources: Sequence[str], target: Path) -> None:
    """Copy files (into the folder `target`) or the whole context."""
    for name in context():
        for source in sources:
            if source == ".":
                there = target / name
            elif name == source:
                there = target / Path(name).name
            else:
                continue
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TREE / name, there)
            there.chmod(0o755 if os.access(TREE / name, os.X_OK) else 0o644)


# --- a root without an engine -------------------------------------------------------------------------------------


def mirror() -> str:
    """The Debian mirror that this machine is set up for."""
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*.*"))]
    for file in files:
        if file.suffix in {".list", ".sources"} and file.is_file():
            found = re.search(r"^(?:URIs:|deb)\s.*?(https?://\S+?/debian)/?(?:\s|$)", file.read_text(), re.MULTILINE)
            if found:
                return found.group(1)
    return "http://deb.debian.org/debian"


def make_base() -> None:
    """A minimal Debian, kept for the next time."""
    if (BASE / "etc" / "debian_version").exists():
        return
    if not shutil.which("debootstrap"):
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-qq", "-y", "--no-install-recommends", "debootstrap")
    shutil.rmtree(BASE, ignore_errors=True)
    half = PLACE / "half"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    say(f"debootstrap --variant=minbase {SUITE}")
    run("debootstrap", "--variant=minbase", SUITE, half, mirror(), stdout=subprocess.DEVNULL)
    half.rename(BASE)


def pip_settings() -> dict[str, str]:
    """How pip of this machine is set up, as environment variables."""
    shown = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=False, capture_output=True, text=True)
    found = re.findall(r"^[^.\n]*\.([\w-]+)=(.*)$", shown.stdout, re.MULTILINE)
    return {f"PIP_{key.upper().replace('-', '_')}": str(ast.literal_eval(value)) for key, value in found}


class Loan:
    """This machine's network set-up, lent to the root while RUN lines run."""

    def __init__(self) -> None:
        self.env = pip_settings() | {
            name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")
        }
        self._files: list[Path] = []
        self._mounts: list[Path] = []

    def give(self) -> None:
        """Copy and bind what is needed to reach the registries."""
        certificates = Path("/usr/local/share/ca-certificates")
        sources = [Path("/etc/resolv.conf"), Path("/etc/pip.conf"), *certificates.glob("*.crt")]
        if f"VERSION_CODENAME={SUITE}" in Path("/etc/os-release").read_text():
            sources += [Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d/debian.sources")]
        for source in sources:
            if source.is_file():
                there = ROOT / str(source).lstrip("/")
                there.parent.mkdir(parents=True, exist_ok=True)
                there.unlink(missing_ok=True)
                shutil.copy(source, there)
                self._files.append(there)
        for folder in self._folders():
            there = ROOT / str(folder).lstrip("/")
            there.mkdir(parents=True, exist_ok=True)
            run("mount", "--bind", "-o", "ro", folder, there)
            self._mounts.append(there)

    def _folders(self) -> set[Path]:
        places = {Path(word.removeprefix("file://")) for value in self.env.values() for word in value.split()}
        folders = {place for place in places if place.is_absolute() and place.is_dir()}
        return {folder.parent if folder.name == "simple" else folder for folder in folders}

    def take_back(self) -> None:
        """Leave nothing of this machine in the root."""
        for place in self._mounts:
            run("umount", place)
            place.rmdir()
        for file in self._files:
            file.unlink(missing_ok=True)


def build() -> Image:
    """Run the Dockerfile's instructions in a copy of the base."""
    make_base()
    shutil.rmtree(ROOT, ignore_errors=True)
    run("cp", "-a", BASE, ROOT)
    run("mount", "-t", "proc", "proc", ROOT / "proc")
    run("mount", "--rbind", "/dev", ROOT / "dev")
    image, loan = Image(), Loan()
    loan.give()
    for word, rest in instructions((TREE / "Dockerfile").read_text()):
        follow(image, word, rest, loan.env if word == "RUN" else {})
    loan.take_back()
    if not image.command or not image.health or image.user == "root":
        raise Fault("CMD, HEALTHCHECK or an unprivileged USER is missing")
    cache = ROOT / "root" / ".cache"
    if cache.exists():
        raise Fault("the image keeps a package cache")
    return image


def try_in_root(image: Image) -> None:
    """Start CMD on a free loopback port, ask it, stop it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    swap = {"0.0.0.0": "127.0.0.1", "8080": str(port)}
    command = [swap.get(word, word) for word in image.command]
    health = [word.replace(":8080/", f":{port}/") for word in image.health]
    say(f"CMD {shlex.join(command)} as {image.user}")
    process = subprocess.Popen(image.inside(command))
    try:
        until = time.monotonic() + START_S
        while subprocess.run(image.inside(health), check=False, stderr=subprocess.DEVNULL).returncode:
            if process.poll() is not None or time.monotonic() > until:
                raise Fault("the health check did not hold within a minute")
            time.sleep(0.5)
        say("healthy")
        ask(port)
        run(*image.inside(["waybill", "demo", "--once"]))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    if code not in {0, -signal.SIGTERM}:
        raise Fault(f"it did not stop well when asked to: {code}")
    say("stopped when asked to")


# --- an engine ----------------------------------------------------------------------------------------------------


def try_in_engine(engine: str) -> None:
    """Build, run, ask, stop."""
    tag = "waybill-image-check"
    run(engine, "build", "--tag", tag, TREE)
    started = subprocess.run(
        [engine, "run", "--detach", "--publish", "127.0.0.1::8080", tag], check=True, capture_output=True, text=True
    )
    container = started.stdout.strip()
    try:
        shown = subprocess.run([engine, "port", container, "8080"], check=True, capture_output=True, text=True)
        port = int(shown.stdout.split(":")[-1])
        until = time.monotonic() + START_S
        while status(port, "GET", "/healthz") != 200:
            if time.monotonic() > until:
                raise Fault("/healthz did not answer 200 within a minute")
            time.sleep(0.5)
        ask(port)
        run(engine, "exec", container, "waybill", "demo", "--once")
    finally:
        run(engine, "stop", container)
        run(engine, "rm", container)


def status(port: int, method: str, path: str) -> int:
    """The status of one request; 0 if there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body=b"{}" if method == "POST" else None)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def ask(port: int) -> None:
    """Ask the server what it must know: it is ready, and it knows no shop of that name."""
    for method, path, wanted in (("GET", "/readyz", 200), ("POST", "/rates/nobody/nothing", 404)):
        got = status(port, method, path)
        if got != wanted:
            raise Fault(f"{method} {path} answered {got} instead of {wanted}")
        say(f"{method} {path}: {got}")


def main(arguments: Sequence[str]) -> int:
    """Check in the best way that this machine allows."""
    try:
        if arguments == ["--in-namespace"]:
            try_in_root(build())
            say("good")
            return 0
        for engine in ("docker", "podman"):
            if (
                shutil.which(engine)
                and not subprocess.run([engine, "info"], check=False, capture_output=True).returncode
            ):
                try_in_engine(engine)
                say("good")
                return 0
        if os.geteuid() != 0:
            print(
                "image-check: no container engine runs here, and only root can make a debootstrap root", file=sys.stderr
            )
            return 1
        # Mounts and processes end with the namespace, whatever happens inside.
        inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", sys.executable, __file__, "--in-namespace"]
        return subprocess.run(inside, check=False).returncode
    except Fault as fault:
        print(f"image-check: {fault}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
