// What goes over the connection of one stream. Words are little-endian and 32 bits wide.
//
// The guest begins with the stream's number. Then it sends messages of two words, the kind and a value. The host sends headers of three words:
// the kind, the bytes that follow, and one more value.
#pragma once

#include <cstdint>

namespace media {

/** From the guest: its node's id in its own PipeWire; whether anybody looks. */
enum class FromGuest : uint32_t { node = 1, wanted = 2 };

struct GuestMessage {
  FromGuest kind;
  uint32_t value;
};

/** From the host: the format, a SPA object, with the most bytes of a frame; a frame, with the bytes of a row. */
enum class FromHost : uint32_t { format = 1, frame = 2 };

struct HostHeader {
  FromHost kind;
  uint32_t bytes;
  uint32_t value;
};

/** Bytes of a format. */
constexpr uint32_t max_format_bytes = 4096;
/** Bytes of a frame: 8192 × 8192 pixels of four bytes. */
constexpr uint32_t max_frame_bytes = 256u << 20;

}  // namespace media
