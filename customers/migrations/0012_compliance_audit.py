from django.db import migrations

from config.audit import audited


class Migration(migrations.Migration):
    dependencies = [("customers", "0011_compliance")]
    operations = [
        audited(
            "brokerage_licenses",
            columns=[
                "status", "license_number", "license_type", "issued_date", "expiry_date", "issued_by",
                "verified_at", "notes",
            ],
            hidden=["position"],
        ),
        audited(
            "brokerage_contracts",
            columns=[
                "type", "status", "contract_number", "rega_contract_id", "property_id", "property_title",
                "commission_rate", "commission_amount", "exclusivity_period", "start_date", "end_date",
                "approved_by", "approved_at", "documents", "notes",
            ],
            hidden=["position"],
        ),
        audited(
            "ejar_contracts",
            columns=[
                "ejar_contract_number", "property_id", "property_title", "tenancy_type", "status", "start_date",
                "end_date", "monthly_rent", "security_deposit", "payment_schedule", "landlord_id",
                "landlord_name", "tenant_name", "created_in_ejar", "ejar_created_at", "ejar_url",
                "auto_renewal", "renewal_notification_sent", "documents", "notes",
            ],
            hidden=["position"],
        ),
        audited(
            "wafi_licenses",
            columns=[
                "status", "license_number", "project_id", "project_name", "developer_name", "issued_date",
                "total_units", "sold_units", "reserved_units", "verified_at", "notes",
            ],
            hidden=["position"],
        ),
        audited(
            "escrow_milestones",
            columns=[
                "project_id", "milestone_number", "title", "title_en", "description", "target_date",
                "completion_date", "status", "percentage", "amount", "certified_by", "certified_at",
                "release_requested", "release_approved", "release_date", "documents", "notes",
            ],
            hidden=["position"],
        ),
        audited(
            "handover_defects",
            columns=[
                "unit_id", "category", "severity", "description", "status", "reported_by", "reported_at",
                "assigned_to", "target_resolution_date", "resolved_at", "photos", "notes",
            ],
            hidden=["position"],
        ),
        audited(
            "sakani_eligibilities",
            columns=[
                "status", "sakani_id", "eligibility_checked_at", "interested_products", "household_income",
                "household_size", "first_time_owner", "currently_owns_property", "approved_loan_amount",
                "down_payment_support", "eligibility_notes", "verified_at",
            ],
            hidden=["position"],
        ),
        audited(
            "registry_infos",
            columns=[
                "deed_number", "registry_office", "registered_owner", "registration_date", "verified_at",
                "notes",
            ],
            hidden=["position"],
        ),
        audited(
            "mortgage_infos",
            columns=[
                "status", "financing_type", "bank_name", "application_number", "pre_approved_amount",
                "approved_amount", "interest_rate", "loan_tenure", "monthly_payment", "down_payment_required",
                "down_payment_paid", "application_date", "approval_date", "disbursement_date", "redf_support",
                "redf_amount", "documents", "notes",
            ],
            hidden=["position"],
        ),
        audited(
            "payments",
            columns=[
                "type", "description", "amount", "due_date", "status", "paid_amount", "paid_date",
                "payment_method", "receipt_number", "escrow_account", "notes",
            ],
            hidden=["position"],
        ),
    ]
