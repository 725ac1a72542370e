/* Work for the server's main thread. It sleeps up to a second in select() and hears nothing but sockets, so the queue
 * wakes it by a timer's descriptor among its external sockets. */
#include "shim.h"

#include <dhcp/iface_mgr.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <mutex>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <thread>
#include <unistd.h>

namespace
{

using namespace failover_sync;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

/* In each round of its loop the server serves one external socket or one packet, the socket first. Tasks that queue
 * their successors would starve the packets; so after each run the queue rests as long as the run took, up to this. */
constexpr nanoseconds LONGEST_REST = std::chrono::milliseconds(5);
constexpr nanoseconds AT_ONCE(1);

struct queued {
    kea_task task;
    void *argument;
};

std::mutex lock; /* guards all below but main_thread, which only open() sets */
std::deque<queued> tasks;
int timer = -1;
bool accepting = false;
bool armed = false;
steady_clock::time_point rested;
std::thread::id main_thread;

void arm()
{
    const nanoseconds rest = rested - steady_clock::now();
    const nanoseconds delay = rest > AT_ONCE ? rest : AT_ONCE;
    struct itimerspec when = {};
    when.it_value.tv_nsec = delay.count(); /* at most LONGEST_REST */
    armed = timerfd_settime(timer, 0, &when, nullptr) == 0;
}

void run_task(const queued &entry, bool cancelled)
{
    run_contained("a task on the main thread", [&] { entry.task(entry.argument, cancelled); });
}

/* Takes the next task unless the queue is closed. */
bool take(queued &entry)
{
    std::lock_guard<std::mutex> guard(lock);
    if (!accepting || tasks.empty()) {
        return false;
    }
    entry = tasks.front();
    tasks.pop_front();
    return true;
}

/* Runs the tasks that are there now; those added meanwhile get their own round. */
void run_tasks(int descriptor)
{
    size_t due;
    {
        std::lock_guard<std::mutex> guard(lock);
        uint64_t expirations;
        if (descriptor != timer || read(timer, &expirations, sizeof expirations) < 0) {
            return;
        }
        due = tasks.size();
    }
    const steady_clock::time_point begun = steady_clock::now();
    queued entry;
    for (; due > 0 && take(entry); --due) {
        run_task(entry, false);
    }
    const steady_clock::time_point ended = steady_clock::now();
    std::lock_guard<std::mutex> guard(lock);
    rested = ended + std::min<nanoseconds>(ended - begun, LONGEST_REST);
    armed = false;
    if (accepting && !tasks.empty()) {
        arm();
    }
}

} // namespace

struct result failover_sync::main_queue_open()
{
    main_thread = std::this_thread::get_id();
    const int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (descriptor < 0) {
        return result_error(RESULT_INTERNAL, "no timer for the main thread's queue: %s", strerror(errno));
    }
    if (descriptor >= FD_SETSIZE) {
        close(descriptor);
        return result_error(RESULT_INTERNAL,
                            "the server has too many files open (%d): it waits with select(), which ends at %d",
                            descriptor, FD_SETSIZE);
    }
    {
        std::lock_guard<std::mutex> guard(lock);
        timer = descriptor;
        accepting = true;
        armed = false;
        rested = steady_clock::time_point();
    }
    isc::dhcp::IfaceMgr::instance().addExternalSocket(descriptor, run_tasks);
    return result_ok();
}

void failover_sync::main_queue_close() noexcept
{
    int descriptor;
    {
        std::lock_guard<std::mutex> guard(lock);
        accepting = false;
        descriptor = timer;
        timer = -1;
    }
    if (descriptor >= 0) {
        run_contained("main_queue_close",
                      [descriptor] { isc::dhcp::IfaceMgr::instance().deleteExternalSocket(descriptor); });
        close(descriptor);
    }
}

void failover_sync::main_queue_cancel() noexcept
{
    std::deque<queued> rest;
    {
        std::lock_guard<std::mutex> guard(lock);
        rest.swap(tasks);
    }
    for (const queued &entry : rest) {
        run_task(entry, true);
    }
}

struct result failover_sync::main_queue_add(kea_task task, void *argument) noexcept
{
    return run_guarded("run_on_main", [task, argument] {
        std::lock_guard<std::mutex> guard(lock);
        if (!accepting) {
            return result_error(RESULT_REFUSED, "the library is being unloaded");
        }
        tasks.push_back({task, argument});
        if (!armed) {
            arm();
        }
        return result_ok();
    });
}

bool failover_sync::on_main_thread() noexcept
{
    return std::this_thread::get_id() == main_thread;
}
