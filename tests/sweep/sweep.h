/* Put in front of each file of plugin/ by configure --enable-allocation-sweep: every call there that takes memory, or a
 * thread, goes to sweep.c, which counts the calls and lets one of them fail. Calls of the tests and inside the
 * libraries are not counted: what is tried is what plugin/ does when it gets nothing. */
#ifndef TESTS_SWEEP_SWEEP_H
#define TESTS_SWEEP_SWEEP_H

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <libyang/libyang.h>
#include <libyang/version.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the call that is about to be made is to fail. */
bool sweep_fails(void);

/* jansson. */
json_t *sweep_json_object(void);
json_t *sweep_json_array(void);
json_t *sweep_json_string(const char *text);
json_t *sweep_json_stringn(const char *text, size_t length);
json_t *sweep_json_integer(json_int_t value);
json_t *sweep_json_real(double value);
json_t *sweep_json_pack(const char *format, ...);
json_t *sweep_json_sprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
json_t *sweep_json_loads(const char *text, size_t flags, json_error_t *error);
json_t *sweep_json_loadb(const char *text, size_t length, size_t flags, json_error_t *error);
char *sweep_json_dumps(const json_t *json, size_t flags);
size_t sweep_json_dumpb(const json_t *json, char *buffer, size_t size, size_t flags);
json_t *sweep_json_copy(json_t *json);
json_t *sweep_json_deep_copy(const json_t *json);
int sweep_json_object_set_new(json_t *object, const char *key, json_t *value);
int sweep_json_object_set(json_t *object, const char *key, json_t *value);
int sweep_json_object_update(json_t *object, json_t *other);
int sweep_json_array_append_new(json_t *array, json_t *value);
int sweep_json_array_append(json_t *array, json_t *value);

/* SQLite. */
int sweep_sqlite3_open_v2(const char *path, sqlite3 **database, int flags, const char *vfs);
int sweep_sqlite3_prepare_v2(sqlite3 *database, const char *sql, int length, sqlite3_stmt **statement,
                             const char **tail);
int sweep_sqlite3_prepare_v3(sqlite3 *database, const char *sql, int length, unsigned flags, sqlite3_stmt **statement,
                             const char **tail);
int sweep_sqlite3_step(sqlite3_stmt *statement);
int sweep_sqlite3_exec(sqlite3 *database, const char *sql, int (*row)(void *, int, char **, char **), void *context,
                       char **message);
int sweep_sqlite3_bind_text64(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 length,
                              void (*drop)(void *), unsigned char encoding);
int sweep_sqlite3_bind_blob64(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 length,
                              void (*drop)(void *));
const unsigned char *sweep_sqlite3_column_text(sqlite3_stmt *statement, int column);
int sweep_sqlite3_create_function(sqlite3 *database, const char *name, int arguments, int flags, void *context,
                                  void (*call)(sqlite3_context *, int, sqlite3_value **),
                                  void (*step)(sqlite3_context *, int, sqlite3_value **),
                                  void (*final)(sqlite3_context *));
char *sweep_sqlite3_mprintf(const char *format, ...);
sqlite3_str *sweep_sqlite3_str_new(sqlite3 *database);
char *sweep_sqlite3_str_finish(sqlite3_str *text);
int sweep_sqlite3_wal_checkpoint_v2(sqlite3 *database, const char *name, int mode, int *log, int *done);

/* Whether an option's text, which libcurl copies, gets no memory. */
bool sweep_curl_option_fails(int option);

#ifndef SWEEP_ITSELF
#define SWEPT(failure, function, ...) (sweep_fails() ? (failure) : (function)(__VA_ARGS__))

#undef strdup
#undef strndup
#define malloc(...)         SWEPT(NULL, malloc, __VA_ARGS__)
#define calloc(...)         SWEPT(NULL, calloc, __VA_ARGS__)
#define realloc(...)        SWEPT(NULL, realloc, __VA_ARGS__)
#define reallocarray(...)   SWEPT(NULL, reallocarray, __VA_ARGS__)
#define strdup(...)         SWEPT(NULL, strdup, __VA_ARGS__)
#define strndup(...)        SWEPT(NULL, strndup, __VA_ARGS__)
#define realpath(...)       SWEPT(NULL, realpath, __VA_ARGS__)
#define fdopen(...)         SWEPT(NULL, fdopen, __VA_ARGS__)
#define opendir(...)        SWEPT(NULL, opendir, __VA_ARGS__)
#define asprintf(...)       SWEPT(-1, asprintf, __VA_ARGS__)
#define pthread_create(...) SWEPT(EAGAIN, pthread_create, __VA_ARGS__)

