/* Client classes: read in the words in which they were configured, put in place, taken back, refused with a reason. */
#include "tests/unit/kinds_fixture.h"

using failover_sync::canonical_text;
using failover_sync::client_classes;
using failover_sync::option_definitions;
using failover_sync::Undo;
using failover_sync::Words;
using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::SrvConfig;

namespace
{

struct pair {
    std::string one, other;
};

/* ---- classes: reading ---- */

void test_classes_are_told_in_their_own_words_and_order(void **)
{
    load("", std::string(THREE) + R"j(, {"name": "VENDOR_CLASS_x", "next-server": "192.0.2.9"})j");
    Words words;

    assert_string_equal(names(client_classes).c_str(), "a b c VENDOR_CLASS_x");
    assert_true(client_classes.read(running(), "b", words));
    assert_true(words.configured);
    assert_string_equal(words.reason.c_str(), "");
    assert_string_equal(
        words.text->c_str(),
        canonical(R"j({"name": "b", "test": "member('a')", "option-data": [{"code": 6, "data": "192.0.2.1"}]})j")
            .c_str());
    assert_true(words.printed->contains("next-server"));
    assert_false(client_classes.read(running(), "d", words));
}

void test_defaults_that_the_server_added_are_not_own_words(void **)
{
    const std::string text = R"j({"name": "a", "option-def": [{"name": "x", "code": 224, "type": "uint8"}],
                                 "option-data": [{"name": "x", "data": "7"}]})j";
    load("", text);
    assert_string_equal(own(client_classes, "a").c_str(), canonical(text).c_str());
}

void test_a_class_of_unknown_words_is_told_as_it_is_printed(void **)
{
    SrvConfig &configuration = load("", "");
    isc::dhcp::ClientClassDictionaryPtr dictionary = configuration.getClientClassDictionary();
    isc::dhcp::ClientClassDefParser().parse(
        dictionary, Element::fromJSON(R"j({"name": "a", "option-data": [{"code": 6, "data": "192.0.2.1"}]})j"),
        AF_INET);
    Words words;

    assert_true(client_classes.read(configuration, "a", words));
    assert_false(words.configured);
    assert_string_equal(words.reason.c_str(), "");
    assert_string_equal(words.text->c_str(), canonical_text(*words.own).c_str());
    assert_true(words.own->contains("boot-file-name"));
    assert_string_equal(
        client_classes.meaning(words.own).c_str(),
        meaning(client_classes, R"j({"name": "a", "option-data": [{"code": 6, "data": "192.0.2.1"}]})j").c_str());
}

void test_bytes_of_option_43_that_are_not_printed_are_a_reason(void **)
{
    const std::string text =
        R"j({"name": "a", "option-data": [{"code": 43, "csv-format": false, "data": "0104C0A80001"}]})j";
    SrvConfig &configuration = load("", "");
    isc::dhcp::ClientClassDictionaryPtr dictionary = configuration.getClientClassDictionary();
    isc::dhcp::ClientClassDefParser().parse(dictionary, Element::fromJSON(text), AF_INET);
    Words words;

    assert_true(client_classes.read(configuration, "a", words));
    assert_int_equal(words.reason.empty(), KEA_HOOKS_VERSION < failover_sync::release::KEA_2_6);
    if (!words.reason.empty()) {
        assert_says(words.reason, "Kea does not print option 43 (dhcp4) of the class");
    }

    put(client_classes, "a", text);
    assert_string_equal(own(client_classes, "a").c_str(), canonical(text).c_str());
    const auto option = configuration.getClientClassDictionary()->findClass("a")->getCfgOption()->get("dhcp4", 43);
    assert_string_equal(failover_sync::hexadecimal(option.option_->toBinary()).c_str(), "0104C0A80001");
}

