#include "watch.h"

#include <fcntl.h>

#include <cerrno>
#include <memory>

#include "arguments.h"
#include "descriptor.h"
#include "failure.h"
#include "uv-abi.h"

namespace fdpass {

namespace {

/// One watch. Alive until libuv has closed its handle, and for as long as JavaScript has its stop function.
class Watch : public std::enable_shared_from_this<Watch> {
 public:
  Watch(Napi::Env env, Descriptor fd, Napi::Function callback)
      : env_(env),
        fd_(std::move(fd)),
        callback_(Napi::Persistent(callback)),
        context_(env, "cloche.watch"),
        storage_(new std::max_align_t[uv_handle_size(uv_poll_type) / sizeof(std::max_align_t) + 1]) {}

  void start(uv_loop_s* loop, int events) {
    int result = uv_poll_init(loop, handle(), fd_.get());
    if (result < 0) throw system_error(env_, "uv_poll_init", -result);
    uv_handle_set_data(handle(), this);
    self_ = shared_from_this();
    napi_add_async_cleanup_hook(env_, on_environment_end, this, &hook_);
    result = uv_poll_start(handle(), events, on_event);
    if (result < 0) {
      stop();
      throw system_error(env_, "uv_poll_start", -result);
    }
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    uv_poll_stop(handle());
    uv_close(handle(), on_closed);
  }

 private:
  uv_handle* handle() { return reinterpret_cast<uv_handle*>(storage_.get()); }
  static Watch* from(uv_handle* handle) { return static_cast<Watch*>(uv_handle_get_data(handle)); }

  static void on_event(uv_handle* handle, int, int) {
    Watch* watch = from(handle);
    Napi::HandleScope scope(watch->env_);
    try {
      // An error on the descriptor is the caller's to find: its next call fails with it.
      watch->callback_.MakeCallback(Napi::Env(watch->env_).Global(), std::initializer_list<napi_value>{}, watch->context_);
    } catch (const Napi::Error& error) {
      napi_fatal_exception(watch->env_, error.Value());
    }
  }

  static void on_closed(uv_handle* handle) {
    Watch* watch = from(handle);
    Napi::HandleScope scope(watch->env_);
    watch->fd_.reset();
    watch->callback_.Reset();
    napi_remove_async_cleanup_hook(watch->hook_);
    // The stop function may keep the object until it is collected, so whatever costs is given back above.
    const std::shared_ptr<Watch> self = std::move(watch->self_);
  }

  static void on_environment_end(napi_async_cleanup_hook_handle, void* data) { static_cast<Watch*>(data)->stop(); }

  napi_env env_;
  Descriptor fd_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  std::unique_ptr<std::max_align_t[]> storage_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  std::shared_ptr<Watch> self_;
  bool stopped_ = false;
};

Napi::Value watch(const Napi::CallbackInfo& info, int events) {
  const Napi::Env env = info.Env();
  const int watched = descriptor_argument(info[0]);
  if (!info[1].IsFunction()) throw Napi::TypeError::New(env, "the callback must be a function");
  // A descriptor of the watch's own: libuv takes one watch a number, and the caller may close his while it lasts.
  Descriptor fd(::fcntl(watched, F_DUPFD_CLOEXEC, 0));
  if (fd.get() < 0) throw system_error(env, "fcntl", errno);
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Napi::Error::New(env, "there is no event loop");
  const auto started = std::make_shared<Watch>(env, std::move(fd), info[1].As<Napi::Function>());
  started->start(loop, events);
  return Napi::Function::New(env, [started](const Napi::CallbackInfo&) { started->stop(); });
}

}  // namespace

Napi::Value watch_readable(const Napi::CallbackInfo& info) { return watch(info, uv_readable); }

Napi::Value watch_writable(const Napi::CallbackInfo& info) { return watch(info, uv_writable); }

}  // namespace fdpass
