"""What the list of customers can be narrowed by."""

import re

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from config.api.filters import (
    LONGEST_LIST,
    BooleanFilter,
    ChoiceListFilter,
    HubFilter,
    HubFilterSet,
    ListFilter,
    MomentFilter,
    NumberFilter,
    WordFilter,
    WrittenOut,
)
from config.api.language import QueryFilter
from config.api.query import one_of
from config.clock import current_minute
from config.places import REGIONS, city_key, resolve_region
from customers.choices import (
    AppointmentStatus,
    AppointmentType,
    ConsentChannel,
    ConsentPurpose,
    ContractStatus,
    Direction,
    EjarStatus,
    InteractionType,
    InterestStatus,
    LicenseStatus,
    MortgageStatus,
    Priority,
    ProjectStatus,
    ReminderStatus,
    ReminderType,
    RequestKind,
    RequestStatus,
    SakaniStatus,
    Sentiment,
    Source,
    Stage,
    TransferKind,
    Transferred,
    TransferStatus,
)
from customers.compliance.standing import having, is_late_milestone, is_standing
from customers.models import (
    BrokerageContract,
    BrokerageLicense,
    EjarContract,
    EscrowMilestone,
    HandoverDefect,
    MortgageInfo,
    SakaniEligibility,
    WafiLicense,
)
from customers.querying import CLAIMABLE_LANGUAGE, LANGUAGE, ME, UNASSIGNED
from customers.search import area_keys, district_key, matching, matching_name, tag_key, type_key

# What statistics can be broken down by.
GROUPS = ("stage", "source", "employee", "city")


class SearchFilter(HubFilter):
    """Folded name, phone in any spelling, or e-mail contains this."""

    def filter(self, queryset, value):
        return queryset.filter(matching(value, self.parent.request.user.organization_id))


class NameFilter(HubFilter):
    """Folded name contains this: who may not see phone and e-mail must not find by them either."""

    def filter(self, queryset, value):
        return queryset.filter(matching_name(value, self.parent.request.user.organization_id))


class FacetFilter(ListFilter):
    """Customers that carry any of the keys of the values."""

    def __init__(self, *args, key, **options):
        super().__init__(*args, **options)
        self.key = key

    def filter(self, queryset, value):
        return queryset.filter(**{f"{self.field_name}__overlap": [self.key(text) for text in value]})

    def words_of(self, value):
        return sorted({self.key(text).partition(":")[2] for text in value})


class PropertyTypeFilter(FacetFilter):
    """Any of several property types, in Arabic or English, which commas may separate."""

    max_length = LONGEST_LIST

    def clean(self, values):
        # The list is open: a type may have a comma in it.
        words = [word.strip() for text in values for word in (text, *re.split("[,،]", text))]
        return super().clean([word for word in dict.fromkeys(words) if word])


class CityFilter(ListFilter):
    """Cities in any spelling of ours, else as typed."""

    def words_of(self, value):
        return [city_key(city)[:100] for city in value]


class DistrictFilter(ListFilter):
    """Districts in any spelling that folds to the same."""

    def words_of(self, value):
        return [district_key(district) for district in value]


class StateFilter(ListFilter):
    """Regions of Saudi Arabia, Arabic or English, short forms too."""

    def clean_one(self, text):
        region = resolve_region(text)
        if region is None:
            raise ValidationError(one_of([region.name for region in REGIONS.values()]))
        return region.code


class AssigneeFilter(ListFilter):
    """Ids of employees, `me` or `unassigned`."""

    max_length = LONGEST_LIST

    def clean(self, values):
        return super().clean([word.strip() for text in values for word in text.split(",") if word.strip()])

    def filter(self, queryset, value):
        return queryset.filter(self.condition(value, self.field_name))

    def condition(self, value, column):
        """That a column names one of them; None names nobody."""
        if not value:
            return Q()
        ids = self.ids_of(value)
        condition = Q(**{f"{column}__in": [key for key in ids if key]})
        return condition | Q(**{column: None}) if None in ids else condition

    def ids_of(self, value):
        """The ids that are meant; None is nobody."""
        meant = {ME: self.parent.request.user.pk, UNASSIGNED: None, "null": None}
        return [meant.get(word, word) for word in value]


