#include "stream.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace media {

namespace {

const spa_loop_utils_methods& methods(const pw_loop* loop) {
  return *static_cast<const spa_loop_utils_methods*>(loop->utils->cb.funcs);
}

}  // namespace

void Stream::open(pw_context* context, int remote, const char* name, const char* properties) {
  loop_ = pw_context_get_main_loop(context);
  pw_core* core = remote < 0 ? pw_context_connect(context, nullptr, 0) : pw_context_connect_fd(context, remote, nullptr, 0);
  if (core == nullptr) fail("PipeWire cannot be reached");
  stream_ = pw_stream_new(core, name, pw_properties_new_string(properties));
  if (stream_ == nullptr) fail("PipeWire makes no stream");
  static pw_stream_events events = {};
  events.version = 2;
  events.state_changed = [](void* data, int, int state, const char* error) {
    if (state == pw_stream_error) fail(error == nullptr ? "the stream has failed" : error);
    static_cast<Stream*>(data)->on_state(state);
  };
  events.param_changed = [](void* data, uint32_t id, const spa_pod* param) {
    if (id == spa::format && param != nullptr) static_cast<Stream*>(data)->on_format(param);
  };
  events.remove_buffer = [](void* data, pw_buffer* buffer) { static_cast<Stream*>(data)->on_removed(buffer); };
  events.process = [](void* data) { static_cast<Stream*>(data)->on_process(); };
  pw_stream_add_listener(stream_, &hook_, &events, this);
}

void Stream::listen_on(int connection, uint32_t mask) {
  connection_ = connection;
  const auto heard = [](void* data, int, uint32_t what) { static_cast<Stream*>(data)->on_io(what); };
  source_ = methods(loop_).add_io(loop_->utils->cb.data, connection, mask, true, heard, this);
  if (source_ == nullptr) fail("the connection cannot be watched");
}

void Stream::watch(int fd, void (*heard)(void* data, int fd, uint32_t mask)) {
  if (methods(loop_).add_io(loop_->utils->cb.data, fd, spa::io_in, true, heard, this) == nullptr) fail("a descriptor cannot be watched");
}

void Stream::watch_for(uint32_t mask) { methods(loop_).update_io(loop_->utils->cb.data, source_, mask); }

void finish() { exit(0); }

void fail(const char* what) {
  fprintf(stderr, "error: %s\n", what);
  exit(1);
}

}  // namespace media
