#pragma once
// The whole public interface. A program pays for what it uses, not for what it includes.

#include <rt/base/error.hpp>
#include <rt/base/format.hpp>
#include <rt/base/panic.hpp>
#include <rt/base/print.hpp>
#include <rt/base/result.hpp>
#include <rt/base/task.hpp>
#include <rt/context/generator.hpp>
#include <rt/context/greenlet.hpp>
#include <rt/hub/fiber.hpp>
#include <rt/hub/group.hpp>
#include <rt/hub/hub.hpp>
#include <rt/hub/timeout.hpp>
#include <rt/kernel/clock.hpp>
#include <rt/kernel/cpus.hpp>
#include <rt/sync/barrier.hpp>
#include <rt/sync/condition.hpp>
#include <rt/sync/deadlock.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/queue.hpp>
#include <rt/sync/rlock.hpp>
#include <rt/sync/semaphore.hpp>
#include <rt/sync/shared_condition.hpp>
#include <rt/sync/sleep.hpp>
#include <rt/thread/thread.hpp>
