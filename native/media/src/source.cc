#include "source.h"

#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "pod.h"

namespace media {

namespace {

/** Reads at a turn; other things of the loop come between. */
constexpr int reads_per_turn = 64;
/** Without a frame for so long, the last one is shown again: who has begun to look since, or was not ready, has not seen it. */
constexpr long silence_ns = 500'000'000;

}  // namespace

void Source::connect() {
  // What is settled on the host is all there is to choose from here.
  const uint32_t offered = spa::enum_format;
  memcpy(format_ + sizeof(spa_pod) + sizeof(uint32_t), &offered, sizeof offered);
  const spa_pod* params[] = {reinterpret_cast<const spa_pod*>(format_)};
  const uint32_t flags = pw_stream_flag_map_buffers | pw_stream_flag_driver;
  if (pw_stream_connect(stream_, pw_direction_output, pw_id_any, flags, params, 1) < 0) fail("the node cannot be made");
}

void Source::on_state(int state) {
  if (state == pw_stream_unconnected) finish();
  if (state != pw_stream_paused && state != pw_stream_streaming) return;
  if (!is_node_told_) tell(FromGuest::node, pw_stream_get_node_id(stream_));
  is_node_told_ = true;
  const bool is_streaming = state == pw_stream_streaming;
  if (is_streaming != is_streaming_) tell(FromGuest::wanted, is_streaming ? 1 : 0);
  is_streaming_ = is_streaming;
  shown_ = nullptr;
}

void Source::on_removed(const pw_buffer* buffer) {
  if (buffer == shown_) shown_ = nullptr;
  // What is being received has nowhere to go.
  if (buffer == buffer_) body_ = nullptr, buffer_ = nullptr;
}

void Source::on_format(const spa_pod*) {
  Object memory(spa::buffers_object, spa::buffers);
  memory.integer_range(spa::buffers_count, 4, 2, 16).integer(spa::buffers_blocks, 1);
  memory.integer(spa::buffers_bytes, frame_bytes_).flags(spa::buffers_data_type, spa::memory_pointer | spa::memory_fd);
  Object times(spa::meta_object, spa::meta);
  times.id(spa::meta_type, spa::meta_header).integer(spa::meta_size, sizeof(spa_meta_header));
  const spa_pod* params[] = {memory.pod(), times.pod()};
  pw_stream_update_params(stream_, params, 2);
}

void Source::on_io(uint32_t mask) {
  for (int turn = 0; turn < reads_per_turn; turn++)
    if (!hear()) return;
  (void)mask;
}

/** Whether there may be more. */
bool Source::hear() {
  const bool in_header = header_read_ < sizeof header_;
  static uint8_t nowhere[65536];
  uint8_t* target = nowhere;
  size_t wanted = header_.bytes - body_read_;
  if (in_header) {
    target = reinterpret_cast<uint8_t*>(&header_) + header_read_;
    wanted = sizeof header_ - header_read_;
  } else if (body_ != nullptr) {
    target = body_ + body_read_;
  } else if (wanted > sizeof nowhere) {
    wanted = sizeof nowhere;
  }
  const ssize_t count = recv(connection_, target, wanted, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (count <= 0) finish();
  if (in_header) {
    header_read_ += static_cast<uint32_t>(count);
    if (header_read_ == sizeof header_) begin_frame();
    return true;
  }
  body_read_ += static_cast<uint32_t>(count);
  if (body_read_ == header_.bytes) end_frame();
  return true;
}

void Source::begin_frame() {
  body_read_ = 0;
  const bool is_format = header_.kind == FromHost::format;
  const bool is_good = is_format ? header_.bytes >= 16 && header_.bytes <= sizeof format_ && frame_bytes_ == 0 &&
                                       header_.value > 0 && header_.value <= max_frame_bytes
                                 : header_.kind == FromHost::frame && header_.bytes > 0 && header_.bytes <= frame_bytes_;
  if (!is_good) fail("the host has sent something else");
  if (is_format) {
    frame_bytes_ = header_.value;
    body_ = format_;
    return;
  }
  buffer_ = is_streaming_ ? pw_stream_dequeue_buffer(stream_) : nullptr;
  const spa_data* data = buffer_ == nullptr ? nullptr : &buffer_->buffer->datas[0];
  body_ = data != nullptr && data->maxsize >= header_.bytes ? static_cast<uint8_t*>(data->data) : nullptr;
}

void Source::end_frame() {
  header_read_ = 0;
  body_ = nullptr;
  if (header_.kind == FromHost::format) return connect();
  if (buffer_ != nullptr) show(buffer_, header_.bytes, static_cast<int32_t>(header_.value));
  buffer_ = nullptr;
}

void Source::show(pw_buffer* shown, uint32_t bytes, int32_t stride) {
  shown_ = shown;
  shown_bytes_ = bytes;
  shown_stride_ = stride;
  spa_buffer& buffer = *shown->buffer;
  *buffer.datas[0].chunk = {0, bytes, stride, 0};
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  for (uint32_t index = 0; index < buffer.n_metas; index++)
    if (buffer.metas[index].type == spa::meta_header && buffer.metas[index].size >= sizeof(spa_meta_header))
      *static_cast<spa_meta_header*>(buffer.metas[index].data) = {0, 0, now.tv_sec * 1'000'000'000 + now.tv_nsec, 0, frames_};
  frames_ += 1;
  pw_stream_queue_buffer(stream_, shown);
  pw_stream_trigger_process(stream_);
  start_timer();
}

void Source::show_again() {
  uint64_t times;
  if (read(timer_, &times, sizeof times) != sizeof times || shown_ == nullptr || buffer_ != nullptr) return;
  pw_buffer* next = pw_stream_dequeue_buffer(stream_);
  if (next == nullptr) return start_timer();
  const spa_data& from = shown_->buffer->datas[0];
  const spa_data& to = next->buffer->datas[0];
  const bool fits = from.data != nullptr && to.data != nullptr && to.maxsize >= shown_bytes_;
  if (fits && next != shown_) memcpy(to.data, from.data, shown_bytes_);
  show(next, fits ? shown_bytes_ : 0, shown_stride_);
}

void Source::start_timer() {
  if (timer_ < 0) {
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer_ < 0) fail("there is no timer");
    watch(timer_, [](void* data, int, uint32_t) { static_cast<Source*>(data)->show_again(); });
  }
  const itimerspec once = {{0, 0}, {0, silence_ns}};
  timerfd_settime(timer_, 0, &once, nullptr);
}

void Source::tell(FromGuest kind, uint32_t value) {
  const GuestMessage message = {kind, value};
  // Eight bytes have room, or the host does not read.
  if (send(connection_, &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof message) finish();
}

}  // namespace media
