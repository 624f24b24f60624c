"""The ten parts of a customer's compliance: what they are called in the API, in paths and in the database."""

from typing import NamedTuple

from customers.models import (
    BrokerageContract,
    BrokerageLicense,
    EjarContract,
    EscrowMilestone,
    HandoverDefect,
    MortgageInfo,
    Payment,
    RegistryInfo,
    SakaniEligibility,
    WafiLicense,
)

# Of one list.
MAX_ITEMS = 200

# What every row has beside what people write.
_OURS = {"id", "customer", "organization", "position", "version", "created_at", "updated_at"}


class Part(NamedTuple):
    """One part: an object of the customer, or a list of items."""

    name: str
    # What one of it is called in answers, and the part in paths.
    one: str
    word: str
    model: type
    is_list: bool = False

    @property
    def related_name(self):
        """What the customer's relation, and a change of it, is called."""
        return self.model._meta.get_field("customer").remote_field.related_name

    @property
    def columns(self):
        """The columns that people write, with those that the hub writes beside them."""
        return [field for field in self.model._meta.concrete_fields if field.name not in _OURS]


PARTS = {
    part.related_name: part
    for part in (
        Part("brokerageLicense", "brokerageLicense", "brokerage-license", BrokerageLicense),
        Part("brokerageContracts", "brokerageContract", "brokerage-contracts", BrokerageContract, is_list=True),
        Part("ejarContracts", "ejarContract", "ejar-contracts", EjarContract, is_list=True),
        Part("wafiLicense", "wafiLicense", "wafi-license", WafiLicense),
        Part("escrowMilestones", "escrowMilestone", "escrow-milestones", EscrowMilestone, is_list=True),
        Part("handoverDefects", "handoverDefect", "handover-defects", HandoverDefect, is_list=True),
        Part("sakaniEligibility", "sakaniEligibility", "sakani-eligibility", SakaniEligibility),
        Part("registryInfo", "registryInfo", "registry-info", RegistryInfo),
        Part("mortgageInfo", "mortgageInfo", "mortgage-info", MortgageInfo),
        Part("paymentSchedule", "payment", "payment-schedule", Payment, is_list=True),
    )
}


def api_name(column):
    """What the API calls a column: `rega_contract_id` is `regaContractId`."""
    first, *others = column.split("_")
    return first + "".join(word.capitalize() for word in others)
