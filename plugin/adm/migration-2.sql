-- From schema version 1 to 2: custom fields, access scopes, the multivalued properties of ranges, and the fork by which
-- enclosing ranges are found. range_fork is a function of the store, there only while it migrates.

ALTER TABLE ADM_IPRangeTable ADD COLUMN ForkKey BLOB CHECK (length(ForkKey) = 16);
UPDATE ADM_IPRangeTable SET ForkKey = range_fork(StartKey, EndKey);
CREATE INDEX RangesByFork ON ADM_IPRangeTable (AddressSpaceRecordId, Af, ForkKey);
-- The ranges that no server owns are few: whether there are any tells whether a mirrored pool can meet one.
CREATE INDEX RangesOfAdmins ON ADM_IPRangeTable (AddressSpaceRecordId, Af) WHERE ScopeRecordId IS NULL;

-- PropertyId: 1 DNS server, 2 WINS server, 3 gateway, 4 VIP, 5 VIP range, 6 DNS suffix, 7 reserved IP, 8 reserved IP
-- range. Ranges are written "first-last".
CREATE TABLE ADM_IPRangeMultivaluedPropertiesTable (
    RecordId INTEGER PRIMARY KEY,
    RangeId INTEGER NOT NULL REFERENCES ADM_IPRangeTable (RecordId) ON UPDATE CASCADE ON DELETE CASCADE,
    PropertyId INTEGER NOT NULL CHECK (PropertyId BETWEEN 1 AND 8),
    PropertyValue TEXT NOT NULL CHECK (length(CAST(PropertyValue AS BLOB)) <= 900)
) STRICT;
CREATE INDEX PropertiesByRange ON ADM_IPRangeMultivaluedPropertiesTable (RangeId, PropertyId);

-- The built-in fields have the RecordId of their number.
CREATE TABLE ADM_CustomFieldsTable (
    RecordId INTEGER PRIMARY KEY,
    Name TEXT NOT NULL UNIQUE,
    BuiltinCustomFieldNumber INTEGER,
    Origin TEXT NOT NULL CHECK (Origin IN ('Builtin', 'UserDefined')),
    Type TEXT NOT NULL CHECK (Type IN ('Multivalued', 'Freeform'))
) STRICT;
INSERT INTO ADM_CustomFieldsTable (RecordId, Name, BuiltinCustomFieldNumber, Origin, Type) VALUES
    (1, 'RIR', 1, 'Builtin', 'Multivalued'),
    (2, 'RegionLegacy', 2, 'Builtin', 'Multivalued'),
    (3, 'Country/Region', 3, 'Builtin', 'Multivalued'),
    (4, 'Type of networks', 4, 'Builtin', 'Multivalued'),
    (5, 'AD site', 5, 'Builtin', 'Multivalued'),
    (6, 'Microsoft server role', 6, 'Builtin', 'Multivalued'),
    (7, 'Device type', 7, 'Builtin', 'Multivalued'),
    (8, 'Managed by', 8, 'Builtin', 'Multivalued'),
    (9, 'Managed by entity', 9, 'Builtin', 'Multivalued'),
    (10, 'IP Address State', 10, 'Builtin', 'Multivalued'),
    (11, 'IP Pool Name', 11, 'Builtin', 'Multivalued'),
    (12, 'Logical Network', 12, 'Builtin', 'Multivalued'),
    (13, 'DNS Suffix', 13, 'Builtin', 'Multivalued'),
    (14, 'Network Site', 14, 'Builtin', 'Multivalued'),
    (15, 'VM Network', 15, 'Builtin', 'Multivalued'),
    (16, 'Tenant', 16, 'Builtin', 'Multivalued'),
    (17, 'Isolation Method', 17, 'Builtin', 'Multivalued'),
    (18, 'Region', 18, 'Builtin', 'Multivalued');

-- Every server's HaName is a value of "Managed by entity" (9): server_store_put sees to it.
CREATE TABLE ADM_CustomFieldValuesTable (
    RecordId INTEGER PRIMARY KEY,
    CustomFieldRecordId INTEGER NOT NULL REFERENCES ADM_CustomFieldsTable (RecordId) ON DELETE CASCADE,
    Value TEXT NOT NULL,
    BuiltInCustomFieldValueId INTEGER,
    UNIQUE (CustomFieldRecordId, Value)
) STRICT;
INSERT INTO ADM_CustomFieldValuesTable (RecordId, CustomFieldRecordId, Value, BuiltInCustomFieldValueId) VALUES
    (1, 8, 'IPAM', 1), (2, 8, 'DHCP', 2), (3, 8, 'other DHCP', 3), (4, 8, 'VM manager', 4), (5, 8, 'Others', 5),
    (6, 9, 'Localhost', 1);

-- Ours: the part of ADM_CustomFieldValuesAssociationTable that is not computed, the values somebody gave.
CREATE TABLE CustomFieldValuesGiven (
    RecordId INTEGER PRIMARY KEY,
    ObjectType TEXT NOT NULL
        CHECK (ObjectType IN ('ServerInfo', 'IPAddress', 'IPRange', 'IPBlock', 'IPSubnet', 'AddressSpace')),
    Af TEXT NOT NULL CHECK (Af IN ('InterNetwork', 'InterNetworkV6')),
    UsedById INTEGER NOT NULL,
    CustomFieldId INTEGER NOT NULL REFERENCES ADM_CustomFieldsTable (RecordId) ON DELETE CASCADE,
    CustomFieldValueId INTEGER REFERENCES ADM_CustomFieldValuesTable (RecordId) ON DELETE CASCADE, -- multivalued
    Value TEXT, -- freeform
    UNIQUE (UsedById, ObjectType, Af, CustomFieldId)
) STRICT;
CREATE INDEX CustomFieldValuesGivenByField ON CustomFieldValuesGiven (CustomFieldId);
CREATE INDEX CustomFieldValuesGivenByValue ON CustomFieldValuesGiven (CustomFieldValueId);

