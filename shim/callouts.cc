/* The hook's entry points: how the server loads, calls and unloads the library. Each one contains its exceptions, and
 * hands on to the plugin what it is about. */
#include "shim.h"

#include <cc/command_interpreter.h>
#include <dhcpsrv/cfgmgr.h>
#include <hooks/hooks.h>
#include <process/daemon.h>

#include <memory>
#include <mutex>
#include <shared_mutex>

#define EXPORTED extern "C" __attribute__((visibility("default")))

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::dhcp::CfgMgr;
using isc::dhcp::SrvConfigPtr;
using isc::hooks::CalloutHandle;
using isc::hooks::LibraryHandle;

struct plugin *failover_sync::the_plugin = nullptr;

namespace
{

using namespace failover_sync;

/* Callouts come on several threads, unloading on the main thread alone: it waits until the others are out. Callouts on
 * the main thread may nest (our own status-get), which is no danger as it cannot unload meanwhile. */
std::shared_mutex in_use;
bool serving = false;

/* Calls `body` with the plugin if the library serves. */
template <typename Body> void with_plugin(const char *where, Body body) noexcept
{
    run_contained(where, [&] {
        std::shared_lock<std::shared_mutex> use(in_use);
        if (serving) {
            body();
        }
    });
}

/* ---- the functions given to the plugin ---- */

const std::string version_text = release::version();

struct result give_scope(void *, enum kea_configuration which, uint32_t subnet_id, struct kea_scope *scope)
{
    return scope_get(which, subnet_id, scope);
}

struct result give_ids(void *, enum kea_configuration which, uint32_t **ids, size_t *count)
{
    return scope_ids(which, ids, count);
}

struct result find_scope(void *, enum kea_configuration which, const char *prefix, uint32_t *subnet_id)
{
    return scope_find(which, prefix, subnet_id);
}

void apply_scopes(void *, enum kea_configuration which, struct kea_change *changes, size_t count)
{
    scopes_apply(which, changes, count);
}

struct result give_ha_parameters(void *, enum kea_configuration which, char **json)
{
    return ha_parameters(which, json);
}

struct result give_ha_status(void *, char **json)
{
    return ha_status(json);
}

struct result queue_task(void *, kea_task task, void *argument)
{
    return main_queue_add(task, argument);
}

bool is_main(void *)
{
    return on_main_thread();
}

void write_log(void *, enum kea_message message, const char *const *arguments)
{
    log_message(message, arguments);
}

void log_text(enum kea_message message, const char *text)
{
    const char *const arguments[] = {text, nullptr};
    log_message(message, arguments);
}

/* ---- loading and unloading ---- */

struct result check_process()
{
    const std::string process = isc::process::Daemon::getProcName();
    if (process != "kea-dhcp4" || CfgMgr::instance().getFamily() != AF_INET) {
        return result_error(RESULT_INVALID,
                            "only kea-dhcp4 is supported so far: remove the library from the configuration of %s",
                            process.empty() ? "this server" : process.c_str());
    }
    return result_ok();
}

void stop() noexcept
{
    if (the_plugin) {
        plugin_stop(the_plugin);
        the_plugin = nullptr;
    }
    main_queue_cancel();
}

int command_called(CalloutHandle &handle);

struct result start(LibraryHandle &handle)
{
    struct result outcome = check_process();
    if (result_failed(outcome)) {
        return outcome;
    }
    outcome = main_queue_open();
    if (result_failed(outcome)) {
        return outcome;
    }
    const ConstElementPtr parameters = handle.getParameters();
    const std::string text = parameters ? parameters->str() : "";
    outcome = plugin_start(&server, parameters ? text.c_str() : nullptr, &the_plugin);
    if (result_failed(outcome)) {
        the_plugin = nullptr;
        return outcome;
    }
    for (const char *const *name = plugin_command_names(); name && *name; ++name) {
        handle.registerCommandCallout(*name, command_called);
    }
    std::unique_lock<std::shared_mutex> alone(in_use);
    serving = true;
    return result_ok();
}

/* ---- configurations ---- */

void configuration_loaded(void *argument, bool cancelled)
{
    const std::unique_ptr<SrvConfigPtr> loaded(static_cast<SrvConfigPtr *>(argument));
    if (!cancelled) {
        plugin_configuration_loaded(the_plugin, CfgMgr::instance().getCurrentCfg() == *loaded);
    }
}

void configuration_changed(void *, bool cancelled)
{
    if (!cancelled) {
        plugin_configuration_changed(the_plugin);
    }
}

struct result load_configuration(const ConstElementPtr &json, const SrvConfigPtr &staged)
{
    const StagedConfiguration meant(staged);
    const std::vector<struct kea_delivered> delivered = delivered_scopes(json, *staged);
    struct kea_load load = {};
    load.at_start = CfgMgr::instance().getCurrentCfg()->getSequence() == 0;
    load.from_file = read_from_file(json);
    load.delivered = delivered.data();
    load.delivered_count = delivered.size();
    return plugin_configuration_loading(the_plugin, &load);
}

/* ---- commands ---- */

std::string text_of(const ConstElementPtr &element)
{
    return element ? element->str() : "";
}

/* The plugin's answer as the server wants it. */
ConstElementPtr answer_command(const std::string &name, const ConstElementPtr &arguments)
{
    const std::string text = text_of(arguments);
    const std::unique_ptr<char, void (*)(void *)> answer(
        plugin_command(the_plugin, name.c_str(), arguments ? text.c_str() : nullptr), free);
    if (!answer) {
        return isc::config::createAnswer(isc::config::CONTROL_RESULT_ERROR, name + ": out of memory");
    }
    return Element::fromJSON(answer.get());
}

/* Every command of ours: the callout's argument is the whole command. */
int command_called(CalloutHandle &handle)
{
    ConstElementPtr response;
    with_plugin("a command", [&] {
        ConstElementPtr command;
        handle.getArgument("command", command);
        ConstElementPtr arguments;
        const std::string name = isc::config::parseCommand(arguments, command);
        response = answer_command(name, arguments);
    });
    const bool contained = run_contained("a command's answer", [&] {
        if (!response) {
            response = isc::config::createAnswer(isc::config::CONTROL_RESULT_ERROR,
                                                 "the command failed inside the library, the server's log says why");
        }
        handle.setArgument("response", response);
    });
    return contained ? 0 : 1;
}

/* The response's "result"; a response without one counts as an error. */
int result_of(const ConstElementPtr &response)
{
    const ConstElementPtr result = response && response->getType() == Element::map ? response->get("result") : nullptr;
    return result && result->getType() == Element::integer ? static_cast<int>(result->intValue())
                                                           : static_cast<int>(isc::config::CONTROL_RESULT_ERROR);
}

} // namespace

