/* What the server's High Availability library is told and tells: its parameters from the configuration, its state from
 * the server's status. */
#include "shim.h"

#include <cc/command_interpreter.h>
#include <config/command_mgr.h>
#include <hooks/hooks_config.h>

using isc::data::ConstElementPtr;
using isc::data::Element;

namespace
{

using namespace failover_sync;

constexpr char LIBRARY[] = "libdhcp_ha.so";
constexpr char KEYWORD[] = "high-availability";

std::string file_name(const std::string &path)
{
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

ConstElementPtr member(const ConstElementPtr &map, const char *keyword)
{
    return map && map->getType() == Element::map ? map->get(keyword) : ConstElementPtr();
}

} // namespace

struct result failover_sync::ha_parameters(enum kea_configuration which, char **json) noexcept
{
    *json = nullptr;
    return run_guarded("ha_parameters", [&] {
        const isc::dhcp::SrvConfigPtr configuration = configuration_of(which);
        for (const auto &library : configuration->getHooksConfig().get()) {
            if (file_name(release::path_of(library)) != LIBRARY) {
                continue;
            }
            const ConstElementPtr list = member(release::parameters_of(library), KEYWORD);
            if (!list) {
                return result_error(RESULT_NOT_FOUND, "%s is configured without the parameter \"%s\"", LIBRARY,
                                    KEYWORD);
            }
            *json = duplicate(printed(*list));
            return result_ok();
        }
        return result_error(RESULT_NOT_FOUND, "%s is not among the configured hooks-libraries", LIBRARY);
    });
}

struct result failover_sync::ha_status(char **json) noexcept
{
    *json = nullptr;
    return run_guarded("ha_status", [&] {
        const ConstElementPtr answer =
            isc::config::CommandMgr::instance().processCommand(isc::config::createCommand("status-get"));
        const ConstElementPtr list = member(member(answer, "arguments"), KEYWORD);
        if (!list) {
            return result_error(RESULT_NOT_FOUND, "the server's status says nothing of high availability");
        }
        *json = duplicate(printed(*list));
        return result_ok();
    });
}
