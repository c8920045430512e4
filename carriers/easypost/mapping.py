"""EasyPost's answers in our words. Pure: no clock, no network.

What cannot be understood in a list is left out and named as a problem; it never spoils the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from carriers.easypost import wire
from carriers.errors import Garbled, Retryable
from carriers.label import Created, LabelFile, NotBought, Purchased, Voided, VoidState
from carriers.money import Money, MoneyError
from carriers.rate import Problem, Rate, Rates

_AMOUNT = re.compile(r"\d{1,9}(\.\d{1,12})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MESSAGE_LENGTH = 300
_PERSONAL = re.compile(r"[^\s@]+@[^\s@]+|\+?\d[\d ().-]{5,}\d")
# The carrier's own sentences; which of our codes they mean. First match wins.
_REASONS: tuple[tuple[str, str], ...] = (
    (r"credential|access license|authenticat|unauthori[sz]ed|account number", "credentials"),
    (r"timed? ?out|timeout|took too long|no response", "timeout"),
    (r"rate limit|too many requests", "overloaded"),
    (r"unavailable|could not connect|connection (refused|reset)", "unreachable"),
    (r"not (available|supported|offered)|no (rates?|services?)\b|does not (serve|ship)", "no_service"),
)
_REFUNDS: dict[str, VoidState] = {
    "submitted": "requested",
    "refunded": "voided",
    "rejected": "refused",
    "not_applicable": "nothing_charged",
}
# All other forms go with the parcel, such as commercial_invoice, cn22, high_value_report and what is new.
_RETURN_FORMS = {"label_qr_code", "return_packing_slip", "rma_qr_code", "cod_return_label"}
_POSTAGE = "PostageFee"
_MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png", "zpl": "application/zpl"}


def amount(text: str, currency: str) -> Money:
    """A price; digits beyond the currency's are rounded half up. Raises Garbled for what is no plain amount."""
    if not _AMOUNT.fullmatch(text) or not _CURRENCY.fullmatch(currency):
        raise Garbled("EasyPost's answer holds an amount that cannot be read.", detail="amount")
    try:
        return Money.rounded(text, currency)
    except MoneyError as error:
        raise Garbled("EasyPost's answer holds an amount that cannot be read.", detail="amount") from error


def moment(text: str) -> datetime | None:
    """A time; one without an offset is UTC, as EasyPost writes it. None for what is no time."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except OverflowError:
        return None


def is_test(mode: str) -> bool | None:
    """What an answer says of itself."""
    return {"test": True, "production": False}.get(mode)


def readable(message: str, personal: Sequence[str] = ()) -> str:
    """A carrier's sentence, shortened, without the given personal words, e-mail addresses and long numbers."""
    for word in sorted({w.strip() for w in personal if len(w.strip()) > 2}, key=len, reverse=True):
        message = re.sub(re.escape(word), "…", message, flags=re.IGNORECASE)
    return _PERSONAL.sub("…", message)[:_MESSAGE_LENGTH].strip()


def rate(value: object) -> Rate:
    """One price. Raises Garbled."""
    read = wire.read(wire.WireRate, value)
    listed = None
    if read.list_rate and read.list_currency:
        try:
            listed = amount(read.list_rate, read.list_currency)
        except Garbled:
            listed = None
    return Rate(
        account=read.carrier_account_id,
        carrier=read.carrier,
        service=read.service,
        price=amount(read.rate, read.currency),
        list_price=listed,
        transit_days=read.delivery_days if read.delivery_days is not None and 0 <= read.delivery_days < 366 else None,
        delivery_at=moment(read.delivery_date),
        guaranteed=read.delivery_date_guaranteed,
        rate_id=read.id,
    )


def rates(value: object, personal: Sequence[str] = ()) -> Rates:
    """The answer of /beta/rates, or of a created shipment. Raises Garbled if it is neither.

    `personal` are words of the request that must not come back in a problem's message.
    """
    read = wire.read(wire.WireShipment, value)
    if not isinstance(value, dict) or not isinstance(value.get("rates"), list):
        raise Garbled("EasyPost's answer holds no rates.", detail="rates")
    found, problems = _rates(read.rates)
    problems += [_problem(message, personal) for message in read.messages]
    return Rates(tuple(found), tuple(problems), test_mode=_mode(read))


def created(value: object, personal: Sequence[str] = ()) -> Created:
    """A created shipment. Raises Garbled without an id, as nothing can be bought then."""
    read = wire.read(wire.WireShipment, value)
    if not read.id:
        raise Garbled("EasyPost's answer names no shipment.", detail="id")
    priced = rates(value, personal)
    return Created(read.id, priced.rates, priced.problems, priced.test_mode)


