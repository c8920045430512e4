"""Cartons as settings keep them: what cannot be is refused by line and field, and a file comes back the same."""

from __future__ import annotations

import pytest

from connector import shop_settings
from connector.catalogue.cartons import CartonEntry, read_cartons, write_cartons
from connector.shop_settings import SettingsError, load
from tests.docs.test_documents import read

HEAD = "name,length_mm,width_mm,height_mm,tare_g,max_gross_g,cost_eur,flat_rate\n"


def test_the_example_file_is_read_and_written_the_same() -> None:
    cartons, faults = read_cartons(read("cartons-example.csv"))
    assert faults == ()
    assert [carton.name for carton in cartons] == ["small", "large", "polybag"]
    assert read_cartons(write_cartons(cartons)) == (cartons, ())
    settings = load({"packing": {"cartons": [each.model_dump(mode="json") for each in cartons]}})
    assert load(shop_settings.dump(settings)) == settings


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("box,0,10,10,,,,", "length_mm"),
        ("box,10,10,10,50,50,,", "carton"),
        ("box,10,10,10,,,-1,", "cost"),
        ("box,10,10,10,,,1.005,", "cost"),
        ("box,10,10,10,,,,perhaps", "flat_rate"),
        ("box,10,10,10,,,,yes", "carton"),
        (",10,10,10,,,,", "name"),
        ("box,10,10", "name"),
    ],
)
def test_a_carton_that_cannot_be_is_refused(line: str, field: str) -> None:
    cartons, faults = read_cartons(f"{HEAD}{line}\n")
    assert cartons == ()
    assert [fault.line for fault in faults] == [2]
    assert faults[0].field in {field, "carton"}


def test_a_header_without_units_and_an_empty_file_are_refused() -> None:
    assert read_cartons("name,length,width,height\n")[1]
    assert read_cartons("name,length_mm,width_cm,height_mm\n")[1]
    assert read_cartons(HEAD)[1]
    assert read_cartons(f"{HEAD}a,1,1,1,,,,\na,1,1,1,,,,\n")[1][0].field == "name"


def test_cartons_of_one_name_or_of_two_currencies_are_no_settings() -> None:
    one = CartonEntry(name="a", length_mm=10, width_mm=10, height_mm=10, cost="1.00", currency="EUR").model_dump()  # type: ignore[arg-type]
    for bad in ([one, one], [one, {**one, "name": "b", "currency": "USD"}]):
        with pytest.raises(SettingsError):
            load({"packing": {"cartons": bad}})


def test_a_carton_goes_with_the_accounts_that_it_names() -> None:
    carton = CartonEntry(name="a", length_mm=10, width_mm=10, height_mm=10, carriers=("EasyPost", "acc_7"))
    assert carton.goes_with("acc_1", "easypost")
    assert carton.goes_with("acc_7", "rate_table")
    assert not carton.goes_with("acc_1", "rate_table")
