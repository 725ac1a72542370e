/* adm-get: rows of the tables read in the module's order and put together as its data. */
#include "failover_sync/adm_get.h"

#include "adm_path.h"
#include "failover_sync/adm_table.h"
#include "failover_sync/data_tree.h"
#include "failover_sync/statement.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS      100
#define PAGE_BYTES     ((size_t)4 * 1024 * 1024)
#define MARKUP_BYTES   16 /* around a value, without its name */
#define ELEMENT_LENGTH 96 /* of a JSON list in a column; longer ones are cut, and the module judges what is left */

struct page {
    struct store *store;
    const struct model *model;
    struct data_tree *tree;
    struct adm_path path;
    enum adm_level deepest; /* what is shown */
    int64_t limit, rows;
    size_t bytes;  /* about what the rows so far print as */
    size_t values; /* of leaves, without keys */
    struct adm_row last;
    bool more; /* there are rows after the last */
};

/* About how long a value is in print, whichever the format. */
static size_t printed_length(const char *value)
{
    size_t length = MARKUP_BYTES;

    for (; *value != '\0'; value++) {
        switch (*value) {
        case '&':
        case '<':
        case '>':
            length += 5;
            break;
        case '"':
        case '\\':
        case '\n':
        case '\r':
        case '\t':
            length += 2;
            break;
        default:
            length++;
        }
    }
    return length;
}

static bool leaf_is_shown(const struct page *page, size_t position)
{
    if (position == 0)
        return true;
    if (page->path.level == ADM_LEVEL_LEAF)
        return position == page->path.leaf;
    return page->deepest >= ADM_LEVEL_LEAF;
}

static size_t row_length(const struct page *page, const char *list, struct statement *statement)
{
    struct data_leaf leaf;
    size_t length = 0;

    for (size_t i = 0; data_leaf_at(page->model, ADM_CONTAINER, list, i, &leaf); i++) {
        const char *value = leaf_is_shown(page, i) ? statement_text(statement, (int)i) : NULL;

        if (value != NULL)
            length += 2 * strlen(leaf.name) + printed_length(value);
    }
    return length;
}

/* A column's name as the module writes it: "server1-ps-name" for Server1PSName. */
static void print_column_name(const char *column, char text[ELEMENT_LENGTH])
{
    size_t length = 0;

    for (const char *c = column; *c != '\0' && length < ELEMENT_LENGTH - 2; c++) {
        bool begins = c > column && isupper((unsigned char)*c) &&
                      (!isupper((unsigned char)c[-1]) || islower((unsigned char)c[1]));

        if (begins)
            text[length++] = '-';
        text[length++] = (char)tolower((unsigned char)*c);
    }
    text[length] = '\0';
}

/* The elements of a JSON list: names of columns, or addresses from "start" to "end". */
static struct result put_list(struct page *page, size_t position, const struct data_leaf *leaf, const char *text)
{
    struct result result = result_ok();
    json_t *list = json_loads(text, 0, NULL);
    const json_t *element;
    size_t index;

    if (!json_is_array(list)) {
        json_decref(list);
        return result_error(RESULT_INVALID, "%s is not text of a JSON list", leaf->name);
    }
    json_array_foreach(list, index, element)
    {
        const char *start = json_string_value(json_object_get(element, "start"));
        const char *end = json_string_value(json_object_get(element, "end"));
        char value[ELEMENT_LENGTH] = "";

        if (json_is_string(element))
            print_column_name(json_string_value(element), value);
        else if (start != NULL && end != NULL)
            (void)snprintf(value, sizeof value, "%s-%s", start, end);
        result = data_tree_put(page->tree, position, value);
        if (result_failed(result))
            break;
        page->values++;
    }
    json_decref(list);
    return result;
}

static struct result put_value(struct page *page, size_t position, const struct data_leaf *leaf, const char *value)
{
    struct result result;

    if (leaf->many)
        return put_list(page, position, leaf, value);
    result = data_tree_put(page->tree, position, value);
    if (!result_failed(result))
        page->values++;
    return result;
}

static struct result put_row(struct page *page, const char *list, struct statement *statement)
{
    const char *key = statement_text(statement, 0);
    struct data_leaf leaf;
    struct result result;

    if (key == NULL)
        return result_no_memory("a row of the store");
    result = data_tree_open(page->tree, list, key);
    for (size_t i = 1; !result_failed(result) && data_leaf_at(page->model, ADM_CONTAINER, list, i, &leaf); i++) {
        const char *value = leaf_is_shown(page, i) ? statement_text(statement, (int)i) : NULL;

        if (value != NULL)
            result = put_value(page, i, &leaf, value);
    }
    return result;
}

/* Adds the row, or notes that there is one more than the page holds. */
static struct result take_row(struct page *page, size_t table, struct statement *statement)
{
    const size_t length = row_length(page, adm_tables[table].list, statement);
    const int64_t record_id = statement_integer(statement, 0);
    struct result result;