class BudgetFilter(NumberFilter):
    """One end of a range that must overlap the customer's; an open end is open, no budget at all does not match."""

    def __init__(self, *args, other, **options):
        super().__init__(*args, minimum=0, **options)
        self.other = other

    def filter(self, queryset, value):
        reaches = Q(**{f"{self.field_name}__{self.lookup_expr}": value})
        open_ended = Q(**{f"{self.field_name}__isnull": True, f"{self.other}__isnull": False})
        return queryset.filter(reaches | open_ended)


class ConsentFilter(HubFilter):
    """Customers who agreed to a purpose, or to it through a channel: `marketing`, `marketing:whatsapp`."""

    def clean_one(self, text):
        purpose, _colon, channel = text.partition(":")
        for word, words in ((purpose, ConsentPurpose.values), (channel, ["", *ConsentChannel.values])):
            if word not in words:
                raise ValidationError(one_of([word for word in words if word]))
        return purpose, channel

    def filter(self, queryset, value):
        return queryset.having_agreed(*value)


class StandingFilter(ChoiceListFilter):
    """Any of several statuses, as they are shown today; of a list one item is enough."""

    def __init__(self, model, choices, *, permission=None):
        super().__init__(choices=choices.values)
        self.model, self.permission = model, permission

    def clean(self, values):
        user = self.parent.request.user
        if self.permission and not user.may(self.permission):
            raise PermissionDenied(self.permission)  # finding somebody by something tells it
        return super().clean(values)

    def filter(self, queryset, value):
        if not value:
            return queryset
        return queryset.filter(having(self.model, is_standing(self.model, value)))


class EscrowOverdueFilter(BooleanFilter):
    """Whether a milestone is overdue; false finds the others."""

    def filter(self, queryset, value):
        found = having(EscrowMilestone, is_late_milestone())
        return queryset.filter(found if value else ~found)


class HandoverDefectsFilter(BooleanFilter):
    """Whether defects are known, resolved ones too; false finds the others."""

    def filter(self, queryset, value):
        found = having(HandoverDefect)
        return queryset.filter(found if value else ~found)


class CustomerFilterSet(HubFilterSet):
    search = SearchFilter()
    stage = ChoiceListFilter("stage", choices=Stage.values)
    source = ChoiceListFilter("source", choices=Source.values)
    priority = ChoiceListFilter("priority", choices=Priority.values)
    assignedEmployeeId = AssigneeFilter("assigned_employee")
    leadScoreMin = NumberFilter("lead_score", lookup_expr="gte", minimum=0, maximum=100, whole=True)
    leadScoreMax = NumberFilter("lead_score", lookup_expr="lte", minimum=0, maximum=100, whole=True)
    budgetMin = BudgetFilter("budget_max", lookup_expr="gte", other="budget_min")
    budgetMax = BudgetFilter("budget_min", lookup_expr="lte", other="budget_max")
    propertyType = PropertyTypeFilter("facets", key=type_key)
    preferredAreas = FacetFilter("facets", key=lambda area: area_keys(area)[0])
    city = CityFilter("city_key")
    state = StateFilter("region")
    district = DistrictFilter("district_key")
    tags = FacetFilter("facets", key=tag_key)
    createdFrom = MomentFilter("created_at")
    createdTo = MomentFilter("created_at", end=True)
    lastContactFrom = MomentFilter("last_contact_at")
    lastContactTo = MomentFilter("last_contact_at", end=True)
    doNotContact = BooleanFilter("do_not_contact")
    consent = ConsentFilter()
    brokerageLicenseStatus = StandingFilter(BrokerageLicense, LicenseStatus)
    brokerageContractStatus = StandingFilter(BrokerageContract, ContractStatus)
    ejarContractStatus = StandingFilter(EjarContract, EjarStatus)
    wafiProjectStatus = StandingFilter(WafiLicense, ProjectStatus)
    sakaniEligibility = StandingFilter(SakaniEligibility, SakaniStatus)
    mortgageStatus = StandingFilter(MortgageInfo, MortgageStatus, permission="customers.pii")
    hasEscrowOverdue = EscrowOverdueFilter()
    hasHandoverDefects = HandoverDefectsFilter()
    filters = QueryFilter(LANGUAGE)

    aliases = {
        "assignedEmployee": "assignedEmployeeId",
        "assignedTo": "assignedEmployeeId",
        "employeeId": "assignedEmployeeId",
    }