void test_the_words_of_class_commands_are_noted(void **)
{
    load("", THREE);
    const ElementPtr arguments = Element::fromJSON(R"j({"client-classes": [{"name": "d", "test": "member('c')"}]})j");
    isc::dhcp::ClientClassDictionaryPtr dictionary = running().getClientClassDictionary();
    isc::dhcp::ClientClassDefParser().parse(dictionary, arguments->get("client-classes")->get(0), AF_INET, false);

    client_classes.say("class-get", arguments);
    assert_says(own(client_classes, "d"), "boot-file-name");
    client_classes.say("class-add", arguments);
    assert_string_equal(own(client_classes, "d").c_str(),
                        canonical(R"j({"name": "d", "test": "member('c')"})j").c_str());
    client_classes.say("class-update", Element::fromJSON(R"j({"client-classes": [{"name": "none"}, 1]})j"));
    client_classes.say("class-update", nullptr);
    option_definitions.say("class-add", arguments);
}

/* ---- classes: meaning ---- */

void test_spellings_of_one_class_are_equal(void **)
{
    load("", "");
    const std::string local =
        R"j({"name": "a", "option-def": [{"name": "x", "code": 224, "type": "uint16", "space": "dhcp4"}],
             "option-data": )j";
    const pair pairs[] = {
        {R"j({"name": "a", "option-data": [{"code": 6, "data": "10.0.0.1,10.0.0.2"}]})j",
         R"j({"option-data": [{"name": "domain-name-servers", "space": "dhcp4", "data": "10.0.0.1, 10.0.0.2"}],
             "name": "a"})j"},
        {R"j({"name": "a", "test": "option[93].hex == 0x00Ab and member('x  y')"})j",
         R"j({"name": "a", "test": " option[ 93 ] . hex==0X00aB\n  and  member( 'x  y' )"})j"},
        {R"j({"name": "a"})j", R"j({"name": "a", "next-server": "0.0.0.0", "server-hostname": "", "boot-file-name": "",
             "option-data": [], "option-def": [], "only-if-required": false, "user-context": {}})j"},
        {R"j({"name": "a", "only-if-required": true})j", R"j({"name": "a", "only-in-additional-list": true})j"},
        {R"j({"name": "a", "valid-lifetime": 100})j",
         R"j({"name": "a", "valid-lifetime": 100, "min-valid-lifetime": 100, "max-valid-lifetime": 100})j"},
        {R"j({"name": "a", "max-valid-lifetime": 100})j", R"j({"name": "a", "valid-lifetime": 100})j"},
        {local + R"j([{"name": "x", "data": "258"}]})j",
         local + R"j([{"code": 224, "csv-format": false, "data": "01:02"}]})j"},
        {R"j({"name": "a", "option-def": [{"name": "x", "code": 224, "type": "uint8"},
                                         {"name": "y", "code": 225, "type": "uint8"}]})j",
         R"j({"name": "a", "option-def": [{"name": "y", "code": 225, "type": "uint8", "array": false},
                                         {"name": "x", "code": 224, "type": "uint8", "space": "dhcp4"}]})j"},
    };
    for (const pair &two : pairs) {
        assert_string_equal(meaning(client_classes, two.one).c_str(), meaning(client_classes, two.other).c_str());
    }
}

void test_classes_that_differ_have_other_meanings(void **)
{
    load("", "");
    const pair pairs[] = {
        {R"j({"name": "a"})j", R"j({"name": "b"})j"},
        {R"j({"name": "a", "test": "option[60].text == 'a b'"})j",
         R"j({"name": "a", "test": "option[60].text == 'ab'"})j"},
        {R"j({"name": "a", "test": "option[60].text == '0xAB'"})j",
         R"j({"name": "a", "test": "option[60].text == '0xab'"})j"},
        {R"j({"name": "a", "valid-lifetime": 100})j",
         R"j({"name": "a", "valid-lifetime": 100, "max-valid-lifetime": 200})j"},
        {R"j({"name": "a", "option-def": [{"name": "x", "code": 224, "type": "uint8"}]})j", R"j({"name": "a"})j"},
        {R"j({"name": "a", "option-data": [{"code": 43, "csv-format": false, "data": "010101"}]})j",
         R"j({"name": "a", "option-data": [{"code": 43, "csv-format": false, "data": "010102"}]})j"},
    };
    for (const pair &two : pairs) {
        assert_string_not_equal(meaning(client_classes, two.one).c_str(), meaning(client_classes, two.other).c_str());
    }
}

