#include "failure.h"

#include "uv-abi.h"

namespace fdpass {

Napi::Error system_error(Napi::Env env, const char* syscall, int error, const std::string& object) {
  const std::string what = object.empty() ? syscall : std::string(syscall) + " " + object;
  Napi::Error result = Napi::Error::New(env, what + ": " + uv_strerror(-error));
  result.Set("code", Napi::String::New(env, uv_err_name(-error)));
  result.Set("syscall", Napi::String::New(env, syscall));
  return result;
}

}  // namespace fdpass
