/* How a partner is let to be reached, and what is said when it is not. */
#include "access.h"

#include "failover_sync/fingerprint.h"
#include "failover_sync/relationship.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 3000L
#define IDLE_SECONDS       20L /* Kea's HTTP servers close a connection on which nothing was said for 30 s */
#define HTTP_OK            200
#define HTTP_UNAUTHORIZED  401
#define HTTP_FORBIDDEN     403
#define HTTP_TIMEOUT       408

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0'; /* HA's word for "not this peer" is an empty text */
}

/* For a name that was not looked up before, which never happens: curl's own lookup would be waited for. */
static int refuse_lookup(void *state, void *reserved, void *context)
{
    (void)state;
    (void)reserved;
    return ((const struct access *)context)->lookup == NULL ? 0 : 1;
}

static bool uses_tls(const struct partner_access *partner)
{
    return strncmp(partner->url, "https://", 8) == 0;
}

static bool is_address(const char *host)
{
    char bare[INET6_ADDRSTRLEN + 2];
    struct in6_addr address;
    size_t length = strlen(host);

    if (host[0] != '[')
        return inet_pton(AF_INET, host, &address) == 1;
    if (length < 3 || length > sizeof bare)
        return false;
    memcpy(bare, host + 1, length - 2);
    bare[length - 2] = '\0';
    return inet_pton(AF_INET6, bare, &address) == 1;
}

/* Speaks to the certificate's name at the URL's address. */
static bool speak_to_name(struct access *access, CURLU *url, const char *host)
{
    char *port = NULL, *target = NULL, *named = NULL;
    bool ok = false;

    if (curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return false;
    if (asprintf(&target, "::%s:%s", host, port) < 0)
        target = NULL;
    else
        access->connect_to = curl_slist_append(NULL, target);
    if (access->connect_to != NULL &&
        curl_url_set(url, CURLUPART_HOST, access->partner->certificate_name, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_URL, &named, 0) == CURLUE_OK)
        ok = curl_easy_setopt(access->easy, CURLOPT_CONNECT_TO, access->connect_to) == CURLE_OK &&
             curl_easy_setopt(access->easy, CURLOPT_URL, named) == CURLE_OK;
    curl_free(port);
    curl_free(named);
    free(target);
    return ok;
}

/* Whose address has to be looked up before the partner can be spoken to; nobody's for an URL of an address. */
static bool note_lookup(struct access *access, CURLU *url, const char *host)
{
    char *port = NULL;
    bool ok = true;

    if (is_address(host))
        return true;
    ok = curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    access->lookup = strdup(host);
    access->port = ok ? strdup(port) : NULL;
    curl_free(port);
    return access->lookup != NULL && access->port != NULL;
}

/* HA names peers by address, which their certificates seldom bear, and does not look: what is reached by an address is
 * trusted for its authority, unless we were told its name. */
static bool set_url(struct access *access)
{
    const struct partner_access *partner = access->partner;
    CURLU *url = curl_url();
    char *host = NULL;
    bool ok = url != NULL, named = is_given(partner->certificate_name);

    ok = ok && curl_easy_setopt(access->easy, CURLOPT_URL, partner->url) == CURLE_OK;
    /* As curl will ask for it: in ASCII. What is no URL has no host, which nobody finds. */
    if (ok && (curl_url_set(url, CURLUPART_URL, partner->url, 0) != CURLUE_OK ||
               curl_url_get(url, CURLUPART_HOST, &host, CURLU_PUNYCODE) != CURLUE_OK)) {
        access->lookup = strdup("");
        ok = access->lookup != NULL;
    } else if (ok) {
        ok = note_lookup(access, url, host);
        if (ok && uses_tls(partner) && named)
            ok = speak_to_name(access, url, host);
        else
            named = named || !is_address(host);
    }
    curl_free(host);
    curl_url_cleanup(url);
    return ok && curl_easy_setopt(access->easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(access->easy, CURLOPT_SSL_VERIFYHOST, named ? 2L : 0L) == CURLE_OK;
}

static bool set_files(const struct access *access)
{
    const struct partner_access *partner = access->partner;
    CURL *easy = access->easy;
    bool ok = true;

    /* The other of the two is the machine's own, which would be trusted as well. */
    if (is_given(partner->trust_anchor)) {
        const bool folder = is_folder(partner->trust_anchor);

        ok = curl_easy_setopt(easy, CURLOPT_CAPATH, folder ? partner->trust_anchor : NULL) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_CAINFO, folder ? NULL : partner->trust_anchor) == CURLE_OK;
    }
    if (is_given(partner->cert_file))
        ok = ok && curl_easy_setopt(easy, CURLOPT_SSLCERT, partner->cert_file) == CURLE_OK;
    if (is_given(partner->key_file))
        ok = ok && curl_easy_setopt(easy, CURLOPT_SSLKEY, partner->key_file) == CURLE_OK;
    /* Nobody is there to be asked for the password of a key. */
    ok = ok && curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "") == CURLE_OK;
    /* What was judged by files that have been replaced since must be judged again. */
    return ok && curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK;
}

