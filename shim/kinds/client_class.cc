/* Client classes. A class may name those before it in its test, so their order counts. The server keeps no classes of
 * its own in the list: one that is called KNOWN or VENDOR_CLASS_... there was configured. Subnets may name a class that
 * does not exist. */
#include "../meaning.h"
#include "kind.h"
#include "parsers.h"

#include <exceptions/exceptions.h>

#include <algorithm>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::ClientClassDefPtr;
using isc::dhcp::ClientClassDictionary;
using isc::dhcp::ClientClassDictionaryPtr;
using isc::dhcp::SrvConfig;

namespace
{

using namespace failover_sync;

std::string called(const std::string &name)
{
    return "client class '" + name + "'";
}

std::vector<std::string> names(const SrvConfig &configuration)
{
    std::vector<std::string> list;
    for (const auto &each : *configuration.getClientClassDictionary()->getClasses()) {
        if (each->getServerTags().empty()) {
            list.push_back(each->getName());
        }
    }
    return list;
}

bool read(const SrvConfig &configuration, const std::string &name, Words &words)
{
    const ClientClassDefPtr found = configuration.getClientClassDictionary()->findClass(name);
    if (!found) {
        return false;
    }
    PrintCheck check;
    fill_words(words, found->toElement(), configured_words(found.get()).text, check);
    check.class_options(*found);
    words.reason = check.reason();
    return true;
}

/* ---- parsing ---- */

/* The classes that a test names. Throws with the server's reason if it is no expression. */
std::vector<std::string> named_by(const ConstElementPtr &words)
{
    std::vector<std::string> named;
    if (const ConstElementPtr test = words->get("test")) {
        isc::dhcp::ExpressionPtr expression;
        isc::dhcp::ExpressionParser().parse(expression, test, AF_INET, [&](const isc::dhcp::ClientClass &each) {
            named.push_back(each);
            return true;
        });
    }
    return named;
}

/* A new dictionary with the classes before the one of that name; all if there is none. */
ClientClassDictionaryPtr before_class(const ClientClassDictionary &dictionary, const std::string &name)
{
    const ClientClassDictionaryPtr before(new ClientClassDictionary());
    for (ClientClassDefPtr each : *dictionary.getClasses()) {
        if (each->getName() == name) {
            break;
        }
        before->addClass(each);
    }
    return before;
}

void check_named(const ClientClassDictionary &before, const ClientClassDictionary &all,
                 const std::vector<std::string> &named)
{
    for (const std::string &each : named) {
        if (!isc::dhcp::isClientClassBuiltIn(each) && !before.findClass(each)) {
            isc_throw(isc::BadValue, "its test names "
                                         << called(each)
                                         << (all.findClass(each) ? ", which comes after it here: put that before it"
                                                                 : ", which is not defined here"));
        }
    }
}

void check_keywords(isc::dhcp::ClientClassDefParser &parser, const ConstElementPtr &words)
{
    const ElementPtr checked = copy_of(words);
    if (release::has_class_offer_lifetime()) {
        checked->remove("offer-lifetime");
    }
    parser.checkParametersSupported(checked, AF_INET);
}

/* ---- putting in place ---- */

/* What depends on KNOWN or UNKNOWN is evaluated once the reservations are known, and so is what names it. The server
 * decides that when it parses a class. */
bool is_known_by(const ClientClassDictionary &dictionary, const std::vector<std::string> &named)
{
    return std::any_of(named.begin(), named.end(), [&](const std::string &name) {
        const ClientClassDefPtr found = dictionary.findClass(name);
        return name == "KNOWN" || name == "UNKNOWN" || (found && found->getDependOnKnown());
    });
}

/* The same for the classes after one for which it has changed. */
void follow_known(const ClientClassDictionary &dictionary, const ClientClassDefPtr &changed, Undo &undo)
{
    std::vector<std::string> known = {"KNOWN", "UNKNOWN"};
    bool after = false;
    for (const ClientClassDefPtr &each : *dictionary.getClasses()) {
        /* A template is never looked at for this. */
        if (after && !each->toElement()->contains("template-test")) {
            const bool was = each->getDependOnKnown();
            const bool is = std::any_of(known.begin(), known.end(),
                                        [&](const std::string &name) { return each->dependOnClass(name); });
            if (was != is) {
                undo.step([&] { each->setDependOnKnown(is); }, [each, was] { each->setDependOnKnown(was); });
            }
        }
        if (each->getDependOnKnown()) {
            known.push_back(each->getName());
        }
        after = after || each == changed;
    }
}

class PreparedClass : public PreparedObject
{
  public:
    PreparedClass(SrvConfig &configuration, ClientClassDefPtr object, std::vector<std::string> named)
        : configuration_(configuration), object_(std::move(object)), named_(std::move(named))
    {
    }

