-- The whole schema of the store, as a new one gets it: the tables of the abstract data model (ADM) of MS-IPAMM2 that
-- this library keeps, with the specification's names, and the few tables of its own.
--
-- Within a table the columns that only this project has stand last, after the line "ours"; big texts are the very last,
-- so that reading the others does not page through them. "Af" tells the two halves of a compound table apart.
-- Addresses are kept twice: as text for people, and as a Key of 16 bytes (IPv4 mapped into ::ffff:0:0/96) whose byte
-- order is address order, for comparing and for the indexes.
--
-- A change here is a new version and needs a migration: see README.md. ASCII only, since it is compiled in.

CREATE TABLE ADM_DHCPServersTable (
    RecordId INTEGER PRIMARY KEY,
    Af TEXT NOT NULL DEFAULT 'InterNetwork' CHECK (Af IN ('InterNetwork', 'InterNetworkV6')),
    ServerName TEXT NOT NULL,
    -- ours
    HaName TEXT NOT NULL UNIQUE,
    ControlUrl TEXT,
    ServerVersion TEXT,
    IsLocal INTEGER NOT NULL DEFAULT 0 CHECK (IsLocal IN (0, 1)),
    LastSeen INTEGER, -- seconds since 1970
    Listed INTEGER NOT NULL DEFAULT 0 CHECK (Listed IN (0, 1)) -- what it has removed was read into this store
) STRICT;

-- Kea's shared networks.
CREATE TABLE ADM_DhcpSuperscopeTable (
    RecordId INTEGER PRIMARY KEY,
    ServerRecordId INTEGER NOT NULL REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE CASCADE,
    Name TEXT NOT NULL,
    -- ours
    Fingerprint TEXT,
    Definition TEXT NOT NULL,
    UNIQUE (ServerRecordId, Name)
) STRICT;

-- A scope has a row per server that has it: the local server's, and the partner's once it was replicated.
CREATE TABLE ADM_DHCPScopesTable (
    RecordId INTEGER PRIMARY KEY,
    Af TEXT NOT NULL CHECK (Af IN ('InterNetwork', 'InterNetworkV6')),
    DHCPServerRecordId INTEGER NOT NULL REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE CASCADE,
    ScopeId TEXT NOT NULL, -- the network's address
    ScopeName TEXT NOT NULL,
    Description TEXT,
    PrefixLength INTEGER NOT NULL,
    SubnetMask TEXT, -- IPv4 only
    StartAddress TEXT NOT NULL,
    EndAddress TEXT NOT NULL,
    ExclusionRanges TEXT NOT NULL, -- JSON: [{"start": "192.0.2.21", "end": "192.0.2.29"}, ...]
    Status TEXT NOT NULL DEFAULT 'Active',
    LeaseDuration INTEGER, -- seconds
    LeaseDurationType TEXT CHECK (LeaseDurationType IN ('Limited', 'Unlimited')),
    BootpLeaseDuration INTEGER,
    ServingClientsType TEXT NOT NULL DEFAULT 'DHCP',
    SubnetDelay INTEGER,
    DnsUpdateType TEXT CHECK (DnsUpdateType IN ('Always', 'Never')),
    DnsNameProtectionStatus TEXT,
    DiscardDnsRecordOnLeaseDeletionStatus TEXT,
    NumberOfActiveLeases INTEGER, -- not mirrored
    TotalNumberOfAddressesInScope INTEGER NOT NULL, -- the largest integer when there are more (IPv6)
    TotalNumberOfExcludedAddressesInScope INTEGER NOT NULL,
    FailoverConfigSyncStatus TEXT NOT NULL DEFAULT 'Unknown'
        CHECK (FailoverConfigSyncStatus IN ('Unknown', 'InSync', 'OutOfSync')),
    SuperscopeId INTEGER REFERENCES ADM_DhcpSuperscopeTable (RecordId) ON UPDATE CASCADE ON DELETE SET NULL,
    PreferredLeaseTime INTEGER, -- IPv6 only, like the next two
    ValidLeaseTime INTEGER,
    ScopePreference INTEGER,
    -- ours
    SubnetId INTEGER NOT NULL, -- Kea's
    Prefix TEXT NOT NULL,
    SyncReason TEXT, -- why it is not in sync, for people
    Origin TEXT NOT NULL CHECK (Origin IN ('Configuration', 'Partner')), -- who made the version it has now
    Fingerprint TEXT,
    PartnerFingerprint TEXT,
    FileFingerprint TEXT, -- what the configuration file last said of it, as it was, as it was printed, and its words
    FilePrinted TEXT,
    FileText TEXT,
    ConfigurationFingerprint TEXT, -- the same of any load
    ConfigurationPrinted TEXT,
    ConfigurationText TEXT,
    ModifiedAt INTEGER NOT NULL, -- milliseconds since 1970
    HasParts INTEGER NOT NULL CHECK (HasParts IN (0, 1)), -- its options, ranges and addresses are kept, too
    Definition TEXT NOT NULL, -- JSON: what was configured for it
    Effective TEXT NOT NULL, -- JSON: the same with all that it inherits; the columns above are derived from it
    PrintedFingerprint TEXT, -- of that
    UNIQUE (DHCPServerRecordId, SubnetId)
) STRICT;
CREATE INDEX ScopesBySuperscope ON ADM_DHCPScopesTable (SuperscopeId) WHERE SuperscopeId IS NOT NULL;
CREATE INDEX ScopesByNetwork ON ADM_DHCPScopesTable (ScopeId, PrefixLength);

