#include "madnis/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "madnis/batch.hpp"

namespace madnis {
namespace {

// Workers wait for a job, take blocks from a shared counter until none is left, and report back.
class ThreadPool {
public:
    explicit ThreadPool(std::size_t workers) {
        for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
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
            busy_ = threads_.size();
            ++generation_;
        }
        wake_.notify_all();
        take_blocks();
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return busy_ == 0; });
    }

private:
    void take_blocks() {
        for (std::size_t block; (block = next_.fetch_add(1)) < blocks_;) (*task_)(block);
    }

    void work() {
        std::size_t seen = 0;
        while (true) {
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [&] { return stop_ || generation_ != seen; });
                if (stop_) return;
                seen = generation_;
            }
            take_blocks();
            std::lock_guard lock(mutex_);
            if (--busy_ == 0) done_.notify_one();
        }
    }

    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable wake_, done_;
    const std::function<void(std::size_t)>* task_ = nullptr;
    std::size_t blocks_ = 0, busy_ = 0, generation_ = 0;
    std::atomic<std::size_t> next_{0};
    bool stop_ = false;
};

std::mutex pool_mutex;
std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
std::unique_ptr<ThreadPool> pool;

}  // namespace

void set_thread_count(std::size_t count) {
    std::lock_guard lock(pool_mutex);
    threads = std::max<std::size_t>(1, count);
    pool.reset();
}

std::size_t thread_count() { return threads; }

void parallel_for(std::size_t count, const std::function<void(std::size_t, std::size_t)>& task) {
    const std::size_t blocks = (count + block_size - 1) / block_size;
    const auto run_block = [&](std::size_t block) {
        task(block * block_size, std::min(count, (block + 1) * block_size));
    };
    // One caller has the pool at a time; another one that comes meanwhile works alone.
    std::unique_lock lock(pool_mutex, std::try_to_lock);
    if (threads == 1 || blocks < 2 || !lock.owns_lock()) {
        for (std::size_t block = 0; block < blocks; ++block) run_block(block);
        return;
    }
    if (!pool) pool = std::make_unique<ThreadPool>(threads - 1);
    pool->run(blocks, run_block);
}

}  // namespace madnis
