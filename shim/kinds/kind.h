/* The kinds of configuration objects beside the scopes: one file each, which alone knows how its objects are read,
 * parsed, put in place and removed. Main thread only. */
#ifndef FAILOVER_SYNC_SHIM_KINDS_KIND_H
#define FAILOVER_SYNC_SHIM_KINDS_KIND_H

#include "failover_sync/object.h"

#include "../shim.h"
#include "../undo.h"

namespace failover_sync
{

/* An object that was parsed for a configuration, which must outlive it and the Undo it is put with. */
class PreparedObject
{
  public:
    PreparedObject() = default;
    virtual ~PreparedObject() = default;
    PreparedObject(const PreparedObject &) = delete;
    PreparedObject &operator=(const PreparedObject &) = delete;

    /* Replaces the object of the same name in its place, or adds it at the end, while the packet threads stand still.
     * Throws if what it needs has gone since it was prepared; then nothing is changed that `undo` does not take back.
     */
    virtual void put(Undo &undo) = 0;
};

struct Kind {
    enum object_kind kind;
    const char *words; /* for messages: "client class" */

    /* The names of all objects in a configuration, in the server's order; without those of a configuration backend. */
    std::vector<std::string> (*names)(const isc::dhcp::SrvConfig &configuration);

    /* Reads one; false if there is none of that name. */
    bool (*read)(const isc::dhcp::SrvConfig &configuration, const std::string &name, Words &words);

    /* What its own words mean to the server, in one form for all spellings. */
    std::string (*meaning)(const isc::data::ConstElementPtr &own);

    /* Parses the text of one. What it names or uses must be in place: objects of a batch are prepared and put one after
     * the other. Throws with a reason fit for a person. */
    std::unique_ptr<PreparedObject> (*prepare)(isc::dhcp::SrvConfig &configuration, const std::string &name,
                                               const std::string &definition);

    /* The same for taking one out: `put` does it. Null if there is none. Throws if something needs it. */
    std::unique_ptr<PreparedObject> (*prepare_removal)(isc::dhcp::SrvConfig &configuration, const std::string &name);

    /* Notes the words of a configuration that the server has parsed into `staged`. */
    void (*take)(const isc::data::ConstElementPtr &json, const isc::dhcp::SrvConfig &staged);

    /* Notes those of a command that the server has carried out. */
    void (*say)(const std::string &command, const isc::data::ConstElementPtr &arguments);
};

/* In the order in which they are applied. */
const std::vector<const Kind *> &kinds();

/* Null for a kind that has none, as scopes. */
const Kind *kind_of(enum object_kind kind);

/* ---- for the kinds themselves ---- */

extern const Kind client_classes;
extern const Kind option_definitions;

/* The map that a text of an object is; throws if it is not all of it. */
isc::data::ElementPtr definition_map(const std::string &definition);

/* Fills the words of an object: `raw` is what the server prints, `text` what was configured, or null. */
void fill_words(Words &words, const isc::data::ConstElementPtr &raw, const ConfiguredText &text, PrintCheck &check);

/* The maps in a list of a map. */
std::vector<isc::data::ConstElementPtr> maps_in(const isc::data::ConstElementPtr &map, const char *keyword);

/* Throws if an object is the configuration backend's, which would bring it back. */
void check_is_ours(const isc::data::StampedElement &object, const std::string &what);

/* ---- client_class_meaning.cc ---- */

std::string client_class_meaning(const isc::data::ConstElementPtr &own);

/* ---- option_definition.cc ---- */

/* Parses one, without changing its words; throws like the server's parser. */
isc::dhcp::OptionDefinitionPtr parse_option_definition(const isc::data::ConstElementPtr &words);

/* Its meaning as an element. */
isc::data::ConstElementPtr option_definition_form(const isc::data::ConstElementPtr &words);

} // namespace failover_sync

#endif