static bool set_headers(struct access *access)
{
    struct curl_slist *longer;

    access->headers = curl_slist_append(NULL, "Content-Type: application/json");
    /* Kea's HTTP server knows no 100-continue. */
    longer = access->headers == NULL ? NULL : curl_slist_append(access->headers, "Expect:");
    longer = longer == NULL ? NULL : curl_slist_append(access->headers, "Accept:");
    return longer != NULL && curl_easy_setopt(access->easy, CURLOPT_HTTPHEADER, access->headers) == CURLE_OK;
}

struct result access_open(const struct partner_access *partner, struct access *access)
{
    CURL *easy = curl_easy_init();

    *access = (struct access){.easy = easy, .partner = partner};
    if (easy != NULL && set_url(access) && set_files(access) && set_headers(access) &&
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_SECONDS) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, refuse_lookup) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, access) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, access->detail) == CURLE_OK)
        return result_ok();
    access_close(access);
    return result_no_memory("a partner");
}

void access_close(struct access *access)
{
    if (access->easy != NULL)
        curl_easy_cleanup(access->easy);
    curl_slist_free_all(access->headers);
    curl_slist_free_all(access->connect_to);
    curl_slist_free_all(access->resolved);
    free(access->lookup);
    free(access->port);
    *access = (struct access){.easy = NULL};
}

static struct result set_credentials(const struct access *access)
{
    const struct partner_access *partner = access->partner;
    char *read = NULL;
    const char *password = partner->basic_auth_password;
    struct result result = result_ok();

    if (!is_given(partner->basic_auth_user))
        return result;
    if (is_given(partner->basic_auth_password_file)) {
        result = parameters_read_password(partner->basic_auth_password_file, &read);
        password = read;
    }
    if (result_failed(result))
        return result_error(RESULT_INVALID, "nothing is sent to %.80s without its password: %.300s", partner->name,
                            result.message);
    if (curl_easy_setopt(access->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) != CURLE_OK ||
        curl_easy_setopt(access->easy, CURLOPT_USERNAME, partner->basic_auth_user) != CURLE_OK ||
        curl_easy_setopt(access->easy, CURLOPT_PASSWORD, password == NULL ? "" : password) != CURLE_OK)
        result = result_no_memory("a password");
    if (read != NULL)
        explicit_bzero(read, strlen(read));
    free(read);
    return result;
}

/* Curl and OpenSSL tell by many words, if at all, which file they could not read, and not why. */
static struct result check_file(const struct partner_access *partner, const char *parameter, const char *path)
{
    if (!is_given(path) || access(path, R_OK) == 0)
        return result_ok();
    return result_error(RESULT_INVALID,
                        "nothing is sent to %.80s: its %s '%.150s' cannot be read: %s: the file is needed, and the "
                        "server's user must be able to read it",
                        partner->name, parameter, path, strerror(errno));
}

