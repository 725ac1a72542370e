/* Which options and tests of a configuration go by a definition. */
#ifndef FAILOVER_SYNC_SHIM_KINDS_OPTION_USE_H
#define FAILOVER_SYNC_SHIM_KINDS_OPTION_USE_H

#include "../shim.h"

#include <dhcp/option_definition.h>

#include <functional>

namespace failover_sync
{

/* The first option of that space and code that `is_meant`, by where it is: "subnet 192.0.2.0/24"; "" if there is none.
 * Not seen are those in a host or configuration database, and what hooks libraries have by name or code. */
using OptionIsMeant = std::function<bool(const isc::dhcp::OptionDescriptor &option)>;
std::string option_user(const isc::dhcp::SrvConfig &configuration, const std::string &space, uint16_t code,
                        const OptionIsMeant &is_meant);

/* Whether an option has the same bytes and suboptions if it is made by the definition. */
bool is_same_by(const isc::dhcp::OptionDefinitionPtr &definition, const isc::dhcp::OptionDescriptor &option);

/* The first class whose test has that option by name; "" if there is none. */
std::string option_tester(const isc::dhcp::SrvConfig &configuration, const std::string &option_name);

} // namespace failover_sync

#endif
