/* What the rooms of the server's side share: the plugin they serve, the main thread's queue, and the guard that keeps
 * exceptions inside. Everything here but run_guarded's body is called with Kea's types; nothing of it leaves shim/. */
#ifndef FAILOVER_SYNC_SHIM_H
#define FAILOVER_SYNC_SHIM_H

#include "failover_sync/json_bounds.h"
#include "failover_sync/kea.h"
#include "release.h"

#include <boost/shared_ptr.hpp>
#include <cc/data.h>
#include <dhcpsrv/cfg_option.h>
#include <dhcpsrv/cfg_shared_networks.h>
#include <dhcpsrv/client_class_def.h>
#include <dhcpsrv/host.h>
#include <dhcpsrv/srv_config.h>
#include <dhcpsrv/subnet.h>

#include <exception>
#include <initializer_list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

namespace failover_sync
{

/* ---- server.cc ---- */

extern const struct kea_server server;

/* ---- callouts.cc ---- */

/* The plugin between load and unload, else NULL. Only the main thread changes it. */
extern struct plugin *the_plugin;

/* ---- messages.cc ---- */

void log_message(enum kea_message message, const char *const *arguments) noexcept;

/* Logs FAILOVER_SYNC_EXCEPTION. */
void log_exception(const char *where, const char *what) noexcept;

/* Runs a body that returns a struct result; whatever it throws becomes a result that names `where`. */
template <typename Body> struct result run_guarded(const char *where, Body body) noexcept
{
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return result_no_memory(where);
    } catch (const std::exception &error) {
        log_exception(where, error.what());
        return result_error(RESULT_INTERNAL, "%s: %s", where, error.what());
    } catch (...) {
        log_exception(where, "unknown");
        return result_error(RESULT_INTERNAL, "%s: the server raised an unknown exception", where);
    }
}

/* The same for a body that returns nothing: what it throws is only logged. Tells whether it came to its end. */
template <typename Body> bool run_contained(const char *where, Body body) noexcept
{
    try {
        body();
        return true;
    } catch (const std::exception &error) {
        log_exception(where, error.what());
    } catch (...) {
        log_exception(where, "unknown");
    }
    return false;
}

/* A malloc'ed copy for the plugin; throws std::bad_alloc. */
char *duplicate(const std::string &text);

/* An element as JSON text with UTF-8 as it is; a definition is printed by Kea alone, which keeps every byte. */
std::string printed(const isc::data::Element &element);

/* ---- element_bounds.cc ---- */

/* Whether elements are within bounds of depth and number; looks at no more of them than that. RESULT_INVALID says what
 * is wrong with `what`. */
struct result element_check(const char *what, const isc::data::Element &root, const struct json_bounds &bounds);

/* ---- main_thread.cc ---- */

/* Opens the queue; the calling thread is the main thread from now on. */
struct result main_queue_open();

/* Takes no more tasks and forgets the server's main loop, but keeps what is queued for main_queue_cancel. */
void main_queue_close() noexcept;

/* Runs what is left with `cancelled` set. */
void main_queue_cancel() noexcept;

struct result main_queue_add(kea_task task, void *argument) noexcept;

bool on_main_thread() noexcept;

/* ---- scope_read.cc ---- */

/* While one lives, KEA_STAGED means this configuration. */
class StagedConfiguration
{
  public:
    explicit StagedConfiguration(const isc::dhcp::SrvConfigPtr &configuration);
    ~StagedConfiguration();
    StagedConfiguration(const StagedConfiguration &) = delete;
    StagedConfiguration &operator=(const StagedConfiguration &) = delete;
};

/* The configuration meant; throws for KEA_STAGED outside a load. */
isc::dhcp::SrvConfigPtr configuration_of(enum kea_configuration which);

/* A shared network as config-get prints it, without subnets. The map is new, what it holds may belong to the
 * configuration. */
isc::data::ElementPtr network_element(const isc::dhcp::SharedNetwork4 &network);

struct result scope_get(enum kea_configuration which, uint32_t subnet_id, struct kea_object *scope) noexcept;
struct result scope_find(enum kea_configuration which, const char *prefix, object_id *id) noexcept;
struct result network_scope_ids(enum kea_configuration which, const char *network, object_id **ids,
                                size_t *count) noexcept;

