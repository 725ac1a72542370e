/* The words in which a configuration being loaded delivers its objects: one fingerprint each, so that a restart with
 * the same file is not taken for an edit. The scopes' meaning is not looked at here. */
#include "kinds/kind.h"

#include <asiolink/io_address.h>
#include <dhcpsrv/cfg_subnets4.h>

#include <algorithm>
#include <cstring>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::dhcp::SrvConfig;

namespace
{

using namespace failover_sync;

/* What is read of a scope beside its text; another one has all scopes read again. */
constexpr char READING[] = "/configured";

void append_bytes(std::string &words, const void *bytes, size_t length)
{
    words.append(static_cast<const char *>(bytes), length);
}

void append_text(std::string &words, const std::string &text)
{
    const uint32_t length = static_cast<uint32_t>(text.size());
    append_bytes(words, &length, sizeof length);
    words += text;
}

/* Appends an element's type and value, lists and maps with their sizes; maps are in key order already. Far faster than
 * printing, and compared only on this machine. */
void append_element(std::string &words, const Element &element, const char *omitted = nullptr)
{
    const int type = element.getType();
    words += static_cast<char>('a' + type);
    switch (type) {
    case Element::integer: {
        const int64_t value = element.intValue();
        append_bytes(words, &value, sizeof value);
        break;
    }
    case Element::real: {
        const double value = element.doubleValue();
        append_bytes(words, &value, sizeof value);
        break;
    }
    case Element::boolean:
        words += element.boolValue() ? '1' : '0';
        break;
    case Element::string:
        append_text(words, element.stringValue());
        break;
    case Element::list: {
        const auto &list = element.listValue();
        const uint32_t size = static_cast<uint32_t>(list.size());
        append_bytes(words, &size, sizeof size);
        for (const auto &item : list) {
            append_element(words, *item);
        }
        break;
    }
    case Element::map:
        for (const auto &[keyword, value] : element.mapValue()) {
            if (omitted && keyword == omitted) {
                continue;
            }
            append_text(words, keyword);
            append_element(words, *value);
        }
        words += '.';
        break;
    default:
        break;
    }
}

/* The server's spelling of a prefix; "" if it is none. */
std::string canonical_prefix(std::string text)
{
    text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\t'; }), text.end());
    const size_t slash = text.find('/');
    if (slash == std::string::npos) {
        return "";
    }
    return isc::asiolink::IOAddress(text.substr(0, slash)).toText() + "/" +
           std::to_string(std::stoul(text.substr(slash + 1)));
}

/* Collects the fingerprints of one configuration's scopes. */
class Collector
{
  public:
    explicit Collector(const SrvConfig &staged) : staged_(staged), subnets_(staged.getCfgSubnets4())
    {
        delivered_.reserve(subnets_->getAll()->size());
    }

    /* `above` is what all subnets of the list depend on besides their own words. */
    void add_list(const ConstElementPtr &list, const std::string &above)
    {
        if (!list || list->getType() != Element::list) {
            return;
        }
        for (const auto &subnet : list->listValue()) {
            const isc::dhcp::ConstSubnet4Ptr staged = find_configured(staged_, *subnet);
            if (!staged) {
                continue;
            }
            words_ = above;
            append_element(words_, *subnet);
            delivered_.push_back({staged->getID(), fingerprint_of(words_.data(), words_.size())});
        }
    }

    /* One entry for each staged scope; those that the configuration's text did not bring have no words. */
    std::vector<struct kea_delivered> finish()
    {
        const auto by_id = [](const struct kea_delivered &a, const struct kea_delivered &b) { return a.id < b.id; };
        std::sort(delivered_.begin(), delivered_.end(), by_id);
        std::vector<struct kea_delivered> result;
        result.reserve(subnets_->getAll()->size());
        for (const auto &subnet : subnets_->getAll()->get<isc::dhcp::SubnetSubnetIdIndexTag>()) {
            struct kea_delivered entry = {subnet->getID(), {}};
            const auto found = std::lower_bound(delivered_.begin(), delivered_.end(), entry, by_id);
            /* A scope with server tags came from a configuration backend and took the place of one in the text. */
            if (found != delivered_.end() && found->id == entry.id && subnet->getServerTags().empty()) {
                entry.text = found->text;
            }
            result.push_back(entry);
        }
        return result;
    }

  private:
    const SrvConfig &staged_;
    isc::dhcp::ConstCfgSubnets4Ptr subnets_;
    std::vector<struct kea_delivered> delivered_;
    std::string words_;
};

/* What is no scope, in the words that were just noted. One that cannot be read is delivered without words. */
void append_other(std::vector<struct kea_delivered> &delivered, const Kind &kind, const std::string &name,
                  const SrvConfig &staged, const std::string &common)
{
    const object_id id = object_id_named(kind.kind, name);
    if (id == 0) {
        return;
    }
    delivered.push_back({id, {}});
    Words words;
    if (kind.read(staged, name, words) && words.configured) {
        const std::string text = common + *words.text;
        delivered.back().text = fingerprint_of(text.data(), text.size());
    }
}

/* A fingerprint stands for longer words. */
std::string shortened(const std::string &words)
{
    return fingerprint_of(words.data(), words.size()).hex;
}

} // namespace

isc::dhcp::ConstSubnet4Ptr failover_sync::find_configured(const SrvConfig &configuration, const Element &subnet)
{
    const auto subnets = configuration.getCfgSubnets4();
    const ConstElementPtr id = subnet.get("id");
    if (id && id->getType() == Element::integer && id->intValue() > 0) {
        return subnets->getBySubnetId(static_cast<isc::dhcp::SubnetID>(id->intValue()));
    }
    const ConstElementPtr prefix = subnet.get("subnet");
    if (!prefix || prefix->getType() != Element::string) {
        return isc::dhcp::ConstSubnet4Ptr();
    }
    return subnets->getByPrefix(canonical_prefix(prefix->stringValue()));
}

std::vector<struct kea_delivered> failover_sync::delivered_objects(const ConstElementPtr &json, const SrvConfig &staged)
{
    /* What the server makes of a scope's words depends on its release and on the definitions of options. Globals are in
     * the words already: the server has written them into each subnet before. */
    const std::string reading = release::version() + READING;
    std::string common = reading;
    if (const ConstElementPtr definitions = json->get("option-def")) {
        append_element(common, *definitions);
    }
    common = shortened(common);

    Collector collector(staged);
    collector.add_list(json->get("subnet4"), common);
    const ConstElementPtr networks = json->get("shared-networks");
    if (networks && networks->getType() == Element::list) {
        for (const auto &network : networks->listValue()) {
            std::string words = common;
            append_element(words, *network, "subnet4");
            collector.add_list(network->get("subnet4"), shortened(words));
        }
    }
    std::vector<struct kea_delivered> delivered = collector.finish();
    for (const Kind *kind : kinds()) {
        for (const std::string &name : kind->names(staged)) {
            (void)run_contained("the words of an object", [&] {
                append_other(delivered, *kind, name, staged, kind->kind == OBJECT_OPTION_DEFINITION ? reading : common);
            });
        }
    }
    std::sort(delivered.begin(), delivered.end(), [](const auto &a, const auto &b) { return a.id < b.id; });
    return delivered;
}

bool failover_sync::read_from_file(const ConstElementPtr &json)
{
    /* The parser of files notes the file's path with each element, that of commands "<string>" or "<wire>". */
    const std::string &source = json->getPosition().file_;
    return !source.empty() && source.front() != '<';
}
