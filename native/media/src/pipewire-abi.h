// What is used of libpipewire-0.3 and SPA, whose ABI is stable. The system's own headers are not needed, nor a certain libc: the names are looked up
// where the module is loaded. From pipewire/stream.h, spa/buffer/buffer.h, spa/param/format.h and spa/support/loop.h of PipeWire 0.3.65 and 1.4.2.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct pw_context;
struct pw_core;
struct pw_impl_module;
struct pw_properties;
struct pw_stream;
struct spa_source;

struct spa_callbacks {
  const void* funcs;
  void* data;
};

struct spa_interface {
  const char* type;
  uint32_t version;
  spa_callbacks cb;
};

struct spa_hook {
  void* link[2];
  spa_callbacks cb;
  void (*removed)(spa_hook* hook);
  void* priv;
};

struct spa_pod {
  /** Bytes of the body, which follows. */
  uint32_t size;
  uint32_t type;
};

struct spa_chunk {
  uint32_t offset;
  uint32_t size;
  int32_t stride;
  int32_t flags;
};

struct spa_data {
  uint32_t type;
  uint32_t flags;
  int64_t fd;
  uint32_t mapoffset;
  uint32_t maxsize;
  void* data;
  spa_chunk* chunk;
};

struct spa_meta {
  uint32_t type;
  uint32_t size;
  void* data;
};

struct spa_meta_header {
  uint32_t flags;
  uint32_t offset;
  /** Nanoseconds of CLOCK_MONOTONIC. */
  int64_t pts;
  int64_t dts_offset;
  uint64_t seq;
};

struct spa_buffer {
  uint32_t n_metas;
  uint32_t n_datas;
  spa_meta* metas;
  spa_data* datas;
};

struct pw_buffer {
  spa_buffer* buffer;
  void* user_data;
  uint64_t size;
};

struct spa_loop_utils_methods {
  uint32_t version;
  spa_source* (*add_io)(void* object, int fd, uint32_t mask, bool close, void (*func)(void* data, int fd, uint32_t mask), void* data);
  int (*update_io)(void* object, spa_source* source, uint32_t mask);
};

struct pw_loop {
  void* system;
  void* loop;
  void* control;
  spa_interface* utils;
};

/** States of a stream. */
constexpr int pw_stream_error = -1;
constexpr int pw_stream_unconnected = 0;
constexpr int pw_stream_paused = 2;
constexpr int pw_stream_streaming = 3;

constexpr uint32_t pw_stream_flag_autoconnect = 1 << 0;
constexpr uint32_t pw_stream_flag_map_buffers = 1 << 2;
constexpr uint32_t pw_stream_flag_driver = 1 << 3;
constexpr uint32_t pw_stream_flag_dont_reconnect = 1 << 7;

constexpr int pw_direction_input = 0;
constexpr int pw_direction_output = 1;
constexpr uint32_t pw_id_any = 0xffffffff;

struct pw_stream_events {
  uint32_t version;
  void (*destroy)(void* data);
  void (*state_changed)(void* data, int old, int state, const char* error);
  void (*control_info)(void* data, uint32_t id, const void* control);
  void (*io_changed)(void* data, uint32_t id, void* area, uint32_t size);
  void (*param_changed)(void* data, uint32_t id, const spa_pod* param);
  void (*add_buffer)(void* data, pw_buffer* buffer);
  void (*remove_buffer)(void* data, pw_buffer* buffer);
  void (*process)(void* data);
};

pw_context* pw_impl_module_get_context(pw_impl_module* module);
pw_loop* pw_context_get_main_loop(pw_context* context);
pw_core* pw_context_connect(pw_context* context, pw_properties* properties, size_t user_data_size);
pw_core* pw_context_connect_fd(pw_context* context, int fd, pw_properties* properties, size_t user_data_size);
pw_properties* pw_properties_new_string(const char* text);
const char* pw_properties_get(const pw_properties* properties, const char* key);
pw_stream* pw_stream_new(pw_core* core, const char* name, pw_properties* properties);
void pw_stream_add_listener(pw_stream* stream, spa_hook* listener, const pw_stream_events* events, void* data);
int pw_stream_connect(
    pw_stream* stream, int direction, uint32_t target, uint32_t flags, const spa_pod** params, uint32_t n_params);
int pw_stream_update_params(pw_stream* stream, const spa_pod** params, uint32_t n_params);
uint32_t pw_stream_get_node_id(pw_stream* stream);
pw_buffer* pw_stream_dequeue_buffer(pw_stream* stream);
int pw_stream_queue_buffer(pw_stream* stream, pw_buffer* buffer);
int pw_stream_set_active(pw_stream* stream, bool active);
int pw_stream_trigger_process(pw_stream* stream);
}

/** Identifiers of SPA: types of values, of objects and of parameters, keys of a format. */
namespace spa {

constexpr uint32_t id_type = 3, int_type = 4, rectangle_type = 10, fraction_type = 11, object_type = 15, choice_type = 19;
constexpr uint32_t format_object = 0x40003, buffers_object = 0x40004, meta_object = 0x40005;
constexpr uint32_t enum_format = 3, format = 4, buffers = 5, meta = 6;
constexpr uint32_t media_type = 1, media_subtype = 2, video_size = 0x20003, video_framerate = 0x20004;
constexpr uint32_t video = 2, raw = 1, mjpg = 0x20002;
constexpr uint32_t buffers_count = 1, buffers_blocks = 2, buffers_bytes = 3, buffers_data_type = 6;
constexpr uint32_t meta_type = 1, meta_size = 2, meta_header = 1;
constexpr uint32_t range_choice = 1, flags_choice = 4;
/** Bits of a mask of memory types. */
constexpr uint32_t memory_pointer = 1 << 1, memory_fd = 1 << 2;
constexpr uint32_t io_in = 1 << 0, io_out = 1 << 2, io_error = 1 << 3, io_hup = 1 << 4;

}  // namespace spa