/* ---- objects.cc: of any kind ---- */

struct result object_get(enum kea_configuration which, object_id id, struct kea_object *object) noexcept;
struct result object_ids(enum kea_configuration which, object_id **ids, size_t *count) noexcept;

/* ---- object_names.cc ---- */

/* The id of an object that is no scope; 0, once logged, if its name cannot be said to a partner. */
object_id object_id_named(enum object_kind kind, const std::string &name);

/* ---- objects_apply.cc ---- */

/* Returns for how many microseconds packets had to wait. */
uint32_t objects_apply(enum kea_configuration which, struct kea_change *changes, size_t count) noexcept;

/* ---- text.cc ---- */

/* JSON text from which an element is read back as it is, in Kea's layout. */
std::string canonical_text(const isc::data::Element &element);

/* Bytes in digits of base 16, upper case. */
std::string hexadecimal(const std::vector<uint8_t> &bytes);

/* ---- meaning.cc ---- */

/* What a definition means to the server, in one form for all its spellings. */
std::string meaning_of_scope(const isc::data::ConstElementPtr &definition);

/* ---- print_check.cc ---- */

/* Looks at the parts of an object, one after the other, for what the server does not print as it has it. */
class PrintCheck
{
  public:
    /* The map that was printed, or one without what cannot be printed; what it holds may be shared. */
    isc::data::ConstElementPtr elements(const isc::data::ConstElementPtr &map);

    void network_options(const isc::dhcp::SharedNetwork4 &network);
    void subnet_options(const isc::dhcp::Subnet4 &subnet);
    void reservation_options(const isc::dhcp::Host &host);
    void class_options(const isc::dhcp::ClientClassDef &client_class);

    /* The first thing that is not printed as it is, in words that begin with KEA_UNPRINTED; "" if there is none. */
    const std::string &reason() const
    {
        return reason_;
    }

  private:
    struct Place;

    void note(const std::string &what, const std::string &value);
    isc::data::ConstElementPtr legible(const isc::data::ConstElementPtr &element, const Place &place);
    isc::data::ConstElementPtr legible_list(const isc::data::ConstElementPtr &list, const Place &place);
    isc::data::ConstElementPtr legible_map(const isc::data::ConstElementPtr &map, const Place &place);
    /* `definitions` are those of the options' own place; null for none. */
    void options(const isc::dhcp::ConstCfgOptionPtr &held, const std::string &where,
                 const isc::dhcp::CfgOptionDefPtr &definitions = nullptr);

    std::string reason_;
};

/* Whether two lists of options put the same bytes into packets. */
bool same_options(const isc::dhcp::CfgOption &one, const isc::dhcp::CfgOption &other);

/* ---- configured.cc: main thread ---- */

/* JSON text of a map; null: there is none. */
using ConfiguredText = std::shared_ptr<const std::string>;

ConfiguredText configured_text(const isc::data::Element &words);

/* In which words one of the server's objects was configured: a subnet without its reservations, a shared network
 * without its subnets, a reservation without its subnet's id. A subnet has inherited from its shared network what stood
 * in `around` at that time (null: it was in none), and nothing since, whatever becomes of the network. */
struct Configured {
    ConfiguredText text, around;            /* `text` is null where nobody knows the words */
    ConfiguredText refused, refused_around; /* words that it was found not to have, and the network's then */
};
void configured_note(const boost::shared_ptr<const void> &object, const ConfiguredText &text,
                     const ConfiguredText &around = nullptr);
void configured_forget(const void *object);

/* Notes that the object does not have these words, so that they need not be tried again. */
void configured_refuse(const boost::shared_ptr<const void> &object, const ConfiguredText &text,
                       const ConfiguredText &around = nullptr);
Configured configured_words(const void *object);

/* The text that a subnet or a shared network was last told in, of whichever object it was. */
void configured_remember(uint32_t subnet_id, const ConfiguredText &text);
void configured_remember(const std::string &network, const ConfiguredText &text);
ConfiguredText configured_before(uint32_t subnet_id);
ConfiguredText configured_before(const std::string &network);