/* ---- classes: changing ---- */

void test_a_class_is_replaced_in_its_place(void **)
{
    load("", THREE);
    put(client_classes, "b", R"j({"name": "b", "test": "not member('a')", "valid-lifetime": 60})j");
    put(client_classes, "d", R"j({"name": "d", "test": "member('c')"})j");

    assert_string_equal(names(client_classes).c_str(), "a b c d");
    assert_string_equal(own(client_classes, "b").c_str(),
                        canonical(R"j({"name": "b", "test": "not member('a')", "valid-lifetime": 60})j").c_str());
    assert_int_equal(running().getClientClassDictionary()->findClass("b")->getValid().get(), 60);
}

void test_a_change_is_taken_back_exactly(void **)
{
    load(COLOR, THREE);
    const std::string before = everything();
    const auto dictionary = running().getClientClassDictionary();
    const auto definition = running().getCfgOptionDef()->get("dhcp4", 222);
    {
        Undo undo;
        option_definitions.prepare(running(), "dhcp4.223", SIZE)->put(undo);
        option_definitions.prepare(running(), "dhcp4.222", R"j({"name": "tint", "code": 222, "type": "uint8"})j")
            ->put(undo);
        client_classes
            .prepare(running(), "a",
                     R"j({"name": "a", "test": "member('KNOWN')", "option-data": [{"name": "tint", "data": "7"}]})j")
            ->put(undo);
        client_classes.prepare(running(), "d", R"j({"name": "d", "test": "member('a')"})j")->put(undo);
        remove_now(client_classes, "c", undo);
        assert_string_equal(names(client_classes).c_str(), "a b d");
        assert_string_equal(names(option_definitions).c_str(), "dhcp4.222 dhcp4.223");
        assert_string_not_equal(everything().c_str(), before.c_str());
    }
    assert_string_equal(everything().c_str(), before.c_str());
    assert_ptr_equal(running().getClientClassDictionary().get(), dictionary.get());
    assert_ptr_equal(running().getCfgOptionDef()->get("dhcp4", 222).get(), definition.get());
}

void test_a_class_that_the_server_would_not_take_is_refused(void **)
{
    load("", THREE);
    assert_says(put_refusal(client_classes, "a", R"j({"name": "a", "test": "option[60].nothing"})j"),
                "[option[60].nothing] error: ");
    assert_says(put_refusal(client_classes, "a", R"j({"name": "a", "test": 1})j"), "must be a string");
    assert_says(put_refusal(client_classes, "a", R"j({"name": "a", "tset": "member('b')"})j"),
                "unsupported client class parameter 'tset'");
    assert_says(put_refusal(client_classes, "a", R"j({"name": "a", "option-data": [{"code": 6, "dada": ""}]})j"),
                "spurious 'dada' parameter");
    assert_says(
        put_refusal(client_classes, "a", R"j({"name": "a", "option-data": [{"name": "color", "data": "red"}]})j"),
        "'dhcp4.color' does not exist");
    assert_says(put_refusal(client_classes, "a", R"j({"name": "a", "next-server": "nowhere"})j"), "next-server");
    assert_says(put_refusal(client_classes, "a", R"j({"name": "b"})j"), "has another name than 'a'");
    assert_says(put_refusal(client_classes, "KNOWN", R"j({"name": "KNOWN", "test": "member('a')"})j"),
                "built-in class");
}

void test_a_class_must_name_classes_before_it(void **)
{
    load("", THREE);
    assert_says(put_refusal(client_classes, "d", R"j({"name": "d", "test": "member('e')"})j"),
                "its test names client class 'e', which is not defined here");
    assert_says(put_refusal(client_classes, "a", R"j({"name": "a", "test": "member('c')"})j"),
                "client class 'c', which comes after it here");
    assert_says(put_refusal(client_classes, "a", R"j({"name": "a", "test": "member('a')"})j"), "client class 'a'");
    assert_string_equal(
        put_refusal(client_classes, "d", R"j({"name": "d", "test": "member('c') and member('VENDOR_CLASS_x')"})j")
            .c_str(),
        "");
}

