// Image of a description and its arrays in one string of bytes, with pointers as they are where the
// image will lie: how a description gets to the memory of a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace madnis {

class Image {
public:
    // `address`: of the first byte, aligned to `alignment`. The root comes first.
    explicit Image(std::uintptr_t address) : address_(address) {}

    // Room for the description that pointers of others lead to; it is written by `set_root`.
    template <class Root>
    void reserve_root() {
        bytes_.resize(padded(sizeof(Root)));
    }

    template <class Root>
    void set_root(const Root& root) {
        static_assert(std::is_trivially_copyable_v<Root>);
        std::memcpy(bytes_.data(), &root, sizeof(Root));
    }

    // A copy of `count` values; returns where they will be, null for none.
    template <class Value>
    const Value* put(const Value* values, std::size_t count) {
        static_assert(std::is_trivially_copyable_v<Value>);
        if (values == nullptr || count == 0) return nullptr;
        const std::size_t offset = bytes_.size();
        bytes_.resize(offset + padded(count * sizeof(Value)));
        std::memcpy(bytes_.data() + offset, values, count * sizeof(Value));
        return reinterpret_cast<const Value*>(address_ + offset);
    }

    const std::string& bytes() const { return bytes_; }

    static constexpr std::size_t alignment = 64;

private:
    static std::size_t padded(std::size_t size) {
        return (size + alignment - 1) / alignment * alignment;
    }

    std::uintptr_t address_;
    std::string bytes_;
};

// The image of a description; relocated(image) is its copy with all pointers into the image.
template <class Root, class Relocate>
std::string image_of(std::uintptr_t address, const Relocate& relocated) {
    Image image(address);
    image.reserve_root<Root>();
    image.set_root<Root>(relocated(image));
    return image.bytes();
}

}  // namespace madnis