/* The elements that a map inherits from, the nearest first; null ones are none. */
using ConfiguredInherited = std::initializer_list<isc::data::ConstElementPtr>;

/* A map's own words: without what the server has put into it, be it by default or from above, and without `omitted`. */
isc::data::ElementPtr configured_own(const isc::data::ConstElementPtr &map, const ConfiguredInherited &above,
                                     std::initializer_list<const char *> omitted);

/* The reservation that a map is about; null if there is none. */
isc::dhcp::ConstHostPtr configured_host(const isc::dhcp::SrvConfig &configuration, isc::dhcp::SubnetID subnet_id,
                                        const isc::data::ConstElementPtr &map);

/* Notes the words of a configuration that the server has parsed into `staged`, having added to them what they inherit.
 */
void configured_take(const isc::data::ConstElementPtr &json, const isc::dhcp::SrvConfig &staged);

/* The same of a command that the server has carried out, of whatever library it is. */
void configured_say(const std::string &command, const isc::data::ConstElementPtr &arguments);

/* ---- repeated_add.cc: main thread ---- */

/* The answer to an add command that failed although what it adds is there in the same words; null if its own is right.
 */
isc::data::ConstElementPtr answer_to_repeated_add(const std::string &command,
                                                  const isc::data::ConstElementPtr &arguments);

/* ---- scope_words.cc: main thread ---- */

struct Words {
    isc::data::ElementPtr own;          /* to be changed, but not what it holds */
    isc::data::ConstElementPtr raw;     /* as the server prints it, with all that is inherited */
    isc::data::ConstElementPtr printed; /* the same, legible */
    ConfiguredText text;                /* of `own` */
    bool configured = false;            /* `own` is what was configured; else what is printed */
    std::string reason;                 /* what is not printed as it is; "" if there is nothing */
};

Words words_of(enum kea_configuration which, const isc::dhcp::SharedNetwork4Ptr &network);

/* `network` is the text of its shared network, null for none. */
Words words_of(enum kea_configuration which, const isc::dhcp::ConstSubnet4Ptr &subnet, const ConfiguredText &network);

Words words_of(const isc::dhcp::ConstHostPtr &host);

/* Whether two objects are one for the server: in print and in the bytes of their options; subnets but for their
 * reservations, networks but for their subnets. */
bool is_same(const isc::dhcp::Subnet4 &one, const isc::dhcp::Subnet4 &other);
bool is_same(const isc::dhcp::SharedNetwork4 &one, const isc::dhcp::SharedNetwork4 &other);
bool is_same(const isc::dhcp::Host &one, const isc::dhcp::Host &other);

/* ---- scope_parse.cc ---- */

/* A definition, ready to be put in place. */
struct ParsedScope {
    isc::dhcp::Subnet4Ptr subnet;
    isc::dhcp::HostCollection hosts;
    isc::dhcp::SharedNetwork4Ptr network; /* without subnets; null for a scope in none */
    ConfiguredText network_words;         /* and as it was configured */
    bool keeps_hosts = false;             /* the reservations there are stay, whatever `hosts` are */
};

/* Parses definitions for one configuration, as the server would if they stood in its file. */
class ScopeParser
{
  public:
    explicit ScopeParser(enum kea_configuration which);

    /* Throws with a reason fit for a person. With `keep_network` the subnet inherits from its shared network as that is
     * here, if it is. */
    ParsedScope parse(uint32_t subnet_id, const std::string &prefix, const std::string &definition, bool keep_network);

    /* One reservation, of words without its subnet's id. Throws like the server's parser. */
    static isc::dhcp::HostPtr parse_host(isc::dhcp::SubnetID subnet_id, const isc::data::ElementPtr &words);

    /* Makes objects of words, to which is added what they inherit; `network` are those around the subnet, or null.
     * Throw like the server's parsers. */
    isc::dhcp::Subnet4Ptr parse_subnet(const isc::data::ElementPtr &subnet, const isc::data::ElementPtr &network);
    isc::dhcp::SharedNetwork4Ptr parse_network(const isc::data::ElementPtr &network);

