"""The stage gates: what has to be there before a customer enters a stage, as each organization wants it.

A rule holds for its stage and all later ones, so a jump over several stages asks for everything on
the way. Moves backwards are never asked anything. Rules are conditions of SQL: one statement
answers for one customer and for hundreds.
"""

from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.api.labels import labels_of
from customers.choices import STAGE_RANK, Stage
from employees.choices import GateMode, GatePreset, GateRule

REFUSED = _("The gates of the stage refuse this move")


class Gate(NamedTuple):
    """Before which stage a rule asks, for which field of the API, and when it is not met.

    `unmet` is SQL over the customer `c`, its organization `o`, its assignee `e` (if any) and `today` in Riyadh.
    """

    stage: str
    field: str
    unmet: str


def _no(table, condition="TRUE"):
    return f"NOT {_any(table, condition)}"


def _any(table, condition="TRUE"):
    return f"EXISTS (SELECT FROM {table} t WHERE t.customer_id = c.id AND {condition})"


def _licensed(who):
    return f"({who}.fal_license_number <> '' AND coalesce({who}.fal_license_expiry >= today, TRUE))"


_NOT_CANCELLED = "t.status <> 'cancelled'"
_BUYS = "c.preferences ->> 'purpose' IS DISTINCT FROM 'rent'"
_STANDING_LEASE = """t.status IN ('active', 'renewed') AND (t.end_date >= today OR t.auto_renewal)
    AND t.created_in_ejar AND t.ejar_contract_number IS NOT NULL"""

# Sources: the Brokerage Law (M/130), the Ejar decree, the Off-Plan Sale and Lease Law; see docs/compliance.md.
GATES = {
    GateRule.QUALIFIED_NEEDS_PREFERENCES: Gate(
        Stage.QUALIFIED,
        "preferences.propertyType",
        "coalesce(jsonb_array_length(c.preferences -> 'propertyType'), 0) = 0",
    ),
    GateRule.ORG_LICENSE_INVALID: Gate(
        Stage.NEGOTIATION, "organization.falLicenseNumber", f"NOT {_licensed('o')} AND {_licensed('e')} IS NOT TRUE"
    ),
    GateRule.BROKERAGE_CONTRACT_REQUIRED: Gate(
        Stage.CONTRACT_PREP,
        "ksaCompliance.brokerageContracts",
        _no("brokerage_contracts", "t.status IN ('active', 'completed')"),
    ),
    GateRule.BROKERAGE_CONTRACT_NUMBER_REQUIRED: Gate(
        Stage.CONTRACT_PREP,
        "ksaCompliance.brokerageContracts.contractNumber",
        _any("brokerage_contracts", "t.status = 'active' AND coalesce(t.rega_contract_id, t.contract_number) IS NULL"),
    ),
    GateRule.IDENTITY_REQUIRED: Gate(Stage.CONTRACT_PREP, "nationalId", "c.national_id = ''"),
    GateRule.WAFI_LICENSE_REQUIRED: Gate(
        Stage.DOWN_PAYMENT, "ksaCompliance.wafiLicense.status", _any("wafi_licenses", "t.status = 'planning'")
    ),
    GateRule.ESCROW_ACCOUNT_REQUIRED: Gate(
        Stage.DOWN_PAYMENT,
        "ksaCompliance.paymentSchedule.escrowAccount",
        _any("wafi_licenses", "t.status IN ('planning', 'licensed', 'construction')")
        + " AND "
        + _any(
            "payments",
            f"t.type IN ('down_payment', 'installment') AND {_NOT_CANCELLED} AND t.escrow_account = ''",
        ),
    ),
    GateRule.PAYMENT_SCHEDULE_REQUIRED: Gate(
        Stage.DOWN_PAYMENT,
        "ksaCompliance.paymentSchedule",
        f"{_BUYS} AND {_no('payments', _NOT_CANCELLED)}",
    ),
    GateRule.EJAR_CONTRACT_REQUIRED: Gate(
        Stage.CLOSING, "ksaCompliance.ejarContracts", f"NOT ({_BUYS}) AND {_no('ejar_contracts', _STANDING_LEASE)}"
    ),
    GateRule.MORTGAGE_NOT_APPROVED: Gate(
        Stage.CLOSING,
        "ksaCompliance.mortgageInfo.status",
        f"{_BUYS} AND "
        + _any(
            "mortgage_infos",
            "t.status IN ('pre_approved', 'application_submitted', 'rejected') AND t.financing_type <> 'self_funded'",
        ),
    ),
    GateRule.DOWN_PAYMENT_OUTSTANDING: Gate(
        Stage.CLOSING,
        "ksaCompliance.paymentSchedule",
        _any("payments", "t.type = 'down_payment' AND t.status IN ('pending', 'overdue')"),
    ),
    GateRule.DEED_REQUIRED: Gate(
        Stage.POST_SALE,
        "ksaCompliance.registryInfo.deedNumber",
        f"{_BUYS} AND {_no('wafi_licenses')} AND " + _no("registry_infos", "t.deed_number <> ''"),
    ),
    GateRule.CRITICAL_DEFECTS_OPEN: Gate(
        Stage.POST_SALE,
        "ksaCompliance.handoverDefects",
        _any("handover_defects", "t.severity = 'critical' AND t.status IN ('open', 'in_progress')"),
    ),
}
# Taking money for what is not licensed is a crime, whatever an organization has set out to be strict about.
_PRESETS = {
    GatePreset.RELAXED: dict.fromkeys(GATES, GateMode.OFF),
    GatePreset.STANDARD: dict.fromkeys(GATES, GateMode.WARN)
    | dict.fromkeys([GateRule.WAFI_LICENSE_REQUIRED, GateRule.ESCROW_ACCOUNT_REQUIRED], GateMode.ENFORCE),
    GatePreset.STRICT: dict.fromkeys(GATES, GateMode.ENFORCE),
}


