"""What customers can be asked for: the fields of the query language, and what lists are sorted by."""

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import DecimalField, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from rest_framework.exceptions import ValidationError

from config.api.kinds import (
    EQUALITY,
    Day,
    Email,
    FoldedKeyWords,
    FoldedWords,
    KeyNumber,
    KeyText,
    Kind,
    Moment,
    Name,
    Number,
    Phone,
    Text,
    Word,
    Words,
)
from config.api.language import FiltersField, Language, QueryInput, SortInput
from config.api.pagination import Sort
from config.api.query import one_of
from config.api.rows import declared_fields
from config.api.serializers import WordField
from config.numbers import national_id
from config.places import REGIONS, city_key, resolve_region
from customers.choices import (
    ContractStatus,
    EjarStatus,
    Floor,
    Furnishing,
    Gender,
    LicenseStatus,
    MortgageStatus,
    PaymentStatus,
    Priority,
    ProjectStatus,
    Purpose,
    SakaniStatus,
    Source,
    Stage,
    Timeline,
)
from customers.compliance.standing import having, is_standing
from customers.models import (
    BrokerageContract,
    BrokerageLicense,
    EjarContract,
    MortgageInfo,
    Payment,
    SakaniEligibility,
    WafiLicense,
)
from customers.search import area_keys, tag_key, type_key
from customers.serializers.customer import ClaimableCustomerSerializer, TimelineField

ME, UNASSIGNED = "me", "unassigned"

# --- Kinds of our own ------------------------------------------------------------------------


class City(Text):
    """A city: equal in any spelling of ours, its parts as it was typed."""

    label = "city in any spelling"

    def read(self, value, operator, caller):
        folded = super().read(value, operator, caller)
        return city_key(value)[:100] if operator in EQUALITY else folded

    def any_of(self, values):
        return Q(city_key__in=values)


class Region(Kind):
    """A region of Saudi Arabia in Arabic or English, short forms too."""

    label = "region in Arabic or English"
    nothing = ""

    def read(self, value, operator, caller):
        region = resolve_region(super().read(value, operator, caller))
        if region is None:
            raise ValidationError(one_of([region.name for region in REGIONS.values()]))
        return region.code


class Assignee(Kind):
    """The id of an employee, `me`, or `unassigned`, which is null."""

    label = "id of an employee, `me` or `unassigned`"

    def read(self, value, operator, caller):
        word = super().read(value, operator, caller)
        return {ME: caller.pk, UNASSIGNED: None}.get(word, word)


class NationalId(Kind):
    """A national id, whole: parts of one would let it be guessed digit by digit."""

    label = "whole number"
    nothing = ""

    def read(self, value, operator, caller):
        try:
            return national_id(super().read(value, operator, caller))
        except DjangoValidationError as error:
            raise ValidationError(error.messages) from None


class Facets(Words):
    """A list of texts, equal by the keys that customers carry for lists."""

    def __init__(self, column, key):
        super().__init__(column)
        self.key = key

    def any_of(self, values):
        return Q(facets__overlap=values)


class Standing(Word):
    """The status of a part of the compliance as it is shown today; of a list one item is enough."""

    def __init__(self, model, choices, **options):
        super().__init__("pk", WordField(choices.choices), **options)
        self.model = model

    def any_of(self, values):
        return Q(having(self.model, is_standing(self.model, values)))

    def without(self):
        return Q(~having(self.model))


# --- The table -------------------------------------------------------------------------------

_WANTED = {
    "propertyType": Facets(FoldedKeyWords("preferences", key="propertyType"), type_key),
    "budgetMin": Number("budget_min"),
    "budgetMax": Number("budget_max"),
    "preferredAreas": Facets(FoldedKeyWords("preferences", key="preferredAreas"), lambda area: area_keys(area)[0]),
    "preferredCities": Words(FoldedKeyWords("preferences", key="preferredCities")),
    "bedrooms": Number(KeyNumber("preferences", key="bedrooms")),
    "bathrooms": Number(KeyNumber("preferences", key="bathrooms")),
    "minArea": Number(KeyNumber("preferences", key="minArea")),
    "maxArea": Number(KeyNumber("preferences", key="maxArea")),
    "purpose": Word(KeyText("preferences", key="purpose"), WordField(Purpose.choices)),
    "timeline": Word(KeyText("preferences", key="timeline"), TimelineField(Timeline.choices)),
    "amenities": Words(FoldedKeyWords("preferences", key="amenities")),
    "floorPreference": Word(KeyText("preferences", key="floorPreference"), WordField(Floor.choices)),
    "furnishing": Word(KeyText("preferences", key="furnishing"), WordField(Furnishing.choices)),
    "notes": Text(KeyText("preferences", key="notes")),
}
# What the paid payments come to: `paidAmount` where nobody has set another.
_PAYMENTS = Payment.objects.filter(customer=OuterRef("pk"), status=PaymentStatus.PAID).order_by().values("customer")
_PAID = Subquery(_PAYMENTS.annotate(sum=Sum(Coalesce("paid_amount", "amount"))).values("sum"))
AMOUNT_PAID = Coalesce("paid_amount", _PAID, output_field=DecimalField())
_ORIGIN = ("campaign", "utmSource", "landingPage", "inquiryId", "referredBy", "channel")

