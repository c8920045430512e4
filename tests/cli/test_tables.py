"""Rate tables from the command line: a bad file changes nothing, a good one prices the next cart, and comes back."""

from __future__ import annotations

from pathlib import Path

from tests.cli.shell import ROOT
from tests.cli.worlds import DOMAIN, Shop
from tests.docs.test_cli_doc import holds

EXAMPLE = ROOT / "docs" / "rate-table-example.csv"
PRICE = ("table", "price", DOMAIN, "--country", "SK", "--postal", "811 01", "--grams", "1200")


def bad(folder: Path) -> Path:
    """The example with two faults."""
    file = folder / "bad.csv"
    file.write_bytes(EXAMPLE.read_bytes().replace(b",3.20,", b",3.2O,").replace(b"7.5,,2026-11-01", b"7.5,,2026-13-01"))
    return file


def test_a_table_is_imported_asked_and_given_back_byte_for_byte(shop: Shop, tmp_path: Path) -> None:
    shell = shop.shell
    done = shell.json("table", "import", DOMAIN, str(EXAMPLE))
    assert (done["updated"], done["faults"], done["services"]) == (False, [], ["Standard", "Courier"])
    account = done["account_id"]
    assert shell.run("table", "export", DOMAIN, account).stdout_bytes == EXAMPLE.read_bytes()
    out = tmp_path / "out.csv"
    shell.ok("table", "export", DOMAIN, account, "--out", str(out))
    assert out.read_bytes() == EXAMPLE.read_bytes()
    shell.ok("table", "export", DOMAIN, account, "--out", str(out), "--canonical")
    again = shell.json("table", "import", DOMAIN, str(out))
    assert (again["updated"], again["account_id"]) == (True, account)
    assert shell.run("table", "export", DOMAIN, account).stdout_bytes == out.read_bytes()

    asked = shell.json("quote", str(shop.rate_request), "--shop", DOMAIN)
    ours = [offer for offer in asked["offers"] if offer["code"] == "own-delivery-standard"]
    assert ours
    withheld = [(each["carrier"], each["service"]) for each in asked["withheld"]]
    assert ("Own delivery", "") in withheld
    assert {carrier for carrier, service in withheld if service} <= {"Sandbox"}  # Its express is no sooner than ours.


def test_a_bad_file_names_every_fault_and_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    shell = shop.shell
    account = shell.json("table", "import", DOMAIN, str(EXAMPLE))["account_id"]
    found = shell.json("table", "import", DOMAIN, str(bad(tmp_path)), code=1)
    assert [(each["line"], each["field"]) for each in found["faults"]] == [(14, "price"), (23, "from")]
    assert found["account_id"] is None
    said = shell.run("table", "import", DOMAIN, str(bad(tmp_path)))
    assert said.exit_code == 1
    assert said.stdout.startswith("Nothing was changed: the file has 2 fault(s).\n  line 14, price: ")
    assert shell.run("table", "export", DOMAIN, account).stdout_bytes == EXAMPLE.read_bytes()


def test_a_check_keeps_nothing(shop: Shop, tmp_path: Path) -> None:
    done = shop.shell.json("table", "import", DOMAIN, str(EXAMPLE), "--check")
    assert (done["account_id"], done["faults"]) == (None, [])
    assert "nothing was kept" in shop.shell.ok("table", "import", DOMAIN, str(EXAMPLE), "--check")
    assert "no such rate table" in shop.shell.refused(*PRICE)


def test_a_price_names_the_line_that_says_so(shop: Shop) -> None:
    shell = shop.shell
    account = shell.json("table", "import", DOMAIN, str(EXAMPLE))["account_id"]
    (table,) = shell.json(*PRICE, "--items", "2", "--on", "2026-11-15")["tables"]
    standard, courier = table["services"]
    assert (standard["price"], standard["lines"]) == ({"amount": "3.44", "currency": "EUR"}, [14])
    assert (courier["price"]["amount"], courier["surcharges"]) == ("10.64", ["Fuel"])
    text = shell.ok(*PRICE, "--account", account, "--size", "400x300x200", "--parcels", "2", "--subtotal", "20")
    assert "4800 g + 4800 g" in text
    assert "Courier depends on the number of items" in text
    assert shell.json(*PRICE, "--file", str(EXAMPLE))["tables"][0]["account_id"] == ""


def test_what_cannot_be_is_refused_in_one_line(shop: Shop, tmp_path: Path) -> None:
    shell = shop.shell
    assert "no rate table" in shell.refused("table", "import", DOMAIN, str(EXAMPLE), "--account", "acc_nope")
    assert "no rate table" in shell.refused("table", "export", DOMAIN, "acc_nope")
    assert "line 14, price" in shell.refused(*PRICE, "--file", str(bad(tmp_path)))
    assert "three lengths" in shell.refused(*PRICE, "--file", str(EXAMPLE), "--size", "1x2")
    assert "not an amount" in shell.refused(*PRICE, "--file", str(EXAMPLE), "--subtotal", "x")


def test_the_fields_of_the_answers_are_documented(shop: Shop, tmp_path: Path) -> None:
    shell = shop.shell
    done = shell.json("table", "import", DOMAIN, str(EXAMPLE))
    faulty = shell.json("table", "import", DOMAIN, str(bad(tmp_path)), code=1)
    holds("waybill table import", {**done, "faults": faulty["faults"]})
    holds("waybill table export", shell.json("table", "export", DOMAIN, done["account_id"]))
    holds("waybill table price", shell.json(*PRICE, "--on", "2026-11-15"))
