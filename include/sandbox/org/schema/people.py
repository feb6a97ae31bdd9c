"""User and Organization: who works in the org, and the org itself."""

from __future__ import annotations

from include.sandbox.org.schema.field import SObject, flag, number, pick, plain, readonly, reference, text
from include.sandbox.org.schema.standard import audit, record_id

TIME_ZONES = (
    "Pacific/Kiritimati", "Pacific/Auckland", "Australia/Sydney", "Australia/Adelaide", "Asia/Tokyo", "Asia/Seoul",
    "Asia/Singapore", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Bangkok", "Asia/Jakarta", "Asia/Dhaka", "Asia/Kathmandu",
    "Asia/Kolkata", "Asia/Karachi", "Asia/Dubai", "Asia/Tehran", "Europe/Moscow", "Europe/Istanbul", "Asia/Riyadh",
    "Africa/Nairobi", "Africa/Johannesburg", "Africa/Cairo", "Asia/Jerusalem", "Europe/Athens", "Europe/Bucharest",
    "Europe/Helsinki", "Europe/Berlin", "Europe/Paris", "Europe/Rome", "Europe/Madrid", "Europe/Amsterdam",
    "Europe/Brussels", "Europe/Vienna", "Europe/Zurich", "Europe/Stockholm", "Europe/Warsaw", "Europe/Prague",
    "Africa/Lagos", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "GMT", "Atlantic/Azores", "America/Sao_Paulo",
    "America/St_Johns", "America/Halifax", "America/Caracas", "America/New_York", "America/Bogota", "America/Lima",
    "America/Chicago", "America/Mexico_City", "America/Denver", "America/Phoenix", "America/Los_Angeles",
    "America/Anchorage", "Pacific/Honolulu",
)  # fmt: skip

_FULL_NAME = 'concat_ws(\' \', {t}."FirstName", {t}."LastName")'
_USER_TYPES = ("Standard", "PowerPartner", "CSPLitePortal", "CustomerSuccess", "Guest", "AutomatedProcess")

USER = SObject(
    name="User",
    label="User",
    plural="Users",
    prefix="005",
    deletable=False,
    fields=(
        record_id("User"),
        text("Username", "Username", 80, required=True, unique=True, id_lookup=True),
        text("LastName", "Last Name", 80, required=True, compound="Name"),
        text("FirstName", "First Name", 40, compound="Name"),
        readonly(text("Name", "Full Name", 121, name_field=True, extra_type="personname", formula=_FULL_NAME)),
        text("CompanyName", "Company Name", 80),
        text("Division", "Division", 80),
        text("Department", "Department", 80),
        text("Title", "Title", 80),
        plain("Email", "Email", "email", 128, required=True, id_lookup=True),
        plain("Phone", "Phone", "phone", 40),
        text("Alias", "Alias", 8, required=True),
        text("CommunityNickname", "Nickname", 40, required=True),
        flag("IsActive", "Active", default=True),
        pick("TimeZoneSidKey", "Time Zone", TIME_ZONES, restricted=True),
        pick("LocaleSidKey", "Locale", ("en_US", "en_GB", "de_DE"), restricted=True),
        pick("EmailEncodingKey", "Email Encoding", ("UTF-8", "ISO-8859-1"), restricted=True),
        pick("LanguageLocaleKey", "Language", ("en_US", "de"), restricted=True),
        pick("UserType", "User Type", _USER_TYPES, restricted=True),
        reference("UserRoleId", "Role ID", "UserRole"),
        reference("ProfileId", "Profile ID", "Profile"),
        reference("ManagerId", "Manager ID", "User"),
        text("FederationIdentifier", "SAML Federation ID", 512),
        readonly(plain("LastLoginDate", "Last Login", "datetime", groupable=False)),
        *audit(),
    ),
)

ORGANIZATION = SObject(
    name="Organization",
    label="Organization",
    plural="Organizations",
    prefix="00D",
    deletable=False,
    createable=False,
    fields=(
        record_id("Organization"),
        text("Name", "Name", 80, name_field=True),
        text("Country", "Country", 80),
        plain("Phone", "Phone", "phone", 40),
        pick("LanguageLocaleKey", "Language", ("en_US", "de"), restricted=True),
        pick("TimeZoneSidKey", "Time Zone", TIME_ZONES, restricted=True),
        readonly(text("OrganizationType", "Edition", 40)),
        readonly(text("InstanceName", "Instance Name", 5)),
        readonly(flag("IsSandbox", "Is Sandbox", default=True)),
        readonly(text("NamespacePrefix", "Namespace Prefix", 15)),
        readonly(plain("TrialExpirationDate", "Trial Expiration Date", "datetime", groupable=False)),
        readonly(number("FiscalYearStartMonth", "Fiscal Year Starts In", "int", 2)),
        readonly(text("DefaultLocaleSidKey", "Locale", 40)),
        *audit(),
    ),
)