-- The shared secret of a relationship is never kept.
CREATE TABLE ADM_DhcpFailoverRelationTable (
    RecordId INTEGER PRIMARY KEY,
    RelationshipName TEXT NOT NULL CHECK (length(RelationshipName) BETWEEN 1 AND 256),
    Server1RecordId INTEGER REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE NO ACTION,
    Server2RecordId INTEGER REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE NO ACTION,
    Mode TEXT NOT NULL CHECK (Mode IN ('None', 'LoadBalance', 'HotStandby')),
    MCLT INTEGER, -- seconds
    AutoStateTransition INTEGER NOT NULL DEFAULT 0 CHECK (AutoStateTransition IN (0, 1)),
    StateSwitchInterval INTEGER, -- seconds
    Server1Percentage INTEGER NOT NULL CHECK (Server1Percentage BETWEEN 0 AND 100),
    SharedSecretEnabled INTEGER NOT NULL DEFAULT 0 CHECK (SharedSecretEnabled IN (0, 1)),
    Server1State TEXT NOT NULL DEFAULT 'Unknown',
    Server2State TEXT NOT NULL DEFAULT 'Unknown',
    Server1Name TEXT,
    Server2Name TEXT,
    Server1PSName TEXT,
    Server2PSName TEXT,
    Server1IP TEXT,
    Server2IP TEXT,
    -- ours
    Origin TEXT NOT NULL CHECK (Origin IN ('HaConfig', 'Admin')),
    KeaMode TEXT,
    EditedProperties TEXT NOT NULL DEFAULT '[]', -- JSON list of the columns that an admin's edit holds
    -- JSON map from each column in EditedProperties to the value that the configuration last gave for it; a column that
    -- is not edited has that value itself.
    ConfiguredProperties TEXT NOT NULL DEFAULT '{}'
) STRICT;
-- Servers may be null, and nulls must not make two rows differ.
CREATE UNIQUE INDEX RelationsByName ON ADM_DhcpFailoverRelationTable
    (RelationshipName, coalesce(Server1RecordId, 0), coalesce(Server2RecordId, 0));
CREATE INDEX RelationsByServer1 ON ADM_DhcpFailoverRelationTable (Server1RecordId);
CREATE INDEX RelationsByServer2 ON ADM_DhcpFailoverRelationTable (Server2RecordId);

