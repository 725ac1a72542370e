/* What the text of the YANG module promises its readers: tools accept it, everything in it is described, what
 * implements the specification says which section, and its lines fit a page. */
#include "plugin/model/libyang_versions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_LIMIT 80 /* RFC 8407, section 3 */

static struct ly_ctx *context;
static const struct lysp_module *module;
static const char *module_description;

static int load(void **state)
{
    struct lys_module *loaded = NULL;

    (void)state;
    if (libyang_new_context(&context) != LY_SUCCESS || lys_parse_path(context, TEST_YANG, LYS_IN_YANG, &loaded) != 0)
        return -1;
    module = loaded->parsed;
    module_description = loaded->dsc;
    return 0;
}

static int unload(void **state)
{
    (void)state;
    ly_ctx_destroy(context);
    return 0;
}

struct count {
    size_t nodes, typedefs, enums, references;
};

static void assert_described(const char *what, const char *name, const char *description)
{
    if (description == NULL || strlen(description) < 3)
        fail_msg("%s %s has no description", what, name);
}

/* Names of the library's own: no section of the specification has anything of them. */
static bool is_our_own(const char *name)
{
    static const char *const names[] = {"failover-status", "wait"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* A reference begins with the document, and with the section if it is MS-IPAMM2. */
static void assert_reference(const char *what, const char *name, const char *reference)
{
    unsigned first, second;

    if (reference == NULL)
        fail_msg("%s %s has no reference", what, name);
    else if (strncmp(reference, "RFC ", 4) != 0 && sscanf(reference, "MS-IPAMM2, %u.%u.", &first, &second) != 2)
        fail_msg("the reference of %s %s names no section: %s", what, name, reference);
}

static void check_type(const struct lysp_type *type, const char *name, struct count *count)
{
    for (uint64_t i = 0; i < libyang_count(type->enums); i++, count->enums++)
        assert_described(name, type->enums[i].name, type->enums[i].dsc);
    for (uint64_t i = 0; i < libyang_count(type->types); i++)
        check_type(&type->types[i], name, count);
}

static void check_nodes(const struct lysp_node *node, struct count *count)
{
    for (; node != NULL; node = node->next) {
        const char *const what = lys_nodetype2str(node->nodetype);

        if (node->nodetype != LYS_USES && node->nodetype != LYS_INPUT && node->nodetype != LYS_OUTPUT) {
            assert_described(what, node->name, node->dsc);
            count->nodes++;
        }
        if (node->nodetype == LYS_LEAF)
            check_type(&((const struct lysp_node_leaf *)node)->type, node->name, count);
        if (node->nodetype == LYS_LEAFLIST)
            check_type(&((const struct lysp_node_leaflist *)node)->type, node->name, count);
        if (node->nodetype == LYS_LIST || ((node->nodetype & (LYS_RPC | LYS_GROUPING)) != 0 && !is_our_own(node->name)))
            assert_reference(what, node->name, node->ref);
        if (node->ref != NULL) {
            assert_reference(what, node->name, node->ref);
            count->references++;
        }
        if (node->nodetype == LYS_RPC) {
            check_nodes(lysp_node_child((const struct lysp_node *)&((const struct lysp_node_action *)node)->input),
                        count);
            check_nodes(lysp_node_child((const struct lysp_node *)&((const struct lysp_node_action *)node)->output),
                        count);
        } else {
            check_nodes(lysp_node_child(node), count);
        }
    }
}

static void test_everything_is_described_and_refers_to_its_section(void **state)
{
    struct count count = {0};

    (void)state;
    assert_described("module", "kea-failover-sync", module_description);
    check_nodes(module->data, &count);
    check_nodes((const struct lysp_node *)module->rpcs, &count);
    check_nodes((const struct lysp_node *)module->groupings, &count);
    for (uint64_t i = 0; i < libyang_count(module->typedefs); i++, count.typedefs++) {
        assert_described("typedef", module->typedefs[i].name, module->typedefs[i].dsc);
        check_type(&module->typedefs[i].type, module->typedefs[i].name, &count);
        if (module->typedefs[i].ref != NULL)
            assert_reference("typedef", module->typedefs[i].name, module->typedefs[i].ref);
    }
    for (uint64_t i = 0; i < libyang_count(module->revs); i++)
        assert_described("revision", module->revs[i].date, module->revs[i].dsc);
    /* That the walk went through them all. */
    assert_true(count.nodes > 300 && count.typedefs > 30 && count.enums > 100 && count.references > 60);
}

static void test_no_line_is_longer_than_a_page_is_wide(void **state)
{
    FILE *file = fopen(TEST_YANG, "r");
    char line[512];
    unsigned number = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        size_t length = strcspn(line, "\n");

        number++;
        if (length > LINE_LIMIT || (length > 0 && line[length - 1] == ' ') || strchr(line, '\t') != NULL)
            fail_msg("line %u is too long, or has a tab or a blank at its end", number);
    }
    assert_int_equal(fclose(file), 0);
    assert_true(number > 2000);
}

/* The file's name says the newest revision, as RFC 7950 section 5.2 has it. */
static void test_the_file_is_named_for_its_revision(void **state)
{
    char name[64];

    (void)state;
    assert_true(libyang_count(module->revs) > 0);
    (void)snprintf(name, sizeof name, "kea-failover-sync@%s.yang", module->revs[0].date);
    assert_string_equal(strrchr(TEST_YANG, '/') + 1, name);
    for (uint64_t i = 1; i < libyang_count(module->revs); i++)
        assert_true(strcmp(module->revs[i].date, module->revs[i - 1].date) < 0);
}

static void test_yanglint_accepts_the_module_without_a_word(void **state)
{
    FILE *pipe = popen("yanglint -D '" TEST_YANG "' 2>&1", "r");
    char said[256] = "";
    size_t length = fread(said, 1, sizeof said - 1, pipe);

    (void)state;
    said[length] = '\0';
    assert_int_equal(pclose(pipe), 0);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_described_and_refers_to_its_section),
        cmocka_unit_test(test_no_line_is_longer_than_a_page_is_wide),
        cmocka_unit_test(test_the_file_is_named_for_its_revision),
        cmocka_unit_test(test_yanglint_accepts_the_module_without_a_word),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
