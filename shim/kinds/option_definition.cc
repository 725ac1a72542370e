/* Option definitions, by "SPACE.CODE". The server has them twice: those of a configuration, and a table at run time,
 * a copy of them, by which packets and texts of options are read. The table is a new one before the callouts of a
 * configuration load run, so that both are changed together here, whichever configuration is meant. An option keeps the
 * bytes that it was made with, and its words may name the definition: one that is in use is neither removed nor
 * renamed, and changed only if the bytes stay the same; none is added for a code that is in use without one. */
#include "../meaning.h"
#include "kind.h"
#include "option_use.h"
#include "parsers.h"

#include <exceptions/exceptions.h>

#include <algorithm>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::CfgOptionDef;
using isc::dhcp::LibDHCP;
using isc::dhcp::OptionDefinition;
using isc::dhcp::OptionDefinitionPtr;
using isc::dhcp::SrvConfig;

namespace
{

using namespace failover_sync;

/* ---- names ---- */

struct Key {
    std::string space;
    uint16_t code = 0;
};

std::string name_of(const OptionDefinition &definition)
{
    return definition.getOptionSpaceName() + "." + std::to_string(definition.getCode());
}

std::string called(const std::string &name)
{
    return "option definition " + name;
}

std::optional<Key> parse_key(const std::string &name)
{
    const size_t dot = name.rfind('.');
    const std::string code = dot == std::string::npos ? "" : name.substr(dot + 1);
    if (dot == 0 || code.empty() || code.size() > 3 || code.find_first_not_of("0123456789") != std::string::npos) {
        return std::nullopt;
    }
    return Key{name.substr(0, dot), static_cast<uint16_t>(std::stoul(code))};
}

Key key_of(const std::string &name)
{
    const std::optional<Key> key = parse_key(name);
    if (!key) {
        isc_throw(isc::BadValue, "'" << name << "' is not the space and code of an option, as in dhcp4.222");
    }
    return *key;
}

OptionDefinitionPtr find(const SrvConfig &configuration, const Key &key)
{
    return configuration.getCfgOptionDef()->get(key.space, key.code);
}

std::vector<std::string> names(const SrvConfig &configuration)
{
    std::vector<std::string> list;
    const auto &container = configuration.getCfgOptionDef()->getContainer();
    for (const std::string &space : container.getOptionSpaceNames()) {
        for (const auto &each : *container.getItems(space)) {
            if (each->getServerTags().empty()) {
                list.push_back(name_of(*each));
            }
        }
    }
    return list;
}

bool read(const SrvConfig &configuration, const std::string &name, Words &words)
{
    const std::optional<Key> key = parse_key(name);
    const OptionDefinitionPtr found = key ? find(configuration, *key) : OptionDefinitionPtr();
    if (!found) {
        return false;
    }
    CfgOptionDef alone; /* only a list of them is printed */
    alone.add(found);
    PrintCheck check;
    fill_words(words, alone.toElement()->get(0), configured_words(found.get()).text, check);
    return true;
}

/* ---- meaning ---- */

constexpr Default DEFINITION_DEFAULTS[] = {
    {"array", "false"},     {"encapsulate", "\"\""},  {"record-types", "\"\""},
    {"space", "\"dhcp4\""}, {"user-context", "{  }"},
};

std::string meaning(const ConstElementPtr &own)
{
    return canonical_text(*option_definition_form(own));
}

/* ---- the tables ---- */

/* The definitions with `fresh` in the place of the one of its name, or, if it is null, without that of `key`. Throws if
 * the server has such an option by itself, or another one has its name. */
CfgOptionDef table_with(const CfgOptionDef &old, const Key &key, const OptionDefinitionPtr &fresh)
{
    CfgOptionDef table;
    bool placed = !fresh;
    for (const std::string &space : old.getContainer().getOptionSpaceNames()) {
        for (const OptionDefinitionPtr &each : *old.getAll(space)) {
            if (space != key.space || each->getCode() != key.code) {
                table.add(each);
            } else if (fresh) {
                table.add(fresh);
                placed = true;
            }
        }
    }
    if (!placed) {
        table.add(fresh);
    }
    return table;
}

/* Whether the server's table of now has the very definition. */
bool is_at_run_time(const std::string &space, const OptionDefinitionPtr &definition)
{
    return LibDHCP::getRuntimeOptionDef(space, definition->getCode()) == definition;
}

/* Those of a configuration backend are in the server's table in some releases, and once it has been asked. */
void set_runtime(const CfgOptionDef &table)
{
    isc::dhcp::OptionDefSpaceContainer runtime;
    for (const std::string &space : table.getContainer().getOptionSpaceNames()) {
        for (const OptionDefinitionPtr &each : *table.getAll(space)) {
            if (each->getServerTags().empty() || is_at_run_time(space, each)) {
                runtime.addItem(each);
            }
        }
    }
    LibDHCP::setRuntimeOptionDefs(runtime);
    LibDHCP::commitRuntimeOptionDefs();
}

void exchange(SrvConfig &configuration, const CfgOptionDef &fresh, Undo &undo)
{
    const isc::dhcp::CfgOptionDefPtr table = configuration.getCfgOptionDef();
    const CfgOptionDef old = *table;
    undo.note([table, old] {
        *table = old;
        set_runtime(old);
    });
    *table = fresh;
    set_runtime(fresh);
}

/* ---- parsing and putting in place ---- */

/* Throws if an option or a test would no longer be what it is, or the words of one: they may name the definition, and
 * without one they say bytes. */
void check_users(const SrvConfig &configuration, const OptionDefinitionPtr &old, const OptionDefinitionPtr &fresh)
{
    const std::string name = name_of(fresh ? *fresh : *old);
    const bool renamed = old && (!fresh || fresh->getName() != old->getName());
    const std::string user = option_user(configuration, fresh ? fresh->getOptionSpaceName() : old->getOptionSpaceName(),
                                         (fresh ? fresh : old)->getCode(), [&](const auto &option) {
                                             return !old || renamed || !fresh || !is_same_by(fresh, option);
                                         });
    if (!user.empty()) {
        isc_throw(isc::BadValue, called(name)
                                     << " is used by " << user
                                     << (fresh ? ", whose words would mean something else with it: remove that "
                                                 "there first"
                                               : ": remove the option there first"));
    }
    const std::string tester = renamed && old->getOptionSpaceName() == DHCP4_OPTION_SPACE
                                   ? option_tester(configuration, old->getName())
                                   : std::string();
    if (!tester.empty()) {
        isc_throw(isc::BadValue, called(name) << " is named in the test of client class '" << tester << "', as "
                                              << old->getName() << ": change that first");
    }
}

class PreparedDefinition : public PreparedObject
{
  public:
    PreparedDefinition(SrvConfig &configuration, Key key, OptionDefinitionPtr object)
        : configuration_(configuration), key_(std::move(key)), object_(std::move(object))
    {
    }

