/* What the forms of scopes and of other objects have in common: see meaning.cc. */
#ifndef FAILOVER_SYNC_SHIM_MEANING_H
#define FAILOVER_SYNC_SHIM_MEANING_H

#include "shim.h"

#include <dhcpsrv/cfg_option_def.h>

namespace failover_sync
{

/* What a keyword means where it is not given: no other place is inherited from. */
struct Default {
    const char *keyword;
    const char *value; /* as canonical_text prints it */
};

template <size_t COUNT> void drop_defaults(const isc::data::ElementPtr &map, const Default (&defaults)[COUNT])
{
    for (const Default &entry : defaults) {
        const isc::data::ConstElementPtr value = map->get(entry.keyword);
        if (value && canonical_text(*value) == entry.value) {
            map->remove(entry.keyword);
        }
    }
}

/* A map of its own with the same elements. */
inline isc::data::ElementPtr copy_of(const isc::data::ConstElementPtr &map)
{
    const isc::data::ElementPtr copy = isc::data::Element::createMap();
    copy->setValue(map->mapValue());
    return copy;
}

inline bool is_of(const isc::data::ConstElementPtr &element, int type)
{
    return element && element->getType() == type;
}

/* A list of options by what they put into packets, in the order of their codes. `definitions` go before those of the
 * server; null for none. */
isc::data::ElementPtr options_form(const isc::data::ConstElementPtr &list,
                                   const isc::dhcp::CfgOptionDefPtr &definitions);

} // namespace failover_sync

#endif
