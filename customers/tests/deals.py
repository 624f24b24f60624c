"""A deal with all ten parts of its compliance, as the client writes it, and how tests send parts of it."""

from config.testing import data_of, make_customer

WORDS = {
    "brokerageLicense": "brokerage-license",
    "brokerageContracts": "brokerage-contracts",
    "ejarContracts": "ejar-contracts",
    "wafiLicense": "wafi-license",
    "escrowMilestones": "escrow-milestones",
    "handoverDefects": "handover-defects",
    "sakaniEligibility": "sakani-eligibility",
    "registryInfo": "registry-info",
    "mortgageInfo": "mortgage-info",
    "paymentSchedule": "payment-schedule",
}

DEAL = {
    "brokerageLicense": {
        "licenseNumber": "FL-RY-2030-000042", "licenseType": "individual", "status": "active",
        "issuedDate": "2030-01-15T00:00:00Z", "expiryDate": "2031-01-14T00:00:00Z", "issuedBy": "REGA/FAL",
        "verifiedAt": "2030-01-10T12:00:00Z", "notes": "سارية",
    },
    "brokerageContracts": [
        {
            "contractNumber": "BC-2030-001", "regaContractId": "REGA-BC-77", "type": "sale", "status": "active",
            "propertyId": "prop_villa_001", "propertyTitle": "فيلا في حي النرجس", "commissionRate": 2.5,
            "commissionAmount": 55000, "exclusivityPeriod": 90, "startDate": "2030-01-20T00:00:00Z",
            "endDate": "2030-04-20T00:00:00Z", "notes": "حصري",
        },
        {"type": "rent", "status": "draft", "startDate": "2030-02-01T00:00:00Z"},
    ],
    "ejarContracts": [
        {
            "ejarContractNumber": "EJAR-2030-JD-1", "propertyId": "prop_office_1", "propertyTitle": "مكتب في جدة",
            "tenancyType": "commercial", "status": "active", "startDate": "2030-01-01T00:00:00Z",
            "endDate": "2030-12-31T00:00:00Z", "monthlyRent": 15000, "securityDeposit": 30000,
            "paymentSchedule": "semi-annual", "landlordId": "cust_landlord", "landlordName": "عبدالعزيز الغامدي",
            "tenantName": "شركة التقنية", "createdInEjar": True, "ejarCreatedAt": "2024-12-15T00:00:00Z",
            "ejarUrl": "https://ejar.example/contracts/1", "autoRenewal": False, "renewalNotificationSent": True,
        },
    ],
    "wafiLicense": {
        "licenseNumber": "WF-JD-2030-1", "projectId": "PROJ-JD-1", "projectName": "مجمع الريان",
        "developerName": "شركة التطوير", "status": "construction", "issuedDate": "2029-03-01T00:00:00Z",
        "totalUnits": 120, "soldUnits": 78, "reservedUnits": 15, "verifiedAt": "2030-01-05T00:00:00Z",
    },
    "escrowMilestones": [
        {
            "projectId": "PROJ-JD-1", "milestoneNumber": 1, "title": "الأساسات", "titleEn": "Foundation",
            "description": "صب الخرسانة\nللأدوار الأرضية", "targetDate": "2029-06-30T00:00:00Z",
            "completionDate": "2029-06-25T00:00:00Z", "status": "released", "percentage": 20, "amount": 1300000.5,
            "certifiedBy": "مكتب الهندسة", "certifiedAt": "2029-06-26T08:30:00Z", "releaseRequested": True,
            "releaseApproved": True, "releaseDate": "2029-07-01T00:00:00Z", "isOverdue": False,
        },
        {
            "projectId": "PROJ-JD-1", "milestoneNumber": 2, "title": "الهيكل", "targetDate": "2031-10-31T00:00:00Z",
            "status": "in_progress", "percentage": 33.333, "isOverdue": False,
        },
    ],
    "handoverDefects": [
        {
            "unitId": "UNIT-B-205", "category": "electrical", "severity": "major", "description": "مفتاح لا يعمل",
            "reportedBy": "عمر", "reportedAt": "2024-01-15T09:00:00Z", "status": "resolved", "assignedTo": "الكهرباء",
            "targetResolutionDate": "2024-01-25T00:00:00Z", "resolvedAt": "2024-01-20T10:00:00Z",
            "photos": ["https://photos.example/1.jpg", "https://photos.example/2.jpg"],
        },
    ],
    "sakaniEligibility": {
        "status": "eligible", "sakaniId": "SKN-789", "eligibilityCheckedAt": "2030-01-12T00:00:00Z",
        "interestedProducts": ["ready_unit", "under_construction"], "householdIncome": 18000, "householdSize": 6,
        "firstTimeOwner": False, "currentlyOwnsProperty": False, "approvedLoanAmount": 1500000,
        "downPaymentSupport": 150000, "eligibilityNotes": "ملاحظة", "verifiedAt": "2030-01-12T00:00:00Z",
    },
    "registryInfo": {
        "deedNumber": "صك-789456123", "registryOffice": "كتابة العدل الأولى - جدة", "registeredOwner": "الغامدي",
        "registrationDate": "2020-03-15T00:00:00Z", "verifiedAt": "2023-12-01T00:00:00Z",
    },
    "mortgageInfo": {
        "status": "disbursed", "financingType": "islamic", "bankName": "مصرف الإنماء", "applicationNumber": "MTG-9",
        "preApprovedAmount": 5000000, "approvedAmount": 4875000, "interestRate": 4.25, "loanTenure": 25,
        "monthlyPayment": 9000, "downPaymentRequired": 2625000, "downPaymentPaid": 0,
        "applicationDate": "2030-01-08T00:00:00Z", "approvalDate": "2030-01-18T00:00:00Z",
        "disbursementDate": "2030-02-01T00:00:00Z", "redfSupport": True, "redfAmount": 150000,
    },
    "paymentSchedule": [
        {
            "type": "down_payment", "description": "الدفعة الأولى", "amount": 100000, "status": "paid",
            "dueDate": "2030-02-01T00:00:00Z", "paidAmount": 90000.25, "paidDate": "2024-01-25T00:00:00Z",
            "paymentMethod": "bank_transfer", "receiptNumber": "RCP-1", "escrowAccount": "ESC-1",
        },
        {
            "type": "final_payment", "description": "المتبقي", "amount": 300000, "status": "pending",
            "dueDate": "2031-03-01T00:00:00Z", "notes": "عن طريق البنك",
        },
    ],
}  # fmt: skip

