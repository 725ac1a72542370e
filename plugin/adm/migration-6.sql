-- From schema version 5 to 6: whether a partner's list of versions was read into this store.

ALTER TABLE ADM_DHCPServersTable ADD COLUMN Listed INTEGER NOT NULL DEFAULT 0 CHECK (Listed IN (0, 1));
