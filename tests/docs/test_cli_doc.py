"""docs/cli.md knows each command, each option and each JSON field, and nothing that is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from connector.cli.root import waybill
from tests.cli.shell import ROOT, Shell, shell_in, started, until
from tests.cli.worlds import DOMAIN, RATE_REQUEST, Demo, Shop
from tests.insight.test_order_csv import FIRST, HEAD
from tests.simulators.easypost import build
from tests.simulators.server import serve

DOCUMENT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Section:
    """What the document says of a command."""

    text: str

    @property
    def options(self) -> set[str]:
        """The first cells of its table of options."""
        return set(re.findall(r"^\| `([^`]+)` \| [^|]*\|[^|]*\|$", self.text, re.MULTILINE))

    @property
    def fields(self) -> set[str]:
        """The paths of its JSON fields, those of other commands that it refers to included."""
        table = self.text.partition("| JSON field |")[2]
        own = set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))
        also = re.compile(r"^Also every field of `([\w ]+)`(?: below `([^`]+)`)?\.$", re.MULTILINE)
        for command, below in also.findall(self.text):
            theirs = SECTIONS[command].fields
            own |= {each.removeprefix(f"{below}.") for each in theirs if each.startswith(below)} if below else theirs
        return own


SECTIONS = {
    part.splitlines()[0]: Section(part)
    for part in re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)
    if "waybill " in part[:9]
}


def commands(command: click.Command, path: str = "waybill") -> Iterator[tuple[str, click.Command]]:
    """Every command of the tree that does something, with its path."""
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict(commands(waybill))


def test_every_command_is_documented_and_no_other() -> None:
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_is_documented_and_no_other(path: str) -> None:
    there = set()
    for parameter in COMMANDS[path].params:
        if isinstance(parameter, click.Argument):
            there.add((parameter.metavar or parameter.name or "").strip("[].").upper())
        else:
            there |= set(parameter.opts) - {"--json"}
    assert SECTIONS[path].options == there


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_takes_json_and_says_what_it_does(path: str) -> None:
    command = COMMANDS[path]
    assert any("--json" in parameter.opts for parameter in command.params)
    assert command.help


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_an_example_that_parses(path: str) -> None:
    """Without running it: the example's words are taken apart as the command line would."""
    import shlex

    (block,) = re.findall(r"```sh\n(.+?)\n```", SECTIONS[path].text, re.DOTALL)
    words = [word for word in shlex.split(block) if not re.match(r"[A-Z_]+=", word) or "settings" in block]
    names = path.split()
    given = ["quote", "ask", *words[2:]] if path == "waybill quote ask" else words[1:]
    assert given[: len(names) - 1] == names[1:]
    if path != "waybill quote ask":  # Its file is not there.
        COMMANDS[path].make_context(path, given[len(names) - 1 :])


# --- JSON ---------------------------------------------------------------------------------------------------------

MONEY = {"amount", "currency"}
FREE = {"settings", "rules"}
"""Fields whose content is not fixed by the command: the stored settings and rules."""


def paths(value: Any, path: str = "") -> set[str]:
    """Every path of an answer, down to what the document does not take apart."""
    name = path.rpartition(".")[2]
    if isinstance(value, dict) and set(value) != MONEY and not (name in FREE and path in FREE):
        found = {path} if path and not path.endswith("[]") else set()
        for key, inner in value.items():
            found |= paths(inner, f"{path}.{key}" if path else key)
        return found
    if isinstance(value, list):
        inside = [paths(inner, f"{path}[]") for inner in value]
        return set().union(*inside) or {f"{path}[]"}
    return {path}


def holds(command: str, *answers: dict[str, Any]) -> None:
    """The documented fields are those of the answers taken together."""
    documented = SECTIONS[command].fields
    found = set().union(*(paths(answer) for answer in answers))
    parents = {path for path in found if any(other.startswith(f"{path}.") for other in found)}
    empty = {path for path in found if path.endswith("[]") and any(d.startswith(f"{path}.") for d in documented)}
    assert not empty, f"{command}: no answer has an entry in {sorted(empty)}"
    assert found - parents <= documented, "add these to docs/cli.md"
    assert documented <= found, "take these out of docs/cli.md"