const struct kea_server failover_sync::server = {
    nullptr,      version_text.c_str(), "dhcp4",        give_scope, give_ids, find_scope, apply_scopes,
    give_ha_parameters, give_ha_status, queue_task, is_main,    write_log,
};

EXPORTED int version()
{
    return KEA_HOOKS_VERSION;
}

EXPORTED int multi_threading_compatible()
{
    return 1;
}

EXPORTED int load(LibraryHandle &handle)
{
    /* A mere check must not open the store of the server that runs, nor speak to its partner. */
    if (release::only_checking()) {
        return 0;
    }
    const struct result outcome = run_guarded("load", [&] { return start(handle); });
    if (!result_failed(outcome)) {
        return 0;
    }
    main_queue_close();
    stop();
    log_text(FAILOVER_SYNC_LOAD_FAILED, outcome.message);
    return 1;
}

EXPORTED int unload()
{
    run_contained("unload", [] {
        std::unique_lock<std::shared_mutex> alone(in_use);
        serving = false;
    });
    main_queue_close();
    stop();
    return 0;
}

EXPORTED int dhcp4_srv_configured(CalloutHandle &handle)
{
    with_plugin("dhcp4_srv_configured", [&] {
        ConstElementPtr json;
        SrvConfigPtr staged;
        handle.getArgument("json_config", json);
        handle.getArgument("server_config", staged);
        auto loaded = std::make_unique<SrvConfigPtr>(staged);
        struct result outcome = load_configuration(json, staged);
        const struct result queued = main_queue_add(configuration_loaded, loaded.get());
        if (!result_failed(queued)) {
            (void)loaded.release(); /* configuration_loaded's now */
        } else if (!result_failed(outcome)) {
            outcome = queued;
        }
        if (result_failed(outcome)) {
            log_text(FAILOVER_SYNC_CONFIGURATION_REFUSED, outcome.message);
            handle.setArgument("error", std::string(outcome.message));
            handle.setStatus(CalloutHandle::NEXT_STEP_DROP);
        }
    });
    return 0;
}

EXPORTED int command_processed(CalloutHandle &handle)
{
    with_plugin("command_processed", [&] {
        std::string name;
        handle.getArgument("name", name);
        if (!plugin_wants_command(the_plugin, name.c_str())) {
            return;
        }
        ConstElementPtr arguments;
        ConstElementPtr response;
        handle.getArgument("arguments", arguments);
        handle.getArgument("response", response);
        const std::string text = text_of(arguments);
        plugin_command_finished(the_plugin, name.c_str(), arguments ? text.c_str() : nullptr, result_of(response));
    });
    return 0;
}

EXPORTED int cb4_updated(CalloutHandle &)
{
    /* Later, when the server has put the update to use; it is told of updates on the main thread only by habit. */
    with_plugin("cb4_updated", [] {
        const struct result outcome = main_queue_add(configuration_changed, nullptr);
        if (result_failed(outcome)) {
            log_text(FAILOVER_SYNC_MIRROR_FAILED, outcome.message);
        }
    });
    return 0;
}
