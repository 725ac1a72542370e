/* The hook's entry points: how the server loads, calls and unloads the library. Each one contains its exceptions, and
 * hands on to the plugin what it is about. */
#include "shim.h"

#include <cc/command_interpreter.h>
#include <dhcpsrv/cfgmgr.h>
#include <hooks/hooks.h>
#include <process/daemon.h>

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>

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

/* Callouts come on several threads, unloading on the main thread alone: it waits until the others are out. */
class Gate
{
  public:
    bool enter()
    {
        std::lock_guard<std::mutex> guard(lock_);
        inside_ += open_;
        return open_;
    }

    void leave()
    {
        std::lock_guard<std::mutex> guard(lock_);
        if (--inside_ == 0) {
            empty_.notify_all();
        }
    }

    void open()
    {
        std::lock_guard<std::mutex> guard(lock_);
        open_ = true;
    }

    void close()
    {
        std::unique_lock<std::mutex> guard(lock_);
        open_ = false;
        empty_.wait(guard, [this] { return inside_ == 0; });
    }

  private:
    std::mutex lock_;
    std::condition_variable empty_;
    unsigned inside_ = 0;
    bool open_ = false;
};

Gate gate;

/* Runs `body`, which may call the plugin, if the library serves; tells whether it does. */
template <typename Body> bool with_plugin(const char *where, Body body) noexcept
{
    const bool serves = gate.enter();
    if (serves) {
        run_contained(where, body);
        gate.leave();
    }
    return serves;
}

void log_text(enum kea_message message, const char *text)
{
    const char *const arguments[] = {text, nullptr};
    log_message(message, arguments);
}

/* ---- loading and unloading ---- */

/* A load that is over for the server but not yet for the plugin; the main thread's alone. */
SrvConfigPtr loading;

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
    loading.reset();
    if (the_plugin) {
        plugin_stop(the_plugin);
        the_plugin = nullptr;
    }
    main_queue_cancel();
}

int command_called(CalloutHandle &handle);

/* Whether the server has not had a configuration yet. Later, a library that is not loaded costs it all the others: Kea
 * has unloaded them before, and goes on without. */
bool at_first_start()
{
    return CfgMgr::instance().getCurrentCfg()->getSequence() == 0;
}

/* Calls `body` with the library's parameters as JSON text, or null. */
template <typename Body> struct result with_parameters(LibraryHandle &handle, Body body)
{
    const ConstElementPtr parameters = handle.getParameters();
    if (parameters) {
        const struct result outcome = element_check("the library's parameters", *parameters, json_parameters_bounds);
        if (result_failed(outcome)) {
            return outcome;
        }
    }
    const std::string text = parameters ? printed(*parameters) : "";
    return body(parameters ? text.c_str() : nullptr);
}

/* The plugin is there: it is called from now on. */
struct result take_up(LibraryHandle &handle)
{
    for (size_t i = 0; i < plugin_command_count(); ++i) {
        handle.registerCommandCallout(plugin_command_name(i), command_called);
    }
    gate.open();
    return result_ok();
}

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
    outcome = with_parameters(handle, [](const char *text) { return plugin_start(&server, text, &the_plugin); });
    if (result_failed(outcome)) {
        the_plugin = nullptr;
        return outcome;
    }
    return take_up(handle);
}

struct result start_idle(LibraryHandle &handle, const char *why)
{
    const struct result outcome = plugin_start_idle(&server, why, &the_plugin);
    if (result_failed(outcome)) {
        the_plugin = nullptr;
        return outcome;
    }
    return take_up(handle);
}

/* A mere check must not open the store of the server that runs, nor speak to its partner. */
struct result check(LibraryHandle &handle)
{
    return with_parameters(handle, [](const char *text) { return plugin_check_parameters(&server, text); });
}

/* ---- configurations ---- */

/* Tells the plugin once whether the configuration it saw is in force. The first thing the main thread does after a load
 * does this: its own task, or a command, which must find the plugin at work and must not go unheard. */
void finish_load()
{
    if (on_main_thread() && loading) {
        const SrvConfigPtr loaded = loading;
        loading.reset();
        plugin_configuration_loaded(the_plugin, CfgMgr::instance().getCurrentCfg() == loaded);
    }
}

void configuration_loaded(void *, bool cancelled)
{
    if (!cancelled) {
        finish_load();
    }
}

void configuration_changed(void *, bool cancelled)
{
    if (!cancelled) {
        plugin_configuration_changed(the_plugin);
    }
}