def modes_of(organization):
    """`{rule: off, warn or enforce}`."""
    return _PRESETS[organization.gate_preset] | organization.gate_rules


def sort(customers, stage, actor, override_reason=""):
    """What becomes of customers, as they are stored, who are to enter a stage: `(refused, overridden)`.

    `refused` are `{id: findings}`, `overridden` `{id: rules}`; a finding is `{rule, stage, field, message,
    messageAr}`. Those of customers who may pass are their `warnings`. Raises PermissionDenied when a reason is
    given by somebody who may not override.
    """
    if override_reason and not (actor and actor.may("gates.override")):
        raise PermissionDenied("gates.override")
    if not customers:
        return {}, {}
    refused, overridden = {}, {}
    modes = modes_of(actor.organization if actor else customers[0].organization)
    of_key = {customer.pk: customer for customer in customers}
    for key, rules in _unmet(modes, stage, list(of_key)):
        enforced = [rule for rule in rules if modes[rule] == GateMode.ENFORCE]
        if enforced and not override_reason:
            refused[key] = [_refusal(rule) for rule in enforced]
        else:
            of_key[key].warnings = [_finding(rule) for rule in rules]
            if enforced:
                overridden[key] = enforced
    return refused, overridden


def missing(organization, stage, keys):
    """`[(id, rules)]` of customers of an organization who lack something that it asks for before a stage."""
    return _unmet(modes_of(organization), stage, keys)


def _unmet(modes, stage, keys):
    """`[(id, rules)]` of those who lack something that is asked for before a stage."""
    asked = [rule for rule, mode in modes.items() if mode != GateMode.OFF and _is_on_the_way(rule, stage)]
    if not asked:
        return []
    cases = ", ".join(f"CASE WHEN {GATES[rule].unmet} THEN '{rule}' END" for rule in asked)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id, rules FROM (
                SELECT c.id, array_remove(ARRAY[{cases}], NULL) AS rules
                  FROM customers c JOIN organizations o ON o.id = c.organization_id
                  LEFT JOIN employees e ON e.id = c.assigned_employee_id
                 CROSS JOIN (SELECT %s::date AS today) AS clock
                 WHERE c.id = ANY(%s)
            ) AS answers WHERE rules <> '{{}}'
            """,
            [timezone.localdate(), keys],
        )
        return cursor.fetchall()


def _is_on_the_way(rule, stage):
    return STAGE_RANK[GATES[rule].stage] <= STAGE_RANK[stage]


def _refusal(rule):
    """A finding as an error: its message is in the language of the caller, as those of all errors."""
    return _finding(rule) | {"message": str(GateRule(rule).label)}


def _finding(rule):
    gate, labels = GATES[rule], labels_of(GateRule)[rule]
    texts = {"message": labels["labelEn"], "messageAr": labels["label"]}
    return {"rule": str(rule), "stage": str(gate.stage), "field": gate.field, **texts}