def test_the_fields_of_the_demo_are_documented(demo: Demo) -> None:
    story = {**demo.story, "steps": ["a code, a text, figures"]}
    assert all({"step", "text"} <= set(step) for step in demo.story["steps"])
    holds("waybill demo", story)


def test_the_fields_of_shops_and_carriers_are_documented(shell: Shell, tmp_path: Path) -> None:
    holds("waybill migrate", shell.json("migrate"))
    note = {"notes": ["a sentence"]}
    added = shell.json("shop", "add", "sandbox", "--domain", DOMAIN)
    account = shell.json("carrier", "add", DOMAIN, "sandbox")
    holds("waybill carrier add", account | note)
    (listed,) = shell.json("shop", "list")["shops"]
    holds("waybill shop list", {"shops": [listed]})
    holds("waybill shop add sandbox", listed | {"install": added["install"]} | note)
    assert set(added) == set(listed) | {"install", "notes"}
    holds("waybill carrier remove", shell.json("carrier", "remove", DOMAIN, account["account_id"]))


def test_the_fields_of_the_switch_and_of_a_removal_are_documented(shell: Shell) -> None:
    shell.json("shop", "add", "sandbox", "--domain", DOMAIN)
    holds("waybill shop on", shell.json("shop", "on", DOMAIN, "--anyway"))
    off = shell.json("shop", "off", DOMAIN)
    holds("waybill shop off", off | {"findings": [{"code": "c", "text": "t", "cure": "c"}]})
    holds("waybill shop remove", shell.json("shop", "remove", DOMAIN, "--yes"))


def test_the_fields_of_apps_are_documented(shell: Shell, tmp_path: Path) -> None:
    added = shell.json("app", "add", "shopify", "--client-id", "id", client_secret="s" * 32)
    holds("waybill app add shopify", added)
    holds("waybill app list", shell.json("app", "list"))
    holds("waybill shop app-config", shell.json("shop", "app-config", "--out", str(tmp_path / "app.toml")))


def test_the_fields_of_tracking_hooks_are_documented(shop: Shop, reference: Path) -> None:
    with serve(build(reference)) as url:
        given = ("carrier", "add", DOMAIN, "easypost", "--api-base", url)
        account = shop.shell.json(*given, api_key="EZTKtest", webhook_secret="s", allow_private_addresses="yes")
        assert (account["test_mode"], account["notes"]) == (True, [])
        answers = [shop.shell.json("carrier", "hook", DOMAIN, account["account_id"]) for _ in range(2)]
    assert [answer["state"] for answer in answers] == ["done", "kept"]
    holds("waybill carrier hook", *answers)


def test_the_fields_of_settings_are_documented(steady_shop: Shop) -> None:
    holds("waybill settings", steady_shop.shell.json("settings", DOMAIN))
    holds("waybill storefront", steady_shop.shell.json("storefront", DOMAIN))


def test_the_fields_of_quotes_are_documented(shop: Shop, tmp_path: Path) -> None:
    nowhere = ("--api-base", "http://127.0.0.1:9")
    shop.shell.json("carrier", "add", DOMAIN, "easypost", *nowhere, api_key="EZTK1")
    asked = shop.shell.json("quote", str(shop.rate_request), "--shop", DOMAIN)
    weightless = tmp_path / "weightless.json"
    weightless.write_text(json.dumps({**RATE_REQUEST, "items": [{"quantity": 1, "price": "1"}]}))
    backup = shop.shell.json("quote", str(weightless), "--shop", DOMAIN)
    noted = {"notes": [{"code": "customs_missing", "text": "a sentence"}]}
    holds("waybill quote ask", asked | noted, {"why": backup["why"]})
    explained = [shop.shell.json("quote", "explain", each["quote_id"]) for each in (asked, backup)]
    holds("waybill quote explain", explained[0] | noted, {"why": explained[1]["why"]})
    one = shop.shell.json("quote", "replay", asked["quote_id"])
    everything = shop.shell.json("quote", "replay", "--all")
    assert (everything["answers"], everything["not_same"]) == (2, 0)
    differing = {
        "kinds": [{"what": "an offer is gone", "answers": 1}],
        "versions": [{"version": 1, "answers": 1}],
        "different": [{"quote_id": "quo_1", "changes": ["a sentence"]}],
    }
    holds("waybill quote replay", one | {"changes": ["a sentence"]}, everything | differing)
    (tmp_path / "other.txt").write_text("# dearer\nmarkup_percent = 10\n")
    diff = shop.shell.json("quote", "diff", DOMAIN, "--with", str(tmp_path / "other.txt"))
    assert (diff["answers"], diff["changed"]) == (2, 1)
    holds("waybill quote diff", diff)


