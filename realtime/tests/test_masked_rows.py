"""Two readers of one declaration: PostgreSQL renders a row for a role, and rows of events are masked for it."""

import random
from copy import deepcopy

import orjson
import pytest

from actions.models import CustomerAction
from actions.serializers import CustomerActionSerializer
from config.api.links import unmarked
from config.api.masking import shown_to
from config.api.renderers import dumps
from config.api.rows import rows_of
from config.testing import data_of, make_action, make_customer
from customers.includes import INCLUDES
from customers.models import Customer, StageChange
from customers.serializers.customer import CustomerSerializer
from customers.tests.deals import DEAL, write_whole
from documents.choices import DocumentType
from documents.models import Document
from employees.choices import GateRule, Role
from employees.roles import PERMISSIONS

EVERYTHING = frozenset().union(*PERMISSIONS.values())


def rendered(serializer, keys, permissions):
    rows = rows_of(serializer, None, frozenset(INCLUDES), permissions).fetch(keys)
    return [orjson.loads(unmarked(text)) for text, *_rest in rows]


def some(rng, mapping):
    return {name: mapping[name] for name in mapping if rng.random() < 0.6}


def some_of_deal(rng):
    """Parts of the deal, without some of the amounts that only few may see, and with numbers of its own."""
    deal = some(rng, deepcopy(DEAL))
    for item in deal.get("brokerageContracts", []) + deal.get("ejarContracts", []):
        for name in item.keys() & {"contractNumber", "regaContractId", "ejarContractNumber"}:
            item[name] = rng.randbytes(6).hex()
    for name in ("householdIncome", "approvedLoanAmount"):
        if rng.random() < 0.5:
            deal.get("sakaniEligibility", {}).pop(name, None)
    return deal


def make_random_customer(rng, actor, client):
    values = {"nationality": "Saudi", "tags": ["vip"], "city": "جدة", "notes": "ملاحظة", "total_deal_value": 10}
    customer = make_customer(actor, **some(rng, values))
    data_of(write_whole(client, customer, some_of_deal(rng)))
    digits = "".join(rng.choices("0123456789", k=rng.choice([0, 3, 4, 5, 10])))
    Customer.objects.filter(pk=customer.pk).update(national_id=digits)
    for _ in range(rng.randint(0, 3)):
        rules = [rule for rule in GateRule.values if rng.random() < 0.3]
        rules += [GateRule.MORTGAGE_NOT_APPROVED.value] if rng.random() < 0.5 else []
        StageChange.objects.create(
            customer=customer, to_stage="closing", changed_by="x", changed_by_id="x", overridden=rules or None
        )
    for kind in rng.choices(DocumentType.values + ["id_copy"], k=rng.randint(0, 4)):
        place = {"original_url": "https://files.example/1"} if rng.random() < 0.3 else {"storage_key": rng.randbytes(8)}
        place = {name: value.hex() if isinstance(value, bytes) else value for name, value in place.items()}
        Document.objects.create(
            customer=customer, organization_id=customer.organization_id, name="x", type=kind, uploaded_by="x", **place
        )
    return customer


@pytest.mark.parametrize("role", Role.values)
def test_what_is_masked_is_what_the_role_would_read(as_, layla, role):
    rng, client = random.Random(role), as_(layla)
    customers = [make_random_customer(rng, layla, client) for _ in range(12)]
    for customer in customers[:4]:
        make_action(layla, customer, notes="ملاحظة", **some(rng, {"description": "x", "metadata": {"a": None}}))
    for serializer, model in ((CustomerSerializer, Customer), (CustomerActionSerializer, CustomerAction)):
        keys = list(model.objects.order_by("pk").values_list("pk", flat=True))
        read = rendered(serializer, keys, PERMISSIONS[role])
        wholes = rendered(serializer, keys, EVERYTHING)
        masked = [shown_to(serializer, whole, PERMISSIONS[role]) for whole in wholes]
        assert [orjson.loads(unmarked(dumps(row).decode())) for row in masked] == read
        assert (read == wholes) is (role != Role.VIEWER or model is CustomerAction)