FIELDS = {
    "id": Kind("id"),
    "name": Name("name", folded="name_folded"),
    "nameEn": Name("name_en", folded="name_en_folded"),
    "phone": Phone("phone", indexed="contact"),
    "whatsapp": Phone("whatsapp"),
    "email": Email("email", indexed="contact"),
    "nationalId": NationalId("national_id", permission="customers.pii"),
    "nationality": Text("nationality"),
    "gender": Word("gender", WordField(Gender.choices)),
    "dateOfBirth": Day("date_of_birth"),
    "occupation": Text("occupation"),
    "familySize": Number("family_size"),
    "customerType": Text("customer_type"),
    "source": Word("source", WordField(Source.choices)),
    **{f"sourceDetails.{key}": Text(KeyText("source_details", key=key)) for key in _ORIGIN},
    "stage": Word("stage", WordField(Stage.choices)),
    "priority": Word("priority", WordField(Priority.choices)),
    "leadScore": Number("lead_score"),
    "tags": Facets(FoldedWords("tags"), tag_key),
    "notes": Text("notes"),
    "assignedEmployeeId": Assignee("assigned_employee"),
    **{f"preferences.{key}": kind for key, kind in _WANTED.items()},
    "totalDealValue": Number("total_deal_value"),
    "expectedRevenue": Number("expected_revenue"),
    "paidAmount": Number(AMOUNT_PAID),
    "city": City("city"),
    "district": Text("district", folded="district_key"),
    "state": Region("region"),
    "address": Text("address"),
    "latitude": Number("latitude"),
    "longitude": Number("longitude"),
    "createdAt": Moment("created_at"),
    "updatedAt": Moment("updated_at"),
    "lastContactAt": Moment("last_contact_at"),
    "lastContactType": Text("last_contact_type"),
    "nextFollowUpDate": Day("next_follow_up_date"),
    "totalInteractions": Number("total_interactions"),
    "totalAppointments": Number("total_appointments"),
    "totalPropertyViews": Number("total_property_views"),
    "responseRate": Number("response_rate"),
    "avgResponseTime": Number("avg_response_time"),
    "brokerageLicenseStatus": Standing(BrokerageLicense, LicenseStatus),
    "brokerageContractStatus": Standing(BrokerageContract, ContractStatus),
    "ejarContractStatus": Standing(EjarContract, EjarStatus),
    "wafiProjectStatus": Standing(WafiLicense, ProjectStatus),
    "sakaniEligibility": Standing(SakaniEligibility, SakaniStatus),
    "mortgageStatus": Standing(MortgageInfo, MortgageStatus, permission="customers.pii"),
}
ALIASES = {
    "assignedEmployee": "assignedEmployeeId",
    "assignedTo": "assignedEmployeeId",
    "employeeId": "assignedEmployeeId",
    "dealValue": "totalDealValue",
    "lastContactDate": "lastContactAt",
    "region": "state",
    **{
        key: f"preferences.{key}"
        for key in ("budgetMin", "budgetMax", "propertyType", "preferredAreas", "purpose", "timeline")
    },
}
LANGUAGE = Language(FIELDS, ALIASES)
# Finding somebody by something tells it: claimable customers are found by what is shown of them.
CLAIMABLE_LANGUAGE = LANGUAGE.only(*declared_fields(ClaimableCustomerSerializer), "state")

SORTS = {
    "createdAt": Sort("created_at"),
    "name": Sort("name_folded"),
    "leadScore": Sort("lead_score"),
    "lastContactAt": Sort("last_contact_at", nullable=True),
    "lastContactDate": Sort("last_contact_at", nullable=True),
    "dealValue": Sort("total_deal_value", nullable=True),
    "totalDealValue": Sort("total_deal_value", nullable=True),
    "priority": Sort("priority_rank"),
    "stage": Sort("stage_rank"),
}
# An order tells what it sorts by, and so does a cursor: claimable customers sort by what is shown of them.
CLAIMABLE_SORTS = {name: SORTS[name] for name in ("createdAt", "name", "leadScore", "priority", "stage")}
DEFAULT_SORT = "createdAt"


class CustomerSortInput(SortInput):
    field = WordField([(name, name) for name in SORTS], default=DEFAULT_SORT)


class CustomerQueryInput(QueryInput):
    """A page of the customers that filters describe."""

    filters = FiltersField(LANGUAGE, required=False, allow_null=True)
    sort = CustomerSortInput(required=False, allow_null=True)

    sorts = SORTS
