/* Reading the tables for the YANG container "adm". The order of the columns is that of the module; a new column has its
 * leaf there and its place here. */
#include "failover_sync/adm_table.h"

/* The computed associations of ADM_CustomFieldValuesAssociationTable have the ids -4 * RecordId - offset. Those above
 * ?1 in ascending order are the objects below a RecordId, descending: a page of them needs no look at the others, as
 * reading the view would. */
#define COMPUTED_PAGE(offset)                                                                                          \
    "o.ScopeRecordId IS NOT NULL AND o.RecordId <= (-?1 - " offset " - 1) / 4 ORDER BY o.RecordId DESC LIMIT ?2"
#define COMPUTED_BY_DHCP(table, type, offset)                                                                          \
    " UNION ALL SELECT * FROM (SELECT -4 * o.RecordId - " offset ", '" type                                            \
    "', o.Af, o.RecordId, 8, 2, NULL FROM " table " AS o WHERE " COMPUTED_PAGE(offset) ")"
#define COMPUTED_ENTITY(table, type, offset)                                                                           \
    " UNION ALL SELECT * FROM (SELECT -4 * o.RecordId - " offset ", '" type "', o.Af, o.RecordId, 9, v.RecordId, "     \
    "NULL FROM " table " AS o CROSS JOIN ADM_DHCPScopesTable AS s ON s.RecordId = o.ScopeRecordId "                    \
    "CROSS JOIN ADM_DHCPServersTable AS d ON d.RecordId = s.DHCPServerRecordId "                                       \
    "CROSS JOIN ADM_CustomFieldValuesTable AS v ON v.CustomFieldRecordId = 9 AND v.Value = d.HaName "                  \
    "WHERE " COMPUTED_PAGE(offset) ")"
#define COMPUTED_ASSOCIATIONS                                                                                          \
    COMPUTED_BY_DHCP("ADM_IPRangeTable", "IPRange", "0")                                                               \
    COMPUTED_ENTITY("ADM_IPRangeTable", "IPRange", "1")                                                                \
    COMPUTED_BY_DHCP("ADM_IPAddressTable", "IPAddress", "2")                                                           \
    COMPUTED_ENTITY("ADM_IPAddressTable", "IPAddress", "3")