def test_the_fields_of_rules_are_documented(shop: Shop, tmp_path: Path) -> None:
    shell, example = shop.shell, str(ROOT / "docs" / "rules-example.json")
    shell.json("quote", str(shop.rate_request), "--shop", DOMAIN)
    guaranteed = tmp_path / "rules.json"
    rename = {"kind": "rename", "name": "Guaranteed tomorrow"}
    guaranteed.write_text(json.dumps({"rules": [{"name": "r", "then": [rename]}]}))
    kinds = shell.json("rules", "kinds")["kinds"]
    holds("waybill rules kinds", {"kinds": [kind for kind in kinds if kind["arguments"]]})
    drafts = [shell.json("rules", "draft", DOMAIN, each) for each in (str(guaranteed), example)]
    diff = shell.json("rules", "diff", DOMAIN)
    assert (diff["answers"], diff["changed"]) == (1, 1)
    moves, gone = ["dearer", "cheaper", "total", "median", "least", "most"], [{"quote_id": 1, "before": 1, "after": 1}]
    holds("waybill rules diff", diff | {"moves": [dict.fromkeys(moves, 0)], "largest": gone})
    holds("waybill rules publish", shell.json("rules", "publish", DOMAIN))
    holds("waybill rules show", shell.json("rules", "show", DOMAIN))
    holds("waybill rules check", shell.json("rules", "check", DOMAIN, str(guaranteed)))
    holds("waybill rules history", shell.json("rules", "history", DOMAIN))
    holds("waybill rules restore", shell.json("rules", "restore", DOMAIN, "1"))
    holds("waybill rules draft", drafts[0], shell.json("rules", "draft", DOMAIN, "--drop"))


