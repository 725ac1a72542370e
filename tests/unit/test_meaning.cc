/* Texts of configuration: read back as they were, and equal in meaning in all their spellings, with the server's own
 * parsers of options and identifiers. */
#include "shim/shim.h"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string>

extern "C" {
#include <cmocka.h>
}

using failover_sync::canonical_text;
using failover_sync::meaning_of_scope;
using isc::data::Element;

namespace
{

std::string meaning(const std::string &definition)
{
    return meaning_of_scope(Element::fromJSON(definition));
}

std::string subnet(const std::string &words)
{
    return "{\"subnet4\": {\"id\": 7, \"subnet\": \"192.0.2.0/24\"" + (words.empty() ? "" : ", " + words) + "}}";
}

std::string option(const std::string &words)
{
    return subnet("\"option-data\": [{" + words + "}]");
}

struct pair {
    std::string one, other;
};

void test_a_text_reads_back_as_it_was(void **)
{
    static const char *const texts[] = {
        "1e-07",
        "1e-7",
        "0.1",
        "52.5200066",
        "1.0",
        "-0.0",
        "2.5e+20",
        "12345678901234567",
        "0.30000000000000004",
        "1e22",
        "true",
        "null",
        "\"\\u0000\"",
        "\"\\u00c3\\u00bc\"",
        "\"\\\"\\\\\\n\"",
        "[ 1, [  ], {  } ]",
    };

    for (const char *text : texts) {
        const auto element = Element::fromJSON(text);
        const std::string printed = canonical_text(*element);
        const auto again = Element::fromJSON(printed);

        assert_int_equal(again->getType(), element->getType());
        if (element->getType() == Element::real) {
            assert_true(again->doubleValue() == element->doubleValue());
        } else {
            assert_true(again->equals(*element));
        }
        assert_string_equal(canonical_text(*again).c_str(), printed.c_str());
        assert_true(kea_json_accepted(printed.c_str()));
    }
}

void test_a_keyword_with_any_bytes_reads_back(void **)
{
    const auto map = Element::createMap();

    map->set("a \"quoted\" \\ \x01 \xc3\xbc", Element::create(true));
    assert_true(Element::fromJSON(canonical_text(*map))->equals(*map));
    assert_true(kea_json_accepted(canonical_text(*map).c_str()));
}

void test_spellings_of_one_meaning_are_equal(void **)
{
    const std::string pool = "\"pools\": [{\"pool\": ",
                      reservation = "\"reservations\": [{\"ip-address\": \"192.0.2.9\", ";
    const pair pairs[] = {
        /* options by code or name, with or without the space they are in, with or without blanks */
        {option("\"code\": 6, \"data\": \"10.0.0.1,10.0.0.2\""),
         option("\"name\": \"domain-name-servers\", \"data\": \"10.0.0.1, 10.0.0.2\"")},
        {option("\"code\": 6, \"data\": \"10.0.0.1\""), option("\"code\": 6, \"space\": \"dhcp4\", \"csv-format\": "
                                                               "true, \"always-send\": false, \"data\": \"10.0.0.1\"")},
        {option("\"code\": 6, \"data\": \"10.0.0.1\""),
         option("\"code\": 6, \"csv-format\": false, \"data\": \"0A000001\"")},
        {option("\"code\": 43, \"csv-format\": false, \"data\": \"0104C0A80001\""),
         option("\"code\": 43, \"csv-format\": false, \"data\": \"01:04:c0:a8:00:01\"")},
        {option("\"code\": 43, \"csv-format\": false, \"data\": \"0x616263\""),
         option("\"name\": \"vendor-encapsulated-options\", \"csv-format\": false, \"data\": \"'abc'\"")},
        {option("\"code\": 2, \"data\": \"3600\""), option("\"name\": \"time-offset\", \"data\": \" 3600 \"")},
        /* ranges */
        {subnet(pool + "\"192.0.2.0/28\"}]"), subnet(pool + "\"192.0.2.0 - 192.0.2.15\"}]")},
        {subnet(pool + "\"192.0.2.10-192.0.2.20\"}]"),
         subnet(pool + "\"192.0.2.10  -  192.0.2.20\", \"option-data\": []}]")},
        {subnet(pool + "\"192.0.2.10-192.0.2.20\"}, {\"pool\": \"192.0.2.30-192.0.2.40\"}]"),
         subnet(pool + "\"192.0.2.30-192.0.2.40\"}, {\"pool\": \"192.0.2.10-192.0.2.20\"}]")},
        /* identifiers */
        {subnet(reservation + "\"hw-address\": \"aa:bb:cc:dd:ee:ff\"}]"),
         subnet(reservation + "\"hw-address\": \"AA:BB:CC:DD:EE:FF\", \"hostname\": \"\", \"option-data\": []}]")},
        {subnet(reservation + "\"client-id\": \"01:02:03\"}]"), subnet(reservation + "\"client-id\": \"010203\"}]")},
        {subnet(reservation + "\"flex-id\": \"'abc'\"}]"), subnet(reservation + "\"flex-id\": \"616263\"}]")},
        /* order that means nothing */
        {subnet("\"option-data\": [{\"code\": 3, \"data\": \"192.0.2.1\"}, {\"code\": 6, \"data\": \"192.0.2.2\"}]"),
         subnet("\"option-data\": [{\"code\": 6, \"data\": \"192.0.2.2\"}, {\"code\": 3, \"data\": \"192.0.2.1\"}]")},
        {subnet("\"relay\": {\"ip-addresses\": [\"10.0.0.1\", \"10.0.0.2\"]}"),
         subnet("\"relay\": {\"ip-addresses\": [\"10.0.0.2\", \"10.0.0.1\"]}")},
        {subnet("\"relay\": {\"ip-address\": \"10.0.0.1\"}"), subnet("\"relay\": {\"ip-addresses\": [\"10.0.0.1\"]}")},
        /* what is so without it, and names of before */
        {subnet(""), subnet("\"pools\": [], \"option-data\": [], \"reservations\": [], \"4o6-subnet\": \"\", "
                            "\"relay\": {\"ip-addresses\": []}, \"user-context\": {}")},
        {subnet("\"client-class\": \"voip\""), subnet("\"client-classes\": [\"voip\"]")},
        {subnet("\"require-client-classes\": [\"a\", \"b\"]"),
         subnet("\"evaluate-additional-classes\": [\"a\", \"b\"]")},
    };

    for (const pair &two : pairs) {
        assert_string_equal(meaning(two.one).c_str(), meaning(two.other).c_str());
    }
}

void test_what_means_another_thing_differs(void **)
{
    const std::string network =
        "\"shared-network\": {\"name\": \"n\", \"relay\": {\"ip-addresses\": [\"10.0.0.1\"]}}, ";
    const pair pairs[] = {
        {option("\"code\": 43, \"csv-format\": false, \"data\": \"0104C0A80001\""),
         option("\"code\": 43, \"csv-format\": false, \"data\": \"0104C0A80002\"")},
        {option("\"code\": 6, \"data\": \"10.0.0.1\""),
         option("\"code\": 6, \"data\": \"10.0.0.1\", \"always-send\": true")},
        {option("\"code\": 6, \"data\": \"10.0.0.1, 10.0.0.2\""),
         option("\"code\": 6, \"data\": \"10.0.0.2, 10.0.0.1\"")},
        {subnet(""), subnet("\"valid-lifetime\": 7200")},
        {subnet(""), subnet("\"renew-timer\": 100")},
        {subnet("\"user-context\": {\"a\": [1, 2]}"), subnet("\"user-context\": {\"a\": [2, 1]}")},
        {subnet("\"user-context\": {\"a\": 52.5200066}"), subnet("\"user-context\": {\"a\": 52.52}")},
        {subnet("\"evaluate-additional-classes\": [\"a\", \"b\"]"),
         subnet("\"evaluate-additional-classes\": [\"b\", \"a\"]")},
        {"{" + network + "\"subnet4\": {\"id\": 7, \"subnet\": \"192.0.2.0/24\"}}",
         "{" + network + "\"subnet4\": {\"id\": 7, \"subnet\": \"192.0.2.0/24\", \"relay\": {\"ip-addresses\": []}}}"},
    };

    for (const pair &two : pairs) {
        assert_string_not_equal(meaning(two.one).c_str(), meaning(two.other).c_str());
    }
}

void test_an_option_that_the_server_refuses_stays_as_it_stands(void **)
{
    const std::string refused = option("\"name\": \"no-such-option\", \"data\": \"x\"");

    assert_true(meaning(refused).find("no-such-option") != std::string::npos);
}

} // namespace

int main()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_reads_back_as_it_was),
        cmocka_unit_test(test_a_keyword_with_any_bytes_reads_back),
        cmocka_unit_test(test_spellings_of_one_meaning_are_equal),
        cmocka_unit_test(test_what_means_another_thing_differs),
        cmocka_unit_test(test_an_option_that_the_server_refuses_stays_as_it_stands),
    };

    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
