"""The customers of the API: endpoints 1 to 6, 16, 17 and 30, with restore, claim, bulk and the pipeline."""

from functools import partial

import orjson
from django.utils.translation import gettext as _

from config.api.links import unmarked
from config.api.renderers import iso
from config.audit import record_disclosure
from customers.compliance import numbers
from customers.filters import (
    UNASSIGNED,
    AssigneesFilterSet,
    ClaimableFilterSet,
    CustomerFilterSet,
    StatisticsFilterSet,
)
from customers.gates import REFUSED
from customers.includes import INCLUDES
from customers.models import Customer
from customers.options import facets, filter_options
from customers.pipeline import pipeline
from customers.querying import CLAIMABLE_SORTS, DEFAULT_SORT, SORTS, CustomerQueryInput
from customers.search import search
from customers.serializers.bulk import BulkInput, BulkResultSerializer
from customers.serializers.compliance_numbers import ComplianceStatisticsSerializer
from customers.serializers.customer import (
    AssignInput,
    ClaimableCustomerSerializer,
    CustomerChangeInput,
    CustomerSerializer,
    DeletedSerializer,
    EraseInput,
    MovedCustomerSerializer,
    NewCustomerInput,
    StageInput,
)
from customers.serializers.search import SearchInput, SearchResultsSerializer
from customers.serializers.statistics import ColumnSerializer, CustomerStatisticsSerializer, FilterOptionsSerializer
from customers.services import customer as services
from customers.services.bulk import bulk_change
from customers.services.erasing import erase_customer
from customers.stats import statistics, total_of
from customers.views.path import CustomerPathViewSet

DELETED_ONLY = {"deleted": {"type": "string", "enum": ["only"], "description": "The deleted ones instead"}}

CARDS, MOST_CARDS = 5, 20
# In an answer it is a name: quotes within texts are escaped.
_SHOWS_NATIONAL_ID = b'"nationalId":"'


