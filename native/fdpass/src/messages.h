// Bytes with descriptors beside them (SCM_RIGHTS). The contracts stand in ../index.ts.
#pragma once

#include <napi.h>

namespace fdpass {

Napi::Value send_message(const Napi::CallbackInfo& info);
Napi::Value receive_message(const Napi::CallbackInfo& info);

}  // namespace fdpass