CREATE TABLE ADM_DhcpScopeFailoverTable (
    RecordId INTEGER PRIMARY KEY,
    FailoverRelationId INTEGER NOT NULL
        REFERENCES ADM_DhcpFailoverRelationTable (RecordId) ON UPDATE CASCADE ON DELETE CASCADE,
    ScopeId INTEGER NOT NULL REFERENCES ADM_DHCPScopesTable (RecordId) ON UPDATE CASCADE ON DELETE CASCADE,
    UNIQUE (ScopeId, FailoverRelationId)
) STRICT;
CREATE INDEX MembershipsByRelation ON ADM_DhcpScopeFailoverTable (FailoverRelationId);

CREATE TABLE ADM_AddressSpaceTable (
    RecordId INTEGER PRIMARY KEY,
    Name TEXT NOT NULL UNIQUE,
    Type TEXT NOT NULL CHECK (Type IN ('Provider', 'Customer')),
    Description TEXT,
    Owner TEXT
) STRICT;
INSERT INTO ADM_AddressSpaceTable (RecordId, Name, Type) VALUES (1, 'DefaultIPAddressSpace', 'Provider');

CREATE TABLE ADM_IPBlocksTable (
    RecordId INTEGER PRIMARY KEY,
    Af TEXT NOT NULL CHECK (Af IN ('InterNetwork', 'InterNetworkV6')),
    ParentBlockRecordId INTEGER REFERENCES ADM_IPBlocksTable (RecordId),
    NetworkId TEXT NOT NULL,
    PrefixLength INTEGER NOT NULL,
    StartIPAddress TEXT NOT NULL,
    EndIPAddress TEXT NOT NULL,
    AddressSpaceRecordId INTEGER NOT NULL REFERENCES ADM_AddressSpaceTable (RecordId),
    IsSubnet INTEGER NOT NULL CHECK (IsSubnet IN (0, 1)),
    -- ours
    Origin TEXT NOT NULL CHECK (Origin IN ('Scope', 'Admin')), -- a block that a scope brought goes with the last scope
    StartKey BLOB NOT NULL CHECK (length(StartKey) = 16),
    EndKey BLOB NOT NULL CHECK (length(EndKey) = 16),
    UNIQUE (AddressSpaceRecordId, Af, StartKey, PrefixLength)
) STRICT;
CREATE INDEX BlocksByParent ON ADM_IPBlocksTable (ParentBlockRecordId) WHERE ParentBlockRecordId IS NOT NULL;

CREATE TABLE ADM_IPRangeTable (
    RecordId INTEGER PRIMARY KEY,
    Af TEXT NOT NULL CHECK (Af IN ('InterNetwork', 'InterNetworkV6')),
    ParentIPBlockRecordId INTEGER REFERENCES ADM_IPBlocksTable (RecordId),
    AddressSpaceRecordId INTEGER NOT NULL REFERENCES ADM_AddressSpaceTable (RecordId),
    ScopeRecordId INTEGER REFERENCES ADM_DHCPScopesTable (RecordId) ON DELETE CASCADE, -- null: of no DHCP server
    SubnetId TEXT NOT NULL, -- the network's address
    PrefixLength INTEGER NOT NULL,
    StartIPAddress TEXT NOT NULL,
    EndIPAddress TEXT NOT NULL,
    AddressAssignment TEXT NOT NULL,
    AddressCategory TEXT NOT NULL,
    Owner TEXT,
    Description TEXT,
    IsOverlapping INTEGER NOT NULL DEFAULT 0 CHECK (IsOverlapping IN (0, 1)),
    UseForUtilization INTEGER NOT NULL DEFAULT 1 CHECK (UseForUtilization IN (0, 1)),
    UtilizationCalculationType TEXT NOT NULL CHECK (UtilizationCalculationType IN ('Auto', 'Static')),
    UtilizationStatistics TEXT,
    ConnectionSpecificDNSSuffix TEXT,
    VirtualizationType TEXT,
    LastAssignedDate INTEGER, -- seconds since 1970
    LastChangeDate INTEGER,   -- seconds since 1970
    NumberOfChildAddresses INTEGER NOT NULL DEFAULT 0,
    -- ours
    StartKey BLOB NOT NULL CHECK (length(StartKey) = 16),
    EndKey BLOB NOT NULL CHECK (length(EndKey) = 16),
    -- Where the smallest network around the range is halved. A range that holds an address has its fork among the few
    -- points at which the networks around that address are halved: so enclosing ranges are found without a scan.
    ForkKey BLOB NOT NULL CHECK (length(ForkKey) = 16)
) STRICT;
CREATE UNIQUE INDEX RangesByScope ON ADM_IPRangeTable (ScopeRecordId, StartKey, EndKey) WHERE ScopeRecordId IS NOT NULL;
CREATE INDEX RangesByBounds ON ADM_IPRangeTable (AddressSpaceRecordId, Af, StartKey, EndKey);
CREATE INDEX RangesByFork ON ADM_IPRangeTable (AddressSpaceRecordId, Af, ForkKey);
-- The ranges that no server owns are few: whether there are any tells whether a mirrored pool can meet one.
CREATE INDEX RangesOfAdmins ON ADM_IPRangeTable (AddressSpaceRecordId, Af) WHERE ScopeRecordId IS NULL;
CREATE INDEX RangesByBlock ON ADM_IPRangeTable (ParentIPBlockRecordId);

