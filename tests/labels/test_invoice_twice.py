"""The same bill twice is booked once, and two bills are two: in one file and in two files."""

from __future__ import annotations

from carriers.invoice import MoneyBack
from carriers.money import Money
from connector.attention.board import open_matters
from connector.labels import amounts
from connector.labels.invoice_csv import InvoiceLine
from connector.labels.invoice_news import take_in
from connector.storage.database import Database
from connector.work.memory import MemoryWork
from tests.conftest import FrozenClock
from tests.labels.invoicing import book_invoice, read_invoice
from tests.labels.test_invoices import NOW, SHOP, adjusted, bought


def added(minor: int, reason: str = "", invoice: str = "") -> InvoiceLine:
    return InvoiceLine(2, "T1", Money(minor, "EUR"), invoice, reason)


def test_a_line_that_stands_in_a_file_twice_counts_once_and_two_charges_count_both() -> None:
    rows = [
        "tracking,amount,invoice,reason,charge id",
        "T1,1.50,I1,Residential,a",
        "T1,1.50,I1,Residential,a",
        "T1,1.50,I1,Residential,b",
        "T2,2.00,I1,Weight,",
    ]
    first, second = read_invoice(rows, {}, "EUR")
    assert (first.amount, second.amount) == (Money(300, "EUR"), Money(200, "EUR"))


def test_amounts_without_a_word_beside_them_are_each_their_own() -> None:
    (line,) = read_invoice(["tracking,amount", "T1,1.50", "T1,1.50"], {}, "EUR")
    assert line.amount == Money(300, "EUR")


def test_a_further_adjustment_in_a_file_without_invoice_numbers_is_booked_and_a_repeat_is_not(
    database: Database,
) -> None:
    bought(database, 1)

    def book(line: InvoiceLine) -> tuple[int, int]:
        done = database.run_here(book_invoice, SHOP, [line], "adjustment", NOW)
        return done.booked, done.known

    assert [book(added(215, "Weight")) for _ in range(2)] == [(1, 0), (0, 1)]
    assert [book(added(120, "Address")) for _ in range(2)] == [(1, 0), (0, 1)]
    assert book(added(215, "Weight")) == (0, 1)
    assert sorted(adjusted(database, 1)) == [120, 215]


def test_a_repeat_under_its_own_invoice_number_is_known_whatever_it_says(database: Database) -> None:
    bought(database, 1)
    for minor in (215, 120):
        database.run_here(book_invoice, SHOP, [added(minor, "Weight", "I1")], "adjustment", NOW)
    assert adjusted(database, 1) == [215]


def test_a_refund_that_came_with_a_file_is_not_taken_off_again_by_the_same_file(database: Database) -> None:
    bought(database, 1, state="void_requested", refund="requested", void_at=NOW, settled_at=NOW, version=1)
    for _ in range(2):
        database.run_here(book_invoice, SHOP, [added(-1000, "Void")], "adjustment", NOW)
    assert adjusted(database, 1) == []


def test_money_that_came_back_of_a_label_in_use_is_put_before_a_person_and_books_nothing(database: Database) -> None:
    """Somebody voided it at the carrier."""
    bought(database, 1)
    back = MoneyBack("h1", "", "USPS", NOW, "rfnd_1")
    for _ in range(2):
        assert not database.run_here(take_in, MemoryWork(database, FrozenClock(NOW)), SHOP, "acc_1", back, NOW)
    (matter,) = database.run_here(open_matters, SHOP)
    assert (matter.subject, matter.reason.code) == ("lab_1", "refund_unasked")
    assert database.run_here(amounts.of_order, SHOP, "ord_1") == []