def test_the_fields_of_a_rehearsal_are_documented(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("\n".join([HEAD, FIRST, FIRST.replace("#1001", "#1002").replace("Wien", "SANDBOX-NOWHERE")]))
    shop.shell.json("settings", DOMAIN, "default_item_weight_g=400")
    holds("waybill rehearse", shop.shell.json("rehearse", DOMAIN, "--orders", str(file)))


@pytest.mark.slow
def test_the_fields_of_invoices_are_documented(demo: Demo, tmp_path: Path) -> None:
    (parcel,) = demo.shell.json("order", "show", demo.shop_id, demo.order)["parcels"]
    file = tmp_path / "invoice.csv"
    number = parcel["label"]["tracking_code"]
    faulty = f"tracking,amount,currency\n{number},99.00,EUR\nnobody's,1,EUR\n{number},1,USD\nanother,ten,EUR\n"
    file.write_text(faulty)
    given = ("invoice", "import", demo.shop_id, str(file))
    assert "Line 5" in demo.shell.refused(*given)
    looked, found = demo.shell.json(*given, "--check"), demo.shell.json(*given, "--leave-faulty")
    assert (found["booked"], len(found["unknown"]), len(found["other_currency"])) == (1, 1, 1)
    assert looked == found | {"checked": True}
    holds("waybill invoice import", found)
    holds("waybill invoice unmatched", demo.shell.json("invoice", "unmatched", demo.shop_id))


@pytest.mark.slow
def test_the_fields_of_costs_are_documented(demo: Demo, tmp_path: Path) -> None:
    shell, shop = demo.shell, demo.shop_id
    (parcel,) = shell.json("order", "show", shop, demo.order)["parcels"]
    file = tmp_path / "dearer.csv"
    file.write_text(f"tracking,amount,currency,invoice\n{parcel['label']['tracking_code']},2.50,EUR,I-9\n")
    shell.json("invoice", "import", shop, str(file), "--amounts", "adjustment")
    holds("waybill costs report", shell.json("costs", "report", shop))
    said = shell.run("costs", "report", shop).stdout
    for part in ("Buyers paid", "nine of ten", "lost more than", "1 orders, 1 invoiced"):
        assert part in said, part
    assert parcel["id"] in shell.run("costs", "report", shop, "--csv").stdout
    holds("waybill costs claim", shell.json("costs", "claim", parcel["id"], "--amount", "2.50", "--reason", "dims"))
    refused = ("costs", "claim", parcel["id"], "--amount", "9", "--reason", "dims", "--paid")
    assert "2.50 EUR of a claim is open" in shell.refused(*refused)
    packet = tmp_path / "packet.pdf"
    written = shell.json("costs", "dispute", parcel["id"], "--out", str(packet))
    holds("waybill costs dispute", written)
    verified = shell.json("costs", "verify", str(packet), "--key", written["public_key"])
    holds("waybill costs verify", verified)
    assert verified["state"] == "unchanged"
    assert packet.read_bytes().startswith(b"%PDF")
    checked = shell.json("costs", "check", shop)
    assert (checked["ties"], checked["gaps"]) == (True, [])
    holds("waybill costs check", checked | {"gaps": [{"subject": "", "what": {"code": "", "text": ""}}]})


@pytest.mark.slow
def test_the_fields_of_orders_and_labels_are_documented(demo: Demo, tmp_path: Path) -> None:
    order = demo.shell.json("order", "show", demo.shop_id, demo.order)
    (parcel,) = order["parcels"]
    holds("waybill order show", order)
    holds("waybill label save", demo.shell.json("label", "save", parcel["id"], "--out", str(tmp_path)))


def test_the_fields_of_the_packing_table_are_documented(demo: Demo, tmp_path: Path) -> None:
    shell, shop = demo.shell, demo.shop_id
    batch = shell.json("batch", "buy", shop, "--order", demo.order)
    holds("waybill batch buy", batch)
    holds("waybill batch show", shell.json("batch", "show", shop, batch["batch_id"]))
    file = str(tmp_path / "labels.pdf")
    printed = shell.json("print", shop, "--order", demo.order, "--out", file)
    assert (printed["parcels"], printed["missing"]) == (1, [])
    assert {"files[]", "parcels", "pages"} <= paths(printed) <= SECTIONS["waybill print"].fields | {"missing[]"}
    holds("waybill logo", shell.json("logo", shop, "--remove"))
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("order,carrier,number\n#0,Post,RR1\n", encoding="utf-8")
    holds("waybill order ship-many", shell.json("order", "ship-many", shop, str(numbers), code=1))


@pytest.mark.slow
def test_the_fields_of_purchases_voids_and_failures_are_documented(shop: Shop) -> None:
    """The one list that they all leave behind is documented, too."""
    shell, order = shop.shell, shop.order()
    shell.json("settings", DOMAIN, "buy=manual")
    shell.run("label", "buy", DOMAIN, order, "--wait", "0")  # Has the order read.
    with started(shell, "work"):
        until(lambda: shell.run("order", "show", DOMAIN, order).exit_code == 0, "the worker to read the order")
        bought = shell.json("label", "buy", DOMAIN, order, "--wait", "60")
        (parcel,) = bought["parcels"]
        shown = shell.json("order", "show", DOMAIN, order)
        own = {key: value for key, value in bought.items() if key not in shown}
        assert SECTIONS["waybill label buy"].fields == paths(own) | SECTIONS["waybill order show"].fields
        assert set(bought) == set(own) | set(shown)
        lists_and_drivers(shell)
        holds("waybill label void", shell.json("label", "void", parcel["id"], "--reason", "a test"))


def lists_and_drivers(shell: Shell) -> None:
    """A list of the day's labels, and a driver who is asked for, booked and sent home, while a worker runs."""
    holds("waybill manifest make", shell.json("manifest", "make", DOMAIN))
    holds("waybill manifest list", shell.json("manifest", "list", DOMAIN))
    (entry,) = shell.json("shop", "list")["shops"]
    day = datetime.now(UTC) + timedelta(days=2)
    window = ("--from", f"{day:%Y-%m-%d}T12:00", "--until", f"{day:%Y-%m-%d}T16:00")
    where = ("--location", entry["locations"][0]["id"])
    asked = shell.json("pickup", "ask", DOMAIN, entry["accounts"][0]["id"], *where, *window)
    holds("waybill pickup ask", asked)

    def state() -> str:
        (driver,) = shell.json("pickup", "list", DOMAIN)["pickups"]
        return str(driver["state"])

    until(lambda: state() == "offered", "the carrier to offer a driver")
    holds("waybill pickup list", shell.json("pickup", "list", DOMAIN))
    holds("waybill pickup book", shell.json("pickup", "book", DOMAIN, asked["pickup_id"]))
    until(lambda: state() == "booked", "the driver to be booked")
    holds("waybill pickup cancel", shell.json("pickup", "cancel", DOMAIN, asked["pickup_id"]))


@pytest.mark.slow
def test_the_fields_of_numbers_typed_by_hand_are_documented(shop: Shop) -> None:
    shell, order = shop.shell, shop.order()
    shell.json("settings", DOMAIN, "buy=manual")
    shell.run("label", "buy", DOMAIN, order, "--wait", "0")  # Has the order read.
    with started(shell, "work"):
        until(lambda: shell.run("order", "show", DOMAIN, order).exit_code == 0, "the worker to read the order")
    typed = ("order", "ship", DOMAIN, order, "--carrier", "Post", "--number")
    (parcel,) = shell.json("order", "show", DOMAIN, order)["parcels"]
    if parcel["state"] == "bought":
        shell.json("label", "void", parcel["id"], "--reason", "a test")
    holds("waybill order ship", shell.json(*typed, "RR1SK", "--price", "5"), shell.json(*typed, "RR1SK"))
    assert shell.json(*typed, "RR2SK", "--correct")["changed"] is True
    assert "went by hand" in shell.refused("label", "save", parcel["id"])
    holds("waybill order unship", shell.json("order", "unship", DOMAIN, order, "--reason", "a test"))


def test_the_fields_of_packing_are_documented(shell: Shell, tmp_path: Path) -> None:
    cartons, items, instances = (tmp_path / name for name in ("cartons.csv", "items.csv", "thpack.txt"))
    cartons.write_text("box,110,110,110,50,100,100,100,5000\n")
    items.write_text("o1,1,book,90,90,20,400\no1,1,rod,10,10,500,100\n")
    instances.write_text("1\n 1 5\n 10 10 10\n 1\n 1 5 1 5 1 5 1 9\n")
    order = shell.json("pack", "--cartons", str(cartons), "--items", str(items), "--why")
    loaded = shell.json("pack", "--thpack", str(instances))
    assert set(loaded["items"][0]) == set(order["cartons"][0]["items"][0])
    holds("waybill pack", order, {**loaded, "items": ["as those of a carton"]})


def test_the_fields_of_dates_are_documented(shop: Shop, tmp_path: Path) -> None:
    shell = shop.shell
    shell.json("promise", "cut-off", DOMAIN, "14:00")
    shell.json("promise", "closed", DOMAIN, "2026-12-24", "--why", "winter break")
    shown = shell.json("promise", "carrier", DOMAIN, "Sandbox", "--delivers", "mon-sat")
    location = {**shown["locations"][0], "cut_offs": {}}
    noted = {"findings": [{"severity": "", "field": "", "text": ""}], "locations": [location]}
    for name in ("cut-off", "carrier", "closed", "show"):
        holds(f"waybill promise {name}", shown | noted)
    bad = tmp_path / "transit.csv"
    bad.write_text("country,min_days,max_days\nAUT,1,2\n")
    holds("waybill promise import", shell.json("promise", "import", DOMAIN, str(bad), code=1))
    shell.json("promise", "import", DOMAIN, str(ROOT / "docs" / "transit-example.csv"))
    holds("waybill promise export", shell.json("promise", "export", DOMAIN))
    tried = shell.json("promise", "try", DOMAIN, "--country", "AT", "--at", "2026-11-23T09:00")
    assert (tried["by"], tried["counts_for"]) == ("table", "2026-11-23")
    holds("waybill promise try", tried)
    kept = shell.json("promise", "kept", DOMAIN)
    lane = dict.fromkeys(("carrier", "service", "from_country", "to_country"), "")
    lane |= {name: kept[name] for name in kept if name in LANE_FIGURES}
    holds("waybill promise kept", kept | {"lanes": [lane]})


LANE_FIGURES = (
    "parcels", "percent_kept", "on_time", "early", "late", "late_days", "by_history", "percent_stated",
    "percent_history_kept",
)  # fmt: skip


def test_the_fields_of_catalogues_and_cartons_are_documented(shop: Shop, tmp_path: Path) -> None:
    shell, example = shop.shell, str(ROOT / "docs" / "catalogue-example.csv")
    added = shell.json("carton", "add", DOMAIN, "small", "--size", "210x160x110", "--cost", "0.40")
    bad = tmp_path / "bad.csv"
    bad.write_text("sku,weight_g\nA,0\n")
    faulty = shell.json("catalogue", "import", DOMAIN, str(bad), code=1)
    assert shell.json("catalogue", "import", DOMAIN, example)["changed"] == 3
    holds("waybill catalogue import", faulty)
    holds("waybill catalogue export", shell.json("catalogue", "export", DOMAIN))
    holds("waybill catalogue check", shell.json("catalogue", "check", DOMAIN, "--destination", "US"))
    holds("waybill catalogue refresh", shell.json("catalogue", "refresh", DOMAIN))
    scale = tmp_path / "scale.csv"
    scale.write_text("sku,weight_g\n" + "MUG-1,470\n" * 3)
    taken = shell.json("catalogue", "measured", DOMAIN, str(scale))
    assert (taken["lines"], taken["changed"]) == (3, 3)
    assert shell.json("catalogue", "measured", DOMAIN, str(scale))["changed"] == 0
    holds("waybill catalogue measured", taken | {"faults": faulty["faults"]})
    holds("waybill catalogue suspects", shell.json("catalogue", "suspects", DOMAIN))
    holds("waybill catalogue accept", shell.json("catalogue", "accept", DOMAIN, "sku:MUG-1"))
    cartons = tmp_path / "cartons.csv"
    shell.ok("carton", "export", DOMAIN, "--out", str(cartons))
    again = shell.json("carton", "import", DOMAIN, str(cartons))
    assert again["version"] == added["version"]
    bad.write_text("name,length_mm,width_mm,height_mm\nbox,0,1,1\n")
    refused = shell.json("carton", "import", DOMAIN, str(bad), code=1)
    for name in ("add", "list", "import"):
        holds(f"waybill carton {name}", added | {"faults": refused["faults"]})
    holds("waybill carton export", shell.json("carton", "export", DOMAIN))
    removed = shell.json("carton", "remove", DOMAIN, "small")
    assert (removed["cartons"], removed["version"]) == ([], added["version"] + 1)
    holds("waybill carton remove", added | {"faults": refused["faults"]})


def test_the_fields_of_keys_are_documented(steady_shop: Shop) -> None:
    holds("waybill keys new", steady_shop.shell.json("keys", "new"))
    holds("waybill keys rotate", steady_shop.shell.json("keys", "rotate"))


def test_the_fields_of_care_are_documented(steady_shop: Shop, tmp_path: Path) -> None:
    file = str(tmp_path / "backup.tar.gz")
    holds("waybill backup", steady_shop.shell.json("backup", file, "--with-key"))
    restored = shell_in(tmp_path / "restored")
    holds("waybill restore", restored.json("restore", file))
    holds("waybill migrate-store", restored.json("migrate-store", "--to", f"sqlite:///{tmp_path / 'moved.db'}"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["up", "serve", "work"])
def test_the_fields_of_the_services_are_documented(tmp_path: Path, name: str) -> None:
    shell = shell_in(tmp_path)
    shell.ok("migrate")
    with started(shell, name, *([] if name == "work" else ["--port", "0"]), "--json") as process:
        holds(f"waybill {name}", json.loads(process.line()))


def test_errors_have_the_documented_form(steady_shop: Shop) -> None:
    (example,) = re.findall(r"```json\n(.+?)\n```", DOCUMENT, re.DOTALL)
    said = steady_shop.shell.json("settings", "nope", code=1)
    assert said == json.loads(example)
    assert set(steady_shop.shell.json("settings", code=2)["error"]) == {"message", "detail"}
