/* Stands in for a header that no release of Kea installs although others include it: just enough for them to be read.
 * Nothing of ours makes one. A header of the system's own, beside those others, is found before this one. */
#ifndef FAILOVER_SYNC_KEA_MISSING_LOCATION_HH
#define FAILOVER_SYNC_KEA_MISSING_LOCATION_HH

namespace isc
{
namespace eval
{

class location
{
};

} // namespace eval
} // namespace isc

#endif
