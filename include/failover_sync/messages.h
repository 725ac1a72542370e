/* Every message the library can log: identifier, severity, text in Kea's manner (%1 is the first argument). The shim
 * hands them to Kea's message dictionary; the plugin half only knows the identifiers. */
#ifndef FAILOVER_SYNC_MESSAGES_H
#define FAILOVER_SYNC_MESSAGES_H

#define FAILOVER_SYNC_MESSAGES(X)                                                                                      \
    X(FAILOVER_SYNC_STARTED, INFO, "failover-sync %1 is loaded, its store is %2")                                      \
    X(FAILOVER_SYNC_STOPPED, INFO, "failover-sync is unloaded: %1")                                                    \
    X(FAILOVER_SYNC_LOAD_FAILED, ERROR, "failover-sync cannot be loaded: %1")                                          \
    X(FAILOVER_SYNC_LOADED_TWICE, ERROR,                                                                               \
      "%1. The first goes on with its parameters, the other does nothing; the server cannot start with this "          \
      "configuration")                                                                                                 \
    X(FAILOVER_SYNC_CONFIGURATION_REFUSED, ERROR, "the configuration is refused: %1")                                  \
    X(FAILOVER_SYNC_NO_RELATIONSHIP, WARN, "nothing will be replicated: %1")                                           \
    X(FAILOVER_SYNC_RELATIONSHIP, INFO, "relationship %1 (%2): this server is %3, the partner %4 is reached at %5")    \
    X(FAILOVER_SYNC_PARTNER_UNKNOWN, WARN,                                                                             \
      "the partner %1 in the parameter 'partners' is no peer of High Availability and of no relationship yet; check "  \
      "the name")                                                                                                      \
    X(FAILOVER_SYNC_WRITE_FAILED, ERROR,                                                                               \
      "what the partner sent could not be written to the configuration file, it runs all the same: %1")                \
    X(FAILOVER_SYNC_MASS_REMOVAL, WARN,                                                                                \
      "%1 of %2 %4 were removed at once: the removals are not sent to %3; failover-replicate with \"force\" sends "    \
      "them, adding them again takes them back")                                                                       \
    X(FAILOVER_SYNC_REMOVALS_HELD_HERE, WARN, "%1 removal(s) that %2 has sent are held: %3")                           \
    X(FAILOVER_SYNC_REMOVALS_HELD_THERE, WARN, "%1 removal(s) are held by %2: %3")                                     \
    X(FAILOVER_SYNC_STORE_SET_ASIDE, ERROR,                                                                            \
      "the store %1 is damaged: it was renamed to %2, and a new one is filled from the configuration and the partner") \
    X(FAILOVER_SYNC_STORE_BACK, INFO, "the store %1 can be used: mirroring and replication go on")                     \
    X(FAILOVER_SYNC_RECONCILED, WARN,                                                                                  \
      "%1 object(s) were remembered otherwise by %2: a store was lost or put back; they are settled now")              \
    X(FAILOVER_SYNC_RESTORED, INFO, "%1 object(s) that are newer than the configuration were applied from the store")  \
    X(FAILOVER_SYNC_NAME_UNSAYABLE, WARN,                                                                              \
      "the %1 %2... is not replicated: its name has more than %3 bytes, or some that are no characters of UTF-8; "     \
      "give it another one")                                                                                           \
    X(FAILOVER_SYNC_ADDED_ALREADY, INFO, "%1 adds what is there already in the same words: it is answered as done")    \
    X(FAILOVER_SYNC_FILE_PASSED_OVER, WARN,                                                                            \
      "%1 object(s) of the configuration file are not as they ran, and the store is too new to tell whether the file " \
      "was edited: they are left as they ran, the file's words are in scope-history; load the file again with them "   \
      "changed if they are meant")                                                                                     \
    X(FAILOVER_SYNC_RESTORE_FAILED, ERROR, "%1 could not be applied from the store: %2")                               \
    X(FAILOVER_SYNC_MIRRORED, INFO, "mirrored: %1 object(s) written, %2 removed, %3 queued for replication")           \
    X(FAILOVER_SYNC_MIRROR_FAILED, ERROR, "the mirror is not up to date, clients are served with what runs: %1")       \
    X(FAILOVER_SYNC_STORE_UNUSABLE, ERROR, "store unusable: %1. Clients are served from %2; nothing is replicated")    \
    X(FAILOVER_SYNC_IDLE, ERROR, "nothing is replicated, DHCP and High Availability go on: %1")                        \
    X(FAILOVER_SYNC_UNRECORDED, WARN,                                                                                  \
      "%1 change(s) could not be recorded before the load of a configuration: the store is compared with it then")     \
    X(FAILOVER_SYNC_PARTNER_UNUSABLE, WARN, "%1 takes no part in replication: %2")                                     \
    X(FAILOVER_SYNC_PUSHED, INFO, "%1 object(s) replicated to %2")                                                     \
    X(FAILOVER_SYNC_PUSH_FAILED, WARN, "replication to %1 failed, next attempt in %2 ms: %3")                          \
    X(FAILOVER_SYNC_WAY, INFO, "%1 is served with %2")                                                                 \
    X(FAILOVER_SYNC_WAY_RESTARTS_HA, WARN,                                                                             \
      "%1 is served with %2, which restarts its High Availability state machine with each batch of changes: load "     \
      "libdhcp_failover_sync.so there")                                                                                \
    X(FAILOVER_SYNC_NO_WAY, WARN, "nothing can be replicated to %1: %2")                                               \
    X(FAILOVER_SYNC_TAKE_OVER_FAILED, ERROR,                                                                           \
      "%1 was changed on both servers, the version of %2 counts but could not be applied here: %3")                    \
    X(FAILOVER_SYNC_SCOPE_OUT_OF_SYNC, WARN, "%1 is out of sync with %2: %3")                                          \
    X(FAILOVER_SYNC_CONFLICT, WARN, "%1 was changed on both servers: %2")                                              \
    X(FAILOVER_SYNC_RECEIVED, INFO, "%1 object(s) received from %2: %3 applied, %4 unchanged, %5 refused")             \
    X(FAILOVER_SYNC_REQUEST_REFUSED, WARN,                                                                             \
      "a request in the name of %1 is refused (failover-status counts them, the log tells at most one a minute): %2")  \
    X(FAILOVER_SYNC_PASSWORD_READABLE, WARN,                                                                           \
      "the password for %1 travels as everybody can read it, since %2 is not https: give High Availability's "         \
      "parameters or 'partners' an https url and a trust-anchor")                                                      \
    X(FAILOVER_SYNC_RECORD_FAILED, ERROR, "scopes received from %1 run but could not be recorded: %2")                 \
    X(FAILOVER_SYNC_COMMAND_FAILED, ERROR, "command %1 failed inside the library: %2")                                 \
    X(FAILOVER_SYNC_EXCEPTION, ERROR, "the server raised an exception in %1: %2")

#endif
