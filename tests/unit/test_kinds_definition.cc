/* Option definitions: as client classes, and not to be taken from under the options that use them. */
#include "tests/unit/kinds_fixture.h"

using failover_sync::client_classes;
using failover_sync::option_definitions;
using failover_sync::Undo;
using failover_sync::Words;
using isc::data::Element;
using isc::dhcp::LibDHCP;
using isc::dhcp::SrvConfig;

namespace
{

/* ---- definitions: reading ---- */

void test_definitions_are_told_in_their_own_words(void **)
{
    load(std::string(COLOR) + R"j(, {"space": "far-off", "name": "color", "code": 1, "type": "uint8"}, )j" + SIZE, "");
    Words words;

    assert_string_equal(names(option_definitions).c_str(), "dhcp4.222 dhcp4.223 far-off.1");
    assert_true(option_definitions.read(running(), "dhcp4.222", words));
    assert_true(words.configured);
    assert_string_equal(words.text->c_str(), canonical(COLOR).c_str());
    assert_true(words.printed->contains("record-types"));
    assert_false(option_definitions.read(running(), "dhcp4.1", words));
    assert_false(option_definitions.read(running(), "color", words));

    /* Known to nobody: as it is printed, which means the same. */
    SrvConfig other;
    running().getCfgOptionDef()->copyTo(*other.getCfgOptionDef());
    assert_true(option_definitions.read(other, "far-off.1", words));
    assert_false(words.configured);
    assert_string_equal(
        option_definitions.meaning(words.own).c_str(),
        meaning(option_definitions, R"j({"space": "far-off", "name": "color", "code": 1, "type": "uint8"})j").c_str());
}

void test_spellings_of_one_definition_are_equal(void **)
{
    assert_string_equal(meaning(option_definitions, COLOR).c_str(),
                        meaning(option_definitions, R"j({"code": 222, "type": "string", "name": "color", "array": false,
                            "space": "dhcp4", "encapsulate": "", "record-types": "", "user-context": {}})j")
                            .c_str());
    assert_string_equal(
        meaning(option_definitions, R"j({"name": "x", "code": 1, "type": "record", "record-types": "uint8,string"})j")
            .c_str(),
        meaning(option_definitions, R"j({"name": "x", "code": 1, "type": "record", "record-types": "uint8, string"})j")
            .c_str());
    assert_string_not_equal(meaning(option_definitions, COLOR).c_str(), meaning(option_definitions, SIZE).c_str());
    assert_string_not_equal(
        meaning(option_definitions, COLOR).c_str(),
        meaning(option_definitions, R"j({"name": "color", "code": 222, "type": "string", "space": "far-off"})j")
            .c_str());
}

/* ---- definitions: changing ---- */

void test_a_definition_is_replaced_in_its_place_and_serves_at_once(void **)
{
    load(std::string(COLOR) + ", " + SIZE, "");
    put(option_definitions, "dhcp4.222", R"j({"name": "tint", "code": 222, "type": "uint8"})j");
    put(option_definitions, "dhcp4.224", R"j({"name": "weight", "code": 224, "type": "uint8"})j");
    put(option_definitions, "far-off.1", R"j({"space": "far-off", "name": "tint", "code": 1, "type": "uint8"})j");

    assert_string_equal(names(option_definitions).c_str(), "dhcp4.222 dhcp4.223 dhcp4.224 far-off.1");
    assert_string_equal(LibDHCP::getRuntimeOptionDef("dhcp4", 222)->getName().c_str(), "tint");
    assert_non_null(LibDHCP::getRuntimeOptionDef("far-off", 1).get());
    put(client_classes, "a", R"j({"name": "a", "option-data": [{"name": "weight", "data": "9"}]})j");

    Undo undo;
    remove_now(option_definitions, "dhcp4.222", undo);
    remove_now(option_definitions, "dhcp4.1", undo);
    undo.keep();
    assert_string_equal(names(option_definitions).c_str(), "dhcp4.223 dhcp4.224 far-off.1");
    assert_null(LibDHCP::getRuntimeOptionDef("dhcp4", 222).get());
}

void test_a_definition_that_the_server_would_not_take_is_refused(void **)
{
    load(COLOR, "");
    assert_says(put_refusal(option_definitions, "dhcp4.6", R"j({"name": "x", "code": 6, "type": "uint8"})j"),
                "unable to override definition of option '6'");
    assert_says(put_refusal(option_definitions, "dhcp4.223", R"j({"name": "color", "code": 223, "type": "uint8"})j"),
                "name 'color' already exists");
    assert_says(put_refusal(option_definitions, "dhcp4.223", COLOR), "is that of dhcp4.222, not of dhcp4.223");
    assert_says(put_refusal(option_definitions, "dhcp4.222",
                            R"j({"name": "color", "code": 222, "type": "string", "colour": 1})j"),
                "spurious 'colour' parameter");
    assert_true(
        !put_refusal(option_definitions, "dhcp4.222", R"j({"name": "color", "code": 222, "type": "paint"})j").empty());
    assert_says(remove_refusal(option_definitions, "color"), "'color' is not the space and code of an option");
    assert_says(remove_refusal(option_definitions, "dhcp4.99999"), "is not the space and code");
}

