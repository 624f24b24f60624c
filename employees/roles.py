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
    "customers.history",
    "customers.merge",
    "customers.privacy",
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

# How many calls of a category a minute; one that is missing here has the same for everybody: config.api.throttling.
RATES = {
    Role.ADMIN: {"read": 200, "write": 100, "bulk": 50},
    Role.SALES_MANAGER: {"read": 150, "write": 50, "bulk": 20},
    Role.SALES_AGENT: {"read": 100, "write": 30, "bulk": 10},
    Role.VIEWER: {"read": 50, "write": 0, "bulk": 0, "upload": 0},
}