    void put(Undo &undo) override
    {
        exchange(configuration_, table_with(*configuration_.getCfgOptionDef(), key_, object_), undo);
    }

  private:
    SrvConfig &configuration_;
    Key key_;
    OptionDefinitionPtr object_;
};

std::unique_ptr<PreparedObject> prepare(SrvConfig &configuration, const std::string &name,
                                        const std::string &definition)
{
    const ConstElementPtr words = definition_map(definition);
    const OptionDefinitionPtr object = parse_option_definition(words);
    if (name_of(*object) != name) {
        isc_throw(isc::BadValue, "its definition is that of " << name_of(*object) << ", not of " << name);
    }
    const Key key = key_of(name);
    const OptionDefinitionPtr here = find(configuration, key);
    if (here) {
        check_is_ours(*here, called(name));
    }
    (void)table_with(*configuration.getCfgOptionDef(), key, object);
    check_users(configuration, here, object);
    configured_note(object, configured_text(*words));
    return std::make_unique<PreparedDefinition>(configuration, key, object);
}

std::unique_ptr<PreparedObject> prepare_removal(SrvConfig &configuration, const std::string &name)
{
    const Key key = key_of(name);
    const OptionDefinitionPtr here = find(configuration, key);
    if (!here) {
        return nullptr;
    }
    check_is_ours(*here, called(name));
    check_users(configuration, here, nullptr);
    return std::make_unique<PreparedDefinition>(configuration, key, nullptr);
}

/* ---- words ---- */

void take(const ConstElementPtr &json, const SrvConfig &staged)
{
    for (const ConstElementPtr &map : maps_in(json, "option-def")) {
        const ConstElementPtr space = map->get("space");
        const ConstElementPtr code = map->get("code");
        const OptionDefinitionPtr object =
            is_of(code, Element::integer) && code->intValue() >= 0 && code->intValue() <= UINT8_MAX
                ? find(staged, {is_of(space, Element::string) ? space->stringValue() : DHCP4_OPTION_SPACE,
                                static_cast<uint16_t>(code->intValue())})
                : OptionDefinitionPtr();
        if (object && object->getServerTags().empty()) {
            configured_note(object, configured_text(*configured_own(map, {}, {})));
        }
    }
}

/* No command changes one in memory. */
void say(const std::string & /* command */, const ConstElementPtr & /* arguments */)
{
}

} // namespace

OptionDefinitionPtr failover_sync::parse_option_definition(const ConstElementPtr &words)
{
    const ElementPtr map = copy_of(words);
    isc::data::SimpleParser::setDefaults(map, isc::dhcp::SimpleParser4::OPTION4_DEF_DEFAULTS);
    return isc::dhcp::OptionDefParser(AF_INET).parse(map);
}

ConstElementPtr failover_sync::option_definition_form(const ConstElementPtr &words)
{
    const ElementPtr form = copy_of(words);
    const ConstElementPtr types = form->get("record-types");
    if (is_of(types, Element::string)) {
        std::string text = types->stringValue();
        text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\t'; }), text.end());
        form->set("record-types", Element::create(text));
    }
    drop_defaults(form, DEFINITION_DEFAULTS);
    return form;
}

const failover_sync::Kind failover_sync::option_definitions = {
    OBJECT_OPTION_DEFINITION, "option definition", names, read, meaning, prepare, prepare_removal, take, say};