def purchased(value: object) -> Purchased | NotBought:
    """A shipment as it is now: with its label, or not bought.

    Raises Retryable while a purchase looks half done, Garbled if the label is there and its price is nowhere.
    """
    read = wire.read(wire.WireShipment, value)
    if not read.id:
        raise Garbled("EasyPost's answer names no shipment.", detail="id")
    if read.postage_label is None and not read.tracking_code:
        if read.selected_rate:
            raise Retryable("EasyPost has not finished this purchase yet.", detail="selected_rate without label")
        return NotBought(read.id)
    tracker = read.tracker or wire.WireTracker()
    return Purchased(
        handle=read.id,
        rate=_booked(read),
        tracking_code=read.tracking_code or tracker.tracking_code,
        tracker=tracker.id,
        tracking_url=tracker.public_url,
        files=_files(read),
        fees=_fees(read.fees, _beside),
        test_mode=is_test(read.mode),
    )


def voided(value: object) -> Voided:
    """How a refund stands; a status that we do not know is `unknown` and kept in the message.

    A refund right after the label was made may be rejected wrongly (EasyPost's help), so that a rejection may change.
    Where the carrier bills the merchant itself, `refunded` says that the void was granted: the money comes with the
    carrier's own invoice. Its fees may be refunded too (docs.easypost.com, "Shipping Refund", 2026, of USPS labels);
    each fee says itself whether it was.
    """
    read = wire.read(wire.WireShipment, value)
    status = read.refund_status
    if status not in _REFUNDS:
        return Voided("unknown", readable(status))
    back = tuple(name for name, _ in _fees(read.fees, lambda fee: _beside(fee) and fee.refunded is True))
    booked = wire.read_or_none(wire.WireRate, read.selected_rate)
    if status == "refunded" and booked is not None and booked.billing_type == "carrier":
        return Voided("accepted", fees_back=back)
    return Voided(_REFUNDS[status], may_change=status == "rejected", fees_back=back)


def _rates(lines: Sequence[object]) -> tuple[list[Rate], list[Problem]]:
    found: list[Rate] = []
    problems: list[Problem] = []
    for line in lines:
        try:
            found.append(rate(line))
        except Garbled:
            named = wire.read_or_none(wire.WireMessage, line) or wire.WireMessage()
            problems.append(Problem(named.carrier_account_id, named.carrier, "garbled"))
    return found, problems


def _problem(line: object, personal: Sequence[str]) -> Problem:
    read = wire.read_or_none(wire.WireMessage, {"message": line} if isinstance(line, str) else line)
    if read is None:
        return Problem("", "", "garbled")
    code = next((code for pattern, code in _REASONS if re.search(pattern, read.message, re.IGNORECASE)), "rate_refused")
    return Problem(read.carrier_account_id, read.carrier, code, readable(read.message, personal))


def _mode(read: wire.WireShipment) -> bool | None:
    """Production if anything in the answer says so: a test shop must not trust the rest."""
    lines = [wire.read_or_none(wire.WireMode, line) for line in read.rates]
    modes = {read.mode} | {line.mode for line in lines if line is not None}
    said = {is_test(mode) for mode in modes} - {None}
    return False if False in said else (True if said else None)


def _booked(read: wire.WireShipment) -> Rate:
    """The rate as booked. A paid label is not lost for a missing field: then the postage fee says the price."""
    try:
        return rate(read.selected_rate)
    except Garbled:
        postage = dict(_fees(read.fees, lambda _: True)).get(_POSTAGE)
        if postage is None:
            raise
        carrier = read.tracker.carrier if read.tracker else ""
        return Rate(account="", carrier=carrier, service="", price=postage)


def _files(read: wire.WireShipment) -> tuple[LabelFile, ...]:
    label = read.postage_label or wire.WireLabel()
    by_suffix = _MEDIA_TYPES.get(label.label_url.rpartition(".")[2].lower(), "")
    files = [
        LabelFile("label", label.label_file_type or by_suffix, label.label_url),
        LabelFile("label", _MEDIA_TYPES["pdf"], label.label_pdf_url),
        LabelFile("label", _MEDIA_TYPES["zpl"], label.label_zpl_url),
    ]
    for line in read.forms:
        form = wire.read_or_none(wire.WireForm, line) or wire.WireForm()
        is_return = form.form_type in _RETURN_FORMS
        suffix = form.form_url.rpartition(".")[2].lower()
        media_type = _MEDIA_TYPES.get(suffix, _MEDIA_TYPES["pdf"])
        files.append(LabelFile("return" if is_return else "customs", media_type, form.form_url))
    by_url = {file.url: file for file in reversed(files) if file.url}
    return tuple(reversed(by_url.values()))


def _beside(fee: wire.WireFee) -> bool:
    """Whether it is taken beside the postage: that is the rate's price."""
    return fee.type != _POSTAGE and fee.charged is not False


def _fees(lines: Sequence[object], wanted: Callable[[wire.WireFee], bool]) -> tuple[tuple[str, Money], ...]:
    """Fees are in USD (EasyPost's documentation of the Fee object, 2026)."""
    fees: list[tuple[str, Money]] = []
    for line in lines:
        fee = wire.read_or_none(wire.WireFee, line)
        if fee is None or not wanted(fee):
            continue
        try:
            fees.append((fee.type, amount(fee.amount, "USD")))
        except Garbled:
            continue
    return tuple(fees)