CREATE TABLE ADM_IPAddressTable (
    RecordId INTEGER PRIMARY KEY,
    Af TEXT NOT NULL CHECK (Af IN ('InterNetwork', 'InterNetworkV6')),
    RangeRecordId INTEGER REFERENCES ADM_IPRangeTable (RecordId) ON DELETE SET NULL,
    AddressSpaceRecordId INTEGER NOT NULL REFERENCES ADM_AddressSpaceTable (RecordId),
    IpAddress TEXT, -- null: a reservation without an address
    AddressAssignment TEXT NOT NULL,
    AddressCategory TEXT,
    MacAddress TEXT,
    Duid TEXT,
    Iaid INTEGER,
    DeviceName TEXT,
    Owner TEXT,
    AssetTag TEXT,
    SerialNumber TEXT,
    Notes TEXT,
    AssignedDate INTEGER,
    ExpiryDate INTEGER,
    IsDuplicate INTEGER NOT NULL DEFAULT 0 CHECK (IsDuplicate IN (0, 1)),
    VirtualizationType TEXT,
    ReservationType TEXT,
    -- ours
    ScopeRecordId INTEGER REFERENCES ADM_DHCPScopesTable (RecordId) ON DELETE CASCADE, -- whose reservation; or null
    AddressKey BLOB CHECK (length(AddressKey) = 16)
) STRICT;
CREATE INDEX AddressesByScope ON ADM_IPAddressTable (ScopeRecordId) WHERE ScopeRecordId IS NOT NULL;
CREATE INDEX AddressesByRange ON ADM_IPAddressTable (RangeRecordId) WHERE RangeRecordId IS NOT NULL;
CREATE INDEX AddressesByAddress ON ADM_IPAddressTable (AddressSpaceRecordId, Af, AddressKey);

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

-- "Values" is the option as the server prints it, JSON.
CREATE TABLE ADM_DhcpOptionsTable (
    RecordId INTEGER PRIMARY KEY,
    Af TEXT NOT NULL CHECK (Af IN ('InterNetwork', 'InterNetworkV6')),
    ServerRecordId INTEGER NOT NULL REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE CASCADE,
    ScopeRecordId INTEGER REFERENCES ADM_DHCPScopesTable (RecordId) ON DELETE CASCADE,
    OptionDefinitionRecordId TEXT NOT NULL, -- "dhcp4/3": option space and code
    UserClassRecordId TEXT,                 -- the client class, or null
    "Values" TEXT NOT NULL,
    OptionOwnerType TEXT NOT NULL CHECK (OptionOwnerType IN ('Server', 'SharedNetwork', 'Scope', 'Pool')),
    -- ours
    RangeRecordId INTEGER REFERENCES ADM_IPRangeTable (RecordId) ON DELETE CASCADE -- the pool's, if a pool's
) STRICT;
CREATE INDEX OptionsByServer ON ADM_DhcpOptionsTable (ServerRecordId);
CREATE INDEX OptionsByScope ON ADM_DhcpOptionsTable (ScopeRecordId);
CREATE INDEX OptionsByRange ON ADM_DhcpOptionsTable (RangeRecordId) WHERE RangeRecordId IS NOT NULL;