    page->more = page->rows == page->limit || (page->rows > 0 && page->bytes + length > PAGE_BYTES);
    if (page->more)
        return result_ok();
    result = put_row(page, adm_tables[table].list, statement);
    if (result.code == RESULT_INVALID)
        return result_error(RESULT_STORE, "the store's table %s has a row %lld that this version cannot show: %s",
                            adm_tables[table].table, (long long)record_id, result.message);
    page->rows++;
    page->bytes += length;
    page->last = (struct adm_row){.table = table, .record_id = record_id};
    return result;
}

/* The rows of one table after an id, as far as the page holds them. */
static struct result read_table(struct page *page, size_t table, int64_t after)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(page->store, adm_tables[table].sql, &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, after);
    statement_bind_integer(statement, 2,
                           page->limit - page->rows + 1); /* one more tells whether there is a next page */
    for (;;) {
        result = statement_step(statement, &found);
        if (!found)
            return result;
        result = take_row(page, table, statement);
        if (result_failed(result) || page->more)
            break;
    }
    statement_done(statement);
    return result;
}

/* The row that the path leads to, if there is one. */
static struct result read_entry(struct page *page)
{
    const size_t table = page->path.first;
    const int64_t record_id = page->path.record_id;
    struct statement *statement;
    bool found = false;
    struct result result;

    if (record_id <= adm_tables[table].before)
        return result_ok();
    result = statement_get(page->store, adm_tables[table].sql, &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id - 1);
    statement_bind_integer(statement, 2, 1);
    result = statement_step(statement, &found);
    if (found && statement_integer(statement, 0) == record_id)
        result = take_row(page, table, statement);
    statement_done(statement);
    return result;
}

static struct fault read_rows(struct page *page, const struct adm_row *from)
{
    const struct adm_path *path = &page->path;
    struct result result = result_ok();

    if (path->is_entry) {
        result = read_entry(page);
        if (!result_failed(result) && page->rows == 0)
            return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, "path", "there is no row \"%.120s\": %s has no %lld",
                                   path->text, adm_tables[path->first].table, (long long)path->record_id);
        if (!result_failed(result) && path->level == ADM_LEVEL_LEAF && path->leaf > 0 && page->values == 0)
            return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, "path",
                                   "there is no \"%.120s\": the row has no value there", path->text);
    } else if (page->deepest >= ADM_LEVEL_ENTRY) {
        for (size_t i = from->table; i <= path->last && !page->more && !result_failed(result); i++)
            result = read_table(page, i, i == from->table ? from->record_id : adm_tables[i].before);
    }
    return fault_of_result(result, EXCEPTION_FAILOVER_NOT_FETCHED);
}

/* Prints the tree, which is no longer needed then: the page is kept once. */
static struct fault print_page(struct page *page, bool xml, json_t **output)
{
    char *text = NULL;
    json_t *data = NULL;
    struct result result = data_tree_print(page->tree, xml ? DATA_XML : DATA_JSON, &text);

    data_tree_free(page->tree);
    page->tree = NULL;
    if (!result_failed(result)) {
        data = xml ? json_string(text) : json_loads(text, 0, NULL);
        *output = json_pack("{s:I,s:o}", "count", (json_int_t)page->rows, xml ? "xml" : "data", data);
        if (*output == NULL)
            result = result_no_memory("the answer to adm-get");
    }
    if (!result_failed(result) && page->more) {
        char next[ADM_TOKEN_SIZE];

        adm_token_print(&page->last, next);
        if (json_object_set_new(*output, "next", json_string(next)) != 0) {
            json_decref(*output);
            *output = NULL;
            result = result_no_memory("the answer to adm-get");
        }
    }
    free(text);
    return fault_of_result(result, EXCEPTION_FAILOVER_NOT_FETCHED);
}

/* The levels of the path's node and those below it, RFC 8040 section 4.8.2: 1 is the node itself. */
static enum adm_level deepest_level(enum adm_level level, int64_t depth)
{
    return depth == 0 || (int64_t)level + depth - 1 >= ADM_LEVEL_LEAF ? ADM_LEVEL_LEAF
                                                                      : (enum adm_level)((int64_t)level + depth - 1);
}

struct fault adm_get(struct store *store, const struct model *model, const struct model_node *input, json_t **output)
{
    struct page page = {.store = store, .model = model, .limit = model_integer(input, "limit", PAGE_ROWS)};
    struct adm_row from;
    struct fault fault = adm_path_parse(model, model_text(input, "path"), &page.path);

    *output = NULL;
    if (!fault_raised(&fault))
        fault = adm_token_parse(model_text(input, "from"), &page.path, &from);
    if (fault_raised(&fault))
        goto done;
    page.deepest = deepest_level(page.path.level, model_integer(input, "depth", 0));
    fault = fault_of_result(data_tree_new(model, ADM_CONTAINER, &page.tree), EXCEPTION_FAILOVER_NOT_FETCHED);
    if (!fault_raised(&fault))
        fault = read_rows(&page, &from);
    if (!fault_raised(&fault))
        fault = print_page(&page, strcmp(model_text(input, "format"), "xml") == 0, output);
done:
    data_tree_free(page.tree);
    fault_complete_path(&fault, "adm-get");
    return fault;
}
