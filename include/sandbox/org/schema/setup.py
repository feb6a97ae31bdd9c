"""What administrators keep: groups and queues, record types, profiles, roles, and the statuses of leads."""

from __future__ import annotations

from include.sandbox.org.schema.field import (
    ChildLink,
    SObject,
    flag,
    number,
    pick,
    plain,
    readonly,
    reference,
    text,
)  # fmt: skip
from include.sandbox.org.schema.standard import audit, record_id

GROUP_TYPES = (
    "AllCustomerPortal", "ChannelProgramGroup", "CollaborationGroup", "Manager", "ManagerAndSubordinatesInternal",
    "Organization", "PRMOrganization", "Queue", "Regular", "Role", "RoleAndSubordinates",
    "RoleAndSubordinatesInternal", "Territory", "TerritoryAndSubordinates",
)  # fmt: skip
QUEUE_OBJECTS = ("Case", "Lead", "Task")
TYPED_OBJECTS = ("Account", "Campaign", "Case", "Opportunity")
LICENSES = ("Standard", "PowerCustomerSuccess", "CSPLitePortal", "Guest")

GROUP = SObject(
    name="Group",
    label="Group",
    plural="Group",
    prefix="00G",
    undeletable=False,
    fields=(
        record_id("Group"),
        text("Name", "Name", 40, required=True, name_field=True, id_lookup=True),
        text("DeveloperName", "Developer Name", 80),
        readonly(reference("RelatedId", "Related ID", "User", "UserRole", relationship="Related")),
        pick("Type", "Type", GROUP_TYPES, restricted=True, required=True, updateable=False),
        plain("Email", "Email", "email", 255),
        readonly(reference("OwnerId", "Owner ID", "Organization", "User", relationship="Owner")),
        flag("DoesSendEmailToMembers", "Send Email to Members"),
        flag("DoesIncludeBosses", "Does Include Bosses"),
        *audit(),
    ),
    children=(
        ChildLink(object="GroupMember", field="GroupId", name="GroupMembers", cascade=True),
        ChildLink(object="QueueSobject", field="QueueId", name="QueueSobjects", cascade=True),
    ),
)

GROUP_MEMBER = SObject(
    name="GroupMember",
    label="Group Member",
    plural="Group Member",
    prefix="011",
    undeletable=False,
    fields=(
        record_id("Group Member"),
        reference("GroupId", "Group ID", "Group", required=True, updateable=False),
        reference(
            "UserOrGroupId", "User/Group ID", "Group", "User", relationship="UserOrGroup", required=True,
            updateable=False,
        ),
        readonly(plain("SystemModstamp", "System Modstamp", "datetime", groupable=False)),
    ),
)  # fmt: skip

QUEUE_SOBJECT = SObject(
    name="QueueSobject",
    label="Queue Sobject",
    plural="Queue Sobject",
    prefix="03g",
    undeletable=False,
    fields=(
        record_id("QueueSobject"),
        reference("QueueId", "Group ID", "Group", required=True, relationship="Queue", updateable=False),
        pick("SobjectType", "Sobject Type", QUEUE_OBJECTS, restricted=True, required=True, updateable=False),
        readonly(reference("CreatedById", "Created By ID", "User", relationship="CreatedBy")),
        readonly(plain("SystemModstamp", "System Modstamp", "datetime", groupable=False)),
    ),
)

RECORD_TYPE = SObject(
    name="RecordType",
    label="Record Type",
    plural="Record Type",
    prefix="012",
    deletable=False,
    fields=(
        record_id("Record Type"),
        text("Name", "Name", 80, required=True, name_field=True, id_lookup=True),
        text("DeveloperName", "Record Type Name", 80, required=True),
        readonly(text("NamespacePrefix", "Namespace Prefix", 15)),
        text("Description", "Description", 255),
        reference("BusinessProcessId", "Business Process ID", "BusinessProcess"),
        pick("SobjectType", "SObject Type Name", TYPED_OBJECTS, restricted=True, required=True, updateable=False),
        flag("IsActive", "Active", default=True),
        readonly(flag("IsPersonType", "Is Person Type")),
        *audit(),
    ),
)

PROFILE = SObject(
    name="Profile",
    label="Profile",
    plural="Profile",
    prefix="00e",
    deletable=False,
    createable=False,
    fields=(
        record_id("Profile"),
        text("Name", "Name", 255, required=True, name_field=True),
        pick("UserType", "User Type", LICENSES, restricted=True),
        text("Description", "Description", 255),
        *audit(),
    ),
    children=(ChildLink(object="User", field="ProfileId", name="Users"),),
)

USER_ROLE = SObject(
    name="UserRole",
    label="Role",
    plural="Role",
    prefix="00E",
    undeletable=False,
    fields=(
        record_id("Role"),
        text("Name", "Name", 80, required=True, name_field=True),
        reference("ParentRoleId", "Parent Role ID", "UserRole"),
        text("RollupDescription", "Description", 80),
        text("DeveloperName", "Developer Name", 80),
        pick("PortalType", "Portal Type", ("None", "CustomerPortal", "Partner"), restricted=True, default="None"),
        readonly(reference("LastModifiedById", "Last Modified By ID", "User", relationship="LastModifiedBy")),
        readonly(plain("LastModifiedDate", "Last Modified Date", "datetime", groupable=False)),
        readonly(plain("SystemModstamp", "System Modstamp", "datetime", groupable=False)),
    ),
    children=(ChildLink(object="User", field="UserRoleId", name="Users"),),
)

LEAD_STATUS = SObject(
    name="LeadStatus",
    label="Lead Status Value",
    plural="Lead Status Value",
    prefix="01J",
    deletable=False,
    createable=False,
    fields=(
        record_id("Lead Status Value"),
        readonly(text("MasterLabel", "Master Label", 255, name_field=True)),
        readonly(text("ApiName", "API Name", 255)),
        readonly(number("SortOrder", "Sort Order", "int", 9)),
        readonly(flag("IsDefault", "Is Default")),
        readonly(flag("IsConverted", "Is Converted")),
        *audit(),
    ),
)
