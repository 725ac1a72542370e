/* The library's logger and its part of the server's message dictionary. What is logged is decided elsewhere, the texts
 * are those of failover_sync/messages.h. */
#include "shim.h"

#include <log/logger.h>
#include <log/macros.h>
#include <log/message_initializer.h>

#include <cstring>
#include <memory>

namespace
{

using namespace failover_sync;

/* Severities by the names messages.h uses. */
enum severity { DEBUG = KEA_DEBUG, INFO = KEA_INFO, WARN = KEA_WARN, ERROR = KEA_ERROR };

struct message {
    const char *id;
    enum severity severity;
};

const struct message messages[] = {
#define MESSAGE(id, severity, text) {#id, severity},
    FAILOVER_SYNC_MESSAGES(MESSAGE)
#undef MESSAGE
};

constexpr size_t MESSAGE_COUNT = sizeof messages / sizeof messages[0];

const char *dictionary[] = {
#define MESSAGE(id, severity, text) #id, text,
    // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): long texts are of several pieces
    FAILOVER_SYNC_MESSAGES(MESSAGE)
#undef MESSAGE
        nullptr};

/* The server takes pending dictionaries in after it has opened the library, before load(). */
const isc::log::MessageInitializer initializer(dictionary);

isc::log::Logger logger("failover-sync-hooks");

} // namespace

void failover_sync::log_message(enum kea_message message, const char *const *arguments) noexcept
{
    if (message < 0 || static_cast<size_t>(message) >= MESSAGE_COUNT) {
        return;
    }
    /* A failure to log has nowhere to be told. */
    try {
        const char *id = messages[message].id;
        const auto write = [arguments](auto line) {
            for (const char *const *argument = arguments; argument && *argument; ++argument) {
                line.arg(std::string(*argument));
            }
        };
        switch (messages[message].severity) {
        case DEBUG:
            if (logger.isDebugEnabled(isc::log::DBGLVL_TRACE_BASIC)) {
                write(logger.debug(isc::log::DBGLVL_TRACE_BASIC, id));
            }
            break;
        case INFO:
            if (logger.isInfoEnabled()) {
                write(logger.info(id));
            }
            break;
        case WARN:
            if (logger.isWarnEnabled()) {
                write(logger.warn(id));
            }
            break;
        case ERROR:
            if (logger.isErrorEnabled()) {
                write(logger.error(id));
            }
            break;
        }
    } catch (...) {
    }
}

void failover_sync::log_exception(const char *where, const char *what) noexcept
{
    const char *const arguments[] = {where, what, nullptr};
    log_message(FAILOVER_SYNC_EXCEPTION, arguments);
}

std::string failover_sync::printed(const isc::data::Element &element)
{
    const std::unique_ptr<char, void (*)(void *)> text(kea_json_readable(element.str().c_str()), free);
    if (!text) {
        throw std::bad_alloc();
    }
    return text.get();
}

char *failover_sync::duplicate(const std::string &text)
{
    char *copy = strdup(text.c_str());
    if (!copy) {
        throw std::bad_alloc();
    }
    return copy;
}
