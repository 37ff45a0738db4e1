// What both ends have: a PipeWire stream and a connection, on the main loop of the process that loaded the module.
#pragma once

#include "pipewire-abi.h"

namespace media {

/** Either end. A process has one, and ends with it. */
class Stream {
 public:
  /** What `remote` is -1 for is the PipeWire that programs use by default. */
  void open(pw_context* context, int remote, const char* name, const char* properties);
  void listen_on(int connection, uint32_t mask);

 protected:
  virtual void on_state(int state) = 0;
  virtual void on_format(const spa_pod* format) = 0;
  virtual void on_process() = 0;
  /** The connection can be used. */
  virtual void on_io(uint32_t mask) = 0;

  /** A buffer is the stream's no longer. */
  virtual void on_removed(const pw_buffer*) {}

  void watch_for(uint32_t mask);
  /** Calls back when `fd` can be read. */
  void watch(int fd, void (*heard)(void* data, int fd, uint32_t mask));

  pw_stream* stream_ = nullptr;
  int connection_ = -1;

 private:
  pw_loop* loop_ = nullptr;
  spa_source* source_ = nullptr;
  spa_hook hook_ = {};
};

/** Ends the process, with a line about it where something went wrong. */
[[noreturn]] void finish();
[[noreturn]] void fail(const char* what);

}  // namespace media
