// The guest's end: a node of its PipeWire that shows what the host sends.
#pragma once

#include "messages.h"
#include "stream.h"

namespace media {

class Source final : public Stream {
 protected:
  void on_state(int state) override;
  void on_format(const spa_pod* format) override;
  void on_process() override {}
  void on_io(uint32_t mask) override;
  void on_removed(const pw_buffer* buffer) override;

 private:
  bool hear();
  void connect();
  void begin_frame();
  void end_frame();
  /** Gives the buffer to whoever looks. */
  void show(pw_buffer* buffer, uint32_t bytes, int32_t stride);
  /** Shows the last frame again. */
  void show_again();
  void start_timer();
  void tell(FromGuest kind, uint32_t value);

  HostHeader header_;
  uint32_t header_read_ = 0;
  uint32_t body_read_ = 0;
  /** Where the body goes; null for what nobody wants. */
  uint8_t* body_ = nullptr;
  pw_buffer* buffer_ = nullptr;
  /** What was shown last. */
  const pw_buffer* shown_ = nullptr;
  uint32_t shown_bytes_ = 0;
  int32_t shown_stride_ = 0;
  int timer_ = -1;
  alignas(8) uint8_t format_[max_format_bytes];
  uint32_t frame_bytes_ = 0;
  uint64_t frames_ = 0;
  bool is_streaming_ = false;
  bool is_node_told_ = false;
};

}  // namespace media
