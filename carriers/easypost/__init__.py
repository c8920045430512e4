"""EasyPost: rates and labels of many carriers through one account (https://docs.easypost.com)."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel

from carriers.carrier import Capabilities, Carrier, CarrierKind
from carriers.easypost.client import EasyPost
from carriers.easypost.settings import EasyPostSettings
from carriers.easypost.setup import set_up_hook
from carriers.easypost.standing import read_standing
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock

CAPABILITIES = Capabilities(
    signature=True,
    repeat_purchase="refused",  # SHIPMENT.POSTAGE.EXISTS
    look_up_ceiling_s=100,  # EasyPost ends its own work after 90 s (an engineer of theirs, 2017).
    label_formats=frozenset({"pdf", "png", "zpl"}),
    return_label=True,
    manifest=True,
    pickup=True,
    verify_address=True,
    # EasyPost's help on refunds: USPS 30 days, UPS and FedEx 90; EasyPost's own accounts with them have other names.
    void_days=(("USPS", 30), ("UPS", 90), ("UPSDAP", 90), ("FedEx", 90), ("FedExDefault", 90)),
)


def connect(settings: BaseModel, outgoing: Outgoing, clock: Clock) -> Carrier:
    """A connection with one key; `settings` is an EasyPostSettings."""
    checked = EasyPostSettings.model_validate(settings.model_dump())
    capabilities = replace(CAPABILITIES, look_up_ceiling_s=checked.look_up_ceiling_s)
    return EasyPost(checked, outgoing, clock, capabilities)


KIND = CarrierKind(
    name="easypost",
    title="EasyPost",
    settings=EasyPostSettings,
    capabilities=CAPABILITIES,
    connect=connect,
    set_up_hook=set_up_hook,
    standing=read_standing,
)
