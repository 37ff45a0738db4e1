// A module of PipeWire: one end of a video stream between a host and a guest. Loaded by a process of its own, `pipewire -c`, with the arguments
// or, where the configuration has none, in the environment as CLOCHE_MEDIA:
//   media.end         `capture` on the host, `source` in the guest
//   media.connection  the descriptor of the connection between them
//   media.remote      the descriptor of a connection to PipeWire; by default programs' usual one
//   media.node        the id of what is captured; by default PipeWire chooses
//   media.still       `true` where no frame comes while nothing changes
//   stream.props      of the stream
#include <cstdlib>
#include <cstring>

#include "capture.h"
#include "source.h"

namespace {

/** -1 where there is none. */
int number(const pw_properties* arguments, const char* key) {
  const char* text = pw_properties_get(arguments, key);
  return text == nullptr ? -1 : static_cast<int>(strtol(text, nullptr, 10));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int pipewire__module_init(pw_impl_module* module, const char* text) {
  static media::Capture capture;
  static media::Source source;
  if (text == nullptr) text = getenv("CLOCHE_MEDIA");
  if (text == nullptr) media::fail("there are no arguments");
  const pw_properties* arguments = pw_properties_new_string(text);
  if (arguments == nullptr) media::fail("the arguments cannot be read");
  const char* end = pw_properties_get(arguments, "media.end");
  const char* given = pw_properties_get(arguments, "stream.props");
  const int connection = number(arguments, "media.connection");
  const bool is_capture = end != nullptr && strcmp(end, "capture") == 0;
  if (connection < 0) media::fail("media.connection is missing");
  media::Stream& stream = is_capture ? static_cast<media::Stream&>(capture) : source;
  stream.open(pw_impl_module_get_context(module), number(arguments, "media.remote"), "Cloche", given == nullptr ? "" : given);
  stream.listen_on(connection, spa::io_in);
  const char* still = pw_properties_get(arguments, "media.still");
  const bool is_still = still != nullptr && strcmp(still, "true") == 0;
  if (is_capture) capture.start(static_cast<uint32_t>(number(arguments, "media.node")), is_still);
  return 0;
}