/* The file that was loaded last; the main thread's alone. */
std::string configuration_file;

/* What the server has just written there is known to the library, and no edit when it is loaded. */
void hear_written(const std::string &file)
{
    if (file == configuration_file) {
        plugin_configuration_written(the_plugin);
    }
}

void hear_written_later(void *argument, bool cancelled)
{
    const std::unique_ptr<std::string> file(static_cast<std::string *>(argument));
    if (!cancelled) {
        hear_written(*file);
    }
}

/* A config-write that may have come on some thread. */
void written(const ConstElementPtr &response)
{
    const ConstElementPtr arguments =
        response && response->getType() == Element::map ? response->get("arguments") : nullptr;
    const ConstElementPtr file =
        arguments && arguments->getType() == Element::map ? arguments->get("filename") : nullptr;
    if (!file || file->getType() != Element::string) {
        return;
    }
    if (on_main_thread()) {
        hear_written(file->stringValue());
        return;
    }
    auto argument = std::make_unique<std::string>(file->stringValue());
    if (!result_failed(main_queue_add(hear_written_later, argument.get()))) {
        (void)argument.release();
    }
}

struct result load_configuration(const ConstElementPtr &json, const SrvConfigPtr &staged)
{
    const StagedConfiguration meant(staged);
    /* Without them, as for want of memory, scopes are told as the server prints them. */
    (void)run_contained("the words of a configuration", [&] { configured_take(json, *staged); });
    const std::vector<struct kea_delivered> delivered = delivered_objects(json, *staged);
    struct kea_load load = {};
    load.at_start = CfgMgr::instance().getCurrentCfg()->getSequence() == 0;
    load.from_file = read_from_file(json);
    if (load.from_file) {
        configuration_file = json->getPosition().file_;
    }
    load.delivered = delivered.data();
    load.delivered_count = delivered.size();
    return plugin_configuration_loading(the_plugin, &load);
}

/* ---- commands ---- */

std::string text_of(const ConstElementPtr &element)
{
    return element ? printed(*element) : "";
}

/* The plugin's answer as the server wants it. */
ConstElementPtr answer_command(const std::string &name, const ConstElementPtr &arguments)
{
    const struct result bounds =
        arguments ? element_check("arguments", *arguments, json_arguments_bounds) : result_ok();
    const std::string text = result_failed(bounds) ? "" : text_of(arguments);
    const std::unique_ptr<char, void (*)(void *)> answer(
        result_failed(bounds) ? plugin_command_refused(&bounds)
                              : plugin_command(the_plugin, name.c_str(), arguments ? text.c_str() : nullptr),
        free);
    if (!answer) {
        return isc::config::createAnswer(isc::config::CONTROL_RESULT_ERROR, name + ": out of memory");
    }
    /* The server prints it, and some releases print numbers and names as no JSON: these are told as texts. */
    return PrintCheck().elements(Element::fromJSON(answer.get()));
}

