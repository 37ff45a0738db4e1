// Failures of system calls as JavaScript errors: `code` is the errno's name, `syscall` the call.
#pragma once

#include <napi.h>

#include <string>

namespace fdpass {

/// "connect /run/x: connection refused". The object may be empty.
Napi::Error system_error(Napi::Env env, const char* syscall, int error, const std::string& object = "");

}  // namespace fdpass