void test_a_definition_that_a_class_uses_stays(void **)
{
    load(COLOR, COLOR_USED);
    assert_says(remove_refusal(option_definitions, "dhcp4.222"),
                "option definition dhcp4.222 is used by client class 'a': remove the option there first");
    assert_says(put_refusal(option_definitions, "dhcp4.222", R"j({"name": "color", "code": 222, "type": "uint8"})j"),
                "is used by client class 'a', whose words would mean something else with it");
    /* The same bytes come of it, but the class's words may name it. */
    assert_says(put_refusal(option_definitions, "dhcp4.222", R"j({"name": "tint", "code": 222, "type": "string"})j"),
                "is used by client class 'a'");
    assert_string_equal(put_refusal(option_definitions, "dhcp4.222",
                                    R"j({"name": "color", "code": 222, "type": "string", "user-context": {"a": 1}})j")
                            .c_str(),
                        "");
    put(client_classes, "a", R"j({"name": "a"})j");
    assert_string_equal(remove_refusal(option_definitions, "dhcp4.222").c_str(), "");
}

void test_a_used_definition_keeps_its_suboptions(void **)
{
    load(SIZE, R"j({"name": "a", "option-data": [{"name": "size", "data": "7"}]})j");
    assert_says(put_refusal(option_definitions, "dhcp4.223",
                            R"j({"name": "size", "code": 223, "type": "uint32", "encapsulate": "far-off"})j"),
                "is used by client class 'a'");
}

void test_a_definition_that_a_scope_uses_stays(void **)
{
    SrvConfig &configuration = load(COLOR, "");
    const std::string options = R"j("option-data": [{"code": 222, "data": "red"}]})j";
    const std::string subnet = R"j({"id": 7, "subnet": "192.0.2.0/24", )j";
    failover_sync::ScopeParser parser(KEA_RUNNING);

    const auto add = [&](const std::string &words) {
        const auto object = parser.parse_subnet(Element::fromJSON(words), nullptr);
        if (configuration.getCfgSubnets4()->getBySubnetId(object->getID())) {
            configuration.getCfgSubnets4()->del(object->getID());
        }
        configuration.getCfgSubnets4()->add(object);
    };
    add(subnet + options);
    assert_says(remove_refusal(option_definitions, "dhcp4.222"), "is used by subnet 192.0.2.0/24: ");
    add(subnet + R"j("pools": [{"pool": "192.0.2.10-192.0.2.20", )j" + options + "]}");
    assert_says(remove_refusal(option_definitions, "dhcp4.222"), "is used by pool 192.0.2.10 of subnet 192.0.2.0/24: ");
    add(subnet + R"j("relay": {"ip-addresses": []}})j");
    assert_string_equal(remove_refusal(option_definitions, "dhcp4.222").c_str(), "");

    configuration.getCfgHosts()->add(failover_sync::ScopeParser::parse_host(
        isc::dhcp::SubnetID(7), Element::fromJSON(R"j({"hw-address": "aa:bb:cc:dd:ee:ff", )j" + options)));
    assert_says(remove_refusal(option_definitions, "dhcp4.222"), "is used by reservation hwaddr=AABBCCDDEEFF: ");
    put(option_definitions, "dhcp4.223", SIZE);
}

void test_a_definition_that_a_test_names_stays(void **)
{
    load(COLOR, R"j({"name": "a", "test": "option[ color ].text == 'red' and option[222].exists"})j");
    assert_says(remove_refusal(option_definitions, "dhcp4.222"),
                "is named in the test of client class 'a', as color: change that first");
    assert_says(put_refusal(option_definitions, "dhcp4.222", R"j({"name": "tint", "code": 222, "type": "string"})j"),
                "is named in the test");
    assert_string_equal(
        put_refusal(option_definitions, "dhcp4.222", R"j({"name": "color", "code": 222, "type": "uint8"})j").c_str(),
        "");
}

void test_a_definition_of_a_class_s_own_is_no_use_of_the_server_s(void **)
{
    load(R"j({"name": "x", "code": 224, "type": "string"})j",
         R"j({"name": "a", "option-def": [{"name": "x", "code": 224, "type": "uint8"}],
             "option-data": [{"name": "x", "data": "7"}]})j");
    assert_string_equal(remove_refusal(option_definitions, "dhcp4.224").c_str(), "");
}

void test_raw_bytes_get_no_definition_by_which_their_words_may_be_text(void **)
{
    load("", R"j({"name": "a", "option-data": [{"code": 222, "csv-format": false, "data": "000102"}]})j");
    assert_says(put_refusal(option_definitions, "dhcp4.222", R"j({"name": "x", "code": 222, "type": "uint16"})j"),
                "is used by client class 'a'");
    assert_says(put_refusal(option_definitions, "dhcp4.222", R"j({"name": "x", "code": 222, "type": "binary"})j"),
                "is used by client class 'a'");
    put(client_classes, "a", R"j({"name": "a"})j");
    put(option_definitions, "dhcp4.222", R"j({"name": "x", "code": 222, "type": "binary"})j");
}

} // namespace

int run_option_definition_tests()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definitions_are_told_in_their_own_words),
        cmocka_unit_test(test_spellings_of_one_definition_are_equal),
        cmocka_unit_test(test_a_definition_is_replaced_in_its_place_and_serves_at_once),
        cmocka_unit_test(test_a_definition_that_the_server_would_not_take_is_refused),
        cmocka_unit_test(test_a_definition_that_a_class_uses_stays),
        cmocka_unit_test(test_a_used_definition_keeps_its_suboptions),
        cmocka_unit_test(test_a_definition_that_a_scope_uses_stays),
        cmocka_unit_test(test_a_definition_that_a_test_names_stays),
        cmocka_unit_test(test_a_definition_of_a_class_s_own_is_no_use_of_the_server_s),
        cmocka_unit_test(test_raw_bytes_get_no_definition_by_which_their_words_may_be_text),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
