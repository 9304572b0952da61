// A queue in shared memory.

#include "chaos.hpp"
#include "ledger.hpp"

#include <rt/process/shared_queue.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <string>

namespace stress {
namespace {

using rt::Errc;

// A message is its producer, its number, and bytes that follow from both, of a length that follows as well.
std::string message(std::uint32_t producer, std::uint32_t item) {
  std::string text(8 + (producer * 31 + item * 7) % 300, static_cast<char>(producer + item));
  std::memcpy(text.data(), &producer, 4);
  std::memcpy(text.data() + 4, &item, 4);
  return text;
}

class QueueScene final : public Scene {
 public:
  std::vector<Role> roles() override {
    return {{"produce", [this](Actor& actor) { produce(actor); }},
            {"consume", [this](Actor& actor) { consume(actor); }}};
  }

  void let_end() override { queue_.shutdown(); }

  void check(std::span<const unsigned> killed) override {
    CHECK(queue_.empty());
    CHECK(queue_.join_for(limit).error() != Errc::timed_out);
    const auto [put, lost] = ledger_->sums();
    const unsigned killed_consumers = killed[1];
    INFO(put, " items put");
    CHECK(lost <= killed_consumers);
  }

 private:
  void produce(Actor& actor) {
    while (actor.goes_on()) {
      const std::uint32_t self = ledger_->begin();
      if (self == Ledger::most_producers) return;
      for (std::uint32_t item = 0; item < Ledger::items_each && actor.goes_on(); ++item) {
        if (!queue_.put(message(self, item))) return;
        ledger_->note_put(self, item + 1);
        actor.step();
      }
    }
  }

  void consume(Actor& actor) {
    for (;;) {
      const auto got = queue_.get();
      if (!got) return actor.check(got.error() == Errc::closed);
      std::uint32_t producer = 0, item = 0;
      actor.check(got->size() >= 8);
      if (got->size() >= 8) {
        std::memcpy(&producer, got->data(), 4);
        std::memcpy(&item, got->data() + 4, 4);
      }
      actor.check(*got == message(producer, item) && ledger_->note_got(producer, item));
      actor.check(queue_.task_done().ok());
      actor.step();
    }
  }

  rt::SharedQueue<std::string> queue_{64, 4096};
  rt::Shared<Ledger> ledger_;
};

} // namespace

std::unique_ptr<Scene> make_queue_scene() { return std::make_unique<QueueScene>(); }

} // namespace stress