void test_what_a_prepared_class_names_must_still_be_there(void **)
{
    load("", THREE);
    const auto prepared = client_classes.prepare(running(), "d", R"j({"name": "d", "test": "member('c')"})j");
    Undo kept;
    remove_now(client_classes, "c", kept);
    assert_says(refusal([&](Undo &undo) { prepared->put(undo); }), "client class 'c', which is not defined here");
    kept.keep();
}

void test_a_class_that_another_one_names_is_not_removed(void **)
{
    load("", THREE);
    assert_says(remove_refusal(client_classes, "b"), "client class 'b' is named in the test of client class 'c'");
    assert_string_equal(remove_refusal(client_classes, "none").c_str(), "");

    Undo undo;
    remove_now(client_classes, "c", undo);
    remove_now(client_classes, "b", undo);
    undo.keep();
    assert_string_equal(names(client_classes).c_str(), "a");
}

void test_classes_after_it_depend_on_known_with_it(void **)
{
    load("", std::string(THREE) + R"j(, {"name": "d", "test": "pkt4.msgtype == 1"})j");
    const auto depends = [](const char *name) {
        return running().getClientClassDictionary()->findClass(name)->getDependOnKnown();
    };

    const auto prepared = client_classes.prepare(running(), "e", R"j({"name": "e", "test": "member('c')"})j");
    put(client_classes, "a", R"j({"name": "a", "test": "member('KNOWN')"})j");
    assert_true(depends("a") && depends("b") && depends("c") && !depends("d"));
    Undo undo;
    prepared->put(undo);
    undo.keep();
    assert_true(depends("e"));
    put(client_classes, "b", R"j({"name": "b", "test": "member('UNKNOWN')"})j");
    put(client_classes, "a", R"j({"name": "a"})j");
    assert_true(!depends("a") && depends("b") && depends("c") && !depends("d"));
}

void test_the_flag_of_additional_classes_goes_by_any_release_s_name(void **)
{
    load("", "");
    for (const char *keyword : {"only-if-required", "only-in-additional-list"}) {
        const std::string text = "{\"name\": \"a\", \"" + std::string(keyword) + "\": true}";
        put(client_classes, "a", text);
        assert_string_equal(own(client_classes, "a").c_str(), canonical(text).c_str());
        const auto printed = running().getClientClassDictionary()->findClass("a")->toElement();
        assert_true(printed->get(failover_sync::release::ADDITIONAL_ONLY)->boolValue());
    }
}

} // namespace

int run_client_class_tests()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes_are_told_in_their_own_words_and_order),
        cmocka_unit_test(test_defaults_that_the_server_added_are_not_own_words),
        cmocka_unit_test(test_a_class_of_unknown_words_is_told_as_it_is_printed),
        cmocka_unit_test(test_bytes_of_option_43_that_are_not_printed_are_a_reason),
        cmocka_unit_test(test_the_words_of_class_commands_are_noted),
        cmocka_unit_test(test_spellings_of_one_class_are_equal),
        cmocka_unit_test(test_classes_that_differ_have_other_meanings),
        cmocka_unit_test(test_a_class_is_replaced_in_its_place),
        cmocka_unit_test(test_a_change_is_taken_back_exactly),
        cmocka_unit_test(test_a_class_that_the_server_would_not_take_is_refused),
        cmocka_unit_test(test_a_class_must_name_classes_before_it),
        cmocka_unit_test(test_what_a_prepared_class_names_must_still_be_there),
        cmocka_unit_test(test_a_class_that_another_one_names_is_not_removed),
        cmocka_unit_test(test_classes_after_it_depend_on_known_with_it),
        cmocka_unit_test(test_the_flag_of_additional_classes_goes_by_any_release_s_name),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
