"""What every route with a customer in its path shares: a customer who was merged into another is that one."""

from functools import partial

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404
from rest_framework.exceptions import NotFound

from config.api.viewsets import HubViewSet
from customers.services.merge import refusal_of_merged, survivor_of


class CustomerPathViewSet(HubViewSet):
    """A viewset whose path names a customer, as `customer_word`.

    Who was merged away is looked for only where nobody was found: reads then answer for the survivor, writes
    are refused (409) and name it.
    """

    customer_word = "customer_id"

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        method = request.method.lower()
        handler = getattr(self, method, None)  # None for a method that the route does not have
        if handler and self.customer_word in kwargs:
            setattr(self, method, partial(self.or_of_survivor, handler))

    def or_of_survivor(self, handler, request, *args, **kwargs):
        """The handler's answer; where it finds nothing, that for the survivor of the customer of the path."""
        try:
            return handler(request, *args, **kwargs)
        except (Http404, NotFound, ObjectDoesNotExist):
            survivor = survivor_of(kwargs[self.customer_word], request.user)
            if survivor is None:
                raise
            if request.method not in ("GET", "HEAD"):
                raise refusal_of_merged(survivor) from None
        self.kwargs = {**self.kwargs, self.customer_word: survivor}
        return handler(request, *args, **{**kwargs, self.customer_word: survivor})