/* Without either, any certificate of any public authority would do, for any host, and the password would follow. */
static struct result check_trust(const struct partner_access *partner)
{
    if (!uses_tls(partner) || is_given(partner->trust_anchor) || is_given(partner->certificate_name))
        return result_ok();
    return result_error(
        RESULT_INVALID,
        "nothing is sent to %.80s: %.120s is https, but nothing says whose certificate to believe: give "
        "trust-anchor (in High Availability's parameters or in 'partners'), or certificate-name in "
        "'partners'",
        partner->name, partner->url);
}

/* Anybody who may give commands may name the host of a relationship. */
static struct result check_owner(const struct partner_access *partner)
{
    if (!partner->misdirected)
        return result_ok();
    return result_error(
        RESULT_INVALID,
        "nothing is sent to %.80s: 'partners' has credentials for it and no url, and those are not sent "
        "to the address that the relationship gives, %.120s: give the url in 'partners'",
        partner->name, partner->url);
}

struct result access_prepare(struct access *access)
{
    const struct partner_access *partner = access->partner;
    struct result result = check_trust(partner);

    access->detail[0] = '\0';
    if (!result_failed(result))
        result = check_owner(partner);
    if (!result_failed(result) && uses_tls(partner)) {
        result = check_file(partner, "trust-anchor", partner->trust_anchor);
        if (!result_failed(result))
            result = check_file(partner, "cert-file", partner->cert_file);
        if (!result_failed(result))
            result = check_file(partner, "key-file", partner->key_file);
    }
    return result_failed(result) ? result : set_credentials(access);
}

/* What curl is to connect to, in its own notation. */
static struct result set_addresses(struct access *access, const char *addresses)
{
    struct curl_slist *list;
    char *text;

    if (asprintf(&text, "%s:%s:%s", access->lookup, access->port, addresses) < 0)
        return result_no_memory("a partner's addresses");
    list = curl_slist_append(NULL, text);
    free(text);
    if (list == NULL || curl_easy_setopt(access->easy, CURLOPT_RESOLVE, list) != CURLE_OK) {
        curl_slist_free_all(list);
        return result_no_memory("a partner's addresses");
    }
    curl_slist_free_all(access->resolved);
    access->resolved = list;
    return result_ok();
}

enum resolve_state access_resolve(struct access *access, bool last_chance, struct result *why)
{
    char *addresses = NULL, reason[RESOLVE_REASON_SIZE];
    enum resolve_state state;

    *why = result_ok();
    if (access->lookup == NULL)
        return RESOLVE_FOUND;
    state = resolve_host(access->lookup, &addresses, reason);
    if (state == RESOLVE_FOUND) {
        *why = set_addresses(access, addresses);
        free(addresses);
        return result_failed(*why) ? RESOLVE_FAILED : RESOLVE_FOUND;
    }
    if (state == RESOLVE_PENDING && last_chance)
        (void)snprintf(reason, sizeof reason, "no name server has answered yet");
    if (state == RESOLVE_FAILED || last_chance)
        *why = result_error(RESULT_NETWORK,
                            "%.60s cannot be reached at %.100s: the name %.80s cannot be looked up: %.100s: check the "
                            "name, and /etc/resolv.conf on this server, or give an url with an address in 'partners'",
                            access->partner->name, access->partner->url, access->lookup, reason);
    return state;
}

void access_doubt(const struct access *access)
{
    if (access->lookup != NULL)
        resolve_doubt(access->lookup);
}

static bool shows_password(const struct partner_access *partner)
{
    char *host;
    bool shows;

    if (partner->url == NULL || uses_tls(partner) || !is_given(partner->basic_auth_user))
        return false;
    host = relationship_url_host(partner->url);
    shows = host != NULL && strcmp(host, "localhost") != 0 && strcmp(host, "::1") != 0 && strncmp(host, "127.", 4) != 0;
    free(host);
    return shows;
}