/* Every command of ours: the callout's argument is the whole command. */
int command_called(CalloutHandle &handle)
{
    ConstElementPtr response;
    const bool serves = with_plugin("a command", [&] {
        finish_load();
        ConstElementPtr command;
        handle.getArgument("command", command);
        ConstElementPtr arguments;
        const std::string name = isc::config::parseCommand(arguments, command);
        response = answer_command(name, arguments);
    });
    const bool contained = run_contained("a command's answer", [&] {
        if (!response) {
            response = isc::config::createAnswer(
                isc::config::CONTROL_RESULT_ERROR,
                serves ? "the command failed inside the library, the server's log says why"
                       : "the library is being loaded with a configuration, which is done in a moment; try again");
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

/* A command of another library that was carried out on some thread. */
struct Heard {
    std::string name;
    ConstElementPtr arguments;
};

void hear_later(void *argument, bool cancelled)
{
    const std::unique_ptr<Heard> heard(static_cast<Heard *>(argument));
    if (!cancelled) {
        run_contained("a command's words", [&] { configured_say(heard->name, heard->arguments); });
    }
}

/* Notes the words of a successful command before the plugin reads what came of it. Without them, as for want of memory,
 * it is told as the server prints it. */
void hear(const std::string &name, const ConstElementPtr &arguments, int result)
{
    if (result != isc::config::CONTROL_RESULT_SUCCESS || !arguments) {
        return;
    }
    if (on_main_thread()) {
        (void)run_contained("a command's words", [&] { configured_say(name, arguments); });
        return;
    }
    std::unique_ptr<Heard> heard(new Heard{name, arguments});
    if (!result_failed(main_queue_add(hear_later, heard.get()))) {
        (void)heard.release();
    }
}

/* An add command whose object is there already, in its words, has succeeded. */
void settle_repeated_add(CalloutHandle &handle, const std::string &name, const ConstElementPtr &arguments, int result)
{
    if (!on_main_thread() || result != isc::config::CONTROL_RESULT_ERROR) {
        return;
    }
    try {
        const ConstElementPtr answer = answer_to_repeated_add(name, arguments);
        if (answer) {
            log_text(FAILOVER_SYNC_ADDED_ALREADY, name.c_str());
            handle.setArgument("response", answer);
        }
    } catch (...) {
        /* What it cannot make sense of, the server has refused with its own reason. */
        return;
    }
}

/* The library as it is for the server when it is loaded a second time at a reload: there, and never called. */
void withdraw(LibraryHandle &handle)
{
    for (const char *callout : {"dhcp4_srv_configured", "command_processed", "cb4_updated"}) {
        (void)handle.deregisterAllCallouts(callout);
    }
}

/* Loads it unless it is there already; *inert: it was, and this load has come to nothing. */
struct result load_once(LibraryHandle &handle, bool checking, bool *inert)
{
    const struct result twice = twice_check(!checking);
    if (result_failed(twice)) {
        *inert = true;
        withdraw(handle);
        return twice;
    }
    return checking ? check(handle) : start(handle);
}

} // namespace

EXPORTED int version()
{
    return KEA_HOOKS_VERSION;
}

EXPORTED int multi_threading_compatible()
{
    return 1;
}

/* At a reload a failure would cost the server all its libraries; so a second one does nothing then, and the first goes
 * on as it would alone. */
EXPORTED int load(LibraryHandle &handle)
{
    const bool checking = release::only_checking();
    bool inert = false;
    struct result outcome = run_guarded("load", [&] { return load_once(handle, checking, &inert); });
    if (!result_failed(outcome)) {
        twice_set_loaded(true);
        return 0;
    }
    if (!checking && !inert) {
        main_queue_close();
        stop();
    }
    if (checking || at_first_start()) {
        log_text(FAILOVER_SYNC_LOAD_FAILED, outcome.message);
        return 1;
    }
    if (inert) {
        log_text(FAILOVER_SYNC_LOADED_TWICE, outcome.message);
        return 0;
    }
    const struct result idle = run_guarded("load", [&] { return start_idle(handle, outcome.message); });
    if (result_failed(idle)) {
        log_text(FAILOVER_SYNC_LOAD_FAILED, outcome.message);
    } else {
        twice_set_loaded(true);
    }
    return 0;
}

EXPORTED int unload()
{
    twice_set_loaded(false);
    gate.close();
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
        struct result outcome = load_configuration(json, staged);
        loading = staged;
        const struct result queued = main_queue_add(configuration_loaded, nullptr);
        if (result_failed(queued) && !result_failed(outcome) && at_first_start()) {
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
        finish_load();
        std::string name;
        handle.getArgument("name", name);
        if (name == "config-write") {
            ConstElementPtr response;
            handle.getArgument("response", response);
            if (result_of(response) == isc::config::CONTROL_RESULT_SUCCESS) {
                written(response);
            }
            return;
        }
        if (!plugin_wants_command(the_plugin, name.c_str())) {
            return;
        }
        ConstElementPtr arguments;
        ConstElementPtr response;
        handle.getArgument("arguments", arguments);
        handle.getArgument("response", response);
        /* Without arguments, all scopes are looked at. */
        if (arguments && result_failed(element_check("arguments", *arguments, json_kea_bounds))) {
            arguments.reset();
        }
        hear(name, arguments, result_of(response));
        settle_repeated_add(handle, name, arguments, result_of(response));
        const std::string text = text_of(arguments);
        plugin_command_finished(the_plugin, name.c_str(), arguments ? text.c_str() : nullptr, result_of(response));
    });
    return 0;
}

EXPORTED int cb4_updated(CalloutHandle &)
{
    /* Later: the server is still busy with the update, and nobody promises that this is the main thread. */
    with_plugin("cb4_updated", [] {
        const struct result outcome = main_queue_add(configuration_changed, nullptr);
        if (result_failed(outcome)) {
            log_text(FAILOVER_SYNC_MIRROR_FAILED, outcome.message);
        }
    });
    return 0;
}