  private:
    void settle_local(const isc::data::ElementPtr &map, const isc::data::ConstElementPtr &here) const;
    void settle_local(uint32_t subnet_id, const isc::data::ElementPtr &subnet,
                      const isc::data::ElementPtr &network) const;
    void derive(const char *place, const isc::data::ElementPtr &map);

    enum kea_configuration which_;
    isc::dhcp::SrvConfigPtr configuration_;
    isc::data::ElementPtr globals_;
};

/* ---- scope_present.cc: main thread ---- */

enum class Presence {
    SAME,          /* what was parsed is what is there */
    WRITTEN_ALIKE, /* the server would write both alike, though it has them otherwise */
    OTHERWISE,
};

/* With `keep_network` the shared network is not compared. */
Presence scope_presence(const isc::dhcp::SrvConfig &configuration, const ParsedScope &scope, bool keep_network);

/* What is there, and the same, is told in the words of what was parsed. */
void scope_take_words(const isc::dhcp::SrvConfig &configuration, const ParsedScope &scope, bool keep_network);

/* ---- scope_apply.cc ---- */

/* Returns for how many microseconds packets had to wait. */
uint32_t scopes_apply(enum kea_configuration which, struct kea_change *changes, size_t count) noexcept;

/* ---- configuration_write.cc ---- */

struct result configuration_write() noexcept;

/* ---- statistics.cc ---- */

struct lease_counts {
    int64_t assigned = 0; /* declined leases count as assigned */
    int64_t declined = 0;
};

/* By name, each with its value or none. */
using StatisticValues = std::map<std::string, std::optional<int64_t>>;

/* What the leases say of a subnet that is to be put in place. They may be in a database, so they are asked while
 * packets are served; when those stand still, it is seen whether that is still so. */
struct LeaseCounts {
    bool subnet_counted = false, pools_counted = false;
    lease_counts subnet;
    std::map<uint64_t, lease_counts> pools;
    StatisticValues before; /* what moves with such leases, as it was before they were counted */
};

/* Counts what statistics_set will want to know of a subnet that replaces `old` (null: that is new). */
LeaseCounts statistics_count(const isc::dhcp::Subnet4 &subnet, const isc::dhcp::Subnet4 *old);

/* Whether that is all, and as far as the statistics tell no lease of it has changed since. Reads memory only. */
bool statistics_counted(const isc::dhcp::Subnet4 &subnet, const isc::dhcp::Subnet4 *old, const LeaseCounts &counts);

/* Sets the statistics. The packet threads must stand still. */
void statistics_set(const isc::dhcp::Subnet4 &subnet, const isc::dhcp::Subnet4 *old, const LeaseCounts &counts);

/* Removes them with the subnet. */
void statistics_remove(const isc::dhcp::Subnet4 &subnet);

/* All that statistics_set changes where `subnet` replaces `old`, to be put back as it was. */
StatisticValues statistics_save(const isc::dhcp::Subnet4 &subnet, const isc::dhcp::Subnet4 &old);
void statistics_restore(const StatisticValues &values);

/* ---- delivered.cc ---- */

/* One entry per scope of `staged`, ascending by id, with the fingerprints of their words in `json`, which the server
 * has parsed into it. */
std::vector<struct kea_delivered> delivered_objects(const isc::data::ConstElementPtr &json,
                                                    const isc::dhcp::SrvConfig &staged);

/* The subnet that a map of a configuration is about; null if there is none. */
isc::dhcp::ConstSubnet4Ptr find_configured(const isc::dhcp::SrvConfig &configuration, const isc::data::Element &subnet);

/* Whether the server read `json` from a file, not from a command. */
bool read_from_file(const isc::data::ConstElementPtr &json);

/* ---- twice.cc ---- */

/* RESULT_CONFLICT, by name, if the server has loaded this library already, from the same file or another. With
 * `tell_first` the one that is loaded shows it, too. */
struct result twice_check(bool tell_first);

/* Whether the server has loaded this one. */
void twice_set_loaded(bool is) noexcept;

/* ---- ha.cc ---- */

struct result ha_parameters(enum kea_configuration which, char **json) noexcept;
struct result ha_status(char **json) noexcept;

} // namespace failover_sync

#endif