class CustomerViewSet(CustomerPathViewSet):
    resource, collection, customer_word = "customer", "customers", "pk"
    permission, write_permission = "customers.read", "customers.write"
    delete_permission = "customers.delete"
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilterSet
    filtersets = {
        "stats": StatisticsFilterSet,
        "compliance_stats": AssigneesFilterSet,
        "filters": CustomerFilterSet,
        "pipeline": AssigneesFilterSet,
    }
    bodies = {
        "create": NewCustomerInput,
        "update": CustomerChangeInput,
        "stage": StageInput,
        "assign": AssignInput,
        "erase": EraseInput,
        "bulk": BulkInput,
        "search": SearchInput,
        "query": CustomerQueryInput,
    }
    answers = {
        "create": MovedCustomerSerializer,
        "update": MovedCustomerSerializer,
        "stage": MovedCustomerSerializer,
        "destroy": DeletedSerializer,
        "bulk": BulkResultSerializer,
        "search": SearchResultsSerializer,
        "stats": {"stats": CustomerStatisticsSerializer},
        "compliance_stats": {"stats": ComplianceStatisticsSerializer},
        "filters": {"filters": FilterOptionsSerializer},
        "pipeline": {"pipeline": ColumnSerializer(many=True)},
    }
    lists = frozenset({"list", "query", "search"})
    throttle_scopes = {"bulk": "bulk", "search": "search", "query": "search"}
    includable = INCLUDES
    extra_params = {
        "list": DELETED_ONLY,
        "query": DELETED_ONLY,
        "filters": {"facets": {"type": "boolean", "description": "Count under the filters, as is done anyway"}},
        "pipeline": {"cards": {"type": "integer", "minimum": 0, "maximum": MOST_CARDS, "default": CARDS}},
        "destroy": {"permanent": {"type": "boolean", "description": "Remove for good, for admins"}},
    }
    sorts = SORTS
    default_sort = DEFAULT_SORT
    cached = {"list": 60, "retrieve": 300, "stats": 30, "compliance_stats": 30, "filters": 3600, "pipeline": 30}
    reads = (Customer,)

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if self.action == "retrieve" and request.method == "GET" and request.user.may("customers.pii"):
            self.get = partial(self.disclosing, self.get)

    def disclosing(self, handler, request, pk):
        """The handler's answer, kept or not; that it shows a whole national ID is written down first."""
        response = handler(request, pk=pk)
        response.rendered = getattr(response, "rendered", None) or self.rendered(response)
        if _SHOWS_NATIONAL_ID in response.rendered.body and not self.is_known(response.rendered):
            # Another's, where this one was merged into it.
            record_disclosure(Customer, [self.kwargs["pk"]], actor=request.user)
        return response

    def get_queryset(self):
        if self.params.choice("deleted", ("only",)) is None:
            return Customer.objects.visible_to(self.request.user)
        self.require("customers.delete")
        return Customer.objects.visible_to(self.request.user, deleted=True)

    def lifetime(self):
        return None if "deleted" in self.params else super().lifetime()

    def sources(self):
        return [self.kwargs["pk"]] if self.action == "retrieve" else self.reads

    def scope_is_small(self):
        return not self.request.user.may("customers.assign") or "deleted" in self.params

    def known_total(self, filterset):
        return None if self.scope_is_small() else total_of(self.request.user, filterset)

    def list(self, request):
        """Customers of the caller's scope, filtered, sorted and paged by number or by cursor."""
        customers = self.get_queryset()  # which refuses deleted ones to those who may not see them
        if self.asks_for_claimable():
            self.serializer_class = ClaimableCustomerSerializer
            self.filterset_class, self.sorts = ClaimableFilterSet, CLAIMABLE_SORTS
            customers = Customer.objects.claimable_by(request.user)
        return self.page(customers)

    def query(self, request):
        """Customers of the caller's scope as the query language asks for them: the list with conditions of any kind."""
        asked = self.body()
        self.shape = self.shape_of(asked["fields"], asked["include"])
        filters = asked["filters"]
        return self.page_of(self.get_queryset().filter(filters.condition), asked["part"], meaning=filters.meaning)

    def asks_for_claimable(self):
        """Whether somebody with a scope of their own asks for what nobody has taken yet."""
        names = CustomerFilterSet.spellings("assignedEmployeeId")
        asked = {word for name in names for word in self.params.names_of(name)}
        user = self.request.user
        return asked == {UNASSIGNED} and not user.may("customers.assign") and user.may("customers.claim")

    def search(self, request):
        """Customers that fit what somebody typed, best first: names in either script, phones, e-mails.

        Names are compared by their sound, so `Mohammed Alqahtani` finds محمد القحطاني, and forgive a slip of the
        finger; `fuzzy: false` asks for texts that contain the query. A national ID is found by the whole
        of it, by those who may see it. `filters` are those of the list.
        """
        asked = self.body()
        filters, text = asked.pop("filters"), asked.pop("query")
        filterset = self.filterset_class.of_body(filters, self.get_queryset(), request=request, path="filters")
        with_ids, organization_id = request.user.may("customers.pii"), request.user.organization_id
        found = search(filterset.qs, text, organization_id=organization_id, with_national_id=with_ids, **asked)
        by_id = [match.key for match in found.matches if "nationalId" in match.fields]
        record_disclosure(Customer, by_id, actor=request.user)
        return self.answer({"results": self.results(found.matches), "total": found.total})

    def results(self, matches):
        """Each match with its customer as the caller sees it."""
        of_key = {match.key: match for match in matches}
        found = []
        for text, *_version in self.shape.fetch(list(of_key)):
            match = of_key[orjson.loads(unmarked(text))["id"]]
            found.append({"customer": orjson.Fragment(text), "score": match.score, "matchedFields": match.fields})
        return found

    def create(self, request):
        """A new customer. An agent who names nobody becomes the assignee."""
        values = self.body()
        options = {"first_action": not values.pop("skipFirstAction"), "override_reason": values.pop("override_reason")}
        customer = services.create_customer(actor=request.user, values=values, **options)
        message = _("Customer created successfully")
        return self.show(customer.pk, status=201, message=message, warnings=customer.warnings)

    def retrieve(self, request, pk):
        """One customer with everything related."""
        return self.show(self.visible_key())

    def update(self, request, pk):
        """Change what is named: `preferences` and `sourceDetails` merge, arrays replace, null clears."""
        customer = self.get_object()
        values = self.body(partial=True, instance=customer)
        override_reason = values.pop("override_reason", "")
        customer = services.update_customer(
            customer, actor=request.user, values=values, override_reason=override_reason
        )
        return self.show(pk, message=_("Customer updated successfully"), warnings=customer.warnings)

    def destroy(self, request, pk):
        """Hide a customer until it is restored, or remove it for good."""
        if self.params.boolean("permanent"):
            return self.destroy_for_good(request, pk)
        customer = services.delete_customer(self.get_object(), actor=request.user)
        deleted_at = iso(customer.deleted_at.timestamp())
        return self.answer({"deletedAt": deleted_at}, message=_("Customer deleted successfully"))

    def destroy_for_good(self, request, pk):
        self.require("customers.purge")
        customer = self.get_object(Customer.objects.visible_to(request.user, deleted=None))
        services.purge_customer(customer, actor=request.user)
        return self.answer({"deletedAt": iso()}, message=_("Customer deleted permanently"))

    def restore(self, request, pk):
        """Bring a deleted customer back; 409 when its phone is taken meanwhile."""
        customer = self.get_object(Customer.objects.visible_to(request.user, deleted=None))
        services.restore_customer(customer, actor=request.user)
        return self.show(pk, message=_("Customer restored"))

    def erase(self, request, pk):
        """Take everything personal out of a customer, a deleted one too, for good; a pseudonym and the counts remain.

        `requestId` is the person's open request to destroy, which is closed by it.
        """
        customer = self.get_object(Customer.objects.visible_to(request.user, deleted=None))
        asked = self.body(instance=customer)
        erase_customer(customer, actor=request.user, request_id=asked.get("request_id"))
        return self.show(pk, message=_("The personal data of this customer was erased"))

    def stage(self, request, pk):
        """Move a customer to a stage; the same stage again changes nothing.

        What the gates of the stages on the way find missing comes as `warnings` or, where the
        organization enforces a rule, as a 422 that names every rule.
        """
        customer = self.get_object()
        customer = services.change_stage(customer, actor=request.user, **self.body())
        return self.show(pk, warnings=customer.warnings)

    def assign(self, request, pk):
        """Hand a customer over to an employee, or to nobody."""
        customer = self.get_object()
        hand_over = self.body()
        services.assign_customer(customer, actor=request.user, **hand_over)
        return self.show(pk)

    def claim(self, request, pk):
        """Take a customer that nobody has; of parallel claims one wins."""
        services.claim_customer(pk, actor=request.user)
        return self.show(pk)

    def bulk(self, request):
        """One operation on many customers; `failed` names ids that are not the caller's, or that the gates refuse."""
        outcome = bulk_change(actor=request.user, **self.body())
        answer = {"updatedCount": len(outcome.updated), "failed": self.failures(outcome.missing)}
        answer["failed"] += [
            {"id": key, "code": "VALIDATION_ERROR", "message": str(REFUSED), "details": details}
            for key, details in outcome.refused.items()
        ]
        if outcome.warned:
            answer["warned"] = [{"id": key, "warnings": found} for key, found in outcome.warned.items()]
        return self.answer(answer)

    # --- The numbers above them -----------------------------------------------------------

    def stats(self, request):
        """The numbers of the dashboard, each equal to the list behind it for the same caller.

        `dateFrom` and `dateTo` mean when customers were created, as `createdFrom` and `createdTo` of the list.
        Days, months and years are those of the organization's calendar.
        `activeCustomers`: last contact today or in the thirty days before. `newThisMonth`: created since the month
        began. Closed is who entered closing, or skipped it for post_sale, for the first time: `closedThisMonth`,
        `closedThisYear`, and `avgDaysInPipeline` from creation until then. `conversionRate`: percent that ever
        reached down_payment or later, of all. `avgDealSize`: of those with a deal value. `totalExpectedRevenue`:
        as stated, else the organization's commission of the deal value. Score bands are 80 and more, 60 to 79,
        40 to 59, less than 40. Averages are 0 where there is nothing to average.
        """
        filterset = StatisticsFilterSet(self.params, Customer.objects.visible_to(request.user), request=request)
        return self.answer({"stats": statistics(request.user, filterset)})

    def compliance_stats(self, request):
        """The numbers of compliance, as of today in Riyadh; those of `customers` equal the lists behind them."""
        filterset = AssigneesFilterSet(self.params, Customer.objects.visible_to(request.user), request=request)
        return self.answer({"stats": numbers.statistics(request.user, filterset.qs)})

    def filters(self, request):
        """What lists can be narrowed by, with how many customers of the caller's scope each choice gives.

        With filters of the list under these filters; a choice then ignores the filters of its own
        kind, so that its count is what choosing it instead would give. Actions are counted without the filters.
        """
        filterset = CustomerFilterSet(self.params, Customer.objects.visible_to(request.user), request=request)
        self.params.boolean("facets")  # without filters there is nothing to count anew
        options = facets(request.user, filterset) if filterset.cleaned else filter_options(request.user)
        return self.answer({"filters": options})

    def pipeline(self, request):
        """One column for each stage, with its numbers and its first cards.

        Days in a stage are whole days of the organization's calendar since the stage was entered. Stale is who has
        been there for more than twice the organization's median of completed stays in that stage, which is computed
        each night; a stage with fewer than five completed stays has none, and nobody there is stale.
        """
        filterset = AssigneesFilterSet(self.params, Customer.objects.visible_to(request.user), request=request)
        cards = self.params.integer("cards", CARDS, minimum=0, maximum=MOST_CARDS)
        return self.answer({"pipeline": pipeline(request.user, filterset, cards=cards)})
