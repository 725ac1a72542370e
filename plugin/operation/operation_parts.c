/* What all operations on the store have around them. */
#include "operation_parts.h"

#include "failover_sync/store.h"

#include <string.h>

struct fault operation_begin(struct store *store, enum exception_id exception, bool *own)
{
    return fault_of_result(store_enter(store, own), exception);
}

struct fault operation_end(struct store *store, bool own, struct fault fault, enum exception_id exception,
                           const char *command)
{
    if (fault_raised(&fault))
        (void)store_leave(store, own, result_error(RESULT_REFUSED, "%s", fault.message));
    else
        fault = fault_of_result(store_leave(store, own, result_ok()), exception);
    fault_complete_path(&fault, command);
    return fault;
}

bool json_put(json_t *map, const char *name, json_t *value)
{
    return value != NULL && json_object_set_new(map, name, value) == 0;
}

bool json_put_text(json_t *map, const char *name, const char *text)
{
    return text == NULL || json_put(map, name, json_string(text));
}

bool json_put_id(json_t *map, const char *name, int64_t record_id)
{
    return record_id == 0 || json_put(map, name, json_integer((json_int_t)record_id));
}

struct shown_name show_name(const char *name)
{
    struct shown_name shown = {.text = ""};
    size_t length = 0;
    int characters = 0;

    for (; name[length] != '\0'; length++) {
        bool begins = ((unsigned char)name[length] & 0xc0) != 0x80;

        if (length == (size_t)4 * SHOWN_CHARACTERS || (begins && characters++ == SHOWN_CHARACTERS))
            break;
    }
    memcpy(shown.text, name, length);
    if (name[length] != '\0')
        memcpy(shown.text + length, "...", sizeof "...");
    return shown;
}