/* Of the process, which loads the library with each configuration. */
static pthread_mutex_t warned_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fingerprint warned[RELATIONSHIP_MAX];
static size_t warned_count;

bool access_warns(const struct partner_access *partner)
{
    const struct fingerprint url = fingerprint_of(partner->url, partner->url == NULL ? 0 : strlen(partner->url));
    bool known = false;

    if (!shows_password(partner))
        return false;
    (void)pthread_mutex_lock(&warned_lock);
    for (size_t i = 0; i < warned_count && !known; i++)
        known = fingerprint_equal(warned[i], url);
    if (!known && warned_count < RELATIONSHIP_MAX)
        warned[warned_count++] = url;
    (void)pthread_mutex_unlock(&warned_lock);
    return !known;
}

static const char *shown(const char *path)
{
    return is_given(path) ? path : "(none)";
}

/* What of TLS an administrator has to look at; "" if the failure is of another kind. */
static void tls_remedy(const struct access *access, CURLcode code, char remedy[280])
{
    const struct partner_access *partner = access->partner;

    remedy[0] = '\0';
    if (!uses_tls(partner))
        return;
    if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(access->detail, "expired") != NULL)
        (void)snprintf(remedy, 280, ": give it a new certificate");
    else if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(access->detail, "target host name") != NULL)
        (void)snprintf(remedy, 280, ": give it a certificate of that name, or correct certificate-name or url");
    else if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
        (void)snprintf(remedy, 280, ": its certificate must be of an authority in trust-anchor '%.150s'",
                       shown(partner->trust_anchor));
    else if (code == CURLE_SSL_CERTPROBLEM)
        (void)snprintf(remedy, 280, ": cert-file '%.100s' and key-file '%.100s' must be a certificate and its key",
                       shown(partner->cert_file), shown(partner->key_file));
    else if (strstr(access->detail, "wrong version number") != NULL)
        (void)snprintf(remedy, 280, ": nobody speaks TLS there: check its url");
    else if (strstr(access->detail, "alert") != NULL)
        (void)snprintf(remedy, 280,
                       ": it refuses our certificate, cert-file '%.120s': that must not have expired, and be of an "
                       "authority that it trusts",
                       shown(partner->cert_file));
}

static struct result transport_failure(const struct access *access, CURLcode code)
{
    const struct partner_access *partner = access->partner;
    char remedy[280];

    tls_remedy(access, code, remedy);
    return result_error(RESULT_NETWORK, "%.60s cannot be reached at %.100s: %.*s%s", partner->name, partner->url,
                        remedy[0] == '\0' ? 200 : 120,
                        access->detail[0] == '\0' ? curl_easy_strerror(code) : access->detail, remedy);
}

struct result access_judge(const struct access *access, CURLcode code)
{
    const struct partner_access *partner = access->partner;
    long status = 0;

    if (code != CURLE_OK)
        return transport_failure(access, code);
    (void)curl_easy_getinfo(access->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == HTTP_OK)
        return result_ok();
    if (status == HTTP_FORBIDDEN)
        return result_error(
            RESULT_REFUSED,
            "%.80s forbids it (HTTP 403): check basic-auth-user and its password for this partner; HA's "
            "dedicated listener takes only HA's own commands unless restrict-commands is false: give "
            "'partners' an url of the partner's HTTP control socket",
            partner->name);
    if (status == HTTP_TIMEOUT)
        return result_error(RESULT_NETWORK,
                            "%.80s closed the connection at %.200s before it had the request (HTTP 408)", partner->name,
                            partner->url);
    if (status == HTTP_UNAUTHORIZED)
        return result_error(RESULT_REFUSED,
                            "%.80s refused our credentials (HTTP 401): check basic-auth-user and its password for this "
                            "partner",
                            partner->name);
    return result_error(RESULT_NETWORK, "%.80s answered with HTTP status %ld at %.200s: check its url", partner->name,
                        status, partner->url);
}
