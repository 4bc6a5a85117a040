#include "rest/request_pool.h"

#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>

namespace millrace {

class RequestPool::Job {
 public:
  enum class Stage { kWaiting, kRunning, kEnded };
  std::function<void()> work;
  Stage stage = Stage::kWaiting;
  bool abandoned = false;
};

struct RequestPool::State {
  struct Worker {
    std::thread thread;
    bool ended = false;
  };

  explicit State(size_t bound) : threads_max(bound) {}
  size_t allowed() const { return std::min(threads_max + hanging, threads_max * 4); }

  /// Makes a thread if one is missing. The lock is held.
  void grow(const std::shared_ptr<State>& self) {
    if (finishing || waiting.size() <= idle || live >= allowed()) return;
    workers.remove_if([](Worker& worker) {
      if (worker.ended) worker.thread.join();
      return worker.ended;
    });
    ++live;
    Worker& worker = workers.emplace_back();
    worker.thread = std::thread([self, &worker] { self->serve(worker); });
  }

  void serve(Worker& worker) {
    std::unique_lock lock(mutex);
    while (true) {
      ++idle;
      changed.wait(lock, [&] { return finishing || !waiting.empty(); });
      --idle;
      if (waiting.empty()) break;
      const std::shared_ptr<Job> job = std::move(waiting.front());
      waiting.pop_front();
      if (job->abandoned) continue;
      job->stage = Job::Stage::kRunning;
      lock.unlock();
      job->work();
      job->work = nullptr;
      lock.lock();
      job->stage = Job::Stage::kEnded;
      if (!job->abandoned) continue;
      --hanging;
      if (live > allowed()) break;
    }
    --live;
    worker.ended = true;
    changed.notify_all();
  }

  const size_t threads_max;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Job>> waiting;
  std::list<Worker> workers;
  size_t live = 0;
  size_t idle = 0;
  size_t hanging = 0;  // abandoned jobs that still run
  bool finishing = false;
};

RequestPool::RequestPool(size_t threads_max) : state_(std::make_shared<State>(threads_max)) {}

std::shared_ptr<RequestPool::Job> RequestPool::run(std::function<void()> work) {
  auto job = std::make_shared<Job>();
  job->work = std::move(work);
  {
    std::lock_guard lock(state_->mutex);
    state_->waiting.push_back(job);
    state_->grow(state_);
  }
  state_->changed.notify_one();
  return job;
}

void RequestPool::abandon(const std::shared_ptr<Job>& job) {
  std::lock_guard lock(state_->mutex);
  if (job->stage == Job::Stage::kEnded || job->abandoned) return;
  job->abandoned = true;
  if (job->stage == Job::Stage::kWaiting) {
    std::erase(state_->waiting, job);
    return;
  }
  ++state_->hanging;
  state_->grow(state_);
}

bool RequestPool::finish(std::chrono::milliseconds grace) {
  std::unique_lock lock(state_->mutex);
  state_->finishing = true;
  state_->changed.notify_all();
  const bool all = state_->changed.wait_for(lock, grace, [&] { return state_->live == 0; });
  for (State::Worker& worker : state_->workers) {
    if (!worker.thread.joinable()) continue;
    if (!worker.ended) {
      worker.thread.detach();
      continue;
    }
    // Its thread may still have to let go of the lock.
    std::thread ended = std::move(worker.thread);
    lock.unlock();
    ended.join();
    lock.lock();
  }
  return all;
}

}  // namespace millrace
