-- From schema version 4 to 5: the queue is read in the order in which it is sent, whatever its length.

DROP INDEX QueueByTime;
CREATE INDEX QueueByOrder ON ReplicationQueue (ServerRecordId, Held, Removal DESC, EnqueuedAt, NextAttemptAt);
