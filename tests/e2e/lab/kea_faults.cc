/* Loaded before a server's libraries: tells whether the leases of a subnet are asked while packets wait, and lets the
 * server fail where it never does by itself. What it sees and what it is to do is in the folder KFS_FAULTS. */
#include <cc/../config.h>

#include <dhcpsrv/memfile_lease_mgr.h>
#include <dhcpsrv/shared_network.h>
#include <exceptions/exceptions.h>
#include <util/multi_threading_mgr.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <unistd.h>

using namespace isc::dhcp;

namespace
{

std::string path_of(const char *name)
{
    const char *folder = getenv("KFS_FAULTS");
    return std::string(folder ? folder : "/nowhere") + "/" + name;
}

void note_question()
{
    const bool inside = isc::util::MultiThreadingMgr::instance().isInCriticalSection();
    if (FILE *file = fopen(path_of(inside ? "asked-in-a-pause" : "asked").c_str(), "a")) {
        (void)fputs("asked\n", file);
        (void)fclose(file);
    }
}

/* Whether the file `name` exists; its number is counted down first, and it is removed when that is 0. */
bool is_due(const char *name)
{
    const std::string path = path_of(name);
    FILE *file = fopen(path.c_str(), "r+");
    int left = 0;
    if (!file) {
        return false;
    }
    const bool known = fscanf(file, "%d", &left) == 1;
    rewind(file);
    (void)fprintf(file, "%d\n", left - 1);
    (void)fclose(file);
    if (known && left <= 1) {
        (void)unlink(path.c_str());
    }
    return known && left <= 1;
}

template <typename Function> Function next(const char *symbol)
{
    void *const found = dlsym(RTLD_NEXT, symbol);
    if (!found) {
        (void)fprintf(stderr, "kea_faults: no %s\n", symbol);
        abort();
    }
    Function function;
    memcpy(&function, &found, sizeof function);
    return function;
}

} // namespace

LeaseStatsQueryPtr Memfile_LeaseMgr::startSubnetLeaseStatsQuery4(const SubnetID &subnet_id)
{
    using Function = LeaseStatsQueryPtr (*)(Memfile_LeaseMgr *, const SubnetID &);
    note_question();
    return next<Function>("_ZN3isc4dhcp16Memfile_LeaseMgr27startSubnetLeaseStatsQuery4ERKj")(this, subnet_id);
}

Lease4Collection Memfile_LeaseMgr::getLeases4(SubnetID subnet_id) const
{
    using Function = Lease4Collection (*)(const Memfile_LeaseMgr *, SubnetID);
    note_question();
    return next<Function>("_ZNK3isc4dhcp16Memfile_LeaseMgr10getLeases4Ej")(this, subnet_id);
}

void SharedNetwork4::add(const Subnet4Ptr &subnet)
{
    using Function = void (*)(SharedNetwork4 *, const Subnet4Ptr &);
    if (is_due("fail-to-add")) {
        isc_throw(isc::Unexpected, "made to fail");
    }
    next<Function>("_ZN3isc4dhcp14SharedNetwork43addERKN5boost10shared_ptrINS0_7Subnet4EEE")(this, subnet);
}
