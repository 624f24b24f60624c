"""The one signal of the hub: something was changed, by whom."""

from django.dispatch import Signal

# Sent by services inside the transaction, once per statement:
#   sender   the model
#   rows     the rows as they are now (a list)
#   kind     "created", "updated", "deleted" or "restored"
#   changes  what differs, row by row: [{field: (before, after)}, …]; empty dicts when created or deleted
#   actor    the Employee who did it, or None for the system
# A subscriber may add rows of its own; it never alters what the service did.
changed = Signal()