# What the hub adds.
OURS = {"id", "createdAt", "updatedAt"}


def as_sent(compliance):
    """Compliance as somebody has written it: without what the hub adds."""
    return {
        name: [_without(item) for item in part] if isinstance(part, list) else _without(part)
        for name, part in compliance.items()
    }


def _without(item):
    return {name: value for name, value in item.items() if name not in OURS}


def one_of(name, **changes):
    """A valid object or item of a part, with some of it changed; None leaves a key out."""
    part = DEAL[name]
    body = (part[0] if isinstance(part, list) else part) | changes
    return {key: value for key, value in body.items() if value is not None}


def place_of(customer, name, item=None):
    return f"customers/{customer.pk}/compliance/{WORDS[name]}" + (f"/{item}" if item else "")


def write_whole(client, customer, compliance):
    """Through the customer."""
    return client.patch(f"customers/{customer.pk}", {"ksaCompliance": compliance})


def write_one(client, customer, name, body):
    """Through the part's own route."""
    method = client.post if isinstance(DEAL[name], list) else client.patch
    return method(place_of(customer, name), body)


def make_deal(client, actor, **values):
    """A customer with the whole DEAL, and its compliance as answered."""
    customer = make_customer(actor, **values)
    return customer, data_of(write_whole(client, customer, DEAL))["customer"]["ksaCompliance"]
