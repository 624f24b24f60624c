"""The one signal of the hub: something was changed, by whom."""

from django.dispatch import Signal

# Sent by services inside the transaction, once per statement:
#   sender   the model
#   rows     the rows as they are now (a list)
#   kind     "created", "updated", "deleted" (hidden), "restored", "purged" (about to be removed for good) or
#            "erased" (what was personal is gone from the row, and has to go from whatever was made of it)
#   changes  what differs, row by row: [{column: (before, after)}, …], under the name of a related collection
#            (None, the new row), or (None, None) for several rows at once; empty dicts unless updated
#   actor    the Employee who did it, or None for the system
#   written  of a merge and its undoing: what was written of other rows, {model: {id: {column: (before, after)}}}
#   once     of who is purged or erased: the ids of those who had their values for a while, by a merge undone since
#   since    of an undoing: when that was done which is undone
# A subscriber may add rows of its own; it never alters what the service did.
changed = Signal()
