/* The way back from a change of the server's configuration that is left half done. */
#ifndef FAILOVER_SYNC_SHIM_UNDO_H
#define FAILOVER_SYNC_SHIM_UNDO_H

#include "shim.h"

#include <functional>
#include <utility>
#include <vector>

namespace failover_sync
{

/* Steps to take back, last first, unless they are kept. */
class Undo
{
  public:
    Undo()
    {
        steps_.reserve(16);
    }

    ~Undo()
    {
        for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
            run_contained("taking a change back", [&] { (*step)(); });
        }
    }

    Undo(const Undo &) = delete;
    Undo &operator=(const Undo &) = delete;

    /* Does the deed; `reverse` takes it back if this list is not kept. */
    template <typename Deed> void step(Deed deed, std::function<void()> reverse)
    {
        if (steps_.size() == steps_.capacity()) {
            steps_.reserve(2 * steps_.size()); /* so that adding the step after its deed cannot fail */
        }
        deed();
        steps_.push_back(std::move(reverse));
    }

    /* Notes the way back before a deed that may fail half done. */
    void note(std::function<void()> reverse)
    {
        steps_.push_back(std::move(reverse));
    }

    void keep()
    {
        steps_.clear();
    }

  private:
    std::vector<std::function<void()>> steps_;
};

} // namespace failover_sync

#endif
