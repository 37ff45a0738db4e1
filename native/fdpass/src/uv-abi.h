// The few functions of libuv 1 that the addon uses. Node exports them, but its headers are not part of any npm package;
// libuv keeps them and the number below stable for the whole of version 1.
#pragma once

#include <cstddef>

extern "C" {
struct uv_loop_s;
struct uv_handle;
using uv_close_cb = void (*)(uv_handle*);
using uv_poll_cb = void (*)(uv_handle*, int status, int events);

std::size_t uv_handle_size(int type);
void* uv_handle_get_data(const uv_handle*);
void uv_handle_set_data(uv_handle*, void*);
void uv_close(uv_handle*, uv_close_cb);
int uv_poll_init(uv_loop_s*, uv_handle*, int fd);
int uv_poll_start(uv_handle*, int events, uv_poll_cb);
int uv_poll_stop(uv_handle*);
const char* uv_err_name(int error);
const char* uv_strerror(int error);
}

/// UV_POLL of uv_handle_type, UV_READABLE of uv_poll_event.
constexpr int uv_poll_type = 8;
constexpr int uv_readable = 1;
constexpr int uv_writable = 2;
