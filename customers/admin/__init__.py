"""The customers of the back office, what hangs on them, and the catalogue."""

from django.contrib import admin

from config.backoffice.admin import InternalAdmin
from customers.admin import activity, compliance, customer, history, lead_model, listing, transfer  # noqa: F401
from customers.models import CustomerDay, CustomerSum, CustomerWord, NameWord, StageMedian

admin.site.register([CustomerDay, CustomerSum, CustomerWord, NameWord, StageMedian], InternalAdmin)
