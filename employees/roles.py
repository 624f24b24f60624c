"""Who may do what, as data: the permission matrix of the hub.

"Own" rows are a matter of `visible_to`; this file says only which verbs a role has.
"""

from employees.choices import Role

_READ = frozenset(
    {"customers.read", "actions.read", "documents.read", "stats.read", "employees.read", "listings.read"},
)
_WORK = _READ | {
    "customers.write",
    "customers.claim",
    "customers.pii",
    "actions.write",
    "actions.bulk",
    "documents.write",
}
_LEAD = _WORK | {
    "customers.assign",
    "customers.delete",
    "customers.export",
    "customers.merge",
    "customers.verify",
    "actions.assign",
    "listings.write",
    "gates.override",
}
_OWN = _LEAD | {"customers.purge", "customers.erase", "employees.write", "settings.write", "audit.read"}

PERMISSIONS = {
    Role.ADMIN: _OWN,
    Role.SALES_MANAGER: _LEAD,
    Role.SALES_AGENT: _WORK,
    Role.VIEWER: _READ,
}

# How many ids one bulk call may name; a role that is missing may make none.
BULK_LIMITS = {Role.ADMIN: 500, Role.SALES_MANAGER: 200, Role.SALES_AGENT: 50}
