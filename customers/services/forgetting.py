"""What was copied out of customers and has to go with them: words, counts, kept answers."""

from config import counts
from config.cache import wipe
from customers.counting import TABLES
from customers.services.search import forget_words


def forget_copies(customer):
    """Remove what was made of a customer who has just been removed for good or erased, as it was before.

    Whatever else keeps something of a customer beside its rows is told here.
    """
    forget_words(customer)
    words = [facet.partition(":")[2] for facet in customer.facets]
    counts.forget_words(TABLES, customer.organization_id, [*words, customer.city_key, customer.district_key])
    wipe(customer.organization_id)
