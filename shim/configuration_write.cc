/* The server's own config-write, called as a command. */
#include "shim.h"

#include <cc/command_interpreter.h>
#include <config/command_mgr.h>

using isc::data::ConstElementPtr;
using isc::data::Element;

struct result failover_sync::configuration_write() noexcept
{
    return run_guarded("config-write", [] {
        const ConstElementPtr answer =
            isc::config::CommandMgr::instance().processCommand(isc::config::createCommand("config-write"));
        const ConstElementPtr code = answer->get("result");
        const ConstElementPtr text = answer->get("text");
        if (code && code->getType() == Element::integer && code->intValue() == 0) {
            return result_ok();
        }
        return result_error(RESULT_REFUSED, "the server's config-write failed: %s",
                            text && text->getType() == Element::string ? text->stringValue().c_str()
                                                                       : "no reason given");
    });
}
