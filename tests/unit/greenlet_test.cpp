#include <rt/context/greenlet.hpp>

#include <rt/thread/thread.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using rt::Greenlet;

namespace {

void* number(std::intptr_t value) { return reinterpret_cast<void*>(value); }
std::intptr_t number(void* value) { return reinterpret_cast<std::intptr_t>(value); }

struct Flag {
  bool& raised;
  ~Flag() { raised = true; }
};

} // namespace

TEST_CASE("two greenlets alternate") {
  std::string order;
  Greenlet* back = &Greenlet::current();
  Greenlet *first = nullptr, *second = nullptr;
  Greenlet a([&] {
    for (int i = 0; i < 3; ++i) {
      order += 'a';
      second->switch_to();
    }
    back->switch_to();
  });
  Greenlet b([&] {
    for (;;) {
      order += 'b';
      first->switch_to();
    }
  });
  first = &a;
  second = &b;
  a.switch_to();
  CHECK(order == "ababab");
}

TEST_CASE("a value travels with each switch, and a greenlet's result to its parent") {
  Greenlet& main = Greenlet::current();
  Greenlet echo([&](void* value) -> void* {
    for (int i = 0; i < 3; ++i) value = main.switch_to(number(number(value) + 1));
    return number(100);
  });
  CHECK(number(echo.switch_to(number(1))) == 2);
  CHECK(number(echo.switch_to(number(10))) == 11);
  CHECK(number(echo.switch_to(number(20))) == 21);
  CHECK_FALSE(echo.dead());
  CHECK(number(echo.switch_to(number(30))) == 100);
  CHECK(echo.dead());
}

TEST_CASE("the parent is the greenlet that made it") {
  Greenlet& main = Greenlet::current();
  CHECK(main.parent() == nullptr);
  Greenlet outer([&] {
    Greenlet& self = Greenlet::current();
    CHECK(self.parent() == &main);
    bool ran = false;
    Greenlet inner([&] {
      CHECK(Greenlet::current().parent() == &self);
      ran = true;
    });
    inner.switch_to();
    CHECK(&Greenlet::current() == &self);
    CHECK(ran);
  });
  outer.switch_to();
  CHECK(&Greenlet::current() == &main);
}

TEST_CASE("who switches to a dead greenlet reaches its parent") {
  Greenlet dead([](void* value) { return value; });
  CHECK(number(dead.switch_to(number(1))) == 1);
  CHECK(dead.dead());
  CHECK(number(dead.switch_to(number(2))) == 2); // the parent is the caller itself
  Greenlet& main = Greenlet::current();
  Greenlet other([&] {
    dead.switch_to(number(3)); // to main
    main.switch_to(number(4));
  });
  CHECK(number(other.switch_to()) == 3);
  CHECK(number(other.switch_to()) == 4);
}

TEST_CASE("a killed greenlet goes on once more, so that its objects are destroyed") {
  bool destroyed = false, was_killed = false;
  Greenlet& main = Greenlet::current();
  Greenlet victim([&] {
    const Flag flag{destroyed};
    while (!Greenlet::current().killed()) main.switch_to();
    was_killed = true;
  });
  victim.switch_to();
  CHECK_FALSE(destroyed);
  victim.kill();
  CHECK(victim.dead());
  CHECK(was_killed);
  CHECK(destroyed);
  victim.kill(); // nothing happens
}

TEST_CASE("a killed greenlet that switches on is left where it stands") {
  int rounds = 0;
  Greenlet& main = Greenlet::current();
  {
    Greenlet stubborn([&] {
      for (;;) {
        ++rounds;
        main.switch_to();
      }
    });
    stubborn.switch_to();
    stubborn.switch_to();
  } // its destructor kills it
  CHECK(rounds == 3);
  CHECK(&Greenlet::current() == &main);
}

TEST_CASE("a greenlet that was never switched to dies without a step") {
  auto shared = std::make_shared<int>(0);
  {
    Greenlet idle([shared] { ++*shared; });
    CHECK_FALSE(idle.dead());
    idle.kill();
    CHECK(idle.dead());
  }
  CHECK(*shared == 0);
  CHECK(shared.use_count() == 1);
}

TEST_CASE("a greenlet that kills itself gives control to its parent") {
  bool after = false;
  Greenlet suicide([&] {
    Greenlet::current().kill();
    after = true;
  });
  suicide.switch_to();
  CHECK(suicide.dead());
  CHECK_FALSE(after);
}

TEST_CASE("children of a greenlet that is gone belong to its parent") {
  Greenlet& main = Greenlet::current();
  std::unique_ptr<Greenlet> child;
  {
    Greenlet parent([&] { child = std::make_unique<Greenlet>([](void* value) { return value; }); });
    parent.switch_to();
    CHECK(child->parent() == &parent);
  }
  CHECK(child->parent() == &main);
  CHECK(number(child->switch_to(number(5))) == 5);
}

TEST_CASE("each thread has a root of its own, and ends what is left of its greenlets") {
  std::unique_ptr<Greenlet> left;
  bool told = false;
  Greenlet* const main = &Greenlet::current();
  rt::Thread thread([&] {
    Greenlet& root = Greenlet::current();
    CHECK(&root != main);
    left = std::make_unique<Greenlet>([&] {
      while (!Greenlet::current().killed()) root.switch_to();
      told = true;
    });
    left->switch_to();
  });
  thread.start().value();
  thread.join();
  CHECK(told);
  CHECK(left->dead());
}

TEST_CASE("a thousand greenlets pass a value round") {
  constexpr std::size_t size = 1000;
  std::vector<std::unique_ptr<Greenlet>> ring;
  Greenlet& main = Greenlet::current();
  const auto pass_on = [&](Greenlet& next, void* value) { return next.switch_to(number(number(value) + 1)); };
  for (std::size_t i = 0; i < size; ++i)
    ring.push_back(std::make_unique<Greenlet>([&, i](void* value) -> void* {
      while (!Greenlet::current().killed()) value = pass_on(i + 1 < size ? *ring[i + 1] : main, value);
      return nullptr;
    }));
  void* value = nullptr;
  for (int round = 0; round < 10; ++round) value = ring[0]->switch_to(value);
  CHECK(number(value) == 10'000);
}