#define json_object           sweep_json_object
#define json_array            sweep_json_array
#define json_string           sweep_json_string
#define json_stringn          sweep_json_stringn
#define json_integer          sweep_json_integer
#define json_real             sweep_json_real
#define json_pack             sweep_json_pack
#define json_sprintf          sweep_json_sprintf
#define json_loads            sweep_json_loads
#define json_loadb            sweep_json_loadb
#define json_dumps            sweep_json_dumps
#define json_dumpb            sweep_json_dumpb
#define json_copy             sweep_json_copy
#define json_deep_copy        sweep_json_deep_copy
#define json_object_set_new   sweep_json_object_set_new
#define json_object_set       sweep_json_object_set
#define json_object_update    sweep_json_object_update
#define json_array_append_new sweep_json_array_append_new
#define json_array_append     sweep_json_array_append

#define sqlite3_open_v2           sweep_sqlite3_open_v2
#define sqlite3_prepare_v2        sweep_sqlite3_prepare_v2
#define sqlite3_prepare_v3        sweep_sqlite3_prepare_v3
#define sqlite3_step              sweep_sqlite3_step
#define sqlite3_exec              sweep_sqlite3_exec
#define sqlite3_bind_text64       sweep_sqlite3_bind_text64
#define sqlite3_bind_blob64       sweep_sqlite3_bind_blob64
#define sqlite3_column_text       sweep_sqlite3_column_text
#define sqlite3_create_function   sweep_sqlite3_create_function
#define sqlite3_mprintf           sweep_sqlite3_mprintf
#define sqlite3_str_new           sweep_sqlite3_str_new
#define sqlite3_str_finish        sweep_sqlite3_str_finish
#define sqlite3_wal_checkpoint_v2 sweep_sqlite3_wal_checkpoint_v2

#define curl_easy_init(...)        SWEPT(NULL, curl_easy_init, __VA_ARGS__)
#define curl_multi_init(...)       SWEPT(NULL, curl_multi_init, __VA_ARGS__)
#define curl_url(...)              SWEPT(NULL, curl_url, __VA_ARGS__)
#define curl_slist_append(...)     SWEPT(NULL, curl_slist_append, __VA_ARGS__)
#define curl_url_set(...)          SWEPT(CURLUE_OUT_OF_MEMORY, curl_url_set, __VA_ARGS__)
#define curl_url_get(...)          SWEPT(CURLUE_OUT_OF_MEMORY, curl_url_get, __VA_ARGS__)
#define curl_multi_add_handle(...) SWEPT(CURLM_OUT_OF_MEMORY, curl_multi_add_handle, __VA_ARGS__)
#undef curl_easy_setopt
#define curl_easy_setopt(easy, option, ...)                                                                            \
    (sweep_curl_option_fails((int)(option)) ? CURLE_OUT_OF_MEMORY : (curl_easy_setopt)(easy, option, __VA_ARGS__))

#define EVP_MD_fetch(...)       SWEPT(NULL, EVP_MD_fetch, __VA_ARGS__)
#define EVP_MD_CTX_new(...)     SWEPT(NULL, EVP_MD_CTX_new, __VA_ARGS__)
#define EVP_MAC_fetch(...)      SWEPT(NULL, EVP_MAC_fetch, __VA_ARGS__)
#define EVP_MAC_CTX_new(...)    SWEPT(NULL, EVP_MAC_CTX_new, __VA_ARGS__)
#define EVP_Digest(...)         SWEPT(0, EVP_Digest, __VA_ARGS__)
#define EVP_DigestInit_ex2(...) SWEPT(0, EVP_DigestInit_ex2, __VA_ARGS__)
#define EVP_MAC_init(...)       SWEPT(0, EVP_MAC_init, __VA_ARGS__)

#define ly_ctx_new(...)         SWEPT(LY_EMEM, ly_ctx_new, __VA_ARGS__)
#define lys_parse_mem(...)      SWEPT(LY_EMEM, lys_parse_mem, __VA_ARGS__)
#define ly_in_new_memory(...)   SWEPT(LY_EMEM, ly_in_new_memory, __VA_ARGS__)
#define lyd_parse_op(...)       SWEPT(LY_EMEM, lyd_parse_op, __VA_ARGS__)
#define lyd_validate_op(...)    SWEPT(LY_EMEM, lyd_validate_op, __VA_ARGS__)
#define lyd_value_validate(...) SWEPT(LY_EMEM, lyd_value_validate, __VA_ARGS__)
#define lyd_new_inner(...)      SWEPT(LY_EMEM, lyd_new_inner, __VA_ARGS__)
#define lyd_new_list(...)       SWEPT(LY_EMEM, lyd_new_list, __VA_ARGS__)
#define lyd_new_term(...)       SWEPT(LY_EMEM, lyd_new_term, __VA_ARGS__)
#define lyd_print_mem(...)      SWEPT(LY_EMEM, lyd_print_mem, __VA_ARGS__)

#endif
#endif