-- What else replicates beside scopes: classes of clients, definitions of options. A row per server that has it; of a
-- partner it is the version last agreed on. The columns are those that ADM_DHCPScopesTable has for the same purpose.
CREATE TABLE ReplicatedObjects (
    RecordId INTEGER PRIMARY KEY,
    ServerRecordId INTEGER NOT NULL REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE CASCADE,
    ObjectId INTEGER NOT NULL, -- the kind in the upper byte, below it a hash of the name
    Kind TEXT NOT NULL, -- option-definition, client-class
    Name TEXT NOT NULL,
    ConfigSyncStatus TEXT NOT NULL CHECK (ConfigSyncStatus IN ('Unknown', 'InSync', 'OutOfSync')),
    SyncReason TEXT,
    Origin TEXT NOT NULL CHECK (Origin IN ('Configuration', 'Partner')),
    Fingerprint TEXT,
    PartnerFingerprint TEXT,
    PrintedFingerprint TEXT,
    FileFingerprint TEXT,
    FilePrinted TEXT,
    FileText TEXT,
    ConfigurationFingerprint TEXT,
    ConfigurationPrinted TEXT,
    ConfigurationText TEXT,
    ModifiedAt INTEGER NOT NULL, -- milliseconds since 1970
    Definition TEXT NOT NULL, -- as it was configured
    Effective TEXT NOT NULL, -- as the server prints it
    UNIQUE (ServerRecordId, ObjectId)
) STRICT;

-- What a partner still has to be told: the latest wish per scope and partner.
CREATE TABLE ReplicationQueue (
    RecordId INTEGER PRIMARY KEY,
    RelationId INTEGER NOT NULL REFERENCES ADM_DhcpFailoverRelationTable (RecordId) ON DELETE CASCADE,
    ServerRecordId INTEGER NOT NULL REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE CASCADE, -- the partner
    ObjectId INTEGER NOT NULL,
    Name TEXT NOT NULL,
    Removal INTEGER NOT NULL DEFAULT 0 CHECK (Removal IN (0, 1)),
    Forced INTEGER NOT NULL DEFAULT 0 CHECK (Forced IN (0, 1)), -- an administrator means this removal
    Attempts INTEGER NOT NULL DEFAULT 0,
    EnqueuedAt INTEGER NOT NULL,    -- milliseconds since 1970
    NextAttemptAt INTEGER NOT NULL, -- milliseconds since 1970
    Held INTEGER NOT NULL DEFAULT 0 CHECK (Held IN (0, 1)),
    HeldThere INTEGER NOT NULL DEFAULT 0 CHECK (HeldThere IN (0, 1)), -- it is the partner that holds it
    LastError TEXT,
    -- What goes first: removals of scopes, so that their prefixes are free; then what scopes need, and the scopes; at
    -- last removals of what they needed.
    Place INTEGER AS (IIF(ObjectId >> 56 = 0, IIF(Removal, 0, 10), IIF(Removal, 20 - (ObjectId >> 56), ObjectId >> 56))),
    UNIQUE (ServerRecordId, ObjectId)
) STRICT;
CREATE INDEX QueueByRelation ON ReplicationQueue (RelationId);
CREATE INDEX QueueByOrder ON ReplicationQueue (ServerRecordId, Held, Place, EnqueuedAt, NextAttemptAt);

-- Removals that a partner sent: taken of late, held here because they are too many, or released since. At most one for
-- each scope that is here or was a moment ago.
CREATE TABLE ReceivedRemovals (
    ServerRecordId INTEGER NOT NULL REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE CASCADE, -- the partner
    ObjectId INTEGER NOT NULL,
    Name TEXT NOT NULL,
    State TEXT NOT NULL CHECK (State IN ('Counted', 'Held', 'Released')),
    PRIMARY KEY (ServerRecordId, ObjectId)
) STRICT;

