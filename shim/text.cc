/* JSON text of configuration: one spelling for each element, from which it is read back as it was. Kea's own print
 * rounds numbers, and some releases print them as no JSON. */
#include "shim.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using isc::data::Element;

namespace
{

/* The shortest number that reads back equal, with a point or an exponent, as reals are told from integers. */
std::string real_text(double value)
{
    char text[40] = "";

    for (int digits = 15; digits <= 17; ++digits) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, nullptr) == value) {
            break;
        }
    }
    return strpbrk(text, ".e") ? text : std::string(text) + ".0";
}

/* Names of keywords keep their bytes above ASCII, as in Kea's print; what would end the name early is escaped. */
void append_name(std::string &text, const std::string &name)
{
    text += '"';
    for (const char c : name) {
        const unsigned byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text += '\\';
            text += c;
        } else if (byte < 0x20) {
            char escape[8];
            (void)snprintf(escape, sizeof escape, "\\u%04x", byte);
            text += escape;
        } else {
            text += c;
        }
    }
    text += '"';
}

void append(std::string &text, const Element &element)
{
    const char *separator = "";

    switch (element.getType()) {
    case Element::real:
        text += real_text(element.doubleValue());
        break;
    case Element::list:
        text += "[ ";
        for (const auto &item : element.listValue()) {
            text += separator;
            separator = ", ";
            append(text, *item);
        }
        text += " ]";
        break;
    case Element::map:
        text += "{ ";
        for (const auto &[keyword, value] : element.mapValue()) {
            text += separator;
            separator = ", ";
            append_name(text, keyword);
            text += ": ";
            append(text, *value);
        }
        text += " }";
        break;
    default:
        text += element.str();
    }
}

} // namespace

std::string failover_sync::hexadecimal(const std::vector<uint8_t> &bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const uint8_t byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::string failover_sync::canonical_text(const Element &element)
{
    std::string text;

    append(text, element);
    return text;
}
