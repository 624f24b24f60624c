"""What was copied out of customers and has to go with them: words, counts, kept answers."""

from config.cache import wipe
from config.counts import forget_nothings
from customers.counting import TABLES
from customers.services.search import forget_words


def forget_copies(customer):
    """Remove what was made of a customer who has just been removed for good or erased, as it was before.

    Whatever else keeps something of a customer beside its rows is told here.
    """
    forget_words(customer)
    wipe(customer.organization_id)
    forget_nothings(TABLES, customer.organization_id)
