// Unix sockets that carry file descriptors, for Node. The contracts stand in ../index.ts.
#include <napi.h>

#include "messages.h"
#include "sockets.h"
#include "watch.h"

namespace {

Napi::Object start(Napi::Env env, Napi::Object exports) {
  using namespace fdpass;
  exports.Set("socketpair", Napi::Function::New<make_pair>(env, "socketpair"));
  exports.Set("listenUnix", Napi::Function::New<listen_unix>(env, "listenUnix"));
  exports.Set("connectUnix", Napi::Function::New<connect_unix>(env, "connectUnix"));
  exports.Set("accept", Napi::Function::New<accept_connection>(env, "accept"));
  exports.Set("send", Napi::Function::New<send_message>(env, "send"));
  exports.Set("receive", Napi::Function::New<receive_message>(env, "receive"));
  exports.Set("watchReadable", Napi::Function::New<watch_readable>(env, "watchReadable"));
  exports.Set("watchWritable", Napi::Function::New<watch_writable>(env, "watchWritable"));
  exports.Set("peerCredentials", Napi::Function::New<peer_credentials>(env, "peerCredentials"));
  exports.Set("close", Napi::Function::New<close_descriptor>(env, "close"));
  return exports;
}

}  // namespace

NODE_API_MODULE(fdpass, start)
