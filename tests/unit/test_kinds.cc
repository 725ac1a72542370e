/* The kinds of configuration objects, with the server's own parsers and tables: what goes for all of them. */
#include "tests/unit/kinds_fixture.h"

using failover_sync::client_classes;
using failover_sync::option_definitions;
using isc::dhcp::SrvConfig;

namespace
{

/* ---- both ---- */

void test_definitions_are_applied_before_the_classes_that_use_them(void **)
{
    assert_int_equal(failover_sync::kinds().size(), 2);
    assert_ptr_equal(failover_sync::kinds()[0], &option_definitions);
    assert_ptr_equal(failover_sync::kind_of(OBJECT_CLIENT_CLASS), &client_classes);
    assert_ptr_equal(failover_sync::kind_of(OBJECT_OPTION_DEFINITION), &option_definitions);
    assert_null(failover_sync::kind_of(OBJECT_SCOPE));
}

void test_what_a_configuration_backend_brought_is_left_to_it(void **)
{
    SrvConfig &configuration = load(std::string(COLOR) + ", " + SIZE, THREE);
    configuration.getClientClassDictionary()->findClass("c")->setServerTag("all");
    configuration.getCfgOptionDef()->get("dhcp4", 223)->setServerTag("all");

    assert_string_equal(names(client_classes).c_str(), "a b");
    assert_string_equal(names(option_definitions).c_str(), "dhcp4.222");
    assert_says(put_refusal(client_classes, "c", R"j({"name": "c"})j"), "configuration backend");
    assert_says(remove_refusal(client_classes, "c"), "configuration backend");
    assert_says(put_refusal(option_definitions, "dhcp4.223", SIZE), "configuration backend");
    assert_says(remove_refusal(option_definitions, "dhcp4.223"), "configuration backend");
}

void test_a_text_that_is_not_whole_is_refused(void **)
{
    load("", "");
    assert_says(put_refusal(client_classes, "a", R"j({"incomplete": "Kea does not print x", "name": "a"})j"),
                "is not all of it");
    assert_says(put_refusal(client_classes, "a", "[]"), "not a map");
    assert_true(!put_refusal(option_definitions, "dhcp4.222", "{\"name\"").empty());
}

} // namespace

int main()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definitions_are_applied_before_the_classes_that_use_them),
        cmocka_unit_test(test_what_a_configuration_backend_brought_is_left_to_it),
        cmocka_unit_test(test_a_text_that_is_not_whole_is_refused),
    };
    isc::log::initLogger("test", isc::log::NONE);
    const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
    return failed + run_client_class_tests() + run_option_definition_tests();
}