class ClaimableFilterSet(CustomerFilterSet):
    """The same for customers whose phone, e-mail and deal the caller does not see."""

    search = NameFilter()
    filters = QueryFilter(CLAIMABLE_LANGUAGE)
    # Finding somebody by something tells it.
    lastContactFrom = lastContactTo = doNotContact = consent = None
    brokerageLicenseStatus = brokerageContractStatus = ejarContractStatus = wafiProjectStatus = None
    sakaniEligibility = mortgageStatus = hasEscrowOverdue = hasHandoverDefects = None

    def contradictions(self, cleaned):
        hidden = CustomerFilterSet.base_filters.keys() - self.base_filters.keys()
        message = _("Unknown filter; the filters are: %(names)s") % {"names": ", ".join(self.base_filters)}
        refused = {name: message for name in sorted(hidden) if self.params.values_of(name)}
        return super().contradictions(cleaned) | refused


class AssigneesFilterSet(HubFilterSet):
    assignedEmployeeId = AssigneeFilter("assigned_employee")

    aliases = CustomerFilterSet.aliases


class StatisticsFilterSet(AssigneesFilterSet):
    dateFrom = MomentFilter("created_at")
    dateTo = MomentFilter("created_at", end=True)
    groupBy = WordFilter(words=GROUPS)


class ConsentFilterSet(HubFilterSet):
    purpose = ChoiceListFilter("purpose", choices=ConsentPurpose.values)
    channel = ChoiceListFilter("channel", choices=ConsentChannel.values)


class OverdueFilter(BooleanFilter):
    """Whether it is open although the last moment to answer has passed."""

    def filter(self, queryset, value):
        minute = WrittenOut(current_minute())
        late = Q(extended_to__lt=minute) | Q(extended_to=None, due_at__lt=minute)
        overdue = Q(status=RequestStatus.OPEN) & late
        return queryset.filter(overdue if value else ~overdue)


class PrivacyRequestFilterSet(HubFilterSet):
    kind = ChoiceListFilter("kind", choices=RequestKind.values)
    status = ChoiceListFilter("status", choices=RequestStatus.values)
    overdue = OverdueFilter()
    receivedFrom = MomentFilter("received_at")
    receivedTo = MomentFilter("received_at", end=True)


class TransferFilterSet(HubFilterSet):
    kind = ChoiceListFilter("kind", choices=TransferKind.values)
    what = ChoiceListFilter("what", choices=Transferred.values)
    status = ChoiceListFilter("status", choices=TransferStatus.values)


# --- What goes on with a customer -------------------------------------------------------------


class InterestFilterSet(HubFilterSet):
    status = ChoiceListFilter("status", choices=InterestStatus.values)
    dateFrom = MomentFilter("added_at")
    dateTo = MomentFilter("added_at", end=True)


class InteractionFilterSet(HubFilterSet):
    type = ChoiceListFilter("type", choices=InteractionType.values)
    direction = ChoiceListFilter("direction", choices=Direction.values)
    sentiment = ChoiceListFilter("sentiment", choices=Sentiment.values)
    agentId = AssigneeFilter("agent_id")
    dateFrom = MomentFilter("date")
    dateTo = MomentFilter("date", end=True)


class AppointmentFilterSet(HubFilterSet):
    type = ChoiceListFilter("type", choices=AppointmentType.values)
    status = ChoiceListFilter("status", choices=AppointmentStatus.values)
    priority = ChoiceListFilter("priority", choices=Priority.values)
    agentId = AssigneeFilter("agent")
    dateFrom = MomentFilter("datetime")
    dateTo = MomentFilter("datetime", end=True)


class ReminderStatusFilter(ChoiceListFilter):
    """Any of several statuses as they are shown: one that is past is overdue and no longer pending."""

    def filter(self, queryset, value):
        pending, minute = Q(status=ReminderStatus.PENDING), WrittenOut(current_minute())
        shown = Q(status__in=set(value) - {ReminderStatus.PENDING, ReminderStatus.OVERDUE})
        if ReminderStatus.PENDING in value:
            shown |= pending & Q(datetime__gte=minute)
        if ReminderStatus.OVERDUE in value:
            shown |= pending & Q(datetime__lt=minute)
        return queryset.filter(shown)


class ReminderFilterSet(HubFilterSet):
    type = ChoiceListFilter("type", choices=ReminderType.values)
    status = ReminderStatusFilter(choices=ReminderStatus.values)
    priority = ChoiceListFilter("priority", choices=Priority.values)
    dateFrom = MomentFilter("datetime")
    dateTo = MomentFilter("datetime", end=True)
