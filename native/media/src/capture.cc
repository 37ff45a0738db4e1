#include "capture.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "pod.h"

namespace media {

namespace {

/** What a guest looks at without a wish of its own: a picture that every camera has, thirty times a second. */
constexpr uint32_t sizes[] = {1280, 720, 1, 1, 8192, 8192};
constexpr uint32_t rates[] = {30, 1, 0, 1, 120, 1};

Object wish(uint32_t subtype) {
  Object object(spa::format_object, spa::enum_format);
  object.id(spa::media_type, spa::video).id(spa::media_subtype, subtype);
  object.pair_range(spa::video_size, spa::rectangle_type, sizes).pair_range(spa::video_framerate, spa::fraction_type, rates);
  return object;
}

}  // namespace

void Capture::start(uint32_t node, bool is_still) {
  is_still_ = is_still;
  Object raw = wish(spa::raw), mjpg = wish(spa::mjpg);
  const spa_pod* params[] = {raw.pod(), mjpg.pod()};
  const uint32_t flags = pw_stream_flag_autoconnect | pw_stream_flag_map_buffers | pw_stream_flag_dont_reconnect;
  if (pw_stream_connect(stream_, pw_direction_input, node, flags, params, 2) < 0) fail("the stream cannot be connected");
}

void Capture::on_state(int state) {
  // What was looked at has gone.
  if (state == pw_stream_unconnected) finish();
  printf(state == pw_stream_streaming ? "running\n" : "idle\n");
  fflush(stdout);
}

void Capture::on_format(const spa_pod* format) {
  const uint32_t bytes = static_cast<uint32_t>(sizeof(spa_pod)) + format->size;
  if (format->size > max_format_bytes - sizeof(spa_pod)) fail("the format is too long");
  // A guest's consumers have agreed to the first format.
  if (is_format_told_ && (bytes != format_bytes_ || memcmp(format_, format, bytes) != 0)) finish();
  memcpy(format_, format, bytes);
  format_bytes_ = bytes;
  Object memory(spa::buffers_object, spa::buffers);
  memory.integer_range(spa::buffers_count, 4, 2, 16).integer(spa::buffers_blocks, 1);
  memory.flags(spa::buffers_data_type, spa::memory_pointer | spa::memory_fd);
  const spa_pod* params[] = {memory.pod()};
  pw_stream_update_params(stream_, params, 1);
}

void Capture::on_process() {
  while (pw_buffer* buffer = pw_stream_dequeue_buffer(stream_)) {
    take(buffer->buffer->datas[0]);
    pw_stream_queue_buffer(stream_, buffer);
  }
}

void Capture::take(const spa_data& data) {
  const uint32_t offset = data.chunk->offset < data.maxsize ? data.chunk->offset : data.maxsize;
  const uint32_t room = data.maxsize - offset;
  const uint32_t bytes = data.chunk->size < room ? data.chunk->size : room;
  if (data.data == nullptr || bytes == 0 || data.maxsize > max_frame_bytes) return;
  make_slots(data.maxsize);
  if (bytes > capacity_) return;
  if (!is_format_told_) {
    put(FromHost::format, format_, format_bytes_, data.maxsize);
    send();
    is_format_told_ = true;
    // From here on the guest says whether anybody looks.
    pw_stream_set_active(stream_, false);
  }
  if (!is_wanted_ && !is_still_) return;
  put(FromHost::frame, static_cast<const uint8_t*>(data.data) + offset, bytes, static_cast<uint32_t>(data.chunk->stride));
  last_ = (first_ + queued_) % slot_count;
  has_last_ = true;
  if (!is_wanted_) return;
  frames_ += 1;
  send();
}

void Capture::make_slots(uint32_t frame_bytes) {
  if (capacity_ > 0) return;
  capacity_ = frame_bytes > max_format_bytes ? frame_bytes : max_format_bytes;
  for (Slot& slot : slots_) {
    slot.bytes = static_cast<uint8_t*>(malloc(sizeof(HostHeader) + capacity_));
    if (slot.bytes == nullptr) fail("there is no memory for a frame");
  }
}

void Capture::put(FromHost kind, const void* body, uint32_t bytes, uint32_t value) {
  if (queued_ == slot_count) {
    // The newest goes, not the oldest, of which a part may be on the connection: the picture that stays has to arrive.
    queued_ -= 1;
    dropped_ += 1;
  }
  Slot& slot = slots_[(first_ + queued_) % slot_count];
  const HostHeader header = {kind, bytes, value};
  memcpy(slot.bytes, &header, sizeof header);
  memcpy(slot.bytes + sizeof header, body, bytes);
  slot.length = static_cast<uint32_t>(sizeof header) + bytes;
  slot.sent = 0;
}

void Capture::send() {
  queued_ += 1;
  flush();
}

void Capture::send_last() {
  if (queued_ == 0) first_ = last_;
  if (last_ != (first_ + queued_) % slot_count) return;
  slots_[last_].sent = 0;
  frames_ += 1;
  send();
}

void Capture::flush() {
  while (is_sending()) {
    Slot& slot = slots_[first_];
    const ssize_t count = ::send(connection_, slot.bytes + slot.sent, slot.length - slot.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) finish();
    if (count < 0) break;
    slot.sent += static_cast<uint32_t>(count);
    if (slot.sent < slot.length) continue;
    first_ = (first_ + 1) % slot_count;
    queued_ -= 1;
  }
  watch_for(is_sending() ? spa::io_in | spa::io_out : spa::io_in);
}

void Capture::on_io(uint32_t mask) {
  if (mask & spa::io_out) flush();
  if (mask & (spa::io_in | spa::io_hup | spa::io_error)) hear();
}

/** One message at a turn: a guest that floods keeps nobody from the camera. */
void Capture::hear() {
  const ssize_t count = recv(connection_, incoming_ + heard_, sizeof incoming_ - heard_, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    tell();
    finish();
  }
  heard_ += static_cast<uint32_t>(count);
  if (heard_ < sizeof incoming_) return;
  heard_ = 0;
  GuestMessage message;
  memcpy(&message, incoming_, sizeof message);
  obey(message);
}

void Capture::obey(const GuestMessage& message) {
  if (message.kind == FromGuest::node) {
    printf("node %u\n", message.value);
    fflush(stdout);
  } else if (message.kind == FromGuest::wanted && is_format_told_) {
    const bool begins = message.value != 0 && !is_wanted_;
    is_wanted_ = message.value != 0;
    pw_stream_set_active(stream_, is_wanted_);
    if (begins && is_still_ && has_last_) send_last();
    if (!is_wanted_) tell();
  } else {
    fail("the guest has sent something else");
  }
}

void Capture::tell() {
  printf("frames %llu dropped %llu\n", static_cast<unsigned long long>(frames_), static_cast<unsigned long long>(dropped_));
  fflush(stdout);
}

}  // namespace media
