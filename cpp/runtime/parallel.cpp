#include "runtime/parallel.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace madnis {
namespace {

// Workers wait for a job, take blocks from a shared counter until none is left, and report back. A
// worker that wakes after the job has been closed does not touch it: the caller waits only for
// those that have begun.
class ThreadPool {
public:
    explicit ThreadPool(std::size_t workers) {
        try {
            for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
        } catch (const std::system_error&) {
            // The system gives no more threads: work with those there are.
        }
    }

    ~ThreadPool() {
        {
            std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        for (auto& thread : threads_) thread.join();
    }

    void run(std::size_t blocks, const std::function<void(std::size_t)>& task) {
        {
            std::lock_guard lock(mutex_);
            task_ = &task;
            blocks_ = blocks;
            next_.store(0);
            open_ = true;
            ++generation_;
        }
        wake_.notify_all();
        take_blocks();
        std::unique_lock lock(mutex_);
        open_ = false;
        done_.wait(lock, [this] { return active_ == 0; });
    }

private:
    void take_blocks() {
        for (std::size_t block; (block = next_.fetch_add(1)) < blocks_;) (*task_)(block);
    }

    void work() {
        std::size_t seen = 0;
        std::unique_lock lock(mutex_);
        while (true) {
            wake_.wait(lock, [&] { return stop_ || (open_ && generation_ != seen); });
            if (stop_) return;
            seen = generation_;
            ++active_;
            lock.unlock();
            take_blocks();
            lock.lock();
            if (--active_ == 0) done_.notify_one();
        }
    }

    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable wake_, done_;
    const std::function<void(std::size_t)>* task_ = nullptr;
    std::size_t blocks_ = 0, active_ = 0, generation_ = 0;
    std::atomic<std::size_t> next_{0};
    bool open_ = false, stop_ = false;
};

std::mutex pool_mutex;
std::atomic<std::size_t> threads{std::max(1u, std::thread::hardware_concurrency())};
// Not owned by a static object: at the end of the process a daemon thread may still be working in
// the pool.
ThreadPool* pool = nullptr;

// Only the thread that calls fork() lives on in the child, which therefore starts without a pool;
// the lock is taken around the fork so that the child never inherits it from another thread.
struct ForkHandlers {
    ForkHandlers() {
        pthread_atfork([] { pool_mutex.lock(); }, [] { pool_mutex.unlock(); },
                       [] {
                           pool = nullptr;
                           pool_mutex.unlock();
                       });
    }
} const fork_handlers;

}  // namespace

void set_thread_count(std::size_t count) {
    std::lock_guard lock(pool_mutex);
    threads = std::max<std::size_t>(1, count);
    delete pool;
    pool = nullptr;
}

std::size_t thread_count() { return threads; }

void parallel_for(std::size_t count, const std::function<void(std::size_t, std::size_t)>& task,
                  std::size_t size) {
    const std::size_t blocks = (count + size - 1) / size;
    const auto run_block = [&](std::size_t block) {
        task(block * size, std::min(count, (block + 1) * size));
    };
    // One caller has the pool at a time; another one that comes meanwhile works alone.
    std::unique_lock lock(pool_mutex, std::defer_lock);
    if (threads == 1 || blocks < 2 || !lock.try_lock()) {
        for (std::size_t block = 0; block < blocks; ++block) run_block(block);
        return;
    }
    if (pool == nullptr) pool = new ThreadPool(threads - 1);
    pool->run(blocks, run_block);
}

}  // namespace madnis