    void put(Undo &undo) override
    {
        SrvConfig &configuration = configuration_;
        const std::string name = object_->getName();
        const ClientClassDictionaryPtr old = configuration.getClientClassDictionary();
        const ClientClassDefPtr replaced = old->findClass(name);
        check_named(*before_class(*old, name), *old, named_);
        object_->setDependOnKnown(is_known_by(*old, named_));

        const ClientClassDictionaryPtr fresh(new ClientClassDictionary());
        for (ClientClassDefPtr each : *old->getClasses()) {
            fresh->addClass(each == replaced ? object_ : each);
        }
        if (!replaced) {
            fresh->addClass(object_);
        }
        undo.step([&] { configuration.setClientClassDictionary(fresh); },
                  [&configuration, old] { configuration.setClientClassDictionary(old); });
        if (replaced && replaced->getDependOnKnown() != object_->getDependOnKnown()) {
            follow_known(*fresh, object_, undo);
        }
    }

  private:
    SrvConfig &configuration_;
    ClientClassDefPtr object_;
    std::vector<std::string> named_;
};

std::unique_ptr<PreparedObject> prepare(SrvConfig &configuration, const std::string &name,
                                        const std::string &definition)
{
    const ElementPtr words = definition_map(definition);
    const ConstElementPtr own_name = words->get("name");
    if (!is_of(own_name, Element::string) || own_name->stringValue() != name) {
        isc_throw(isc::BadValue, "its definition has another name than '" << name << "'");
    }
    const ClientClassDictionaryPtr dictionary = configuration.getClientClassDictionary();
    if (const ClientClassDefPtr here = dictionary->findClass(name)) {
        check_is_ours(*here, called(name));
    }

    /* The text first: parsing adds defaults to the words. */
    const ConfiguredText text = configured_text(*words);
    if (const ConstElementPtr flag = words->get(release::ADDITIONAL_ONLY_ELSEWHERE)) {
        words->remove(release::ADDITIONAL_ONLY_ELSEWHERE);
        words->set(release::ADDITIONAL_ONLY, flag);
    }
    isc::dhcp::ClientClassDefParser parser;
    check_keywords(parser, words);
    std::vector<std::string> named = named_by(words);
    ClientClassDictionaryPtr before = before_class(*dictionary, name);
    check_named(*before, *dictionary, named);
    parser.parse(before, words, AF_INET, false);
    const ClientClassDefPtr object = before->findClass(name);
    configured_note(object, text);
    return std::make_unique<PreparedClass>(configuration, object, std::move(named));
}

class RemovedClass : public PreparedObject
{
  public:
    RemovedClass(SrvConfig &configuration, ClientClassDefPtr removed)
        : configuration_(configuration), removed_(std::move(removed))
    {
    }

    void put(Undo &undo) override
    {
        SrvConfig &configuration = configuration_;
        const ClientClassDictionaryPtr old = configuration.getClientClassDictionary();
        const ClientClassDictionaryPtr fresh(new ClientClassDictionary());
        for (ClientClassDefPtr each : *old->getClasses()) {
            if (each != removed_) {
                fresh->addClass(each);
            }
        }
        undo.step([&] { configuration.setClientClassDictionary(fresh); },
                  [&configuration, old] { configuration.setClientClassDictionary(old); });
    }

  private:
    SrvConfig &configuration_;
    ClientClassDefPtr removed_;
};

std::unique_ptr<PreparedObject> prepare_removal(SrvConfig &configuration, const std::string &name)
{
    const ClientClassDictionaryPtr dictionary = configuration.getClientClassDictionary();
    const ClientClassDefPtr removed = dictionary->findClass(name);
    if (!removed) {
        return nullptr;
    }
    check_is_ours(*removed, called(name));
    std::string user;
    if (dictionary->dependOnClass(name, user)) {
        isc_throw(isc::BadValue, called(name) << " is named in the test of " << called(user) << ": change that first");
    }
    return std::make_unique<RemovedClass>(configuration, removed);
}

/* ---- words ---- */

void take(const ConstElementPtr &json, const SrvConfig &staged)
{
    for (const ConstElementPtr &map : maps_in(json, "client-classes")) {
        const ConstElementPtr name = map->get("name");
        const ClientClassDefPtr object = is_of(name, Element::string)
                                             ? staged.getClientClassDictionary()->findClass(name->stringValue())
                                             : ClientClassDefPtr();
        /* One with server tags came from a configuration backend, in place of the one in the list. */
        if (object && object->getServerTags().empty()) {
            configured_note(object, configured_text(*configured_own(map, {}, {})));
        }
    }
}

void say(const std::string &command, const ConstElementPtr &arguments)
{
    if (command == "class-add" || command == "class-update") {
        take(arguments, *isc::dhcp::CfgMgr::instance().getCurrentCfg());
    }
}

} // namespace

const failover_sync::Kind failover_sync::client_classes = {
    OBJECT_CLIENT_CLASS, "client class", names, read, client_class_meaning, prepare, prepare_removal, take, say};
