/* A server's configuration in this process, loaded as from a file, for the tests of the kinds of objects. */
#ifndef FAILOVER_SYNC_TESTS_KINDS_FIXTURE_H
#define FAILOVER_SYNC_TESTS_KINDS_FIXTURE_H

#include "shim/kinds/kind.h"
#include "shim/kinds/parsers.h"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string>

extern "C" {
#include <cmocka.h>
}

extern const char THREE[];      /* classes a, b and c, each but the first named by the next one */
extern const char COLOR[];      /* dhcp4.222 */
extern const char SIZE[];       /* dhcp4.223 */
extern const char COLOR_USED[]; /* class a with an option dhcp4.222 */

isc::dhcp::SrvConfig &running();

/* Loads the lists of JSON maps. */
isc::dhcp::SrvConfig &load(const std::string &definitions, const std::string &classes);

/* Of the running configuration, with blanks between. */
std::string names(const failover_sync::Kind &kind);

/* Its own words; "none" if there is none. */
std::string own(const failover_sync::Kind &kind, const std::string &name);

std::string canonical(const std::string &json);

/* All that the server has of both kinds. */
std::string everything();

void put(const failover_sync::Kind &kind, const std::string &name, const std::string &definition);

/* The reason; "" if it was not refused. Nothing is changed by it. */
template <typename Body> std::string refusal(Body body)
{
    const std::string before = everything();
    std::string reason;
    try {
        failover_sync::Undo undo;
        body(undo);
    } catch (const std::exception &error) {
        reason = error.what();
    }
    assert_string_equal(everything().c_str(), before.c_str());
    return reason;
}

void remove_now(const failover_sync::Kind &kind, const std::string &name, failover_sync::Undo &undo);

std::string put_refusal(const failover_sync::Kind &kind, const std::string &name, const std::string &definition);
std::string remove_refusal(const failover_sync::Kind &kind, const std::string &name);

void assert_says(const std::string &text, const std::string &part);

std::string meaning(const failover_sync::Kind &kind, const std::string &words);

/* Each runs its tests and returns how many failed. */
int run_client_class_tests();
int run_option_definition_tests();

#endif
