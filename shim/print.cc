/* Elements as JSON text for the plugin half: Kea's own printing, with what is UTF-8 written as UTF-8. */
#include "shim.h"

namespace
{

/* The byte that the escape at `text[at]` stands for, or -1 if it is not one of a byte above ASCII: Kea writes those one
 * by one, as \u0080 to \u00ff, whatever characters they are part of. */
int high_byte(const std::string &text, size_t at)
{
    const auto digit = [](char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
    };
    if (at + 6 > text.size() || text.compare(at, 4, "\\u00") != 0) {
        return -1;
    }
    const int high = digit(text[at + 4]);
    const int low = digit(text[at + 5]);
    return high >= 8 && low >= 0 ? high * 16 + low : -1;
}

/* Whether these bytes, all above ASCII, are whole characters of UTF-8 (RFC 3629). */
bool is_utf8(const std::string &bytes)
{
    for (size_t at = 0; at < bytes.size();) {
        const auto byte = [&](size_t offset) {
            return at + offset < bytes.size() ? static_cast<unsigned char>(bytes[at + offset]) : 0u;
        };
        const unsigned first = byte(0);
        const size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                              : first >= 0xe0 && first <= 0xef ? 3
                              : first >= 0xf0 && first <= 0xf4 ? 4
                                                               : 0;
        if (length == 0) {
            return false;
        }
        for (size_t offset = 1; offset < length; ++offset) {
            if ((byte(offset) & 0xc0) != 0x80) {
                return false;
            }
        }
        if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
            (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) {
            return false;
        }
        at += length;
    }
    return true;
}

} // namespace

std::string failover_sync::printed(const isc::data::Element &element)
{
    const std::string text = element.str();
    if (text.find("\\u00") == std::string::npos) {
        return text;
    }
    std::string result;
    result.reserve(text.size());
    for (size_t at = 0; at < text.size();) {
        std::string bytes;
        size_t end = at;
        for (int byte = high_byte(text, end); byte >= 0; byte = high_byte(text, end)) {
            bytes += static_cast<char>(byte);
            end += 6;
        }
        if (end == at) {
            /* An escape's second character is never the start of another. */
            end = at + (text[at] == '\\' ? 2 : 1);
            result.append(text, at, end - at);
        } else if (is_utf8(bytes)) {
            result += bytes;
        } else {
            result.append(text, at, end - at);
        }
        at = end;
    }
    return result;
}
