// Launches of kernels as loops over blocks and threads, in the library _core_emulated.
#include "cuda/emulation.hpp"

#include <setjmp.h>
#include <ucontext.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace madnis::emulation {
namespace {

struct Kernel {
    Threads threads;
    Call call;
};

std::map<std::string, Kernel>& kernels() {
    static std::map<std::string, Kernel> result;
    return result;
}

constexpr std::size_t stack_size = 256 * 1024;

// The threads of one block, each with a stack of its own: they run one after the other up to the
// next point where all wait, again and again until all are done. A context begins each of them;
// after that jumps, which leave the signal mask alone, are a hundred times cheaper.
class Fibres {
public:
    void run(std::size_t count, const std::function<void()>& body) {
        while (fibres_.size() < count) fibres_.push_back(std::make_unique<Fibre>());
        body_ = &body;
        current_ = this;
        for (std::size_t k = 0; k < count; ++k) fibres_[k]->state = State::new_;
        for (bool left = true; left;) {
            left = false;
            for (std::size_t k = 0; k < count; ++k) {
                if (fibres_[k]->state == State::done) continue;
                thread.x = unsigned(k);
                running_ = fibres_[k].get();
                go_on();
                left = left || running_->state != State::done;
            }
        }
    }

    // Called by a fibre: back to `run`, which comes again.
    void wait() {
        if (_setjmp(running_->place) == 0) _longjmp(main_, 1);
    }

private:
    enum class State { new_, waiting, done };

    struct Fibre {
        State state = State::new_;
        jmp_buf place;
        ucontext_t context;
        std::unique_ptr<char[]> stack{new char[stack_size]};
    };

    void go_on() {
        if (_setjmp(main_) != 0) return;
        if (running_->state == State::waiting) _longjmp(running_->place, 1);
        running_->state = State::waiting;
        getcontext(&running_->context);
        running_->context.uc_stack.ss_sp = running_->stack.get();
        running_->context.uc_stack.ss_size = stack_size;
        makecontext(&running_->context, &Fibres::enter, 0);
        setcontext(&running_->context);
    }

    static void enter() {
        Fibres& all = *current_;
        (*all.body_)();
        all.running_->state = State::done;
        _longjmp(all.main_, 1);
    }

    static thread_local Fibres* current_;
    std::vector<std::unique_ptr<Fibre>> fibres_;
    const std::function<void()>* body_ = nullptr;
    Fibre* running_ = nullptr;
    jmp_buf main_;
};

thread_local Fibres* Fibres::current_ = nullptr;
thread_local Fibres fibres;
thread_local std::vector<std::max_align_t> memory;

}  // namespace

void Registration::add(const char* name, Threads threads, Call call) {
    kernels()[name] = {threads, std::move(call)};
}

void synchronise() { fibres.wait(); }

void* shared_memory() { return memory.data(); }

}  // namespace madnis::emulation

// Run a kernel; 1 if there is none of this name.
extern "C" __attribute__((visibility("default"))) int madnis_launch(const char* name,
                                                                    std::int64_t blocks,
                                                                    std::int64_t threads,
                                                                    std::int64_t shared_bytes,
                                                                    void** arguments) {
    using namespace madnis::emulation;
    const auto found = kernels().find(name);
    if (found == kernels().end()) return 1;
    const Kernel& kernel = found->second;
    memory.resize(std::size_t(shared_bytes) / sizeof(std::max_align_t) + 1);
    grid_size.x = unsigned(blocks);
    block_size.x = unsigned(threads);
    for (std::int64_t b = 0; b < blocks; ++b) {
        block.x = unsigned(b);
        if (kernel.threads == Threads::cooperating) {
            fibres.run(std::size_t(threads), [&] { kernel.call(arguments); });
            continue;
        }
        for (std::int64_t t = 0; t < threads; ++t) {
            thread.x = unsigned(t);
            kernel.call(arguments);
        }
    }
    return 0;
}
