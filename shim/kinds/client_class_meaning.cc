/* What the words of a client class mean to the server, in one form for all spellings: see meaning.cc. */
#include "../meaning.h"
#include "kind.h"

#include <algorithm>
#include <cctype>
#include <map>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;

namespace
{

using namespace failover_sync;

constexpr Default CLASS_DEFAULTS[] = {
    {"boot-file-name", "\"\""}, {"next-server", "\"0.0.0.0\""}, {"only-in-additional-list", "false"},
    {"option-data", "[  ]"},    {"option-def", "[  ]"},         {"server-hostname", "\"\""},
    {"user-context", "{  }"},
};

/* An expression without the blanks that mean nothing, and with the digits of numbers in lower case. */
std::string test_form(const std::string &test)
{
    static const std::string apart = "()[],.=";
    std::string form;
    bool quoted = false, blank = false, digits = false;
    for (const char c : test) {
        if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
            blank = true;
            continue;
        }
        if (blank && !form.empty() && apart.find(form.back()) == std::string::npos &&
            apart.find(c) == std::string::npos) {
            form += ' ';
        }
        blank = false;
        const bool begins = (c == 'x' || c == 'X') && form.size() > 0 && form.back() == '0' &&
                            (form.size() == 1 || !isalnum(static_cast<unsigned char>(form[form.size() - 2])));
        digits = !quoted && (begins || (digits && isxdigit(static_cast<unsigned char>(c))));
        quoted = quoted != (c == '\'');
        form += digits ? static_cast<char>(tolower(static_cast<unsigned char>(c))) : c;
    }
    return form;
}

/* The shortest and the longest lifetime say something only where they differ from the one in between. */
void lifetime_form(const ElementPtr &form)
{
    const char *const bounds[] = {"min-valid-lifetime", "max-valid-lifetime"};
    ConstElementPtr lifetime = form->get("valid-lifetime");
    for (const char *bound : bounds) {
        if (const ConstElementPtr only = form->get(bound); only && !lifetime) {
            lifetime = only;
            form->set("valid-lifetime", only);
        }
    }
    for (const char *bound : bounds) {
        if (const ConstElementPtr value = form->get(bound); value && value->equals(*lifetime)) {
            form->remove(bound);
        }
    }
}

/* The definitions that a class has for its own options; none of those that the server would not take. */
isc::dhcp::CfgOptionDefPtr local_definitions(const ConstElementPtr &own)
{
    const isc::dhcp::CfgOptionDefPtr definitions(new isc::dhcp::CfgOptionDef());
    for (const ConstElementPtr &words : maps_in(own, "option-def")) {
        try {
            definitions->add(parse_option_definition(words));
        } catch (const std::bad_alloc &) {
            throw;
        } catch (const std::exception &) {
            continue;
        }
    }
    return definitions;
}

} // namespace

std::string failover_sync::client_class_meaning(const ConstElementPtr &own)
{
    const ElementPtr form = copy_of(own);
    if (const ConstElementPtr flag = form->get("only-if-required")) {
        form->remove("only-if-required");
        form->set("only-in-additional-list", flag);
    }
    for (const char *keyword : {"test", "template-test"}) {
        const ConstElementPtr test = form->get(keyword);
        if (is_of(test, Element::string)) {
            form->set(keyword, Element::create(test_form(test->stringValue())));
        }
    }
    lifetime_form(form);
    if (is_of(form->get("option-def"), Element::list)) {
        std::map<std::string, ConstElementPtr> ordered;
        for (const ConstElementPtr &words : maps_in(form, "option-def")) {
            const ConstElementPtr each = option_definition_form(words);
            ordered.emplace(canonical_text(*each), each);
        }
        const ElementPtr list = Element::createList();
        for (const auto &entry : ordered) {
            list->add(boost::const_pointer_cast<Element>(entry.second));
        }
        form->set("option-def", list);
    }
    if (const ConstElementPtr options = form->get("option-data"); is_of(options, Element::list)) {
        form->set("option-data", options_form(options, local_definitions(own)));
    }
    drop_defaults(form, CLASS_DEFAULTS);
    return canonical_text(*form);
}
