-- From schema version 2 to 3: what the configuration last gave for the columns that an admin edited, and the log of
-- operations. What the configuration gave before is not known of an edit that is there already: the next load notes it.

-- JSON map from each column in EditedProperties to the value that the configuration last gave for it; a column that is
-- not edited has that value itself.
ALTER TABLE ADM_DhcpFailoverRelationTable ADD COLUMN ConfiguredProperties TEXT NOT NULL DEFAULT '{}';

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