const struct adm_table adm_tables[ADM_TABLES] = {
    {.list = "dhcp-servers",
     .table = "ADM_DHCPServersTable",
     .sql = "SELECT RecordId, Af, ServerName, HaName, ControlUrl, ServerVersion, iif(IsLocal, 'true', 'false'), "
            "strftime('%Y-%m-%dT%H:%M:%SZ', LastSeen, 'unixepoch'), iif(Listed, 'true', 'false') FROM "
            "ADM_DHCPServersTable WHERE RecordId > ?1 ORDER BY RecordId LIMIT ?2"},
    {.list = "dhcp-superscopes",
     .table = "ADM_DhcpSuperscopeTable",
     .sql = "SELECT RecordId, ServerRecordId, Name, Fingerprint, Definition FROM ADM_DhcpSuperscopeTable WHERE "
            "RecordId > ?1 ORDER BY RecordId LIMIT ?2"},
    {.list = "dhcp-scopes",
     .table = "ADM_DHCPScopesTable",
     .sql =
         "SELECT RecordId, Af, DHCPServerRecordId, ScopeId, ScopeName, Description, PrefixLength, SubnetMask, "
         "StartAddress, EndAddress, ExclusionRanges, Status, LeaseDuration, LeaseDurationType, "
         "BootpLeaseDuration, ServingClientsType, SubnetDelay, DnsUpdateType, DnsNameProtectionStatus, "
         "DiscardDnsRecordOnLeaseDeletionStatus, NumberOfActiveLeases, TotalNumberOfAddressesInScope, "
         "TotalNumberOfExcludedAddressesInScope, FailoverConfigSyncStatus, SuperscopeId, PreferredLeaseTime, "
         "ValidLeaseTime, ScopePreference, SubnetId, Prefix, SyncReason, Origin, Fingerprint, PartnerFingerprint, "
         "FileFingerprint, ConfigurationFingerprint, strftime('%Y-%m-%dT%H:%M:%fZ', ModifiedAt / 1000.0, "
         "'unixepoch'), Definition, Effective, PrintedFingerprint FROM ADM_DHCPScopesTable WHERE RecordId > ?1 ORDER "
         "BY RecordId LIMIT ?2"},
    {.list = "dhcp-failover-relations",
     .table = "ADM_DhcpFailoverRelationTable",
     .sql = "SELECT RecordId, RelationshipName, Mode, MCLT, iif(AutoStateTransition, 'true', 'false'), "
            "StateSwitchInterval, Server1Percentage, KeaMode, iif(SharedSecretEnabled, 'true', 'false'), "
            "Server1RecordId, Server2RecordId, Server1Name, Server2Name, Server1PSName, Server2PSName, Server1IP, "
            "Server2IP, Server1State, Server2State, Origin, EditedProperties FROM ADM_DhcpFailoverRelationTable "
            "WHERE RecordId > ?1 ORDER BY RecordId LIMIT ?2"},
    {.list = "dhcp-scope-failovers",
     .table = "ADM_DhcpScopeFailoverTable",
     .sql = "SELECT RecordId, FailoverRelationId, ScopeId FROM ADM_DhcpScopeFailoverTable WHERE RecordId > ?1 ORDER "
            "BY RecordId LIMIT ?2"},
    {.list = "dhcp-options",
     .table = "ADM_DhcpOptionsTable",
     .sql = "SELECT RecordId, Af, ServerRecordId, ScopeRecordId, OptionDefinitionRecordId, UserClassRecordId, "
            "\"Values\", OptionOwnerType, RangeRecordId FROM ADM_DhcpOptionsTable WHERE RecordId > ?1 ORDER BY "
            "RecordId LIMIT ?2"},
    {.list = "ip-blocks",
     .table = "ADM_IPBlocksTable",
     .sql = "SELECT RecordId, Af, ParentBlockRecordId, NetworkId, PrefixLength, StartIPAddress, EndIPAddress, "
            "AddressSpaceRecordId, iif(IsSubnet, 'true', 'false'), Origin FROM ADM_IPBlocksTable WHERE RecordId > ?1 "
            "ORDER BY RecordId LIMIT ?2"},
    {.list = "ip-ranges",
     .table = "ADM_IPRangeTable",
     .sql = "SELECT RecordId, Af, ParentIPBlockRecordId, ScopeRecordId, SubnetId, PrefixLength, StartIPAddress, "
            "EndIPAddress, AddressSpaceRecordId, AddressAssignment, AddressCategory, Owner, Description, "
            "UtilizationCalculationType, UtilizationStatistics, ConnectionSpecificDNSSuffix, VirtualizationType, "
            "iif(IsOverlapping, 'true', 'false'), iif(UseForUtilization, 'true', 'false'), NumberOfChildAddresses, "
            "strftime('%Y-%m-%dT%H:%M:%SZ', LastAssignedDate, 'unixepoch'), strftime('%Y-%m-%dT%H:%M:%SZ', "
            "LastChangeDate, 'unixepoch') FROM ADM_IPRangeTable WHERE RecordId > ?1 ORDER BY RecordId LIMIT ?2"},
    {.list = "ip-range-multivalued-properties",
     .table = "ADM_IPRangeMultivaluedPropertiesTable",
     .sql = "SELECT RecordId, RangeId, CASE PropertyId WHEN 1 THEN 'dns-server' WHEN 2 THEN 'wins-server' WHEN 3 "
            "THEN 'gateway' WHEN 4 THEN 'vip' WHEN 5 THEN 'vip-range' WHEN 6 THEN 'dns-suffix' WHEN 7 THEN "
            "'reserved-ip' WHEN 8 THEN 'reserved-ip-range' END, PropertyValue FROM "
            "ADM_IPRangeMultivaluedPropertiesTable WHERE RecordId > ?1 ORDER BY RecordId LIMIT ?2"},
    {.list = "ip-addresses",
     .table = "ADM_IPAddressTable",
     .sql = "SELECT RecordId, Af, RangeRecordId, AddressSpaceRecordId, IpAddress, AddressAssignment, "
            "AddressCategory, MacAddress, Duid, Iaid, DeviceName, Owner, AssetTag, SerialNumber, Notes, "
            "strftime('%Y-%m-%dT%H:%M:%SZ', AssignedDate, 'unixepoch'), strftime('%Y-%m-%dT%H:%M:%SZ', ExpiryDate, "
            "'unixepoch'), iif(IsDuplicate, 'true', 'false'), VirtualizationType, ReservationType, ScopeRecordId "
            "FROM ADM_IPAddressTable WHERE RecordId > ?1 ORDER BY RecordId LIMIT ?2"},
    {.list = "address-spaces",
     .table = "ADM_AddressSpaceTable",
     .sql = "SELECT RecordId, Name, Type, Description, Owner FROM ADM_AddressSpaceTable WHERE RecordId > ?1 ORDER BY "
            "RecordId LIMIT ?2"},
    {.list = "custom-fields",
     .table = "ADM_CustomFieldsTable",
     .sql = "SELECT RecordId, Name, BuiltinCustomFieldNumber, Origin, Type FROM ADM_CustomFieldsTable WHERE RecordId "
            "> ?1 ORDER BY RecordId LIMIT ?2"},
    {.list = "custom-field-values",
     .table = "ADM_CustomFieldValuesTable",
     .sql = "SELECT RecordId, CustomFieldRecordId, Value, BuiltInCustomFieldValueId FROM ADM_CustomFieldValuesTable "
            "WHERE RecordId > ?1 ORDER BY RecordId LIMIT ?2"},
    {.list = "custom-field-value-associations",
     .table = "ADM_CustomFieldValuesAssociationTable",
     .before = -INT64_MAX,
     .sql = "SELECT * FROM (SELECT RecordId, ObjectType, Af, UsedById, CustomFieldId, CustomFieldValueId, Value FROM "
            "CustomFieldValuesGiven WHERE RecordId > ?1 ORDER BY RecordId LIMIT ?2)" COMPUTED_ASSOCIATIONS
            " ORDER BY 1 LIMIT ?2"},
    {.list = "access-scopes",
     .table = "ADM_AccessScopeTable",
     .sql = "SELECT AccessScopeId, Name, ParentId FROM ADM_AccessScopeTable WHERE AccessScopeId > ?1 ORDER BY "
            "AccessScopeId LIMIT ?2"},
    {.list = "access-scope-associations",
     .table = "ADM_AccessScopeAssociationTable",
     .sql = "SELECT AssociationId, ObjectId, ObjectType, AccessScopeId, InheritanceId, iif(IsInheriting, 'true', "
            "'false') FROM ADM_AccessScopeAssociationTable WHERE AssociationId > ?1 ORDER BY AssociationId LIMIT ?2"},
};
