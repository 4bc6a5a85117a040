#include "net/event_loop.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace millrace {

Expected<std::shared_ptr<EventLoop>> EventLoop::create(const Clock& clock) {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // stands for the eventfd
  if (!epoll.valid() || !wake.valid() || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
    return fail(ErrorCode::kUnavailable, fmt::format("cannot make an event loop: {}; raise the limit of open files "
                                                     "(ulimit -n)",
                                                     std::strerror(errno)));
  }
  return std::shared_ptr<EventLoop>(new EventLoop(clock, std::move(epoll), std::move(wake)));
}

EventLoop::EventLoop(const Clock& clock, Descriptor epoll, Descriptor wake)
    : clock_(clock),
      epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      now_(clock.monotonic()),
      scratch_(new char[kScratchBytes]) {}

EventLoop::~EventLoop() = default;

void EventLoop::run() {
  thread_ = std::this_thread::get_id();
  while (!stopping_) {
    const int count = ::epoll_wait(epoll_.get(), events_.data(), kEventsMax, wait_ms());
    now_ = clock_.monotonic();
    events_end_ = count > 0 ? static_cast<size_t>(count) : 0;
    bool woken = false;
    for (events_at_ = 0; events_at_ < events_end_;) {
      const epoll_event event = events_[events_at_++];
      if (event.data.ptr == nullptr) {
        woken = woken || event.events != 0;
      } else {
        static_cast<EventHandler*>(event.data.ptr)->on_events(event.events);
      }
    }
    if (woken) run_calls();
    run_timers();
    run_round_end();
  }
  decltype(posted_) posted;
  decltype(notified_) notified;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    posted.swap(posted_);
    notified.swap(notified_);
  }
  // Destroyed outside the lock: what they own may post again.
  timers_.clear();
}

void EventLoop::stop() {
  stopping_ = true;
  wake();
}

void EventLoop::wake() {
  const uint64_t one = 1;
  // A full counter is as good: the loop is about to wake.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
}

void EventLoop::post(std::function<void()> work) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    first = posted_.empty() && notified_.empty();
    posted_.push_back(std::move(work));
  }
  if (first) wake();
}

void EventLoop::notify(std::shared_ptr<EventHandler> handler) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    first = posted_.empty() && notified_.empty();
    notified_.push_back(std::move(handler));
  }
  if (first) wake();
}

void EventLoop::run_calls() {
  uint64_t count;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof(count));
  decltype(posted_) posted;
  decltype(notified_) notified;
  {
    std::lock_guard lock(mutex_);
    posted.swap(posted_);
    notified.swap(notified_);
  }
  for (auto& work : posted) work();
  for (auto& handler : notified) handler->on_notified();
}

Status EventLoop::add(int descriptor, uint32_t epoll_events, EventHandler& handler) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = &handler;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0)
    return fail(ErrorCode::kUnavailable, fmt::format("cannot watch a socket: {}", std::strerror(errno)));
  return {};
}

void EventLoop::remove(int descriptor, EventHandler& handler) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
  for (size_t i = events_at_; i < events_end_; ++i) {
    if (events_[i].data.ptr != &handler) continue;
    events_[i].data.ptr = nullptr;
    events_[i].events = 0;
  }
  std::replace(round_end_.begin(), round_end_.end(), &handler, static_cast<EventHandler*>(nullptr));
  std::replace(round_end_now_.begin(), round_end_now_.end(), &handler, static_cast<EventHandler*>(nullptr));
}

void EventLoop::call_at_round_end(EventHandler& handler) { round_end_.push_back(&handler); }

void EventLoop::run_round_end() {
  // What asks again during these calls gets its turn after the next look at the sockets.
  round_end_now_.swap(round_end_);
  for (size_t i = 0; i < round_end_now_.size(); ++i) {
    if (EventHandler* handler = round_end_now_[i]) handler->on_round_end();
  }
  round_end_now_.clear();
}

uint64_t EventLoop::run_after(std::chrono::nanoseconds delay, std::function<void()> work) {
  const auto deadline = clock_.monotonic() + delay;
  const uint64_t id = ++timer_last_;
  timers_.emplace(std::pair(deadline, id), std::move(work));
  timer_deadlines_.emplace(id, deadline);
  return id;
}

void EventLoop::cancel(uint64_t timer) {
  const auto found = timer_deadlines_.find(timer);
  if (found == timer_deadlines_.end()) return;
  timers_.erase({found->second, timer});
  timer_deadlines_.erase(found);
}

void EventLoop::run_timers() {
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    auto due = timers_.extract(timers_.begin());
    timer_deadlines_.erase(due.key().second);
    due.mapped()();
  }
}

int EventLoop::wait_ms() const {
  if (!round_end_.empty()) return 0;
  if (timers_.empty()) return -1;
  const auto wait = timers_.begin()->first.first - clock_.monotonic();
  if (wait.count() <= 0) return 0;
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return static_cast<int>(std::min<int64_t>(rounded, INT_MAX));
}

}  // namespace millrace
