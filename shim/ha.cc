/* What the server's High Availability library is told and tells: its parameters from the configuration, its state from
 * what it adds to the server's status. */
#include "shim.h"

#include <cc/command_interpreter.h>
#include <hooks/hooks_config.h>
#include <hooks/hooks_manager.h>

#include <dlfcn.h>
#include <memory>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;
using isc::hooks::CalloutHandle;

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

struct Unloader {
    void operator()(void *library) const
    {
        (void)dlclose(library);
    }
};

using LoadedLibrary = std::unique_ptr<void, Unloader>;

/* The library as the server has loaded it; null if it has not. */
LoadedLibrary loaded_library(const std::string &path)
{
    return LoadedLibrary(dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD));
}

/* The HA library of the configuration in force. */
LoadedLibrary ha_library()
{
    for (const auto &library : configuration_of(KEA_RUNNING)->getHooksConfig().get()) {
        if (file_name(release::path_of(library)) == LIBRARY) {
            LoadedLibrary loaded = loaded_library(release::path_of(library));
            return loaded ? std::move(loaded) : loaded_library(LIBRARY);
        }
    }
    return nullptr;
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
            const struct result bounds = element_check("HA's parameters", *list, json_parameters_bounds);
            if (result_failed(bounds)) {
                return result_error(RESULT_NOT_FOUND, "%s", bounds.message); /* the server starts all the same */
            }
            *json = duplicate(printed(*list));
            return result_ok();
        }
        return result_error(RESULT_NOT_FOUND, "%s is not among the configured hooks-libraries", LIBRARY);
    });
}

/* The HA library completes every answer to status-get in its callout command_processed. That callout is given an empty
 * answer here: the command itself, asked for every other second, would fill the server's log and other libraries'. */
struct result failover_sync::ha_status(char **json) noexcept
{
    *json = nullptr;
    return run_guarded("ha_status", [&] {
        const LoadedLibrary library = ha_library();
        using Callout = int (*)(CalloutHandle &);
        const auto complete = library ? reinterpret_cast<Callout>(dlsym(library.get(), "command_processed"))
                                      : static_cast<Callout>(nullptr);
        if (!complete) {
            return result_error(RESULT_NOT_FOUND, "%s is not loaded, or tells nothing of its state", LIBRARY);
        }
        const ElementPtr arguments = Element::createMap();
        ConstElementPtr answer = isc::config::createAnswer(isc::config::CONTROL_RESULT_SUCCESS, arguments);
        const isc::hooks::CalloutHandlePtr handle = isc::hooks::HooksManager::createCalloutHandle();
        handle->setArgument("name", std::string("status-get"));
        handle->setArgument("arguments", ConstElementPtr());
        handle->setArgument("response", answer);
        (void)complete(*handle);
        handle->getArgument("response", answer);
        const ConstElementPtr list = member(member(answer, "arguments"), KEYWORD);
        if (!list) {
            return result_error(RESULT_NOT_FOUND, "the server's status says nothing of high availability");
        }
        *json = duplicate(printed(*list));
        return result_ok();
    });
}
