// Calls back when a descriptor is readable. The contract stands in ../index.ts.
#pragma once

#include <napi.h>

namespace fdpass {

Napi::Value watch_readable(const Napi::CallbackInfo& info);

}  // namespace fdpass
