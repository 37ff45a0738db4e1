// Calls back when a descriptor is readable, or writable. The contract stands in ../index.ts.
#pragma once

#include <napi.h>

namespace fdpass {

Napi::Value watch_readable(const Napi::CallbackInfo& info);
Napi::Value watch_writable(const Napi::CallbackInfo& info);

}  // namespace fdpass
