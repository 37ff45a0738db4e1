// Parameters of a stream, as SPA objects (spa/pod/pod.h): words, every value padded to 8 bytes.
#pragma once

#include "pipewire-abi.h"

namespace media {

/** An object in memory of its own. What does not fit is left out, which no caller comes near. */
class Object {
 public:
  Object(uint32_t type, uint32_t id) {
    put(0);
    put(spa::object_type);
    put(type);
    put(id);
  }

  Object& id(uint32_t key, uint32_t value) { return one(key, spa::id_type, value); }
  Object& integer(uint32_t key, uint32_t value) { return one(key, spa::int_type, value); }
  Object& flags(uint32_t key, uint32_t mask) {
    property(key, 16 + 4, spa::choice_type);
    choice(spa::flags_choice, 4, spa::int_type);
    put(mask);
    put(0);
    return *this;
  }
  Object& integer_range(uint32_t key, uint32_t usual, uint32_t least, uint32_t most) {
    property(key, 16 + 3 * 4, spa::choice_type);
    choice(spa::range_choice, 4, spa::int_type);
    put(usual);
    put(least);
    put(most);
    put(0);
    return *this;
  }
  /** A range of rectangles or fractions: the usual one, the least, the most. */
  Object& pair_range(uint32_t key, uint32_t type, const uint32_t (&pairs)[6]) {
    property(key, 16 + 3 * 8, spa::choice_type);
    choice(spa::range_choice, 8, type);
    for (const uint32_t word : pairs) put(word);
    return *this;
  }

  const spa_pod* pod() {
    words_[0] = (count_ - 2) * 4;
    return reinterpret_cast<const spa_pod*>(words_);
  }

 private:
  void put(uint32_t word) {
    if (count_ < capacity) words_[count_++] = word;
  }
  void property(uint32_t key, uint32_t bytes, uint32_t type) {
    put(key);
    put(0);
    put(bytes);
    put(type);
  }
  void choice(uint32_t kind, uint32_t bytes, uint32_t type) {
    put(kind);
    put(0);
    put(bytes);
    put(type);
  }
  Object& one(uint32_t key, uint32_t type, uint32_t value) {
    property(key, 4, type);
    put(value);
    put(0);
    return *this;
  }

  static constexpr uint32_t capacity = 64;
  alignas(8) uint32_t words_[capacity];
  uint32_t count_ = 0;
};

}  // namespace media
