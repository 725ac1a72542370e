-- From schema version 6 to 7: whose the store is, the order in which scopes were removed, and the bytes of each version
-- in the history: what is kept is counted by these, not by the clock. Removals that the partner holds, those that an
-- administrator means, and those received.

ALTER TABLE StoreIdentity ADD COLUMN Server TEXT NOT NULL DEFAULT '';
ALTER TABLE StoreIdentity ADD COLUMN Service TEXT NOT NULL DEFAULT '';

ALTER TABLE ScopeVersions ADD COLUMN RemovedOrder INTEGER;
UPDATE ScopeVersions SET RemovedOrder = numbered.Number FROM (SELECT ServerRecordId, SubnetId,
    row_number() OVER (ORDER BY ChangedAt, SubnetId) AS Number FROM ScopeVersions WHERE Removed = 1) AS numbered
    WHERE ScopeVersions.ServerRecordId = numbered.ServerRecordId AND ScopeVersions.SubnetId = numbered.SubnetId;
CREATE INDEX RemovedByOrder ON ScopeVersions (RemovedOrder) WHERE RemovedOrder IS NOT NULL;

CREATE TABLE NewHistory (
    RecordId INTEGER PRIMARY KEY,
    SubnetId INTEGER NOT NULL,
    Prefix TEXT NOT NULL,
    Fingerprint TEXT,
    Reason TEXT,
    ReplacedAt INTEGER NOT NULL, -- milliseconds since 1970
    Bytes INTEGER NOT NULL, -- of the definition
    Definition TEXT -- null: the version that lost was a removal
) STRICT;
INSERT INTO NewHistory (RecordId, SubnetId, Prefix, Fingerprint, Reason, ReplacedAt, Bytes, Definition)
    SELECT RecordId, SubnetId, Prefix, Fingerprint, Reason, ReplacedAt,
    coalesce(length(CAST(Definition AS BLOB)), 0), Definition FROM ScopeHistory;
DROP TABLE ScopeHistory;
ALTER TABLE NewHistory RENAME TO ScopeHistory;
CREATE INDEX HistoryByScope ON ScopeHistory (SubnetId, RecordId);
CREATE INDEX HistoryBySize ON ScopeHistory (RecordId, Bytes);

ALTER TABLE ReplicationQueue ADD COLUMN HeldThere INTEGER NOT NULL DEFAULT 0 CHECK (HeldThere IN (0, 1));
ALTER TABLE ReplicationQueue ADD COLUMN Forced INTEGER NOT NULL DEFAULT 0 CHECK (Forced IN (0, 1));

CREATE TABLE ReceivedRemovals (
    ServerRecordId INTEGER NOT NULL REFERENCES ADM_DHCPServersTable (RecordId) ON DELETE CASCADE, -- the partner
    SubnetId INTEGER NOT NULL,
    Prefix TEXT NOT NULL,
    State TEXT NOT NULL CHECK (State IN ('Counted', 'Held', 'Released')),
    PRIMARY KEY (ServerRecordId, SubnetId)
) STRICT;
