#include "tests/unit/kinds_fixture.h"

using failover_sync::canonical_text;
using failover_sync::Kind;
using failover_sync::Undo;
using failover_sync::Words;
using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::CfgMgr;
using isc::dhcp::LibDHCP;
using isc::dhcp::SrvConfig;

struct plugin *failover_sync::the_plugin = nullptr;

SrvConfig &running()
{
    return *CfgMgr::instance().getCurrentCfg();
}

SrvConfig &load(const std::string &definitions, const std::string &classes)
{
    CfgMgr::instance().clear();
    const ElementPtr json =
        Element::fromJSON("{\"option-def\": [" + definitions + "], \"client-classes\": [" + classes + "]}", true);
    isc::dhcp::SimpleParser4::setAllDefaults(json);
    isc::dhcp::OptionDefListParser(AF_INET).parse(running().getCfgOptionDef(), json->get("option-def"));
    LibDHCP::commitRuntimeOptionDefs();
    running().setClientClassDictionary(
        isc::dhcp::ClientClassDefListParser().parse(json->get("client-classes"), AF_INET));
    for (const Kind *each : failover_sync::kinds()) {
        each->take(json, running());
    }
    return running();
}

const char THREE[] = R"j({"name": "a", "test": "option[60].text == 'a'"},
                        {"name": "b", "test": "member('a')", "option-data": [{"code": 6, "data": "192.0.2.1"}]},
                        {"name": "c", "test": "member('b')"})j";
const char COLOR[] = R"j({"name": "color", "code": 222, "type": "string"})j";
const char SIZE[] = R"j({"name": "size", "code": 223, "type": "uint32"})j";
const char COLOR_USED[] = R"j({"name": "a", "option-data": [{"name": "color", "data": "red"}]})j";

std::string names(const Kind &kind)
{
    std::string text;
    for (const std::string &name : kind.names(running())) {
        text += (text.empty() ? "" : " ") + name;
    }
    return text;
}

std::string own(const Kind &kind, const std::string &name)
{
    Words words;
    return kind.read(running(), name, words) ? canonical_text(*words.own) : "none";
}

std::string canonical(const std::string &json)
{
    return canonical_text(*Element::fromJSON(json));
}

std::string everything()
{
    std::string text =
        running().getCfgOptionDef()->toElement()->str() + running().getClientClassDictionary()->toElement()->str();
    for (const auto &each : *running().getClientClassDictionary()->getClasses()) {
        text += each->getDependOnKnown() ? " known" : " -";
    }
    for (const Kind *kind : failover_sync::kinds()) {
        for (const std::string &name : kind->names(running())) {
            text += "\n" + name + " " + own(*kind, name);
        }
    }
    for (uint16_t code = 0; code < 256; ++code) {
        const auto definition = LibDHCP::getRuntimeOptionDef(DHCP4_OPTION_SPACE, code);
        text += definition ? " " + definition->getName() + std::to_string(definition->getType()) : "";
    }
    return text;
}

void put(const Kind &kind, const std::string &name, const std::string &definition)
{
    Undo undo;
    kind.prepare(running(), name, definition)->put(undo);
    undo.keep();
}

std::string put_refusal(const Kind &kind, const std::string &name, const std::string &definition)
{
    return refusal([&](Undo &undo) { kind.prepare(running(), name, definition)->put(undo); });
}

void remove_now(const Kind &kind, const std::string &name, Undo &undo)
{
    const auto prepared = kind.prepare_removal(running(), name);
    if (prepared) {
        prepared->put(undo);
    }
}

std::string remove_refusal(const Kind &kind, const std::string &name)
{
    return refusal([&](Undo &undo) { remove_now(kind, name, undo); });
}

void assert_says(const std::string &text, const std::string &part)
{
    if (text.find(part) == std::string::npos) {
        fail_msg("\"%s\" does not say \"%s\"", text.c_str(), part.c_str());
    }
}

std::string meaning(const Kind &kind, const std::string &words)
{
    return kind.meaning(Element::fromJSON(words));
}