-- Scopes removed at run time that the configuration file still has.
CREATE TABLE ObjectTombstones (
    ObjectId INTEGER PRIMARY KEY,
    Name TEXT NOT NULL,
    FileFingerprint TEXT, -- what the configuration file last said of it, as it was, as it was printed, and its words
    FilePrinted TEXT,
    FileText TEXT,
    ConfigurationFingerprint TEXT, -- the same of any load
    ConfigurationPrinted TEXT,
    ConfigurationText TEXT,
    Origin TEXT NOT NULL CHECK (Origin IN ('Configuration', 'Partner')), -- who removed it
    RemovedAt INTEGER NOT NULL -- milliseconds since 1970
) STRICT;

-- Which version of a scope each server has. A version is a version vector: which edits of which servers it builds on
-- ("writer:edit,..."; '' if nobody is known to have edited the scope). Of this server removals are kept, too.
CREATE TABLE ObjectVersions (
    ServerRecordId INTEGER NOT NULL REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE CASCADE,
    ObjectId INTEGER NOT NULL,
    Name TEXT NOT NULL,
    Version TEXT NOT NULL,
    Removed INTEGER NOT NULL CHECK (Removed IN (0, 1)),
    RemovedOrder INTEGER, -- of a removal: larger than that of every earlier one, whatever the clock said; else null
    ChangedAt INTEGER NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (ServerRecordId, ObjectId)
) STRICT;
CREATE INDEX RemovedByOrder ON ObjectVersions (RemovedOrder) WHERE RemovedOrder IS NOT NULL;

-- Whose the store is, and as whom that server edits; a store that was lost is followed by one with another identity.
CREATE TABLE StoreIdentity (
    Id INTEGER PRIMARY KEY CHECK (Id = 1),
    Server TEXT NOT NULL, -- its name in HA's parameters; '' nobody's yet
    Service TEXT NOT NULL, -- dhcp4
    Writer TEXT NOT NULL,
    LastEdit INTEGER NOT NULL, -- no edit has a smaller number
    Filled INTEGER NOT NULL CHECK (Filled IN (0, 1)), -- a configuration was mirrored into it
    FileSeen INTEGER NOT NULL CHECK (FileSeen IN (0, 1)) -- and one that came from the file
) STRICT;
INSERT INTO StoreIdentity (Id, Server, Service, Writer, LastEdit, Filled, FileSeen)
    VALUES (1, '', '', lower(hex(randomblob(16))), 0, 0, 0);

-- Versions that a conflict replaced.
CREATE TABLE ObjectHistory (
    RecordId INTEGER PRIMARY KEY,
    ObjectId INTEGER NOT NULL,
    Name TEXT NOT NULL,
    Fingerprint TEXT,
    Reason TEXT,
    ReplacedAt INTEGER NOT NULL, -- milliseconds since 1970
    Bytes INTEGER NOT NULL, -- of the definition
    Definition TEXT -- null: the version that lost was a removal
) STRICT;
CREATE INDEX HistoryByScope ON ObjectHistory (ObjectId, RecordId);
CREATE INDEX HistoryBySize ON ObjectHistory (RecordId, Bytes);

-- The last operations, so that operation-get knows them after a restart.
CREATE TABLE OperationLog (
    OperationId TEXT PRIMARY KEY,
    Sequence INTEGER NOT NULL UNIQUE,
    Command TEXT NOT NULL,
    State TEXT NOT NULL
        CHECK (State IN ('NotStarted', 'InProgress', 'CompletedWithSuccess', 'CompletedWithFailure')),
    Percent INTEGER NOT NULL,
    StartedAt INTEGER NOT NULL, -- milliseconds since 1970
    EndedAt INTEGER,            -- milliseconds since 1970
    FaultCode TEXT,
    FaultException TEXT,
    FaultReason TEXT,
    FaultPath TEXT,
    Output TEXT
) STRICT;
