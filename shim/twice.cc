/* The library configured more than once: the same file, which is one image in the process, or copies, which are several
 * with variables of their own. Two at work would have two workers on one partner, and one more store than there is. */
#include "shim.h"

#include <dlfcn.h>
#include <link.h>

#include <string>
#include <vector>

#define EXPORTED extern "C" __attribute__((visibility("default")))

/* How an image asks another one where it was loaded from; null if the server has only opened it. */
EXPORTED const char *failover_sync_loaded_from();

/* And tells it what is wrong with the configuration; it is loaded. */
EXPORTED void failover_sync_configured_twice(const char *why);

namespace
{

using namespace failover_sync;

bool loaded;
std::string own_path;

std::string path_of_this()
{
    Dl_info info = {};
    const bool known = dladdr(reinterpret_cast<const void *>(&failover_sync_loaded_from), &info) != 0;
    return known && info.dli_fname ? info.dli_fname : "libdhcp_failover_sync.so";
}

int collect_path(struct dl_phdr_info *info, size_t, void *paths)
{
    if (info->dlpi_name && info->dlpi_name[0] != '\0') {
        static_cast<std::vector<std::string> *>(paths)->emplace_back(info->dlpi_name);
    }
    return 0;
}

/* Calls `body` with the functions of each image of the library that is loaded, this one included, until it returns
 * true. The loader's lock is not held then. */
template <typename Body> bool any_image(Body body)
{
    std::vector<std::string> paths;
    (void)dl_iterate_phdr(collect_path, &paths);
    for (const std::string &path : paths) {
        void *const image = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
        if (!image) {
            continue;
        }
        const auto from =
            reinterpret_cast<decltype(&failover_sync_loaded_from)>(dlsym(image, "failover_sync_loaded_from"));
        const auto tell =
            reinterpret_cast<decltype(&failover_sync_configured_twice)>(dlsym(image, "failover_sync_configured_twice"));
        const char *const where = from && tell ? from() : nullptr;
        const bool found = where && body(where, tell);
        (void)dlclose(image);
        if (found) {
            return true;
        }
    }
    return false;
}

} // namespace

const char *failover_sync_loaded_from()
{
    return loaded ? own_path.c_str() : nullptr;
}

void failover_sync_configured_twice(const char *why)
{
    plugin_configured_wrongly(the_plugin, why);
}

struct result failover_sync::twice_check(bool tell_first)
{
    struct result outcome = result_ok();
    own_path = path_of_this();
    (void)any_image([&](const char *where, decltype(&failover_sync_configured_twice) tell) {
        outcome = result_error(RESULT_CONFLICT,
                               own_path == where ? "hooks-libraries has %.200s twice: remove one of the two"
                                                 : "hooks-libraries has the library twice, as %.200s and as %.200s: "
                                                   "remove one of the two",
                               where, own_path.c_str());
        if (tell_first) {
            tell(outcome.message);
        }
        return true;
    });
    return outcome;
}

void failover_sync::twice_set_loaded(bool is) noexcept
{
    loaded = is;
}
