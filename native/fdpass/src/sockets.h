// Unix stream sockets, all nonblocking and closed on exec. The contracts stand in ../index.ts.
#pragma once

#include <napi.h>

namespace fdpass {

Napi::Value make_pair(const Napi::CallbackInfo& info);
Napi::Value listen_unix(const Napi::CallbackInfo& info);
Napi::Value connect_unix(const Napi::CallbackInfo& info);
Napi::Value accept_connection(const Napi::CallbackInfo& info);
Napi::Value peer_credentials(const Napi::CallbackInfo& info);
void close_descriptor(const Napi::CallbackInfo& info);

}  // namespace fdpass
