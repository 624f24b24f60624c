"""The numbers of the law that warnings go by, each with the day it was looked up and where it stands.

They are engineering input and no legal advice; when the law changes, they change here alone.
"""

from datetime import date
from decimal import Decimal

# Real Estate Brokerage Law, Royal Decree M/130 of 29 June 2022: unless agreed otherwise in writing.
STATUTORY_COMMISSION = Decimal("2.5")  # percent of the price, or of the first year's rent
# The same: what is above it counts as a part of the price.
LARGEST_DEPOSIT = Decimal(5)  # percent of the deal

# Decision of the Cabinet on leases, 25 September 2025.
LEASES_RENEW_SINCE = date(2025, 9, 25)
RENEWAL_NOTICE_DAYS = 60
RIYADH_RENT_FREEZE = (date(2025, 9, 25), date(2030, 9, 25))

# SAMA, rules of responsible lending, art. 15, incomes up to 15,000 a month.
DEBT_BURDEN = Decimal(55)  # percent of the income
SUPPORTED_DEBT_BURDEN = Decimal(65)  # with the support of the Real Estate Development Fund
# SAMA, circular 391000048362 of 2018.
FIRST_HOME_LOAN = Decimal(90)  # percent of the price, first homes of citizens
LARGEST_LOAN = Decimal(70)

# Not of the law: how long before a date, or after a look, somebody should be told.
LICENSE_WARNING_DAYS = 30
RENEWAL_WARNING_DAYS = 90
SAKANI_FRESH_DAYS = 180

# Numbers as REGA and the Ministry of Justice print them, seen in their records in 2025.
FAL_NUMBER = r"1[12]\d{8}"
FAL_PREFIXES = {"individual": "11", "establishment": "12"}
DEED_NUMBER = r"\d{12}|\d{16}"
