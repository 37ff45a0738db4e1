// The host's end: takes the frames of a camera or a screen, and sends them to a guest while it wants them.
#pragma once

#include "messages.h"
#include "stream.h"

namespace media {

class Capture final : public Stream {
 public:
  /** `node` is the target's id, or PipeWire's choice by `properties`. Of what is still, no frame comes while nothing changes. */
  void start(uint32_t node, bool is_still);

 protected:
  void on_state(int state) override;
  void on_format(const spa_pod* format) override;
  void on_process() override;
  void on_io(uint32_t mask) override;

 private:
  /** Frames that may wait for a guest that is slow for a moment. */
  static constexpr uint32_t slot_count = 4;

  /** A message on its way: its header, and room for the longest. */
  struct Slot {
    uint8_t* bytes;
    uint32_t length;
    uint32_t sent;
  };

  bool is_sending() const { return queued_ > 0; }
  void take(const spa_data& data);
  void make_slots(uint32_t frame_bytes);
  /** Copies a message into the slot after those on their way, in the place of the last of them where all are taken. */
  void put(FromHost kind, const void* body, uint32_t bytes, uint32_t value);
  /** The message that was put goes. */
  void send();
  /** Sends the frame that was seen last, if it is not on its way. */
  void send_last();
  void flush();
  void hear();
  void obey(const GuestMessage& message);
  void tell();

  Slot slots_[slot_count] = {};
  uint32_t capacity_ = 0;
  uint32_t first_ = 0;
  uint32_t queued_ = 0;

  uint8_t format_[max_format_bytes];
  uint32_t format_bytes_ = 0;
  bool is_format_told_ = false;
  bool is_wanted_ = false;
  bool is_still_ = false;
  /** The slot of the frame that was seen last. */
  uint32_t last_ = 0;
  bool has_last_ = false;

  uint8_t incoming_[sizeof(GuestMessage)];
  uint32_t heard_ = 0;
  uint64_t frames_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace media
