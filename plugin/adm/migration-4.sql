-- From schema version 3 to 4: which version of a scope each server has, and as whom the store's server edits.

-- Which version of a scope each server has. A version is a version vector: which edits of which servers it builds on
-- ("writer:edit,..."; '' if nobody is known to have edited the scope). Of this server removals are kept, too.
CREATE TABLE ScopeVersions (
    ServerRecordId INTEGER NOT NULL REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE CASCADE,
    SubnetId INTEGER NOT NULL,
    Prefix TEXT NOT NULL,
    Version TEXT NOT NULL,
    Removed INTEGER NOT NULL CHECK (Removed IN (0, 1)),
    ChangedAt INTEGER NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (ServerRecordId, SubnetId)
) STRICT;

-- As whom this store's server edits; a store that was lost is followed by one with another identity.
CREATE TABLE StoreIdentity (
    Id INTEGER PRIMARY KEY CHECK (Id = 1),
    Writer TEXT NOT NULL,
    LastEdit INTEGER NOT NULL, -- no edit has a smaller number
    Filled INTEGER NOT NULL CHECK (Filled IN (0, 1)), -- a configuration was mirrored into it
    FileSeen INTEGER NOT NULL CHECK (FileSeen IN (0, 1)) -- and one that came from the file
) STRICT;
INSERT INTO StoreIdentity (Id, Writer, LastEdit, Filled, FileSeen) VALUES (1, lower(hex(randomblob(16))), 0, 0, 0);

-- What was agreed on with a partner is what both had when versions began to be counted. What the partner has not got
-- yet is an edit of this server's.
INSERT INTO ScopeVersions (ServerRecordId, SubnetId, Prefix, Version, Removed, ChangedAt)
SELECT partner.DHCPServerRecordId, partner.SubnetId, partner.Prefix, '', 0, partner.ModifiedAt
    FROM ADM_DHCPScopesTable AS partner JOIN ADM_DHCPServersTable AS server ON server.RecordId = partner.DHCPServerRecordId
    WHERE server.IsLocal = 0;
INSERT INTO ScopeVersions (ServerRecordId, SubnetId, Prefix, Version, Removed, ChangedAt)
SELECT scope.DHCPServerRecordId, scope.SubnetId, scope.Prefix,
    CASE WHEN EXISTS (SELECT 1 FROM ReplicationQueue AS queue WHERE queue.SubnetId = scope.SubnetId)
        OR EXISTS (SELECT 1 FROM ADM_DHCPScopesTable AS other WHERE other.SubnetId = scope.SubnetId
            AND other.DHCPServerRecordId <> scope.DHCPServerRecordId AND other.Fingerprint IS NOT scope.Fingerprint)
        THEN (SELECT substr(Writer, 1, 16) FROM StoreIdentity) || ':1' ELSE '' END,
    0, scope.ModifiedAt
    FROM ADM_DHCPScopesTable AS scope JOIN ADM_DHCPServersTable AS server ON server.RecordId = scope.DHCPServerRecordId
    WHERE server.IsLocal = 1;
INSERT INTO ScopeVersions (ServerRecordId, SubnetId, Prefix, Version, Removed, ChangedAt)
SELECT server.RecordId, queue.SubnetId, queue.Prefix, (SELECT substr(Writer, 1, 16) FROM StoreIdentity) || ':1', 1,
    queue.EnqueuedAt
    FROM ReplicationQueue AS queue JOIN ADM_DHCPServersTable AS server ON server.IsLocal = 1
    WHERE queue.Removal = 1
    ON CONFLICT (ServerRecordId, SubnetId) DO NOTHING;
UPDATE StoreIdentity SET Filled = EXISTS (SELECT 1 FROM ADM_DHCPScopesTable), FileSeen = 1;