-- What hangs on a scope is managed by DHCP, and the entity is the scope's server. Nobody can change that, and there may
-- be a hundred thousand such objects, so these values are not rows but follow from ScopeRecordId; their RecordIds are
-- negative.
CREATE VIEW ADM_CustomFieldValuesAssociationTable
    (RecordId, ObjectType, Af, UsedById, CustomFieldId, CustomFieldValueId, Value) AS
SELECT RecordId, ObjectType, Af, UsedById, CustomFieldId, CustomFieldValueId, Value FROM CustomFieldValuesGiven
UNION ALL
SELECT -4 * RecordId, 'IPRange', Af, RecordId, 8, 2, NULL FROM ADM_IPRangeTable WHERE ScopeRecordId IS NOT NULL
UNION ALL
SELECT -4 * r.RecordId - 1, 'IPRange', r.Af, r.RecordId, 9, v.RecordId, NULL FROM ADM_IPRangeTable AS r
    JOIN ADM_DHCPScopesTable AS s ON s.RecordId = r.ScopeRecordId
    JOIN ADM_DHCPServersTable AS d ON d.RecordId = s.DHCPServerRecordId
    JOIN ADM_CustomFieldValuesTable AS v ON v.CustomFieldRecordId = 9 AND v.Value = d.HaName
UNION ALL
SELECT -4 * RecordId - 2, 'IPAddress', Af, RecordId, 8, 2, NULL FROM ADM_IPAddressTable WHERE ScopeRecordId IS NOT NULL
UNION ALL
SELECT -4 * a.RecordId - 3, 'IPAddress', a.Af, a.RecordId, 9, v.RecordId, NULL FROM ADM_IPAddressTable AS a
    JOIN ADM_DHCPScopesTable AS s ON s.RecordId = a.ScopeRecordId
    JOIN ADM_DHCPServersTable AS d ON d.RecordId = s.DHCPServerRecordId
    JOIN ADM_CustomFieldValuesTable AS v ON v.CustomFieldRecordId = 9 AND v.Value = d.HaName;

CREATE TABLE ADM_AccessScopeTable (
    AccessScopeId INTEGER PRIMARY KEY,
    Name TEXT NOT NULL,
    ParentId INTEGER REFERENCES ADM_AccessScopeTable (AccessScopeId),
    UNIQUE (ParentId, Name)
) STRICT;
INSERT INTO ADM_AccessScopeTable (AccessScopeId, Name) VALUES (1, 'Global');

CREATE TABLE ADM_AccessScopeAssociationTable (
    AssociationId INTEGER PRIMARY KEY,
    ObjectId INTEGER NOT NULL,
    ObjectType TEXT NOT NULL, -- IPv4Range, IPv6Subnet, DHCPScopev4, ...
    AccessScopeId INTEGER NOT NULL REFERENCES ADM_AccessScopeTable (AccessScopeId),
    InheritanceId INTEGER REFERENCES ADM_AccessScopeAssociationTable (AssociationId), -- its own: inherits from nobody
    IsInheriting INTEGER NOT NULL CHECK (IsInheriting IN (0, 1)),
    UNIQUE (ObjectId, ObjectType)
) STRICT;
CREATE INDEX AssociationsByAccessScope ON ADM_AccessScopeAssociationTable (AccessScopeId);
CREATE INDEX AssociationsByInheritance ON ADM_AccessScopeAssociationTable (InheritanceId);

-- No foreign key can say what UsedById and ObjectId refer to, and a RecordId may be given out again.
CREATE TRIGGER RangeGone AFTER DELETE ON ADM_IPRangeTable BEGIN
    DELETE FROM CustomFieldValuesGiven WHERE UsedById = old.RecordId AND ObjectType = 'IPRange' AND Af = old.Af;
    DELETE FROM ADM_AccessScopeAssociationTable
        WHERE ObjectId = old.RecordId AND ObjectType IN ('IPv4Range', 'IPv6Range');
END;
CREATE TRIGGER AddressGone AFTER DELETE ON ADM_IPAddressTable BEGIN
    DELETE FROM CustomFieldValuesGiven WHERE UsedById = old.RecordId AND ObjectType = 'IPAddress' AND Af = old.Af;
END;
CREATE TRIGGER BlockGone AFTER DELETE ON ADM_IPBlocksTable BEGIN
    UPDATE ADM_AccessScopeAssociationTable SET InheritanceId = AssociationId
        WHERE InheritanceId IN (SELECT AssociationId FROM ADM_AccessScopeAssociationTable WHERE ObjectId = old.RecordId
            AND ObjectType IN ('IPv4Block', 'IPv6Block', 'IPv4Subnet', 'IPv6Subnet'));
    DELETE FROM ADM_AccessScopeAssociationTable WHERE ObjectId = old.RecordId
        AND ObjectType IN ('IPv4Block', 'IPv6Block', 'IPv4Subnet', 'IPv6Subnet');
END;

INSERT OR IGNORE INTO ADM_CustomFieldValuesTable (CustomFieldRecordId, Value)
    SELECT 9, HaName FROM ADM_DHCPServersTable ORDER BY RecordId;
